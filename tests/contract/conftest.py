"""The app in front of the server, without a socket; and the same for one who has an account."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests.accounts.conftest import SmsSpy
from tests.contract.app import PHONES, Answer, App, Web

PERSON = {
    "full_name": "Ada Lovelace",
    "email": "ada@example.org",
    "phone": "+352621123456",
    "password": "vK3!plum-tree",
    "confirm_password": "vK3!plum-tree",
}


@pytest.fixture(autouse=True)
def deployment(tmp_path: Path, settings) -> None:
    """A media folder of this test's own, the web build's origin, and text messages that stay here."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.CORS_ALLOWED_ORIGINS = [Web.origin]
    settings.SMS_PROVIDER = "tests.accounts.conftest.SmsSpy"
    SmsSpy.sent.clear()


@pytest.fixture
def send(db) -> Callable[..., Answer]:
    """Bytes in, bytes out, through every middleware."""

    def through_django(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        others = {name: value for name, value in headers.items() if name != "Content-Type"}
        response = Client(raise_request_exception=False).generic(
            method, path, body, content_type=headers.get("Content-Type", ""), headers=others
        )
        content = b"".join(response.streaming_content) if response.streaming else response.content
        return Answer(response.status_code, {name.lower(): value for name, value in response.items()}, content)

    return through_django


@pytest.fixture(params=PHONES)
def app(send: Callable[..., Answer], request: pytest.FixtureRequest) -> App:
    """The app on every kind of phone, nobody logged in."""
    return App(send, PHONES[request.param]())


@pytest.fixture
def ada(app: App) -> App:
    """The same after registering and logging in."""
    assert app.register(**PERSON).ok
    assert app.login(PERSON["email"], PERSON["password"]).ok
    return app


@pytest.fixture
def saved_scan(ada: App, lesion_jpeg: bytes) -> dict[str, Any]:
    """A scan that the app predicted and saved, as the list shows it."""
    shown = ada.predict(lesion_jpeg).json()
    assert ada.save_scan(lesion_jpeg, shown).ok
    return ada.scans().json()[0]


@pytest.fixture
def code_sent() -> Callable[[str], str]:
    """The latest code that was sent over `email` or `phone`."""

    def latest(channel: str) -> str:
        text = mail.outbox[-1].body if channel == "email" else SmsSpy.sent[-1][1]
        (code,) = re.findall(r"\b\d{6}\b", text)
        return code

    return latest
