"""Every route of people times everything that should not be sent: an answer of one shape, never a 500."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.urls import urlpatterns
from tests.accounts.conftest import ERROR_KEYS, PASSWORD, Send

pytestmark = pytest.mark.django_db

REPEATED = {"email", "phone", "confirm_password"}
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
NAMES = sorted(str(pattern.name) for pattern in urlpatterns)
# A form that each route takes; the matrix spoils one field of it at a time.
FORMS: dict[str, dict[str, Any]] = {
    "register": {
        "full_name": "Ada", "email": "new@example.org", "phone": "+352621000000",
        "password": PASSWORD, "confirm_password": PASSWORD,
    },
    "login": {"email": "ada@example.org", "password": PASSWORD, "otp": "123456"},
    "refresh": {"refresh": "a.b.c"},
    "logout": {"refresh": "a.b.c"},
    "profile-update": {
        "full_name": "Ada", "phone": "+352621000000", "gender": "f", "blood_group": "O+",
        "email": "ada@example.org", "current_password": PASSWORD, "training_consent": True,
    },
    "email-code-verify": {"otp": "123456"},
    "phone-code-verify": {"otp": "123456"},
    "password-forgot": {"email": "ada@example.org"},
    "password-reset": {"email": "ada@example.org", "otp": "12345678", "password": "Tr0ut&lamp-post"},
    "password-change": {"current_password": PASSWORD, "password": "Tr0ut&lamp-post"},
}  # fmt: skip
WITHOUT_FORM = {"profile", "privacy", "email-code-send", "phone-code-send"}
BODIES = {
    "nothing": b"",
    "blank": b"  \r\n",
    "null": b"null",
    "list": b"[]",
    "list-of-forms": b'[{"email": "a@b.c"}]',
    "text": b'"text"',
    "number": b"1",
    "true": b"true",
    "half": b'{"email": ',
    "not-utf-8": b'{"email": "\xff\xfe"}',
    "utf-16": '{"email": "a@b.c"}'.encode("utf-16"),
    "nan": b'{"email": NaN}',
    "deep": b"[" * 100_000,
    "deep-object": b'{"a":' * 100_000,
    "huge-number": b'{"email": ' + b"9" * 5000 + b"}",
    "form": b"email=a%40b.c&password=x",
    "double-key": b'{"email": 1, "email": 2}',
}
VALUES: dict[str, Any] = {
    "null": None,
    "empty": "",
    "blank": " \t\n",
    "true": True,
    "zero": 0,
    "float": -1.5,
    "infinite": 1e308 * 10,
    "list": [],
    "list-of-list": [[["x"]]],
    "object": {"a": {"b": None}},
    "nul": "a\x00b@example.org",
    "surrogate": "\ud800",
    "controls": "a\r\nBcc: eve@example.org",
    "right-to-left": "\u202eada@example.org",
    "emoji": "\U0001f9d1\u200d\U0001f680",
    "long": "x" * 100_000,
    "long-digits": "1" * 100_000,
    "long-email": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.org",
    "dotted-capital-i": "İ" * 120 + "@example.org",
    "html": "<script>alert(1)</script>",
    "sql": "'; DROP TABLE accounts_user; --",
    "date": "31.02.2020",
}


def check(response: Any) -> None:
    assert response.status_code < 500, response.content[:1000]
    if response.status_code >= 400 and response.content:
        body = response.json()
        assert ERROR_KEYS <= set(body) <= ERROR_KEYS | REPEATED
        assert all(isinstance(body[name], str) and body[name] for name in ("error", "detail", "code"))
        assert all(isinstance(body[name], str) for name in REPEATED & set(body))
        assert body["detail"] == body["error"]


def method_of(name: str) -> str:
    return "patch" if name == "profile-update" else "get" if name in {"profile", "privacy"} else "post"


def test_matrix_names_every_route():
    assert set(NAMES) == set(FORMS) | WITHOUT_FORM


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_any_body_is_answered(send: Send, person: User, name: str, body: bytes):
    check(send(method_of(name), reverse(f"accounts:{name}"), body, user=person))


@pytest.mark.parametrize("name", sorted(WITHOUT_FORM))
@pytest.mark.parametrize("body", [b"", b"{}"], ids=["nothing", "object"])
def test_route_without_form_takes_an_empty_body(send: Send, person: User, name: str, body: bytes):
    assert send(method_of(name), reverse(f"accounts:{name}"), body, user=person).status_code == 200


@pytest.mark.parametrize("name", sorted(FORMS))
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_any_value_in_any_field_is_answered(send: Send, person: User, name: str, value: Any):
    for field in FORMS[name]:
        body = json.dumps({**FORMS[name], field: value}).replace("Infinity", "1e999").encode()
        check(send(method_of(name), reverse(f"accounts:{name}"), body, user=person))
        User.objects.filter(email="new@example.org").delete()


@pytest.mark.parametrize("name", sorted(FORMS))
def test_any_missing_field_is_answered(send: Send, person: User, name: str):
    for field in FORMS[name]:
        body = {key: value for key, value in FORMS[name].items() if key != field}
        check(send(method_of(name), reverse(f"accounts:{name}"), body, user=person))
        User.objects.filter(email="new@example.org").delete()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", METHODS)
def test_any_method_is_answered(send: Send, person: User, name: str, method: str):
    check(send(method, reverse(f"accounts:{name}"), user=person))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content_type",
    [
        "", "text/plain", "nonsense", "application/json; charset=rot13", "application/json; charset=base64",
        "application/json; charset=utf-7", "multipart/form-data", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ],
)  # fmt: skip
def test_any_content_type_is_answered(person: User, name: str, content_type: str):
    client = Client(raise_request_exception=False)
    body = json.dumps(FORMS.get(name, {})).encode()
    check(client.generic(method_of(name).upper(), reverse(f"accounts:{name}"), body, content_type=content_type))


@pytest.mark.parametrize("charset", ["rot13", "base64", "utf-16", "latin-1", "nonsense"])
def test_claimed_charset_does_not_matter(person: User, charset: str):
    body = json.dumps({"email": "ada@example.org", "password": PASSWORD}).encode()
    content_type = f"application/json; charset={charset}"
    response = Client().generic("POST", "/api/auth/login/", body, content_type=content_type)
    assert response.status_code == 200


def test_byte_order_mark_is_ignored(send: Send, person: User):
    body = json.dumps({"email": "ada@example.org", "password": PASSWORD}).encode("utf-8-sig")
    assert send("post", "/api/auth/login/", body).status_code == 200


@pytest.mark.parametrize("name", sorted(FORMS))
def test_too_large_body_is_413(send: Send, person: User, settings, name: str):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = b'{"email": "' + b"x" * 100 + b'"}'
    assert send(method_of(name), reverse(f"accounts:{name}"), body, user=person).status_code == 413


@pytest.mark.parametrize("authorization", ["Bearer \xff", "Bearer " + "x" * 10_000, "Bearer a.b.c", "Bearer null", "x"])
@pytest.mark.parametrize("name", NAMES)
def test_any_authorization_is_answered(send: Send, person: User, name: str, authorization: str):
    response = send(method_of(name), reverse(f"accounts:{name}"), FORMS.get(name), Authorization=authorization)
    check(response)
    if name in {"register", "privacy", "password-forgot"}:
        assert response.status_code < 400
