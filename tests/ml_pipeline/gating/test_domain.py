"""Lesion or not, dermatoscopic or clinical: the gate and the certainty are chosen as they say."""

import numpy as np
import pytest

from ml_models.classification import Modality, ReasonCode, SeenPhoto
from ml_pipeline.errors import PipelineError
from ml_pipeline.gating.domain import choose_domain, detectors, separations

CLASSES = np.array(["a", "b"] * 100)
EMBEDDINGS = np.random.default_rng(0).normal(0, 1, (200, 4)).astype(np.float32)


def seen(
    lesion_photo: float, *, modality: Modality = Modality.DERMATOSCOPIC, certainty: float = 1.0, away: float = 0.0
) -> SeenPhoto:
    """A photo as the network sees it, `away` from the training photos."""
    return SeenPhoto(
        logits=np.array([1.0, 0.0], np.float32),
        gate_scores={"lesion_photo": lesion_photo, "modality_certainty": certainty},
        rejections=(),
        modality=modality,
        probabilities=None,
        embedding=np.full(4, away, np.float32),
        activations=None,
    )


def drawn(low: float, high: float, count: int, seed: int, **more: object) -> list[SeenPhoto]:
    return [seen(score, **more) for score in np.random.default_rng(seed).uniform(low, high, count)]


NAMED = detectors(EMBEDDINGS, CLASSES)


def test_detectors_score_lesions_higher() -> None:
    lesions, others = drawn(0.5, 1, 50, 1), drawn(0, 0.6, 50, 2, away=9.0)
    rows = {row.detector: row for row in separations(NAMED, lesions, {"walls": others})}
    assert rows["trained head"].auroc > 0.9
    assert rows["distance to the classes"].auroc == 1
    assert rows["energy"].auroc == pytest.approx(0.5)


def test_choose_domain_accepts_as_many_lesions_as_others_allow() -> None:
    lesions = drawn(0.6, 1, 1000, 1) + drawn(0.0, 0.1, 4, 2)
    choice = choose_domain(
        {"trained head": NAMED["trained head"]},
        lesions,
        [Modality.DERMATOSCOPIC] * len(lesions),
        {"walls": drawn(0, 0.5, 200, 3), "screens": drawn(0, 0.3, 50, 4)},
    )
    assert choice.gate.reason is ReasonCode.NOT_A_LESION
    assert choice.lesions_accepted[Modality.DERMATOSCOPIC] >= 0.995
    assert choice.others_accepted == {"walls": 0.0, "screens": 0.0}


def test_choose_domain_of_lesions_that_look_like_others_stops_at_95_percent() -> None:
    lesions, others = drawn(0, 1, 500, 1, modality=Modality.CLINICAL), drawn(0, 1, 500, 2)
    head = {"trained head": NAMED["trained head"]}
    choice = choose_domain(head, lesions, [Modality.CLINICAL] * 500, {"walls": others})
    assert choice.lesions_accepted[Modality.CLINICAL] == pytest.approx(0.95, abs=0.005)
    assert choice.others_accepted["walls"] > 0.9


def test_choose_domain_where_another_detector_is_better_is_refused() -> None:
    lesions, others = drawn(0, 1, 50, 1, modality=Modality.CLINICAL), drawn(0, 1, 50, 2, away=9.0)
    with pytest.raises(PipelineError, match="distance"):
        choose_domain(NAMED, lesions, [Modality.CLINICAL] * 50, {"walls": others})


def test_choose_domain_certainty_leaves_few_wrong_modalities_believed() -> None:
    right = [seen(1.0, certainty=0.7 + 0.001 * n) for n in range(300)]
    wrong = [seen(1.0, modality=Modality.CLINICAL, certainty=0.95) for _ in range(5)]
    clinical = [seen(1.0, modality=Modality.CLINICAL, certainty=0.99) for _ in range(50)]
    truth = [Modality.DERMATOSCOPIC] * 305 + [Modality.CLINICAL] * 50
    head = {"trained head": NAMED["trained head"]}
    choice = choose_domain(head, right + wrong + clinical, truth, {"walls": drawn(0, 0.5, 20, 1)})
    assert choice.certainty > 0.95
    assert choice.wrong == {Modality.DERMATOSCOPIC: 0.0, Modality.CLINICAL: 0.0}
    assert choice.certain[Modality.CLINICAL] == 1
