"""What a model folder is refused for, and that what `model.json` says is what is done."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models import artefact
from ml_models.artefact import load_artefact, parse_document
from ml_models.classifier import load_classifier
from ml_models.errors import ArtefactError
from ml_models.labels import CODES

Change = Callable[..., None]


def _row(**changes: object) -> dict[str, object]:
    """An offset of 0 for every class, but for the given ones."""
    return {code: changes.get(code, 0.0) for code in CODES}


def test_load_artefact_shipped_model_has_the_eight_classes_in_order(artefact_copy: Path) -> None:
    assert tuple(label.code for label in load_artefact(artefact_copy).document.labels) == CODES


def test_load_artefact_shipped_metrics_name_their_split(artefact_copy: Path) -> None:
    metrics = load_artefact(artefact_copy).document.metrics
    assert metrics["test"]["dermatoscopic"]["split"].startswith("test")
    assert metrics["test"]["dermatoscopic"]["photos"] > 1000


def test_document_to_json_and_back_is_the_same(artefact_copy: Path) -> None:
    document = load_artefact(artefact_copy).document
    assert parse_document(document.to_json().encode(), where="here") == document


def test_load_artefact_missing_folder_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="MODEL_ARTEFACT"):
        load_artefact(tmp_path / "nothing")


@pytest.mark.parametrize("name", artefact.HASHED_FILES)
def test_load_artefact_missing_file_is_refused(artefact_copy: Path, name: str) -> None:
    (artefact_copy / name).unlink()
    with pytest.raises(ArtefactError, match=rf"{name} is missing.*export"):
        load_artefact(artefact_copy)


@pytest.mark.parametrize("name", artefact.HASHED_FILES)
def test_load_artefact_altered_file_is_refused(artefact_copy: Path, name: str) -> None:
    content = bytearray((artefact_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (artefact_copy / name).write_bytes(content)
    with pytest.raises(ArtefactError, match=r"sha256.*altered"):
        load_artefact(artefact_copy)


@pytest.mark.parametrize("name", artefact.HASHED_FILES)
def test_load_artefact_file_without_digest_is_refused(artefact_copy: Path, change_document: Change, name: str) -> None:
    files = json.loads((artefact_copy / artefact.DOCUMENT).read_text(encoding="utf-8"))["files"]
    change_document(files={key: value for key, value in files.items() if key != name})
    with pytest.raises(ArtefactError, match="no sha256"):
        load_artefact(artefact_copy)


def test_load_artefact_labels_in_another_order_are_refused(artefact_copy: Path, change_document: Change) -> None:
    labels = json.loads((artefact_copy / artefact.DOCUMENT).read_text(encoding="utf-8"))["labels"]
    change_document(labels=[labels[1], labels[0], *labels[2:]])
    with pytest.raises(ArtefactError, match="labels"):
        load_artefact(artefact_copy)


def test_load_artefact_fewer_labels_are_refused(artefact_copy: Path, change_document: Change) -> None:
    labels = json.loads((artefact_copy / artefact.DOCUMENT).read_text(encoding="utf-8"))["labels"]
    change_document(labels=labels[:-1])
    with pytest.raises(ArtefactError, match="labels"):
        load_artefact(artefact_copy)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", 1, "format 1 is not 3"),
        ("calibrations", {}, "at least one"),
        ("calibrations", {"dermatoscopic": {"temperature": 0, "bias": {}}}, "dermatoscopic.*temperature 0"),
        ("calibrations", {"dermatoscopic": {"temperature": float("nan"), "bias": {}}}, "temperature nan"),
        ("calibrations", {"dermatoscopic": {"temperature": "hot", "bias": {}}}, "hot"),
        ("calibrations", {"dermatoscopic": {"temperature": 1}}, "bias"),
        ("calibrations", {"dermatoscopic": {"temperature": 1, "bias": {"mel": 1}}}, "bias is for"),
        ("calibrations", {"dermatoscopic": {"temperature": 1, "bias": _row(mel=float("inf"))}}, "finite"),
        ("calibrations", {"telepathic": {"temperature": 1, "bias": {}}}, "telepathic"),
        ("patient_effects", {}, "age"),
        ("patient_effects", {"age": {"old": _row()}, "sex": {}, "site": {}}, "old"),
        ("patient_effects", {"age": {}, "sex": {"male": {"mel": 1}}, "site": {}}, "male.*are for"),
        ("patient_effects", {"age": {}, "sex": {}, "site": {"torso": _row(nv=float("nan"))}}, "torso.*finite"),
        ("patient_effects", {"age": {}, "sex": {}, "site": {"torso": _row(nv="much")}}, "much"),
        ("malignancy_thresholds", {"dermatoscopic": 1.5}, "between 0 and 1"),
        ("malignancy_thresholds", {"telepathic": 0.5}, "telepathic"),
        ("prediction_sets", {"dermatoscopic": -1}, "between 0 and 1"),
        ("prediction_sets", {"telepathic": 0.5}, "telepathic"),
        ("modality_certainty", 2, "between 0 and 1"),
        ("gated", ["telepathic"], "telepathic"),
        ("labels", [], "labels"),
        ("input", {"size_px": 160, "preprocess_version": 99}, "preprocessing"),
        ("input", {"size_px": "160"}, "160"),
        ("gates", [{"score": "contrast", "modality": None}], "minimum"),
        ("gates", [{"score": "beauty", "minimum": 1, "reason": "no_detail", "modality": None}], "beauty"),
        ("gates", [{"score": "contrast", "minimum": float("nan"), "reason": "no_detail", "modality": None}], "finite"),
    ],
)
def test_load_artefact_impossible_document_is_refused(
    artefact_copy: Path, change_document: Change, key: str, value: object, said: str
) -> None:
    change_document(**{key: value})
    with pytest.raises(ArtefactError, match=said):
        load_artefact(artefact_copy)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("mel", {"malignant": False}),
        ("mel", {"malignant": 1}),
        ("mel", {"severity": "Low"}),
        ("nv", {"malignant": None}),
    ],
    ids=["benign melanoma", "number", "harmless melanoma", "unknown mole"],
)
def test_load_artefact_label_that_would_mislead_is_refused(
    artefact_copy: Path, change_document: Change, code: str, change: dict[str, object]
) -> None:
    labels = json.loads((artefact_copy / artefact.DOCUMENT).read_text(encoding="utf-8"))["labels"]
    change_document(labels=[{**label, **(change if label["code"] == code else {})} for label in labels])
    with pytest.raises(ArtefactError, match=code):
        load_artefact(artefact_copy)


def _rewrite_arrays(folder: Path, change_document: Change, name: str, **changes: object) -> None:
    """Change arrays of a file and make its digest right again: what is left are the checks of content."""
    with np.load(folder / name) as old:
        arrays = {key: old[key] for key in old.files}
    arrays = {key: value for key, value in {**arrays, **changes}.items() if value is not None}
    np.savez_compressed(folder / name, **arrays)
    files = json.loads((folder / artefact.DOCUMENT).read_text(encoding="utf-8"))["files"]
    change_document(files={**files, name: artefact.file_digest(folder / name)})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (artefact.GOLDEN, {"probabilities": np.full((4, 8), np.nan)}),
        (artefact.GOLDEN, {"photos": np.zeros((0, 8, 8, 3), np.uint8)}),
        (artefact.GOLDEN, {"probabilities": None}),
        (artefact.GOLDEN, {"sexes": np.array(["female"])}),
        (artefact.STATISTICS, {"class_weights": np.zeros((5, 8), np.float32)}),
        (artefact.STATISTICS, {"class_weights": np.zeros((1280, 8), np.float32)}),
        (artefact.STATISTICS, {"embedding_components": np.zeros((5, 64), np.float32)}),
        (artefact.STATISTICS, {"class_bias": None}),
    ],
    ids=["nan", "no photos", "no answers", "one sex", "five channels", "other weights", "other projection", "no bias"],
)
def test_load_classifier_arrays_that_do_not_fit_are_refused(
    artefact_copy: Path, change_document: Change, name: str, changes: dict[str, object]
) -> None:
    _rewrite_arrays(artefact_copy, change_document, name, **changes)
    with pytest.raises(ArtefactError):
        load_classifier(artefact_copy)


def test_load_artefact_no_json_is_refused(artefact_copy: Path) -> None:
    (artefact_copy / artefact.DOCUMENT).write_text("{", encoding="utf-8")
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_artefact(artefact_copy)


def test_load_classifier_other_temperature_fails_the_golden_check(artefact_copy: Path, change_document: Change) -> None:
    change_document(calibrations={"dermatoscopic": {"temperature": 9.0, "bias": {}}})
    with pytest.raises(ArtefactError, match="golden"):
        load_classifier(artefact_copy)


def test_load_classifier_broken_network_with_a_right_digest_is_refused(
    artefact_copy: Path, change_document: Change
) -> None:
    model = artefact_copy / artefact.LITERT_MODEL
    model.write_bytes(b"TFL3" + bytes(1000))
    files = json.loads((artefact_copy / artefact.DOCUMENT).read_text(encoding="utf-8"))["files"]
    change_document(files={**files, artefact.LITERT_MODEL: artefact.file_digest(model)})
    with pytest.raises(ArtefactError, match="LiteRT"):
        load_classifier(artefact_copy)


def test_classify_changed_threshold_changes_the_answer(
    artefact_copy: Path, change_document: Change, lesion_rgb: NDArray[np.uint8]
) -> None:
    change_document(malignancy_thresholds={"dermatoscopic": 1.0})
    calm = load_classifier(artefact_copy).classify(lesion_rgb).decision
    change_document(malignancy_thresholds={"dermatoscopic": 0.0})
    alarmed = load_classifier(artefact_copy).classify(lesion_rgb).decision
    assert (calm.malignancy.suspicious, alarmed.malignancy.suspicious) == (False, True)


def test_classify_changed_gate_changes_the_answer(
    artefact_copy: Path, change_document: Change, lesion_rgb: NDArray[np.uint8]
) -> None:
    change_document(gates=[{"score": "contrast", "minimum": 255, "reason": "no_detail", "modality": None}])
    assert load_classifier(artefact_copy).classify(lesion_rgb).decision.status == "rejected"
