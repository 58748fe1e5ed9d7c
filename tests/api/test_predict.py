"""One photo in, one answer out, over HTTP."""

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from api.models import Prediction

pytestmark = pytest.mark.django_db

CODES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"]
ADDRESSES = [form for path in ("/api/predict", "/api/predict/skin-disease", "/predict") for form in (path, f"{path}/")]
RESPONSE_KEYS = {
    "id", "label", "diagnosis", "confidence", "severity", "advice", "isSafe", "status", "reasons", "probabilities",
    "top_k", "malignancy", "explanation_url", "model", "disclaimer", "created_at",
}  # fmt: skip
LOG_KEYS = ("age_years", "sex", "site", "history", "consent")


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


# The answer


@pytest.mark.parametrize("path", ADDRESSES)
def test_predict_every_address_answers(anonymous: Client, predict: Callable[..., Any], path: str):
    assert predict(anonymous, path=path).status_code == 200


def test_predict_answer_has_exactly_the_promised_keys(anonymous: Client, predict: Callable[..., Any]):
    assert set(predict(anonymous).json()) == RESPONSE_KEYS


@pytest.mark.parametrize(
    ("key", "kind"), [("diagnosis", str), ("confidence", float), ("severity", str), ("advice", str), ("isSafe", bool)]
)
def test_predict_field_of_the_app_has_its_type(anonymous: Client, predict: Callable[..., Any], key: str, kind: type):
    value = predict(anonymous).json()[key]
    assert isinstance(value, kind)
    assert value != ""


def test_predict_confidence_is_the_top_probability_in_per_cent(anonymous: Client, predict: Callable[..., Any]):
    answer = predict(anonymous).json()
    assert answer["confidence"] == pytest.approx(100 * max(answer["probabilities"].values()), abs=0.05)
    assert answer["confidence"] > 1  # 0.93 would be shown as 1 %


def test_predict_probabilities_are_all_eight_in_order(anonymous: Client, predict: Callable[..., Any]):
    assert list(predict(anonymous).json()["probabilities"]) == CODES


def test_predict_probabilities_sum_to_one(anonymous: Client, predict: Callable[..., Any]):
    assert sum(predict(anonymous).json()["probabilities"].values()) == pytest.approx(1, abs=1e-9)


def test_predict_label_is_the_most_probable(anonymous: Client, predict: Callable[..., Any]):
    answer = predict(anonymous).json()
    assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)


def test_predict_top_k_are_the_three_most_probable_in_order(anonymous: Client, predict: Callable[..., Any]):
    answer = predict(anonymous).json()
    ranked = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:3]
    assert [(row["label"], row["probability"]) for row in answer["top_k"]] == ranked


def test_predict_top_k_names_the_classes_in_words(anonymous: Client, predict: Callable[..., Any]):
    assert all(len(row["name"]) > len(row["label"]) for row in predict(anonymous).json()["top_k"])


def test_predict_answer_is_never_safe_without_gates(anonymous: Client, predict: Callable[..., Any]):
    answer = predict(anonymous).json()
    assert answer["isSafe"] is False
    assert answer["severity"] in {"Moderate", "High"}
    assert "not_validated" in [reason["code"] for reason in answer["reasons"]]


def test_predict_malignancy_is_the_sum_of_the_malignant_classes(anonymous: Client, predict: Callable[..., Any]):
    answer = predict(anonymous).json()
    malignant = sum(answer["probabilities"][code] for code in ("akiec", "bcc", "mel", "scc"))
    assert answer["malignancy"]["probability"] == pytest.approx(malignant, abs=1e-9)


def test_predict_same_photo_twice_gives_the_same_probabilities(anonymous: Client, predict: Callable[..., Any]):
    first, second = predict(anonymous).json(), predict(anonymous).json()
    assert first["probabilities"] == second["probabilities"]
    assert first["id"] != second["id"]


def test_predict_model_is_the_live_one(anonymous: Client, predict: Callable[..., Any]):
    model = anonymous.get("/api/model/").json()
    assert predict(anonymous).json()["model"] == {key: model[key] for key in ("name", "version", "digest")}


def test_predict_answer_says_that_it_is_no_medical_device(anonymous: Client, predict: Callable[..., Any]):
    assert "not a medical device" in predict(anonymous).json()["disclaimer"]


# What the client calls the photo does not matter


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_predict_any_format_called_jpeg_is_answered(
    anonymous: Client, predict: Callable[..., Any], encode: Callable[..., bytes], image_format: str
):
    response = predict(anonymous, image=encode(image_format))
    assert response.status_code == 200
    assert Prediction.objects.get().images.get().format == image_format.lower()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("x.exe", "application/x-msdownload"), ("photo", ""), ("../../etc/passwd", "text/html"), ("ü🦀" * 60, "a/b")],
    ids=["executable", "no-type", "path", "long-unicode"],
)
def test_predict_declared_name_and_type_do_not_matter(
    anonymous: Client, predict: Callable[..., Any], name: str, content_type: str
):
    assert predict(anonymous, name=name, content_type=content_type).status_code == 200


@pytest.mark.parametrize("charset", ["utf-16", "idna", "rot13", "cp037"])
def test_predict_form_is_utf_8_whatever_charset_it_claims(anonymous: Client, lesion_jpeg: bytes, charset: str):
    body = (
        b'--B\r\nContent-Disposition: form-data; name="site"\r\n\r\nr\xc3\xbccken\r\n'
        b'--B\r\nContent-Disposition: form-data; name="image"; filename="skin.jpg"\r\n\r\n'
        + lesion_jpeg
        + b"\r\n--B--\r\n"
    )
    anonymous.generic("POST", "/predict", body, f"multipart/form-data; boundary=B; charset={charset}")
    assert Prediction.objects.get().site == "rücken"


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml"])
def test_predict_answers_json_whatever_is_accepted(anonymous: Client, predict: Callable[..., Any], accept: str):
    anonymous.defaults["HTTP_ACCEPT"] = accept
    assert "diagnosis" in predict(anonymous).json()


# A photo that cannot be judged is an answer


def test_predict_plain_wall_is_rejected_with_200(anonymous: Client, predict: Callable[..., Any], wall_png: bytes):
    response = predict(anonymous, image=wall_png)
    assert (response.status_code, response.json()["status"]) == (200, "rejected")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("label", None),
        ("probabilities", None),
        ("confidence", 0),
        ("severity", "Moderate"),
        ("isSafe", False),
        ("top_k", []),
        ("explanation_url", None),
        ("diagnosis", "Photo not usable"),
    ],
)
def test_predict_plain_wall_field_is_on_the_safe_side(
    anonymous: Client, predict: Callable[..., Any], wall_png: bytes, key: str, value: object
):
    assert predict(anonymous, image=wall_png, explain="true").json()[key] == value


def test_predict_plain_wall_advice_says_why(anonymous: Client, predict: Callable[..., Any], wall_png: bytes):
    assert "no detail" in predict(anonymous, image=wall_png).json()["advice"]


# Optional fields


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({}, (None, "", "", "", False)),
        (
            {"age": "42", "sex": "female", "site": "left arm", "history": "itches, für Wochen", "consent": "true"},
            (42, "female", "left arm", "itches, für Wochen", True),
        ),
        ({"age": "", "sex": "", "site": "", "history": "", "consent": ""}, (None, "", "", "", False)),
        ({"age": "0"}, (0, "", "", "", False)),
        ({"age": "130"}, (130, "", "", "", False)),
        ({"site": "<script>alert(1)</script>"}, (None, "", "<script>alert(1)</script>", "", False)),
    ],
    ids=["absent", "all", "empty", "new-born", "oldest", "markup"],
)
def test_predict_optional_fields_are_logged(
    anonymous: Client, predict: Callable[..., Any], sent: dict[str, str], stored: tuple[object, ...]
):
    assert predict(anonymous, **sent).status_code == 200
    assert Prediction.objects.values_list(*LOG_KEYS).get() == stored


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("age", value) for value in ("-1", "131", "abc", "nan", "inf", "5.5", "1e3", "9" * 5000, "\0")),
        ("sex", "FEMALE?"),
        ("site", "x" * 101),
        ("site", "a\0b"),
        ("history", "x" * 2001),
        ("explain", "maybe"),
        ("consent", "null"),
    ],
    ids=lambda value: repr(value[:8]),
)
def test_predict_invalid_field_is_named(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], field: str, value: str
):
    body = assert_error(predict(anonymous, **{field: value}), 400, "invalid")
    assert list(body["fields"]) == [field]
    assert body["error"] == f"{field}: {body['fields'][field][0]}"


# What is no answerable request


def test_predict_two_images_are_refused(anonymous: Client, lesion_jpeg: bytes, assert_error: Callable[..., Any]):
    images = [SimpleUploadedFile("skin.jpg", lesion_jpeg) for _ in range(2)]
    body = assert_error(anonymous.post("/predict", {"image": images}), 400, "invalid")
    assert body["fields"] == {"image": ["Send one image in one request."]}


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


# Explanations


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
