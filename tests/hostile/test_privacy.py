"""A secret planted in every place of a file is in nothing that is stored, and the picture is as it was."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from api.models import Prediction, PredictionImage
from benchmarks.serving import FORM_TYPE, PREDICT_PATH, Server, form_body
from ml_models.image_io import read_photo
from tests.hostile import jpegs
from tests.hostile.plants import (
    SECRET,
    heic_plants,
    jpeg_plants,
    plants_among_codes,
    png_plants,
    restarting_jpeg,
    traces,
    webp_plants,
)
from tests.hostile.scenes import plain, progressive_jpeg

INPUT_PX = 224
FAMILIES = {
    "jpeg": jpeg_plants,
    "png": png_plants,
    "webp": webp_plants,
    "heic": heic_plants,
}
PLANTS = {f"{family}-{name}": data for family, make in FAMILIES.items() for name, data in make().items()}
JPEGS = {name: data for name, data in PLANTS.items() if name.startswith("jpeg-")}
# Pixels that nobody sees cannot be found again as bytes by a search through a compressed file.
IN_BYTES = {name: data for name, data in PLANTS.items() if "transparency" not in name and "palette-entries" not in name}
AMONG_CODES = plants_among_codes()


@pytest.mark.parametrize("data", [*IN_BYTES.values(), *AMONG_CODES.values()], ids=[*IN_BYTES, *AMONG_CODES])
def test_plant_can_be_found_where_it_was_planted(data: bytes) -> None:
    assert traces(data)


@pytest.mark.parametrize("data", PLANTS.values(), ids=PLANTS)
def test_cleaned_file_holds_no_trace_of_the_secret(data: bytes) -> None:
    assert traces(read_photo(data, model_input_px=INPUT_PX).content) == []


@pytest.mark.parametrize("data", PLANTS.values(), ids=PLANTS)
def test_cleaned_file_gives_the_pixels_that_were_classified(data: bytes) -> None:
    photo = read_photo(data, model_input_px=INPUT_PX)
    again = read_photo(photo.content, model_input_px=INPUT_PX)
    np.testing.assert_array_equal(again.rgb, photo.rgb)
    assert again.content == photo.content


@pytest.mark.parametrize("name", JPEGS)
def test_cleaned_jpeg_has_the_scans_of_the_original_byte_for_byte(name: str) -> None:
    original = progressive_jpeg() if "between-scans" in name else plain("JPEG")
    content = read_photo(JPEGS[name], model_input_px=INPUT_PX).content
    assert jpegs.scan_data(content) == jpegs.scan_data(original)


@pytest.mark.parametrize("data", AMONG_CODES.values(), ids=AMONG_CODES)
def test_cleaned_jpeg_keeps_what_is_hidden_by_hand_among_the_codes_of_its_picture(data: bytes) -> None:
    """A known limit: scans, and the tables in front of them, are stored as they came, so that no pixel changes."""
    content = read_photo(data, model_input_px=INPUT_PX).content
    assert _codes(content) == _codes(data)
    assert traces(content)


def _codes(jpeg: bytes) -> list[bytes]:
    kept = (jpegs.DQT, jpegs.DHT, jpegs.SOF0, jpegs.SOF2, jpegs.DRI, jpegs.SOS)
    return [part.segment + part.entropy for part in jpegs.parts(jpeg) if part.marker in kept]


@pytest.mark.parametrize("make", [progressive_jpeg, restarting_jpeg], ids=["progressive", "with-restarts"])
def test_cleaned_jpeg_of_other_kinds_has_its_scans_byte_for_byte(make: Callable[[], bytes]) -> None:
    content = read_photo(make(), model_input_px=INPUT_PX).content
    assert jpegs.scan_data(content) == jpegs.scan_data(make())


def test_cleaned_jpeg_says_nothing_in_its_numbers() -> None:
    """Density, versions and flags have room for a position in four bytes each, and no decoder needs them."""
    told = jpegs.segment(0xE0, b"JFIF\0\1\2\1" + b"4885" + b"\0\0") + jpegs.segment(0xEE, b"Adobe" + b"229488" + b"\1")
    plain_told = jpegs.segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + jpegs.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
    bare = jpegs.joined([part for part in jpegs.parts(plain("JPEG")) if part.marker != 0xE0])
    contents = {read_photo(jpegs.planted(bare, head), model_input_px=INPUT_PX).content for head in (told, plain_told)}
    assert len(contents) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("data", PLANTS.values(), ids=PLANTS)
def test_predict_stores_no_trace_of_the_secret(tmp_path: Path, settings: Any, data: bytes) -> None:
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile(f"{SECRET.decode()}.jpg", data, "image/jpeg")
    response = Client().post(PREDICT_PATH, {"image": upload, "explain": "true"})
    assert (response.status_code, traces(response.content)) == (200, [])
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    rows = serializers.serialize("json", [*Prediction.objects.all(), *PredictionImage.objects.all()])
    assert len(stored) == Prediction.objects.count() == 1
    assert traces(stored[0].read_bytes() + str(stored[0]).encode() + rows.encode()) == []
    assert traces(_database()) == []


@pytest.mark.django_db
def test_predict_stores_what_it_was_told_to_store_where_the_search_looks(tmp_path: Path, settings: Any) -> None:
    """Otherwise the check above could find nothing in any case."""
    settings.MEDIA_ROOT = tmp_path
    assert traces(_database()) == []
    upload = SimpleUploadedFile("skin.jpg", plain("JPEG"), "image/jpeg")
    Client().post(PREDICT_PATH, {"image": upload, "history": SECRET.decode()})
    assert traces(serializers.serialize("json", Prediction.objects.all()).encode()) == ["plain"]
    assert traces(_database()) == ["plain"]


def _database() -> bytes:
    """The bytes of SQLite's file, free pages included."""
    connection.ensure_connection()
    assert isinstance(connection.connection, sqlite3.Connection)
    return connection.connection.serialize()


@pytest.mark.slow
def test_server_leaves_no_trace_of_the_secret_on_its_disk(server: Server) -> None:
    for name, data in PLANTS.items():
        body = form_body(data, history="none").replace(b"skin.jpg", SECRET + b".jpg")
        answer = server.request("POST", PREDICT_PATH, body, {"Content-Type": FORM_TYPE})
        assert (name, answer.status) == (name, 200)
    files = [server.log, *(path for path in server.data_dir.rglob("*") if path.is_file())]
    assert len(files) > len(PLANTS)
    assert {path.name: found for path in files if (found := traces(path.read_bytes()))} == {}
