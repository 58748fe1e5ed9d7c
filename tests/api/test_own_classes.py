"""Folders of any classes become a model that is served with its own labels, by the commands alone."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from django.test import Client

from api import ml_state
from ml_models.artefact import load_artefact
from ml_models.labels import BY_CODE, GENERIC_ADVICE
from ml_pipeline.__main__ import main
from ml_pipeline.synthetic import Scene, draw, write_class_folders

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

FIVE = {
    "Moles": ("nevus", "", "", "", ""),
    "ring worm": ("tinea", "Ringworm", "no", "", "Keep it dry, and see a doctor."),
    "KS": ("kaposi", "Kaposi sarcoma", "yes", "", ""),
    "L4": ("old scar", "", "", "Low", ""),
    "bcc_eyelid": ("bcc", "Basal cell carcinoma of the eyelid", "yes", "High", "See an eye doctor within days."),
}
NINETEEN = [f"Skin_condition {number}" for number in range(19)]


def make(folder: Path, *options: str, recipe: str) -> Path:
    """Build, train, export and evaluate; gives the model's folder."""
    out = folder.parent
    records, run, model = (str(out / name) for name in ("table/records.csv", "run", "model"))
    common = ["--labelled-pairs", "0", "--no-report", "--workers", "1", "--out", str(out / "table")]
    assert main(["build", "--folder", f"own={folder}", *options, *common]) == 0
    train = ["train", "--records", records, "--recipe", recipe, "--backbone-weights", "none", "--out", run]
    assert main(train) == 0
    export = ["export", "--run", run, "--records", records, "--version", "0.1.0", "--out", model]
    assert main(export) == 0
    assert main(["evaluate", "--model", model, "--records", records, "--out", str(out / "figures")]) == 0
    return Path(model)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five classes with a mapping, and the small network."""
    folder = write_class_folders(tmp_path_factory.mktemp("five"), classes=list(FIVE), photos_per_class=7, seed=3)
    mapping = folder.with_name("mapping.csv")
    with mapping.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["folder", "label", "name", "malignant", "severity", "advice"])
        rows.writerows([name, *cells] for name, cells in FIVE.items())
    return make(folder, "--mapping", f"own={mapping}", recipe="small-cnn")


@pytest.fixture(scope="module")
def nineteen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nineteen classes of which the folders' names are all that is known, and the plain stack."""
    folder = write_class_folders(tmp_path_factory.mktemp("nineteen"), classes=NINETEEN, photos_per_class=7, seed=3)
    return make(folder, recipe="sequential-cnn")


@pytest.fixture
def serve(settings) -> Callable[[Path], None]:
    def served(model: Path) -> None:
        settings.MODEL_ARTEFACT = model
        ml_state.reset()

    return served


def photos() -> Iterator[bytes]:
    """Drawn lesions of every kind."""
    for seed, lesion in enumerate(BY_CODE):
        rgb = draw(Scene(lesion=lesion), width_px=200, height_px=150, seed=seed)
        yield bytes(cv2.imencode(".jpg", rgb[..., ::-1])[1])


def test_five_mapped_classes_are_served_with_what_the_mapping_says(
    five: Path, serve: Callable[[Path], None], anonymous: Client
):
    serve(five)
    labels = anonymous.get("/api/model/").json()["labels"]
    assert [tuple(label.values()) for label in labels] == [
        ("bcc", "Basal cell carcinoma of the eyelid", True, "High"),
        ("nv", BY_CODE["nv"].name, False, "Low"),
        ("kaposi", "Kaposi sarcoma", True, "High"),
        ("old_scar", "Old scar", None, "Low"),
        ("tinea", "Ringworm", False, "Low"),
    ]


def test_five_mapped_classes_answer_with_their_names_and_advice(
    five: Path, serve: Callable[[Path], None], anonymous: Client, predict
):
    serve(five)
    labels = {label.code: label for label in load_artefact(five).document.labels}
    assert {code: label.advice for code, label in labels.items()} == {
        "bcc": "See an eye doctor within days.",
        "nv": BY_CODE["nv"].advice,
        "kaposi": GENERIC_ADVICE,
        "old_scar": GENERIC_ADVICE,
        "tinea": "Keep it dry, and see a doctor.",
    }
    for photo in photos():
        answer = predict(anonymous, image=photo).json()
        assert list(answer["probabilities"]) == list(labels)
        assert labels[answer["label"]].name in answer["diagnosis"]
        if answer["diagnosis"] == labels[answer["label"]].name:
            assert labels[answer["label"]].advice in answer["advice"]
        assert (answer["isSafe"], answer["severity"] == "Low") == (False, False)


def test_nineteen_classes_without_a_mapping_are_served_as_unknown(
    nineteen: Path, serve: Callable[[Path], None], anonymous: Client, predict
):
    serve(nineteen)
    labels = anonymous.get("/api/model/").json()["labels"]
    assert {label["name"] for label in labels} == {name.replace("_", " ") for name in NINETEEN}
    for photo in photos():
        answer = predict(anonymous, image=photo).json()
        assert (answer["severity"], answer["isSafe"]) == ("Moderate", False)
        assert answer["malignancy"] == {"probability": None, "threshold": None, "suspicious": False}
        assert answer["top_k"][0]["name"] in answer["diagnosis"]
        assert len(answer["probabilities"]) == 19


@pytest.mark.parametrize("made", ["five", "nineteen"])
def test_predict_command_answers_with_own_classes(
    made: str, request: pytest.FixtureRequest, tmp_path: Path, lesion_jpeg: bytes, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "mole.jpg").write_bytes(lesion_jpeg)
    model = request.getfixturevalue(made)
    arguments = ["predict", str(tmp_path / "mole.jpg"), "--model", str(model), "--heatmap", str(tmp_path / "map.png")]
    capsys.readouterr()
    assert main(arguments) == 0
    assert (tmp_path / "map.png").is_file()
    assert ("malignancy unknown" in capsys.readouterr().out) == (made == "nineteen")
