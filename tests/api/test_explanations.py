"""Class activation maps behind signed addresses."""

import io
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core import signing
from django.test import Client
from PIL import Image

from api.models import Prediction

pytestmark = pytest.mark.django_db


def test_predict_without_explain_has_no_explanation(anonymous: Client, predict: Callable[..., Any]):
    assert predict(anonymous).json()["explanation_url"] is None


@pytest.fixture
def explanation_url(anonymous: Client, predict: Callable[..., Any]) -> str:
    return predict(anonymous, explain="true").json()["explanation_url"]


def test_explanation_address_is_absolute(explanation_url: str):
    assert explanation_url.startswith("http://testserver/api/explanations/")


@pytest.mark.parametrize("accept", ["*/*", "image/png", "text/html"])
def test_explanation_opens_without_identity_as_png(explanation_url: str, accept: str):
    response = Client().get(explanation_url, headers={"Accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")


def test_explanation_is_the_upright_photo_in_its_size(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes]
):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, shown standing
    answer = predict(anonymous, image=encode("JPEG", exif=exif), explain="true").json()
    with Image.open(io.BytesIO(anonymous.get(answer["explanation_url"]).content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (450, 600))


def test_explanation_of_a_large_photo_is_shrunk(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], lesion_rgb
):
    answer = predict(anonymous, image=encode("JPEG", lesion_rgb.repeat(4, 0).repeat(4, 1)), explain="1").json()
    with Image.open(io.BytesIO(anonymous.get(answer["explanation_url"]).content)) as picture:
        assert picture.size == (1024, 768)


def test_explanation_is_not_kept_by_shared_caches(anonymous: Client, explanation_url: str):
    assert "private" in anonymous.get(explanation_url).headers["Cache-Control"]


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: ("0" if token[0] != "0" else "1") + token[1:],
        lambda token: token.split(":")[0],
        lambda _token: "x",
        lambda _token: "%00%ff::",
        lambda token: signing.TimestampSigner(salt="another").sign(token.split(":")[0]),
    ],
    ids=["signature", "prediction", "unsigned", "nonsense", "odd-bytes", "other-salt"],
)
def test_explanation_forged_address_is_404(
    anonymous: Client,
    assert_error: Callable[..., Any],
    explanation_url: str,
    forge: Callable[[str], str],
):
    head, token = explanation_url.rstrip("/").rsplit("/", 1)
    assert_error(anonymous.get(f"{head}/{forge(token)}/"), 404, "not_found")


@pytest.mark.parametrize(("age_s", "status"), [(24 * 3600 - 5, 200), (24 * 3600 + 5, 404)], ids=["day", "day-over"])
def test_explanation_address_lives_a_day(anonymous: Client, explanation_url: str, monkeypatch, age_s: int, status: int):
    then = time.time() + age_s
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: then))
    assert anonymous.get(explanation_url).status_code == status


def test_explanation_of_a_prediction_without_map_is_404(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], explanation_url: str
):
    Prediction.objects.get().images.update(activation=None)
    assert_error(anonymous.get(explanation_url), 404, "not_found")


def test_explanation_of_a_lost_file_is_404(anonymous: Client, assert_error: Callable[..., Any], explanation_url: str):
    photo = Prediction.objects.get().images.get().photo
    photo.storage.delete(photo.name)
    assert_error(anonymous.get(explanation_url), 404, "not_found")


def test_explanation_of_a_stored_photo_larger_than_an_upload_may_be_opens(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], settings
):
    """A HEIC photo of 12 MP is stored losslessly, in more bytes than were sent."""
    settings.MAX_UPLOAD_BYTES = 60 * 2**20
    noise = np.random.default_rng(1).integers(0, 256, (2992, 2992, 3), np.uint8)
    answer = predict(anonymous, image=encode("PNG", noise, compress_level=0), explain="true").json()
    assert Prediction.objects.get().images.get().photo.size > 25 * 2**20
    assert anonymous.get(answer["explanation_url"]).status_code == 200
