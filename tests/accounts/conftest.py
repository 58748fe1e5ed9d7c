"""A client that speaks JSON as the app does, people, and what was sent to them."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User

PASSWORD = "vK3!plum-tree"
ERROR_KEYS = {"error", "detail", "code", "fields"}

Send = Callable[..., Any]


class SmsSpy:
    """A provider that keeps what it was asked to send, as Django's memory backend does with e-mail."""

    sent: list[tuple[str, str]] = []

    def send(self, *, to: str, text: str) -> None:
        self.sent.append((to, text))


@pytest.fixture
def sms(settings) -> list[tuple[str, str]]:
    """Text messages sent in this test: (to, text)."""
    settings.SMS_PROVIDER = "tests.accounts.conftest.SmsSpy"
    SmsSpy.sent.clear()
    return SmsSpy.sent


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("ada@example.org", PASSWORD, full_name="Ada", phone="+352621123456")


@pytest.fixture
def stranger(db) -> User:
    return User.objects.create_user("eve@example.org", PASSWORD, full_name="Eve", phone="+352621999999")


@pytest.fixture
def send() -> Send:
    """Send a request with a JSON body: `send("post", "/api/auth/login/", {...}, user=person, token=...)`."""

    def request(
        method: str, path: str, body: Any = None, *, user: User | None = None, token: str = "", **headers: str
    ) -> Any:
        if user:
            token = str(AccessToken.for_user(user))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return Client(raise_request_exception=False).generic(
            method.upper(),
            path,
            b"" if body is None else body if isinstance(body, bytes) else json_bytes(body),
            content_type="application/json",
            headers=headers,
        )

    return request


@pytest.fixture
def assert_error() -> Callable[..., dict[str, Any]]:
    """Check status, code and the one body of every error; returns the body."""

    def check(response: Any, status: int, code: str) -> dict[str, Any]:
        assert response.status_code == status, response.content[:500]
        assert response.headers["Content-Type"] == "application/json"
        body = response.json()
        assert set(body) >= ERROR_KEYS
        assert isinstance(body["error"], str)
        assert body["error"]
        assert body["detail"] == body["error"]
        assert body["code"] == code
        return body

    return check


def json_bytes(body: Any) -> bytes:

    return json.dumps(body).encode()


def mailed_code() -> str:
    """The code in the latest e-mail."""
    return code_in(mail.outbox[-1].body)


def code_in(text: str) -> str:
    (code,) = re.findall(r"\b[0-9]{6,8}\b", text)
    return code


def wrong_code(code: str) -> str:
    """A code of the same length that is another one."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)
