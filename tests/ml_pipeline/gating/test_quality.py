"""A gate stands where accuracy measurably falls, and only where its score sees why."""

import numpy as np
import pytest

from ml_models.classification import Modality, ReasonCode
from ml_pipeline.gating.degradations import Degradation, blurred
from ml_pipeline.gating.quality import GradedPhotos, choose_gate, gates_of, spread_over_classes
from tests.ml_pipeline.conftest import make_record

PHOTOS = 400
WAY = Degradation("blurred", "px", (1, 2, 3), blurred, "sharpness", ReasonCode.TOO_BLURRED)


def graded(accuracies: list[float], scores: list[float], *, noise: float = 1.0, seed: int = 0) -> GradedPhotos:
    """Photos of two classes, each its own lesion, right so often and scored so on average in every grade."""
    rng = np.random.default_rng(seed)
    luck = rng.random(PHOTOS)
    return GradedPhotos(
        right=np.array([luck < accuracy for accuracy in accuracies]),
        scores=np.array([rng.normal(score, noise, PHOTOS) for score in scores]),
        labels=np.array(["mel", "nv"] * (PHOTOS // 2)),
        groups=np.arange(PHOTOS).astype(str),
    )


def test_choose_gate_stands_between_harmless_and_harmful_grades() -> None:
    choice = choose_gate(WAY, Modality.CLINICAL, graded([0.8, 0.79, 0.6, 0.4], [100, 90, 50, 20]))
    assert [grade.is_harmful for grade in choice.grades] == [False, True, True]
    assert choice.minimum is not None
    assert 50 < choice.minimum < 90
    assert choice.good_refused == 0
    assert choice.grades[0].refused < 0.05
    assert choice.grades[1].refused > 0.95


def test_choose_gate_where_accuracy_does_not_fall_is_none() -> None:
    choice = choose_gate(WAY, Modality.CLINICAL, graded([0.8, 0.8, 0.79, 0.78], [100, 90, 50, 20]))
    assert (choice.minimum, choice.separation) == (None, None)
    assert "does not measurably fall" in choice.why


def test_choose_gate_whose_score_does_not_see_the_fall_is_none() -> None:
    choice = choose_gate(WAY, Modality.CLINICAL, graded([0.8, 0.6, 0.5, 0.3], [100, 100, 100, 100]))
    assert choice.minimum is None
    assert "does not tell" in choice.why
    assert choice.separation == pytest.approx(0.5, abs=0.05)


def test_choose_gate_refuses_few_good_photos_even_where_grades_overlap() -> None:
    choice = choose_gate(WAY, Modality.CLINICAL, graded([0.8, 0.6, 0.5, 0.3], [100, 98, 97, 95], noise=2.0))
    assert choice.minimum is not None
    assert choice.good_refused <= 0.01


def test_choose_gate_counts_classes_alike() -> None:
    photos = graded([0.8] * 4, [100, 90, 50, 20])
    rare = np.arange(PHOTOS) < 40
    photos = GradedPhotos(
        right=np.array([np.where(rare, grade == 0, np.ones(PHOTOS, bool)) for grade in range(4)]),
        scores=photos.scores,
        labels=np.where(rare, "mel", "nv"),
        groups=photos.groups,
    )
    choice = choose_gate(WAY, Modality.CLINICAL, photos)
    assert choice.balanced_accuracy == pytest.approx(1)
    assert choice.grades[0].balanced_accuracy == pytest.approx(0.5)


def test_gates_of_names_reason_and_modality() -> None:
    choice = choose_gate(WAY, Modality.CLINICAL, graded([0.8, 0.79, 0.6, 0.4], [100, 90, 50, 20]))
    none = choose_gate(WAY, Modality.CLINICAL, graded([0.8] * 4, [100, 90, 50, 20]))
    (gate,) = gates_of([choice, none], [WAY])
    assert (gate.score, gate.reason, gate.modality) == ("sharpness", ReasonCode.TOO_BLURRED, Modality.CLINICAL)
    assert gate.minimum == choice.minimum


def test_spread_over_classes_keeps_rare_classes_whole() -> None:
    records = [make_record(f"a{n}", label="nv") for n in range(300)] + [
        make_record(f"b{n}", label="df") for n in range(5)
    ]
    chosen = spread_over_classes(records, most=50)
    assert len(chosen) == 50
    assert sum(record.label == "df" for record in chosen) == 5
    assert chosen == sorted(chosen, key=records.index)
