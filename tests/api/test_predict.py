"""One photo in, one answer out, over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from api import ml_state
from api.models import Prediction

pytestmark = pytest.mark.django_db

CODES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"]
ADDRESSES = [form for path in ("/api/predict", "/api/predict/skin-disease", "/predict") for form in (path, f"{path}/")]
RESPONSE_KEYS = {
    "id", "label", "diagnosis", "confidence", "severity", "advice", "isSafe", "status", "reasons", "probabilities",
    "top_k", "possible_labels", "modality", "photos", "malignancy", "explanation_url", "model", "disclaimer",
    "created_at",
}  # fmt: skip
LOG_KEYS = ("age_years", "sex", "site", "history", "consent")


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


def test_predict_answer_is_never_safe_without_gates(
    anonymous: Client, predict: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    live = ml_state.classifier()
    ungated = replace(live._artefact, document=replace(live.document, gated=()))
    monkeypatch.setattr(live, "_artefact", ungated)
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
    assert "too little detail" in predict(anonymous, image=wall_png).json()["advice"]


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
