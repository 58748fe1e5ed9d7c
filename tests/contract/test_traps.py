"""Every trap in the app, by its number in the contract, and that the server defuses it."""

import io
import json
import struct
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pillow_heif
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from PIL import Image
from rest_framework_simplejwt.tokens import AccessToken

from api.models import Prediction, PredictionImage, Scan
from tests.contract.app import Answer, App, Photo, Web, confidence_text, register_message, shown_severity
from tests.contract.conftest import PERSON

pillow_heif.register_heif_opener()

FIVE = {"diagnosis", "confidence", "severity", "advice", "isSafe"}
ERROR_KEYS = {"error", "detail", "code", "fields"}
LIE = {"diagnosis": "Nothing", "confidence": 99, "severity": "Low", "advice": "All fine.", "isSafe": True}


def assert_error_shape(answer: Answer) -> dict[str, Any]:
    body = answer.json()
    assert answer.headers["content-type"].startswith("application/json")
    assert set(body) >= ERROR_KEYS
    assert all(isinstance(body[key], str) and body[key] for key in ("error", "detail", "code"))
    assert all(isinstance(text, str) for texts in body["fields"].values() for text in texts)
    return body


@pytest.fixture
def wall(encode: Callable[..., bytes]) -> bytes:
    """A photo of a plain wall."""
    return encode("JPEG", np.full((300, 400, 3), 190, np.uint8))


def phone_photo(encode: Callable[..., bytes], lesion_rgb: Any) -> bytes:
    """Portrait by EXIF orientation, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 26.0)}
    return encode("JPEG", lesion_rgb, exif=exif, quality=90)


def test_trap_01_confidence_is_a_number_from_0_to_100(app: App, lesion_jpeg: bytes):
    answer = app.predict(lesion_jpeg).json()
    share = max(answer["probabilities"].values())
    assert answer["confidence"] == pytest.approx(100 * share, abs=0.06)
    assert confidence_text(answer["confidence"]) not in {"0%", "1%"}


@pytest.mark.parametrize("name", ["lesion", "wall"])
def test_trap_02_all_five_fields_are_always_sent(app: App, lesion_jpeg: bytes, wall: bytes, name: str):
    body = app.predict({"lesion": lesion_jpeg, "wall": wall}[name]).json()
    assert set(body) >= FIVE
    assert all(body[key] is not None for key in FIVE)


@pytest.mark.parametrize("name", ["lesion", "wall"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_trap_03_severity_is_exactly_one_of_three_words(
    app: App, lesion_jpeg: bytes, wall: bytes, name: str, language: str
):
    app.phone.headers = {**app.phone.headers, "Accept-Language": language}
    severity = app.predict({"lesion": lesion_jpeg, "wall": wall}[name]).json()["severity"]
    assert shown_severity(severity) == severity


def test_trap_04_unusable_photo_is_200_and_unsafe(app: App, wall: bytes):
    answer = app.predict(wall)
    body = answer.json()
    assert answer.status == 200
    assert body["severity"] in {"Moderate", "High"}
    assert body["isSafe"] is False
    assert body["diagnosis"] == "Photo not usable"
    assert "blank" in body["advice"]


@pytest.mark.parametrize("content", [b"", b"no photo", b"%PDF-1.7", b"\xff\xd8\xff\xe0 cut"], ids=len)
def test_trap_04_file_that_is_no_image_is_a_4xx(app: App, content: bytes):
    answer = app.predict(content)
    assert 400 <= answer.status < 500
    assert_error_shape(answer)


def _too_large(app: App) -> Answer:
    return app.predict(b"\xff\xd8\xff" + bytes(django_settings.MAX_UPLOAD_BYTES))


@pytest.mark.parametrize(
    ("call", "status"),
    [
        pytest.param(lambda app: app.send("GET", "/api/nothing/", {}, b""), 404, id="404"),
        pytest.param(lambda app: app.send("GET", "/api/auth/login/", {}, b""), 405, id="405"),
        pytest.param(lambda app: app.profile(), 401, id="401"),
        pytest.param(_too_large, 413, id="413"),
        pytest.param(lambda app: app.login("a", "b"), 400, id="login"),
        pytest.param(lambda app: app.register(), 400, id="register"),
        pytest.param(
            lambda app: app.send("POST", "/api/auth/login/", {"Content-Type": "application/json"}, b"{"), 400, id="cut"
        ),
        pytest.param(
            lambda app: app.send("POST", "/api/auth/login/", {"Content-Type": "text/plain"}, b"x"), 415, id="415"
        ),
    ],
)
def test_trap_05_every_error_is_json_of_one_shape(app: App, call: Callable[[App], Answer], status: int):
    answer = call(app)
    if (status, answer.status) == (400, 401):
        status = 401  # a login with nonsense may be a wrong one or an incomplete one
    assert answer.status == status
    assert_error_shape(answer)


def test_trap_05_error_of_a_bug_is_json(app: App, monkeypatch):
    def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("accounts.services.log_in", broken)
    answer = app.login(PERSON["email"], PERSON["password"])
    assert (answer.status, assert_error_shape(answer)["code"]) == (500, "server_error")


def test_trap_05_too_many_requests_is_json_with_retry_after(app: App, settings):
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "login": (1, 3600)}
    app.login(PERSON["email"], "wrong")
    answer = app.login(PERSON["email"], "wrong")
    assert (answer.status, assert_error_shape(answer)["code"]) == (429, "throttled")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("field", ["email", "phone"])
def test_trap_05_register_repeats_its_fields_as_top_level_strings(app: App, field: str):
    app.register(**PERSON)
    other = {"email": "other@example.org", "phone": "+352621000000"}
    body = app.register(**{**PERSON, **other, field: PERSON[field]}).json()
    assert isinstance(body[field], str)
    assert body["fields"][field] == [body[field]]


def test_trap_05_register_repeats_confirm_password_as_a_top_level_string(app: App):
    body = app.register(**{**PERSON, "confirm_password": "another"}).json()
    assert isinstance(body["confirm_password"], str)


@pytest.mark.parametrize("password", ["abcdef", "12345678", "password", "ada@example.org"])
def test_trap_06_register_repeats_the_password_s_text_under_error(app: App, password: str):
    answer = app.register(**{**PERSON, "password": password, "confirm_password": password})
    body = answer.json()
    assert answer.status == 400
    assert body["error"] in body["fields"]["password"]
    assert register_message(body) == body["error"]


def test_trap_07_full_name_is_never_null(app: App):
    nameless = {key: value for key, value in PERSON.items() if key != "full_name"}
    app.register(**nameless)
    app.login(PERSON["email"], PERSON["password"])
    assert isinstance(app.profile().json()["full_name"], str)


@pytest.mark.parametrize("value", [None, ""])
def test_trap_07_full_name_is_never_null_after_an_update(ada: App, value: str | None):
    ada.update_profile(full_name=value)
    assert isinstance(ada.profile().json()["full_name"], str)


def test_trap_07_distance_is_always_a_number(ada: App):
    from api.directory.importing import import_dermatologists
    from tests.contract.test_rows import DIRECTORY

    import_dermatologists(content=DIRECTORY)
    for place in ({"lat": 48.2, "lon": 16.4}, {"city": "Wien"}):
        for hospital in ada.nearby(diagnosis="x", **place).json()["hospitals"]:
            assert isinstance(hospital["distance_km"], float)


def test_trap_08_image_opens_without_a_header(ada: App, saved_scan: dict[str, Any]):
    assert ada.open_image(saved_scan["image"]).status == 200


def test_trap_08_image_s_address_is_signed(ada: App, saved_scan: dict[str, Any]):
    url = saved_scan["image"].rstrip("/")
    forged = url[:-1] + ("A" if url[-1] != "A" else "B")
    assert ada.open_image(forged).status == 404


def test_trap_08_image_s_address_expires(ada: App, saved_scan: dict[str, Any], settings, monkeypatch):
    import time

    later = time.time() + 10 * 24 * 3600
    monkeypatch.setattr("time.time", lambda: later)
    assert ada.open_image(saved_scan["image"]).status == 404


def test_trap_08_image_s_address_does_not_name_the_stored_file(ada: App, saved_scan: dict[str, Any]):
    stored = Scan.objects.get().photo.name
    assert stored not in saved_scan["image"]
    assert ada.send("GET", f"/media/{stored}", {}, b"").status == 404


def test_trap_09_list_is_a_whole_array(ada: App, saved_scan: dict[str, Any], lesion_jpeg: bytes):
    scan = Scan.objects.get()
    for _ in range(130):
        Scan.objects.create(
            **{field.name: getattr(scan, field.name) for field in Scan._meta.concrete_fields if field.name != "id"}
        )
    assert len(ada.scans().json()) == 131


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_trap_10_photo_is_known_by_its_content(app: App, encode: Callable[..., bytes], image_format: str):
    answer = app.predict(encode(image_format))
    assert answer.status == 200
    assert PredictionImage.objects.get().format == image_format.lower()


def test_trap_10_photo_of_camera_size_is_answered(app: App):
    noise = np.random.default_rng(5).integers(0, 255, (300, 400, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((4032, 3024), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=97)
    content = buffer.getvalue()
    assert len(content) > 4_000_000
    assert app.predict(content).status == 200


def test_trap_10_photo_is_turned_upright_and_loses_its_place(ada: App, encode: Callable[..., bytes], lesion_rgb: Any):
    content = phone_photo(encode, lesion_rgb)
    ada.save_scan(content, ada.predict(content).json())
    image = PredictionImage.objects.get()
    assert (image.width_px, image.height_px) == (lesion_rgb.shape[0], lesion_rgb.shape[1])
    with image.photo.open("rb") as stored:
        assert struct.pack(">II", 48, 1) not in stored.read()
    with Image.open(io.BytesIO(ada.open_image(ada.scans().json()[0]["image"]).body)) as opened:
        assert 0x8825 not in opened.getexif()


def test_trap_11_lie_is_linked_to_the_server_s_own_answer(ada: App, lesion_jpeg: bytes):
    answered = ada.predict(lesion_jpeg).json()
    saved = ada.save_scan(lesion_jpeg, LIE).json()
    assert str(Scan.objects.get().prediction_id) == answered["id"]
    assert ada.scans().json()[0]["diagnosis"] == "Nothing"
    assert saved["server"]["diagnosis"] == answered["diagnosis"]
    assert saved["mismatch"]["differs"]
    assert saved["mismatch"]["plays_down"] is (not answered["isSafe"])


def test_trap_11_pdf_prints_the_server_s_truth(ada: App, lesion_jpeg: bytes):
    import pypdfium2

    answered = ada.predict(lesion_jpeg).json()
    ada.save_scan(lesion_jpeg, LIE)
    pages = pypdfium2.PdfDocument(ada.scan_pdf(ada.scans().json()[0]["id"]).body)
    text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in pages)
    pages.close()
    assert answered["diagnosis"] in text
    assert text.index(answered["diagnosis"]) < text.index("Nothing")


@pytest.mark.parametrize("token", ["expired", "forged", "nonsense"])
@pytest.mark.parametrize("route", ["predict", "chatbot", "register", "login"])
def test_trap_12_bad_token_on_a_public_route_means_anonymous(
    app: App, lesion_jpeg: bytes, token: str, route: str, django_user_model
):
    person = django_user_model.objects.create_user("old@example.org", "vK3!plum-tree")
    expired = AccessToken.for_user(person)
    expired.set_exp(from_time=timezone.now() - timedelta(days=2), lifetime=timedelta(hours=1))
    text = {"expired": str(expired), "forged": str(AccessToken.for_user(person))[:-3] + "AAA", "nonsense": "x"}[token]
    app.phone.headers = {**app.phone.headers, "Authorization": f"Bearer {text}"}
    calls: dict[str, Callable[[], Answer]] = {
        "predict": lambda: app.predict(lesion_jpeg),
        "chatbot": lambda: app.chat(message="hi"),
        "register": lambda: app.register(**PERSON),
        "login": lambda: app.login("old@example.org", "vK3!plum-tree"),
    }
    assert calls[route]().ok
    assert not Prediction.objects.exclude(user=None).exists()


def test_trap_12_good_token_attributes_the_prediction(ada: App, lesion_jpeg: bytes, django_user_model):
    ada.predict(lesion_jpeg, token=ada.access)
    assert Prediction.objects.get().user == django_user_model.objects.get(email=PERSON["email"])


def test_trap_13_access_token_lives_half_a_day(ada: App):
    life_s = AccessToken(ada.access).payload["exp"] - timezone.now().timestamp()
    assert 11.9 * 3600 < life_s <= 12 * 3600


def test_trap_13_other_clients_may_refresh(ada: App):
    body = json.dumps({"refresh": ada.refresh}).encode()
    answer = ada.send("POST", "/api/auth/refresh/", {"Content-Type": "application/json"}, body)
    assert set(answer.json()) >= {"access", "refresh"}
    ada.access = answer.json()["access"]
    assert ada.profile().ok


@pytest.mark.parametrize(
    "body",
    [
        {"message": "hi", "disease": None, "severity": None},
        {"message": "hi"},
        {"message": ""},
        {"message": None, "trigger": None},
        {},
        {"message": "hi", "disease": "Eczema", "severity": "x", "trigger": "other"},
    ],
    ids=["nulls", "alone", "empty", "null-message", "nothing", "unknown"],
)
def test_trap_14_chatbot_answers_200_to_any_valid_body(app: App, body: dict[str, Any]):
    answer = app.chat(**body)
    assert answer.status == 200
    assert answer.json()["reply"]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_trap_15_web_build_is_granted_what_it_sends(app: App, method: str):
    asked = {
        "Origin": Web.origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    granted = app.send("OPTIONS", "/api/auth/profile/update/", asked, b"").headers
    assert granted["access-control-allow-origin"] == Web.origin
    assert method in granted["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= set(granted["access-control-allow-headers"].split(", "))


def test_trap_15_other_origins_are_granted_nothing(app: App):
    answer = app.send("GET", "/api/model/", {"Origin": "https://evil.example"}, b"")
    assert "access-control-allow-origin" not in answer.headers


# Besides the traps: what the table says of all calls


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/auth/profile", 200),
        ("POST", "/api/auth/otp/email/send", 200),
        ("GET", "/api/scans", 200),
        ("POST", "/api/chatbot", 200),
        ("POST", "/api/nearby-hospitals", 200),
    ],
)
def test_paths_are_served_without_their_slash_too(ada: App, method: str, path: str, status: int):
    assert ada._json(method, path, token=ada.access).status == status


def test_part_without_declared_type_or_name_of_its_own_is_a_photo(app: App, lesion_jpeg: bytes):
    content_type, body = app.phone.multipart(
        {"image": Photo(lesion_jpeg, name="blob", type="application/octet-stream")}
    )
    answer = app.send("POST", "/api/predict/skin-disease/", {**app.phone.headers, "Content-Type": content_type}, body)
    assert answer.status == 200
