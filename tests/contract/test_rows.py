"""Every row of the contract's table: the call as the app makes it, and what the app reads of the answer."""

from collections.abc import Callable
from typing import Any

import pytest

from api.directory.importing import import_dermatologists
from tests.contract.app import App, register_message
from tests.contract.conftest import PERSON

DIRECTORY = b"""name,speciality,address,city,latitude,longitude,phone,rating
Praxis Mitte,Dermatology,Platz 1,Wien,48.2100,16.3700,+43 1 1,4.5
Praxis Rand,Dermatology,Weg 2,Wien,48.2600,16.4000,,
"""


def test_predict(app: App, lesion_jpeg: bytes):
    answer = app.predict(lesion_jpeg)
    body = answer.json()
    assert answer.status == 200
    assert isinstance(body["diagnosis"], str)
    assert isinstance(body["advice"], str)
    assert isinstance(body["confidence"], int | float)
    assert not isinstance(body["confidence"], bool)
    assert body["severity"] in {"Low", "Moderate", "High"}
    assert isinstance(body["isSafe"], bool)


def test_register(app: App):
    answer = app.register(**PERSON)
    assert answer.ok
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "not-an-address"},
        {"email": ""},
        {"phone": "none"},
        {"confirm_password": "another"},
        {"password": "abcdef", "confirm_password": "abcdef"},
        {"full_name": "x" * 500},
    ],
    ids=lambda wrong: "-".join(f"{key}-{len(value)}" for key, value in wrong.items()),
)
def test_register_refused_shows_a_text(app: App, wrong: dict[str, str]):
    answer = app.register(**{**PERSON, **wrong})
    assert not answer.ok
    assert register_message(answer.json())


def test_login(app: App):
    app.register(**PERSON)
    body = app.login(PERSON["email"], PERSON["password"]).json()
    assert isinstance(body["access"], str)
    assert isinstance(body["refresh"], str)
    assert isinstance(body["user"], dict)


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.org", "wrong"), ("nobody@example.org", "x"), ("", ""), ("ada@example.org", "")],
)
def test_login_refused_shows_a_text(app: App, email: str, password: str):
    app.register(**PERSON)
    answer = app.login(email, password)
    body = answer.json()
    assert not answer.ok
    assert isinstance(body["error"], str)
    assert body["error"]
    assert isinstance(body["detail"], str)


def test_profile(ada: App):
    answer = ada.profile()
    body = answer.json()
    assert answer.ok
    assert {"id", "full_name", "email", "phone", "email_verified", "phone_verified"} <= set(body)
    assert (body["full_name"], body["email"], body["phone"]) == (PERSON["full_name"], PERSON["email"], PERSON["phone"])
    assert (body["email_verified"], body["phone_verified"]) == (False, False)


def test_profile_update(ada: App):
    changes = {"full_name": "Ada King", "phone": "+352621654321", "gender": "female", "blood_group": "0+"}
    assert ada.update_profile(**changes).ok
    body = ada.profile().json()
    assert {key: body[key] for key in changes} == changes


@pytest.mark.parametrize("channel", ["email", "phone"])
def test_code_send_and_verify(ada: App, code_sent: Callable[[str], str], channel: str):
    assert ada.send_code(channel).ok
    assert ada.verify_code(channel, code_sent(channel)).ok
    assert ada.profile().json()[f"{channel}_verified"] is True


def test_code_verify_with_a_wrong_code_is_not_ok(ada: App, code_sent: Callable[[str], str]):
    ada.send_code("email")
    wrong = f"{(int(code_sent('email')) + 1) % 1_000_000:06d}"
    assert not ada.verify_code("email", wrong).ok
    assert ada.profile().json()["email_verified"] is False


def test_scan_save(ada: App, lesion_jpeg: bytes):
    answer = ada.save_scan(lesion_jpeg, ada.predict(lesion_jpeg).json())
    assert answer.ok
    assert isinstance(answer.json(), dict)


def test_scan_save_refused_is_json(ada: App):
    shown = {"diagnosis": "x", "confidence": 50, "severity": "Low", "advice": "x", "isSafe": True}
    answer = ada.save_scan(b"no photo", shown)
    assert not answer.ok
    assert isinstance(answer.json()["error"], str)


def test_scan_list(ada: App, saved_scan: dict[str, Any]):
    body = ada.scans().json()
    assert isinstance(body, list)
    assert len(body) == 1
    scan = body[0]
    assert {"id", "diagnosis", "confidence", "severity", "advice", "is_safe", "image", "created_at"} <= set(scan)
    assert isinstance(scan["confidence"], str)
    assert isinstance(scan["is_safe"], bool)
    assert scan["image"].startswith("http://testserver/")


def test_scan_list_shows_what_was_saved(ada: App, lesion_jpeg: bytes):
    shown = {"diagnosis": "Lunar <b>á</b>", "confidence": 93, "severity": "High", "advice": "Wait.", "isSafe": True}
    ada.save_scan(lesion_jpeg, shown)
    scan = ada.scans().json()[0]
    saved = (scan["diagnosis"], scan["confidence"], scan["severity"], scan["advice"], scan["is_safe"])
    assert saved == ("Lunar <b>á</b>", "93%", "High", "Wait.", True)


def test_scan_list_is_newest_first(ada: App, lesion_jpeg: bytes):
    for number in range(3):
        shown = {"diagnosis": str(number), "confidence": 50, "severity": "Low", "advice": "x", "isSafe": False}
        ada.save_scan(lesion_jpeg, shown)
    assert [scan["diagnosis"] for scan in ada.scans().json()] == ["2", "1", "0"]


def test_scan_delete(ada: App, saved_scan: dict[str, Any]):
    assert ada.delete_scan(saved_scan["id"]).ok
    assert ada.scans().json() == []


def test_scan_pdf(ada: App, saved_scan: dict[str, Any]):
    answer = ada.scan_pdf(saved_scan["id"])
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body.startswith(b"%PDF-")


def test_scan_image(ada: App, saved_scan: dict[str, Any]):
    answer = ada.open_image(saved_scan["image"])
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.body.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Is it dangerous?"},
        {"message": "hi", "disease": "Melanoma", "trigger": "scan_result", "severity": "High"},
        {"message": "hi", "disease": "Melanoma", "trigger": "chat", "severity": "High"},
    ],
    ids=["plain", "scan-result", "chat"],
)
def test_chatbot(app: App, body: dict[str, str]):
    answer = app.chat(**body)
    assert answer.status == 200
    assert isinstance(answer.json()["reply"], str)
    replies = answer.json()["quick_replies"]
    assert all(isinstance(reply, str) for reply in replies)
    assert len(set(replies)) == len(replies)


def test_chatbot_quick_replies_can_be_sent_back(app: App):
    for reply in app.chat(message="hi").json()["quick_replies"]:
        assert app.chat(message=reply).json()["topic"] != "unknown"


@pytest.mark.parametrize(
    "place",
    [{"lat": 48.2082, "lon": 16.3738}, {"city": "wien"}, {"lat": 48.2082, "lon": 16.3738, "sort": "rating"}],
    ids=["coordinates", "city", "rating"],
)
def test_nearby_hospitals(ada: App, place: dict[str, Any]):
    import_dermatologists(content=DIRECTORY)
    answer = ada.nearby(diagnosis="Melanoma", severity="High", **place)
    hospitals = answer.json()["hospitals"]
    assert answer.status == 200
    assert {hospital["name"] for hospital in hospitals} == {"Praxis Mitte", "Praxis Rand"}
    for hospital in hospitals:
        assert isinstance(hospital["rating"], float)
        assert isinstance(hospital["distance_km"], float)
        assert hospital["maps_url"].startswith("https://")
        assert all(part.strip() for part in hospital["why_recommended"].split(", "))
        assert isinstance(hospital["top_doctors"], list)


def test_logout_is_no_call(ada: App):
    ada.logout()
    assert not ada.profile().ok
