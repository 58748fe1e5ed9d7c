"""What is no answerable request, and the limits."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

pytestmark = pytest.mark.django_db


def gigapixel_png() -> bytes:
    """Only a header, of 40,000 x 40,000 pixels: decoding it would take 4.8 GB."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)


def zip_file() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("skin.jpg", b"not a photo")
    return buffer.getvalue()


# What is no answerable request


@pytest.mark.parametrize("form", [{}, {"photo": SimpleUploadedFile("a.jpg", b"x")}], ids=["empty", "other-name"])
def test_predict_without_image_names_the_field(
    anonymous: Client, assert_error: Callable[..., Any], form: dict[str, Any]
):
    assert "image" in assert_error(anonymous.post("/predict", form), 400, "invalid")["fields"]


def test_predict_image_as_text_is_refused(anonymous: Client, assert_error: Callable[..., Any]):
    assert "image" in assert_error(anonymous.post("/predict", {"image": "hello"}), 400, "invalid")["fields"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{}", "application/json"),
        ("image=x", "application/x-www-form-urlencoded"),
        ("x", "image/jpeg"),
        ("x", "////;;;"),
    ],
    ids=["json", "urlencoded", "bare-photo", "nonsense"],
)
def test_predict_other_content_type_is_415(
    anonymous: Client, assert_error: Callable[..., Any], body: str, content_type: str
):
    response = anonymous.post("/predict", body, content_type=content_type)
    assert_error(response, 415, "unsupported_media_type")


def test_predict_json_without_body_names_the_image(anonymous: Client, assert_error: Callable[..., Any]):
    response = anonymous.post("/predict", "", content_type="application/json")
    assert "image" in assert_error(response, 400, "invalid")["fields"]


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff"],
    ids=["absent", "empty", "not-ascii"],
)
def test_predict_unusable_boundary_is_400(anonymous: Client, assert_error: Callable[..., Any], content_type: str):
    assert_error(anonymous.post("/predict", b"x", content_type=content_type), 400, "parse_error")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "photo_missing"),
        (b"hello", 415, "photo_unsupported"),
        (b"<!doctype html><html><body><img src=skin.jpg></body></html>", 415, "photo_unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='600' height='450'/>", 415, "photo_unsupported"),
        (b"%PDF-1.7\n1 0 obj<<>>endobj", 415, "photo_unsupported"),
        (zip_file(), 415, "photo_unsupported"),
        (b"GIF89a" + bytes(100), 415, "photo_unsupported"),
        (gigapixel_png(), 413, "photo_too_large"),
    ],
    ids=["empty", "text", "html", "svg", "pdf", "zip", "gif", "gigapixel-png"],
)
def test_predict_file_that_is_no_photo_is_refused(
    anonymous: Client,
    predict: Callable[..., Any],
    assert_error: Callable[..., Any],
    data: bytes,
    status: int,
    code: str,
):
    assert_error(predict(anonymous, image=data), status, code)


def test_predict_truncated_jpeg_is_refused(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], lesion_jpeg: bytes
):
    response = predict(anonymous, image=lesion_jpeg[: len(lesion_jpeg) // 2])
    assert_error(response, 400, "photo_truncated")


@pytest.mark.parametrize("size", [(63, 63), (70, 600)], ids=["small", "thin"])
def test_predict_photo_too_small_or_thin_is_refused(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], size: tuple[int, int]
):
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    assert_error(predict(anonymous, image=buffer.getvalue()), 400, "photo_dimensions")


# Limits


def test_predict_photo_of_exactly_the_limit_is_answered(
    anonymous: Client, predict: Callable[..., Any], settings, lesion_jpeg: bytes
):
    settings.MAX_UPLOAD_BYTES = len(lesion_jpeg)
    assert predict(anonymous).status_code == 200


def test_predict_photo_one_byte_over_the_limit_is_413(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], settings, lesion_jpeg: bytes
):
    settings.MAX_UPLOAD_BYTES = len(lesion_jpeg) - 1
    assert_error(predict(anonymous), 413, "photo_too_large")


def test_predict_photo_of_many_chunks_over_the_limit_is_413(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], settings
):
    settings.MAX_UPLOAD_BYTES = 1_500_000
    body = assert_error(predict(anonymous, image=bytes(5 * 2**20)), 413, "photo_too_large")
    assert "5.0 MB" in body["error"]


def test_predict_files_that_exceed_the_limit_together_are_413(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], settings, lesion_jpeg: bytes
):
    settings.MAX_UPLOAD_BYTES = len(lesion_jpeg) + 100
    other = SimpleUploadedFile("a.bin", bytes(101))
    response = anonymous.post("/predict", {"attachment": other, "image": SimpleUploadedFile("a.jpg", lesion_jpeg)})
    assert_error(response, 413, "photo_too_large")


def test_predict_files_within_the_limit_together_are_answered(
    anonymous: Client, predict: Callable[..., Any], settings, lesion_jpeg: bytes
):
    settings.MAX_UPLOAD_BYTES = len(lesion_jpeg) + 100
    assert predict(anonymous, attachment=SimpleUploadedFile("a.bin", bytes(100))).status_code == 200


def test_predict_huge_text_is_413(anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any]):
    assert_error(predict(anonymous, history="x" * 3_000_000), 413, "request_too_large")


@pytest.mark.parametrize(
    "fields",
    [
        {f"field{i}": "x" for i in range(1001)},
        {f"file{i}": SimpleUploadedFile("a.jpg", b"x") for i in range(101)},
    ],
    ids=["texts", "files"],
)
def test_predict_too_many_fields_are_400(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], fields: dict[str, Any]
):
    assert_error(predict(anonymous, **fields), 400, "bad_request")
