"""From a trained run to a folder that serves: two domains, a foreign label set, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ml_models.artefact import load_artefact
from ml_models.calibration import softmax
from ml_models.classification import Modality, Severity
from ml_models.classifier import load_classifier
from ml_models.labels import CODES, Label
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.data.split import SplitPlan, split_records
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.export import ExportReport, export
from ml_pipeline.int8 import REPORT, int8_experiment
from ml_pipeline.synthetic import Scene, draw
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.run_folder import TrainedModel
from ml_pipeline.training.train import train

pytestmark = pytest.mark.slow
TINY = recipe_named("tiny")
CREATED_AT = "2026-01-01T00:00:00+00:00"


def _export(trained: TrainedModel, records: tuple[Record, ...], out: Path) -> ExportReport:
    return export(trained, records, model_version="0.0.1", created_at=CREATED_AT, out=out)


def _nevus() -> np.ndarray:
    return draw(Scene(lesion="nv"), width_px=300, height_px=225, seed=1)


def test_export_folder_loads_verifies_and_answers(exported: ExportReport) -> None:
    answer = load_classifier(exported.folder).classify(_nevus())
    assert answer.probabilities is not None
    assert tuple(answer.probabilities) == CODES


def test_export_each_domain_has_its_own_calibration(exported: ExportReport) -> None:
    assert set(exported.document.calibrations) == set(Modality)
    classifier = load_classifier(exported.folder)
    temperature = max(calibration.temperature for calibration in exported.document.calibrations.values())
    served = classifier.classify(_nevus()).probabilities
    assert served is not None
    assert list(served.values()) == pytest.approx(softmax(classifier.classify(_nevus()).photos[0].logits / temperature))


def test_export_metrics_are_of_the_test_split_and_of_one_domain_each(
    exported: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    test = exported.document.metrics["test"]
    assert set(test) == set(Modality)
    for modality, block in test.items():
        photos = [record for record in of_split(two_domains, Split.TEST) if record.modality == modality]
        assert (block["photos"], block["split"][:4]) == (len(photos), "test")
        assert {"value", "low", "high"} == set(block["balanced_accuracy"])
        assert {"balanced_accuracy", "accuracy", "expected_calibration_error"} <= set(block["modality_unknown"])


def test_export_threshold_that_data_cannot_support_is_said_and_missing(exported: ExportReport) -> None:
    assert not exported.document.malignancy_thresholds
    card = (exported.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for modality in Modality:
        assert f"no warning threshold for {modality} photos" in card


def test_export_card_and_plots_are_written(exported: ExportReport) -> None:
    card = (exported.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "CC BY-NC" in card
    assert "CC BY 4.0" in card
    for block in exported.document.metrics["test"].values():
        assert f"{block['balanced_accuracy']['value']:.3f} [" in card
    for modality, domain in exported.document.provenance["chosen_on_validation"]["domains"].items():
        assert f"{modality} photos: a class from a probability of {domain['prediction_set']['minimum']:.4f}" in card
    assert "no gates" in card
    assert {path.name for path in (exported.folder / "plots").iterdir()} == {
        f"{modality}_{plot}.png" for modality in Modality for plot in ("confusion", "reliability", "malignant_roc")
    }


def test_export_golden_answers_cover_facts_and_modalities(exported: ExportReport) -> None:
    golden = load_artefact(exported.folder).golden
    indices = range(len(golden.photos))
    assert {golden.modality(index) for index in indices} == {None, *Modality}
    facts = [golden.patient(index) for index in indices]
    assert sum(each.age_band is not None and each.sex is not None and each.site is not None for each in facts) == 2


def test_export_document_names_what_was_chosen_and_how(exported: ExportReport) -> None:
    document = json.loads((exported.folder / "model.json").read_text(encoding="utf-8"))
    chosen = document["provenance"]["chosen_on_validation"]
    assert set(chosen["domains"]) == set(Modality)
    assert chosen["patient_effects"] is None or {"kept", "improvements"} <= set(chosen["patient_effects"])
    assert document["provenance"]["training_seconds"] >= 0


def test_export_answer_does_not_depend_on_training_code(exported: ExportReport) -> None:
    artefact = load_artefact(exported.folder)
    assert artefact.document.provenance["recipe"]["name"] == "tiny"
    assert artefact.statistics.class_weights.shape == (24, 8)


def test_export_recipe_of_one_source_is_judged_on_it_alone(
    tmp_path: Path, trained: TrainedModel, two_domains: tuple[Record, ...]
) -> None:
    ham_alone = dataclasses.replace(trained, recipe=dataclasses.replace(TINY, sources=("HAM10000",)))
    document = _export(ham_alone, two_domains, tmp_path / "tiny").document
    assert set(document.calibrations) == set(document.metrics["test"]) == {Modality.DERMATOSCOPIC}
    assert "CC BY 4.0" not in "".join(document.provenance["data"]["licences"])


def test_export_foreign_labels_of_unknown_malignancy_serve_as_they_are(
    tmp_path: Path, tiny_records: tuple[Record, ...]
) -> None:
    own = tuple(Label(f"own-{code}", f"Own {code}", None, Severity.MODERATE, "See a doctor.") for code in CODES)
    records = tuple(dataclasses.replace(record, label=f"own-{record.label}") for record in tiny_records)
    trained = train(records, TINY, labels=own, out=tmp_path / "run", backbone_weights=None)
    report = _export(trained, records, tmp_path / "tiny")
    decision = load_classifier(report.folder).classify(_nevus()).decision
    assert decision.label in {label.code for label in own}
    assert not decision.is_safe
    assert "not known whether they are malignant" in (report.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert not (report.folder / "plots" / "dermatoscopic_malignant_roc.png").exists()


def test_export_other_split_of_the_same_photos_is_refused(
    trained: TrainedModel, two_domains: tuple[Record, ...], tmp_path: Path
) -> None:
    other = split_records(two_domains, [], plan=SplitPlan(seed=7)).records
    with pytest.raises(LeakageError, match="not those that the model was trained on"):
        _export(trained, other, tmp_path / "tiny")


def test_export_into_a_folder_of_something_else_is_refused(
    trained: TrainedModel, two_domains: tuple[Record, ...], tmp_path: Path
) -> None:
    (tmp_path / "precious").mkdir()
    with pytest.raises(TrainingError, match="no model folder"):
        _export(trained, two_domains, tmp_path)


def test_export_failing_leaves_the_old_folder(
    exported: ExportReport, trained: TrainedModel, two_domains: tuple[Record, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (exported.folder / "model.json").read_bytes()
    monkeypatch.setattr("ml_pipeline.export.PARITY_TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match="LiteRT differs"):
        _export(trained, two_domains, exported.folder)
    assert (exported.folder / "model.json").read_bytes() == before


def test_int8_experiment_reports_and_ships_nothing(
    exported: ExportReport, trained: TrainedModel, two_domains: tuple[Record, ...], tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in exported.folder.iterdir() if path.is_file()}
    report = int8_experiment(trained, two_domains, model=exported.folder, out=tmp_path)
    assert report.photos == len(of_split(two_domains, Split.VALIDATION))
    assert report.largest_logit_error >= report.mean_logit_error > 0
    assert report.int8_bytes != report.float32_bytes
    assert min(report.float32_ms, report.int8_ms) > 0
    assert json.loads((tmp_path / REPORT).read_text(encoding="utf-8")) == dataclasses.asdict(report)
    assert {path: path.read_bytes() for path in exported.folder.iterdir() if path.is_file()} == before
