"""A tiny model exported with heads and gates: what it says of lesions, of other things, and of bad photos."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_models.artefact import load_artefact
from ml_models.classification import Modality, Status
from ml_models.classifier import Classifier, load_classifier
from ml_models.gates import NETWORK_SCORES
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.evaluation.evaluate import ask
from ml_pipeline.evaluation.negatives import judge_negatives
from ml_pipeline.evaluation.served import measure_served
from ml_pipeline.export import ExportReport, export
from ml_pipeline.gating.choose import GatingPhotos
from ml_pipeline.gating.negatives import find_negatives
from ml_pipeline.synthetic import draw_document
from ml_pipeline.training.run_folder import TrainedModel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def negatives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of documents; one stays out of every choice."""
    folder = tmp_path_factory.mktemp("negatives")
    for name, count in (("documents", 40), ("papers", 6)):
        (folder / name).mkdir()
        for seed in range(count):
            page = draw_document(width_px=120, height_px=90, seed=seed + 1000 * len(name))
            cv2.imwrite(str(folder / name / f"{seed}.png"), page)
    return folder


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory, two_domains: tuple[Record, ...]) -> Path:
    """Round outlines in the middle, where the generator draws its lesions."""
    folder = tmp_path_factory.mktemp("masks")
    for record in two_domains:
        height, width = read_rgb(record, model_input_px=32).shape[:2]
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 2, height // 2), min(height, width) // 5, 255, -1)
        cv2.imwrite(str(folder / f"{record.image_id}.png"), mask)
    return folder


@pytest.fixture(scope="module")
def gated(
    tmp_path_factory: pytest.TempPathFactory,
    trained: TrainedModel,
    two_domains: tuple[Record, ...],
    negatives: Path,
    masks: Path,
) -> ExportReport:
    """The tiny model with everything that gates need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ml_pipeline.gating.heads._DRAWN", 20)
        return export(
            trained,
            two_domains,
            model_version="0.0.2",
            created_at="2026-01-01T00:00:00+00:00",
            out=tmp_path_factory.mktemp("models") / "gated",
            gating_photos=GatingPhotos(
                (find_negatives(negatives / "documents"), find_negatives(negatives / "papers", held_out=True)), masks
            ),
        )


@pytest.fixture(scope="module")
def classifier(gated: ExportReport) -> Classifier:
    return load_classifier(gated.folder, pool_size=min(2, os.cpu_count() or 1))


def test_export_with_gates_answers_every_score(classifier: Classifier, two_domains: tuple[Record, ...]) -> None:
    photo = classifier.classify(read_rgb(two_domains[0], model_input_px=32)).photos[0]
    assert set(NETWORK_SCORES) < set(photo.gate_scores)
    assert all(np.isfinite(score) for score in photo.gate_scores.values())


def test_export_with_gates_refuses_what_is_no_lesion(
    classifier: Classifier, negatives: Path, two_domains: tuple[Record, ...]
) -> None:
    lesions = ask(classifier, of_split(two_domains, Split.TEST))
    held_out, chosen_on = (judge_negatives(classifier, negatives / name, lesions) for name in ("papers", "documents"))
    assert held_out.auroc is not None
    assert held_out.auroc > 0.9
    assert judge_negatives(classifier, negatives / "papers", []).auroc is None
    assert (held_out.chosen_on, held_out.photos) == (False, 6)
    assert chosen_on.chosen_on
    assert 0 < chosen_on.photos < 40
    for judged in (held_out, chosen_on):
        assert judged.not_a_lesion >= 0.8 * judged.photos
        assert judged.safe == 0
        assert judged.rejected + judged.answered == judged.photos


def test_export_with_gates_accepts_most_lesions(classifier: Classifier, two_domains: tuple[Record, ...]) -> None:
    validation = of_split(two_domains, Split.VALIDATION)
    given = ask(classifier, validation)
    assert np.mean([each.photos[0].gate_scores["lesion_photo"] > 0.5 for each in given]) > 0.8


def test_export_with_gates_says_how_they_were_chosen(gated: ExportReport) -> None:
    document = load_artefact(gated.folder).document
    assert set(document.gated) == set(Modality)
    assert document.provenance["negatives"] == {"chosen_on": ["documents"], "held_out": ["papers"]}
    assert gated.gating is not None
    scores = {gate.score for gate in document.gates}
    assert {"contrast", "lesion_photo"} <= scores
    chosen = [each for choices in gated.gating.quality.values() for each in choices if each.minimum is not None]
    assert scores - {"contrast", "lesion_photo"} <= {each.score for each in chosen}
    card = (gated.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for separation in gated.gating.domain.separations:
        assert f"| {separation.detector} | {separation.source} | {separation.photos} | {separation.auroc:.4f} |" in card


def test_export_with_gates_draws_every_degradation(gated: ExportReport) -> None:
    names = {path.name for path in (gated.folder / "plots").iterdir()}
    assert {"gate_blurred.png", "gate_cut_off.png", "gate_dark.png", "risk_coverage.png"} < names


def test_export_without_a_threshold_never_calls_safe(classifier: Classifier, two_domains: tuple[Record, ...]) -> None:
    assert not classifier.document.malignancy_thresholds
    assert not any(each.decision.is_safe for each in ask(classifier, of_split(two_domains, Split.TEST)))


def test_measure_served_counts_every_photo_once(
    classifier: Classifier, gated: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    test = of_split(two_domains, Split.TEST)
    given = ask(classifier, test)
    served = measure_served(classifier.document, given, test)
    assert sum(each.photos for each in served.values()) == len(test)
    for modality, each in served.items():
        own = [answer for answer, record in zip(given, test, strict=True) if record.modality is modality]
        rejected = [answer for answer in own if answer.decision.status is Status.REJECTED]
        assert each.rejected.value == pytest.approx(len(rejected) / len(own))
        assert each.rejected.value + each.uncertain.value + each.ok.value == pytest.approx(1)
        assert sum(each.reasons.values()) >= len(rejected)
        assert each.modality_right == np.mean([answer.photos[0].modality is modality for answer in own])
        assert gated.document.metrics["test"][modality]["as_served"]["photos"] == len(own)
        shares = [point.coverage for point in each.risk]
        assert shares == sorted(shares)
        assert shares[-1] == 1
        assert each.risk[-1].accuracy == pytest.approx(each.figures["all photos"]["accuracy"].value)
