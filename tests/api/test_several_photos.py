"""Several photos of one lesion in one request: one answer, one row, and every photo on its own beside it."""

import importlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

import api.migrations
from api import ml_state
from api.models import Prediction, PredictionImage
from ml_models.image_io import read_photo
from ml_pipeline.synthetic import Scene, draw
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db

PATH = "/api/predict/"
HISTORY = "/api/predictions/"
KEY = "3f0c1d52-7c6e-4a9b-9d60-2f6d8a1b5c77"


@pytest.fixture(scope="module")
def jpegs(encode: Callable[..., bytes]) -> list[bytes]:
    """Six photos, all different."""
    scenes = [
        draw(Scene(lesion="mel" if seed == 1 else "nv"), width_px=320, height_px=240, seed=seed) for seed in range(6)
    ]
    return [encode("JPEG", rgb, quality=90) for rgb in scenes]


@pytest.fixture
def send() -> Callable[..., Any]:
    """Post several parts of the same name: `send(client, [bytes, ...], headers=..., age=...)`."""

    def post(client: Client, photos: list[bytes], *, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        uploads = [SimpleUploadedFile("skin.jpg", photo, "image/jpeg") for photo in photos]
        return client.post(PATH, {"image": uploads, **fields}, headers=headers)

    return post


def rgb_of(photo: bytes) -> Any:
    return read_photo(photo, model_input_px=ml_state.classifier().document.input.size_px).rgb


# The answer


def test_several_photos_are_answered_as_the_classifier_fuses_them(anonymous: Client, send, jpegs: list[bytes]):
    answer = send(anonymous, jpegs[:3]).json()
    expected = ml_state.classifier().classify(*map(rgb_of, jpegs[:3]))
    alone = ml_state.classifier().classify(rgb_of(jpegs[0]))
    assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-9)
    assert answer["probabilities"] != pytest.approx(alone.probabilities, abs=1e-6)
    assert answer["possible_labels"] == list(expected.decision.possible)
    assert answer["advice"] == expected.decision.advice
    assert Prediction.objects.get().images.count() == 3


@pytest.mark.usefixtures("_ungated")
def test_photos_come_back_in_the_order_sent(anonymous: Client, send, jpegs: list[bytes]):
    answer = send(anonymous, [jpegs[2], jpegs[0], jpegs[1]], explain="true").json()
    assert [photo["number"] for photo in answer["photos"]] == [1, 2, 3]
    assert [photo["usable"] for photo in answer["photos"]] == [True] * 3
    images = list(Prediction.objects.get().images.all())
    for image, sent in zip(images, [jpegs[2], jpegs[0], jpegs[1]], strict=True):
        seen = ml_state.classifier().classify(rgb_of(sent)).photos[0]
        assert image.probabilities == pytest.approx(seen.probabilities, abs=1e-9)
        assert image.gate_scores == pytest.approx(dict(seen.gate_scores))
        np.testing.assert_allclose(np.frombuffer(image.embedding, "<f4"), seen.embedding, rtol=1e-4, atol=1e-4)


def test_unusable_photo_does_not_count_and_says_why(anonymous: Client, send, jpegs: list[bytes], wall_png: bytes):
    both, alone = send(anonymous, [wall_png, jpegs[0]], explain="true").json(), send(anonymous, [jpegs[0]]).json()
    wall, lesion = both["photos"]
    assert both["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-9)
    assert (wall["usable"], wall["explanation_url"]) == (False, None)
    assert [reason["code"] for reason in wall["reasons"]] == ["no_detail"]
    assert (lesion["usable"], lesion["reasons"]) == (True, [])
    assert lesion["explanation_url"] is not None
    assert both["explanation_url"] == lesion["explanation_url"]


def test_only_unusable_photos_are_rejected(anonymous: Client, send, encode: Callable[..., bytes]):
    walls = [encode("PNG", np.full((300, 400, 3), grey, np.uint8)) for grey in (120, 190)]
    answer = send(anonymous, walls).json()
    assert (answer["status"], answer["label"], answer["possible_labels"], answer["isSafe"]) == (
        "rejected",
        None,
        [],
        False,
    )
    assert [photo["usable"] for photo in answer["photos"]] == [False, False]


def test_reasons_of_a_photo_are_in_the_language_of_the_request(anonymous: Client, send, jpegs: list[bytes], wall_png):
    answer = send(anonymous, [jpegs[0], wall_png], headers={"Accept-Language": "es"}).json()
    assert answer["photos"][1]["reasons"][0]["text"].startswith("La foto muestra muy poco detalle")


def test_every_photo_has_a_map_of_its_own(anonymous: Client, send, jpegs: list[bytes]):
    answer = send(anonymous, jpegs[:2], explain="true").json()
    urls = [photo["explanation_url"] for photo in answer["photos"]]
    assert answer["explanation_url"] == urls[0]
    assert len({anonymous.get(url).content for url in urls}) == 2


# Equal ones, too many, bad ones


def test_equal_photos_count_once(anonymous: Client, send, jpegs: list[bytes], media_root):
    repeated = send(anonymous, [jpegs[0], jpegs[0], jpegs[1]]).json()
    once = send(anonymous, [jpegs[0], jpegs[1]]).json()
    assert repeated["probabilities"] == once["probabilities"]
    assert [photo["number"] for photo in repeated["photos"]] == [1, 3]
    assert len(stored_files(media_root)) == 4


def test_five_photos_are_answered_and_six_are_not(
    anonymous: Client, send, jpegs: list[bytes], assert_error: Callable[..., Any]
):
    assert len(send(anonymous, jpegs[:5]).json()["photos"]) == 5
    body = assert_error(send(anonymous, jpegs), 400, "too_many_images")
    assert body["fields"] == {"image": ["Send at most 5 photos of one spot."]}
    assert Prediction.objects.count() == 1


def test_scan_takes_one_photo(bearer, person, jpegs: list[bytes], assert_error: Callable[..., Any]):
    images = [SimpleUploadedFile("skin.jpg", photo) for photo in jpegs[:2]]
    claims = {"diagnosis": "Mole", "confidence": "62%", "severity": "Low"}
    body = assert_error(bearer(person).post("/api/scans/", {"image": images, **claims}), 400, "too_many_images")
    assert body["fields"] == {"image": ["Send one photo."]}


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [(b"", (400, "photo_missing")), (b"no photo", (415, "photo_unsupported")), (None, (400, "photo_truncated"))],
    ids=["empty", "text", "cut"],
)
def test_one_bad_file_is_named_and_nothing_is_stored(
    anonymous: Client,
    send,
    jpegs,
    media_root,
    assert_error: Callable[..., Any],
    bad: bytes | None,
    refusal: tuple[int, str],
):
    cut = jpegs[1][: len(jpegs[1]) // 2] if bad is None else bad
    body = assert_error(send(anonymous, [jpegs[0], cut, jpegs[2]]), *refusal)
    assert body["error"].startswith("Photo 2: ")
    assert list(body["fields"]) == ["image.1"]
    assert (Prediction.objects.count(), stored_files(media_root)) == (0, [])


def test_bad_file_is_named_in_spanish(anonymous: Client, send, jpegs: list[bytes]):
    answer = send(anonymous, [jpegs[0], b""], headers={"Accept-Language": "es"})
    assert answer.json()["error"].startswith("Foto 2: La imagen está vacía")


def test_photos_that_exceed_the_limit_together_are_413(
    anonymous: Client, send, jpegs: list[bytes], settings, assert_error: Callable[..., Any]
):
    settings.MAX_UPLOAD_BYTES = len(jpegs[0]) + len(jpegs[1]) - 1
    assert "together" in assert_error(send(anonymous, jpegs[:2]), 413, "photo_too_large")["error"]


def test_lossless_copies_have_room_for_a_few_large_pictures(
    anonymous: Client, send, encode: Callable[..., bytes], monkeypatch, assert_error: Callable[..., Any]
):
    """Their files are small, what they become in memory is not."""
    monkeypatch.setattr("api.ml_utils._LOSSLESS_PIXELS", 3 * 320 * 240 - 1)
    pngs = [encode("PNG", draw(Scene(lesion="nv"), width_px=320, height_px=240, seed=seed)) for seed in range(3)]
    assert send(anonymous, pngs[:2]).status_code == 200
    assert assert_error(send(anonymous, pngs), 413, "photo_too_large")["error"].startswith("Photo 3: ")


def test_photos_under_a_numbered_name_are_no_way_round_the_count(
    anonymous: Client, jpegs: list[bytes], assert_error: Callable[..., Any]
):
    form = {f"image[{index}]": SimpleUploadedFile("skin.jpg", photo) for index, photo in enumerate(jpegs)}
    assert "image" in assert_error(anonymous.post(PATH, form), 400, "invalid")["fields"]


# The rows and files


def test_disk_that_fails_at_the_second_photo_leaves_nothing(
    anonymous: Client, send, jpegs: list[bytes], media_root, monkeypatch, assert_error: Callable[..., Any]
):
    storage = PredictionImage.photo.field.storage
    save, saved = storage.save, []

    def full(name: str, content: Any, **options: Any) -> str:
        if saved:
            raise OSError("No space left on device")
        saved.append(save(name, content, **options))
        return saved[0]

    monkeypatch.setattr(storage, "save", full)
    assert_error(send(anonymous, jpegs[:3]), 503, "storage_unavailable")
    assert len(saved) == 1
    assert (Prediction.objects.count(), stored_files(media_root)) == (0, [])


def test_same_photos_again_under_the_same_key_are_the_same_answer(
    anonymous: Client, send, jpegs: list[bytes], assert_error: Callable[..., Any]
):
    first = send(anonymous, jpegs[:2], headers={"Idempotency-Key": KEY}).json()
    assert send(anonymous, jpegs[:2], headers={"Idempotency-Key": KEY}).json() == first
    assert Prediction.objects.count() == 1
    other_order = send(anonymous, jpegs[1::-1], headers={"Idempotency-Key": KEY})
    assert_error(other_order, 409, "idempotency_key_reused")


def test_migration_names_why_earlier_photos_were_rejected(make_prediction: Callable[..., Prediction]):
    (module,) = (Path(api.migrations.__path__[0])).glob("*_several_photos.py")
    reasons = [{"code": "no_detail", "text": "Some words of that time."}]
    rejected = make_prediction(status="rejected", label="", probabilities=None, reasons=reasons)
    answered = make_prediction(reasons=[{"code": "not_validated", "text": "Others."}])
    importlib.import_module(f"api.migrations.{module.stem}").name_rejections(apps, None)
    assert rejected.images.get().rejections == ["no_detail"]
    assert answered.images.get().rejections == []


# Whose they are


def test_history_shows_every_photo_to_its_person_alone(bearer, person, stranger, send, jpegs: list[bytes]):
    answer = send(bearer(person), jpegs[:2]).json()
    send(bearer(stranger), jpegs[2:4])
    (entry,) = bearer(person).get(HISTORY).json()["results"]
    assert entry["id"] == answer["id"]
    assert entry["image"] == entry["photos"][0]["image"]
    assert len({Client().get(photo["image"]).content for photo in entry["photos"]}) == 2
    assert bearer(stranger).get(f"{HISTORY}{answer['id']}/").status_code == 404


def test_deleting_the_answer_deletes_every_photo(bearer, person, send, jpegs: list[bytes], media_root):
    client = bearer(person)
    answer = send(client, jpegs[:3]).json()
    urls = [photo["image"] for photo in client.get(f"{HISTORY}{answer['id']}/").json()["photos"]]
    assert client.delete(f"{HISTORY}{answer['id']}/").status_code == 204
    assert stored_files(media_root) == []
    assert {Client().get(url).status_code for url in urls} == {404}


def test_export_holds_every_photo(bearer, person, send, jpegs: list[bytes]):
    client = bearer(person)
    answer = send(client, jpegs[:3]).json()
    with zipfile.ZipFile(io.BytesIO(client.get("/api/account/export/").getvalue())) as archive:
        (record,) = json.loads(archive.read("predictions.json"))
        names = [image["photo"] for image in record["images"]]
        assert names == [f"photos/predictions/{answer['id']}-{position}.jpg" for position in range(3)]
        assert len({archive.read(name) for name in names}) == 3


@pytest.mark.parametrize("index", [0, 1])
def test_scan_of_any_of_the_photos_is_linked_to_the_persons_answer(
    bearer, person, send, save: Callable[..., Any], jpegs: list[bytes], index: int
):
    client = bearer(person)
    answer = send(client, jpegs[:2], explain="true").json()
    scan = save(client, image=jpegs[index]).json()
    assert scan["server"]["id"] == answer["id"]
    assert client.get(f"/api/scans/{scan['id']}/pdf/").content.startswith(b"%PDF-")


def test_scan_of_one_photo_opens_no_strangers_other_photos(
    anonymous: Client, bearer, stranger, send, save: Callable[..., Any], jpegs: list[bytes]
):
    """Whoever was sent one of them has that file too."""
    send(anonymous, jpegs[:2])
    assert save(bearer(stranger), image=jpegs[0]).json()["server"] is None
    assert Prediction.objects.get().user is None
