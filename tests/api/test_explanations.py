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


def opened(client: Client, address: str, **query: str) -> Image.Image:
    """The picture at an address."""
    picture = Image.open(io.BytesIO(client.get(address, query).content))
    picture.load()
    return picture


@pytest.fixture
def explanation_url(anonymous: Client, predict: Callable[..., Any]) -> str:
    return predict(anonymous, explain="true").json()["explanation_url"]


def test_explanation_address_is_absolute(explanation_url: str):
    assert explanation_url.startswith("http://testserver/api/explanations/")


@pytest.mark.parametrize("accept", ["*/*", "image/png", "text/html"])
def test_explanation_opens_without_identity_as_png(explanation_url: str, accept: str):
    response = Client().get(explanation_url, headers={"Accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")


def test_explanation_is_the_upright_photo_in_its_size_above_a_legend(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes]
):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, shown standing
    address = predict(anonymous, image=encode("JPEG", exif=exif), explain="true").json()["explanation_url"]
    with_legend, plain = (opened(anonymous, address, **query) for query in ({}, {"legend": "false"}))
    assert (plain.size, with_legend.size) == ((450, 600), (450, 648))
    np.testing.assert_array_equal(np.asarray(with_legend)[:600], np.asarray(plain))


def test_explanation_of_a_large_photo_is_shrunk(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], lesion_rgb
):
    photo = encode("JPEG", lesion_rgb.repeat(4, 0).repeat(4, 1))
    address = predict(anonymous, image=photo, explain="1").json()["explanation_url"]
    assert opened(anonymous, address, legend="false").size == (1024, 768)
    assert max(opened(anonymous, address).size) == 1024


def test_explanation_of_another_class_is_another_picture(anonymous: Client, explanation_url: str):
    code = Prediction.objects.get().label
    assert opened(anonymous, explanation_url) == opened(anonymous, explanation_url, label=code)
    assert opened(anonymous, explanation_url) != opened(anonymous, explanation_url, label="df")


def test_explanation_legend_speaks_the_language_of_the_request(anonymous: Client, explanation_url: str):
    english, spanish = (
        anonymous.get(explanation_url, headers={"Accept-Language": language}).content for language in ("en", "es")
    )
    assert english != spanish


def test_explanation_of_a_class_without_evidence_opens(anonymous: Client, explanation_url: str):
    Prediction.objects.get().images.update(activations={"nv": [[1.0]], "df": [[-1.0]]})
    assert opened(anonymous, explanation_url, label="df").size == (600, 515)
    assert anonymous.get(f"{explanation_url}grid/", {"label": "df"}).json()["grid"] == [[0.0]]


@pytest.mark.parametrize("below", ["", "grid/"], ids=["picture", "grid"])
@pytest.mark.parametrize(
    ("query", "field"), [({"label": "nosuch"}, "label"), ({"label": "x" * 65}, "label")], ids=["unknown", "too-long"]
)
def test_explanation_of_a_class_that_the_model_lacks_is_400(
    anonymous: Client,
    assert_error: Callable[..., Any],
    explanation_url: str,
    below: str,
    query: dict[str, str],
    field: str,
):
    response = anonymous.get(explanation_url + below, query)
    assert_error(response, 400, "invalid")
    assert set(response.json()["fields"]) == {field}


def test_explanation_with_a_legend_that_is_neither_true_nor_false_is_400(
    anonymous: Client, assert_error: Callable[..., Any], explanation_url: str
):
    assert_error(anonymous.get(explanation_url, {"legend": "perhaps"}), 400, "invalid")


# The numbers


def test_grid_is_what_is_drawn_and_what_adds_to_the_logit(anonymous: Client, explanation_url: str):
    prediction = Prediction.objects.get()
    body = anonymous.get(f"{explanation_url}grid/").json()
    assert body["label"] == prediction.label
    assert body["labels"] == list(prediction.probabilities)
    activation = np.asarray(body["activation"])
    np.testing.assert_allclose(body["grid"], np.maximum(activation, 0) / activation.max(), atol=1e-4)
    assert body["frame"] == {"left": 0, "top": 0, "width": 1, "height": 1}


def test_grid_activations_of_all_classes_give_their_logits(
    anonymous: Client, explanation_url: str, lesion_rgb, shipped_classifier
):
    """The photo was sent as JPEG, so they are not quite those of the pixels that it was made from."""
    codes = anonymous.get(f"{explanation_url}grid/").json()["labels"]
    sums = [np.sum(anonymous.get(f"{explanation_url}grid/", {"label": code}).json()["activation"]) for code in codes]
    bias = shipped_classifier._artefact.statistics.class_bias
    np.testing.assert_allclose(sums + bias, shipped_classifier.classify(lesion_rgb).photos[0].logits, atol=0.5)


@pytest.mark.usefixtures("_ungated")
def test_grid_of_a_wide_photo_tells_which_part_the_model_saw(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], lesion_rgb
):
    answer = predict(anonymous, image=encode("PNG", lesion_rgb[:300]), explain="true").json()
    assert anonymous.get(f"{answer['explanation_url']}grid/").json()["frame"] == pytest.approx(
        {"left": 1 / 6, "top": 0, "width": 2 / 3, "height": 1}
    )


def test_grid_forged_address_is_404(anonymous: Client, assert_error: Callable[..., Any], explanation_url: str):
    assert_error(anonymous.get(f"{explanation_url[:-2]}/grid/"), 404, "not_found")


def test_grid_needs_no_file(anonymous: Client, explanation_url: str):
    photo = Prediction.objects.get().images.get().photo
    photo.storage.delete(photo.name)
    assert anonymous.get(f"{explanation_url}grid/").status_code == 200


# The address


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
    Prediction.objects.get().images.update(activations=None)
    assert_error(anonymous.get(explanation_url), 404, "not_found")


def test_explanation_of_a_lost_file_is_404(anonymous: Client, assert_error: Callable[..., Any], explanation_url: str):
    photo = Prediction.objects.get().images.get().photo
    photo.storage.delete(photo.name)
    assert_error(anonymous.get(explanation_url), 404, "not_found")


@pytest.mark.usefixtures("_ungated")
def test_explanation_of_a_stored_photo_larger_than_an_upload_may_be_opens(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], settings
):
    """A HEIC photo of 12 MP is stored losslessly, in more bytes than were sent."""
    settings.MAX_UPLOAD_BYTES = 60 * 2**20
    noise = np.random.default_rng(1).integers(0, 256, (2992, 2992, 3), np.uint8)
    answer = predict(anonymous, image=encode("PNG", noise, compress_level=0), explain="true").json()
    assert Prediction.objects.get().images.get().photo.size > 25 * 2**20
    assert anonymous.get(answer["explanation_url"]).status_code == 200
