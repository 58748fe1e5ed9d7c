"""Every answer is a row with its photo, from which it can be given again."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from PIL import Image

from api import ml_state
from api.models import Prediction, PredictionImage
from ml_models.image_io import read_photo
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db

FORMATS = ["JPEG", "PNG", "WEBP", "HEIF"]
TURNED = 6


def with_place(orientation: int = 1) -> Image.Exif:
    """Metadata that says where somebody was."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "SECRET-DESCRIPTION"
    exif.get_ifd(0x8825)[29] = "SECRET-GPS"
    return exif


# The row


def test_log_every_answer_is_a_row_with_one_image(anonymous: Client, predict: Callable[..., Any]):
    ids = {predict(anonymous).json()["id"] for _ in range(3)}
    assert {str(row.pk) for row in Prediction.objects.all()} == ids
    assert [row.images.count() for row in Prediction.objects.all()] == [1, 1, 1]


def test_log_row_holds_what_was_answered(anonymous: Client, predict: Callable[..., Any]):
    answer, row = predict(anonymous).json(), Prediction.objects.get()
    assert answer["confidence"] == row.confidence_percent
    for key in ("label", "diagnosis", "severity", "advice", "status", "reasons", "probabilities"):
        assert getattr(row, key) == answer[key]
    assert (row.is_safe, row.suspicious) == (answer["isSafe"], answer["malignancy"]["suspicious"])
    assert (row.malignant_probability, row.malignancy_threshold) == (
        answer["malignancy"]["probability"],
        answer["malignancy"]["threshold"],
    )


def test_log_row_names_the_model(anonymous: Client, predict: Callable[..., Any]):
    predict(anonymous)
    row, identity = Prediction.objects.get(), ml_state.classifier().identity
    assert (row.model_name, row.model_version, row.model_digest, row.preprocess_version) == (
        identity.name,
        identity.version,
        identity.digest,
        identity.preprocess_version,
    )


def test_log_row_tells_how_long_it_took(anonymous: Client, predict: Callable[..., Any]):
    predict(anonymous)
    assert 0 < Prediction.objects.get().duration_ms < 60_000


def test_log_rejected_answer_is_logged_too(anonymous: Client, predict: Callable[..., Any], wall_png: bytes):
    predict(anonymous, image=wall_png)
    row = Prediction.objects.get()
    assert (row.status, row.label, row.probabilities) == ("rejected", "", None)
    assert (row.possible, row.images.get().rejections, row.images.get().probabilities) == ([], ["no_detail"], None)


# The image


def test_log_content_digest_is_equal_for_equal_uploads(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes]
):
    for _ in range(2):
        predict(anonymous, image=encode("JPEG", exif=with_place()))
    first, second = PredictionImage.objects.all()
    assert first.content_sha256 == second.content_sha256


@pytest.mark.parametrize("image_format", FORMATS)
def test_log_content_digest_is_that_of_the_stored_file(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], media_root: Path, image_format: str
):
    predict(anonymous, image=encode(image_format, exif=with_place().tobytes()))
    (file,) = stored_files(media_root)
    assert PredictionImage.objects.get().content_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_log_stored_file_is_the_one_that_the_row_names(
    anonymous: Client, predict: Callable[..., Any], media_root: Path
):
    predict(anonymous)
    assert [Path(PredictionImage.objects.get().photo.path)] == stored_files(media_root)


def test_log_stored_name_says_nothing_of_the_client(anonymous: Client, predict: Callable[..., Any], media_root: Path):
    predict(anonymous, name="../../Ada Lovelace.html")
    (file,) = stored_files(media_root)
    assert file.relative_to(media_root).match("predictions/??/*.jpg")
    assert len(file.stem) == 32
    assert int(file.stem, 16)


def test_log_stored_file_is_readable_by_its_owner_alone(
    anonymous: Client, predict: Callable[..., Any], media_root: Path
):
    predict(anonymous)
    (file,) = stored_files(media_root)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("image_format", FORMATS)
def test_log_stored_file_holds_no_metadata(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], media_root: Path, image_format: str
):
    data = encode(image_format, exif=with_place(TURNED).tobytes())
    assert b"SECRET-GPS" in data
    assert predict(anonymous, image=data).status_code == 200
    (file,) = stored_files(media_root)
    assert b"SECRET" not in file.read_bytes()


def test_log_size_is_that_of_the_upright_original(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes]
):
    predict(anonymous, image=encode("JPEG", exif=with_place(TURNED)))
    image = PredictionImage.objects.get()
    assert (image.width_px, image.height_px) == (450, 600)


@pytest.mark.parametrize("image_format", FORMATS)
def test_log_stored_file_classified_again_gives_the_same_probabilities(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], media_root: Path, image_format: str
):
    answer = predict(anonymous, image=encode(image_format, exif=with_place(TURNED).tobytes())).json()
    (file,) = stored_files(media_root)
    classifier = ml_state.classifier()
    photo = read_photo(file.read_bytes(), model_input_px=classifier.document.input.size_px)
    again = classifier.classify(photo.rgb).probabilities
    assert again == pytest.approx(answer["probabilities"], abs=1e-9)


def test_log_embedding_is_the_projection_that_the_model_carries(anonymous: Client, predict: Callable[..., Any]):
    predict(anonymous)
    embedding = np.frombuffer(PredictionImage.objects.get().embedding, "<f4")
    dimensions = ml_state.classifier()._artefact.statistics.embedding_components.shape[1]
    assert embedding.shape == (dimensions,)
    assert np.isfinite(embedding).all()
    assert embedding.any()


def test_log_gate_scores_are_kept(anonymous: Client, predict: Callable[..., Any]):
    predict(anonymous)
    assert set(PredictionImage.objects.get().gate_scores) >= {"brightness", "contrast", "sharpness"}


@pytest.mark.parametrize(("explain", "is_kept"), [("true", True), ("false", False)])
def test_log_activations_are_kept_only_when_asked_for(
    anonymous: Client,
    predict: Callable[..., Any],
    explain: str,
    is_kept: bool,  # noqa: FBT001
):
    predict(anonymous, explain=explain)
    image = PredictionImage.objects.get()
    assert (image.activations is not None) is is_kept
    if image.activations:
        assert set(image.activations) == set(image.probabilities)
        assert all(np.asarray(grid).ndim == 2 for grid in image.activations.values())


# Neither half


@pytest.mark.parametrize("model", [Prediction, PredictionImage])
def test_log_database_failure_leaves_no_file_and_no_row(
    anonymous: Client,
    predict: Callable[..., Any],
    assert_error: Callable[..., Any],
    media_root: Path,
    monkeypatch,
    model,
):
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(model, "save", refuse)
    assert_error(predict(anonymous), 500, "server_error")
    assert (stored_files(media_root), Prediction.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    "change",
    [{"image": b"hello"}, {"image": b""}, {"age": "-1"}, {"image": b"\xff\xd8\xff\xe0" + bytes(100)}],
    ids=["text", "empty", "age", "broken-jpeg"],
)
def test_log_refused_request_writes_nothing(
    anonymous: Client, predict: Callable[..., Any], media_root: Path, change: dict[str, Any]
):
    assert predict(anonymous, **change).status_code in {400, 415}
    assert (stored_files(media_root), Prediction.objects.count()) == ([], 0)


def test_log_without_model_writes_nothing(
    anonymous: Client, predict: Callable[..., Any], media_root: Path, no_model: Path
):
    assert predict(anonymous).status_code == 503
    assert (stored_files(media_root), Prediction.objects.count()) == ([], 0)


# What the database refuses, whatever the code says

SAFE = {"is_safe": True, "severity": "Low", "status": "ok", "suspicious": False, "label": "nv"}
REJECTED = {"status": "rejected", "label": "", "probabilities": None}


@pytest.mark.parametrize("values", [SAFE, REJECTED, {"status": "uncertain"}], ids=["safe", "rejected", "uncertain"])
def test_prediction_consistent_row_is_stored(make_prediction: Callable[..., Prediction], values: dict[str, Any]):
    make_prediction(**values)
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize(
    "values",
    [
        SAFE | {"severity": "Moderate"},
        SAFE | {"severity": "High"},
        SAFE | {"status": "uncertain"},
        SAFE | {"suspicious": True},
        SAFE | REJECTED,
        {"label": ""},
        {"probabilities": None},
        REJECTED | {"label": "nv"},
        REJECTED | {"probabilities": {"nv": 1.0}},
    ],
    ids=[
        "safe-moderate", "safe-high", "safe-uncertain", "safe-suspicious", "safe-rejected", "answer-without-label",
        "answer-without-probabilities", "rejected-with-label", "rejected-with-probabilities",
    ],
)  # fmt: skip
def test_prediction_contradictory_row_is_refused(make_prediction: Callable[..., Prediction], values: dict[str, Any]):
    with pytest.raises(IntegrityError, match="CHECK"), transaction.atomic():
        make_prediction(**values)


def test_prediction_image_second_of_the_same_position_is_refused(make_prediction: Callable[..., Prediction]):
    image = make_prediction().images.get()
    image.pk = None
    with pytest.raises(IntegrityError, match="UNIQUE"), transaction.atomic():
        image.save(force_insert=True)


def test_prediction_of_a_deleted_person_becomes_anonymous(make_prediction: Callable[..., Prediction], person):
    prediction = make_prediction(user=person)
    person.delete()
    prediction.refresh_from_db()
    assert prediction.user is None
