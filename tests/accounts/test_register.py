"""POST /api/auth/register/."""

from typing import Any

import pytest

from accounts.models import AuditEvent, User
from tests.accounts.conftest import PASSWORD, Send

pytestmark = pytest.mark.django_db

PATH = "/api/auth/register/"
FORM = {
    "full_name": "Ada Lovelace",
    "email": "Ada@Example.org",
    "phone": "00352 (621) 123-456",
    "password": PASSWORD,
    "confirm_password": PASSWORD,
}


def test_register_answers_the_person_and_tokens(send: Send):
    response = send("post", PATH, FORM)
    assert response.status_code == 201
    answer = response.json()
    assert set(answer) == {"user", "detail", "access", "refresh"}
    assert answer["user"] == send("get", "/api/auth/profile/", token=answer["access"]).json()


def test_register_stores_one_spelling(send: Send):
    send("post", PATH, FORM)
    person = User.objects.get()
    assert (person.email, person.phone, person.full_name) == ("ada@example.org", "+352621123456", "Ada Lovelace")


def test_register_stores_no_readable_password_and_no_rights(send: Send):
    send("post", PATH, FORM | {"is_staff": True, "is_superuser": True, "email_verified": True})
    person = User.objects.get()
    assert PASSWORD not in person.password
    assert person.check_password(PASSWORD)
    assert [person.is_staff, person.is_superuser, person.email_verified] == [False, False, False]


@pytest.mark.parametrize(
    "absent",
    [{"phone": ""}, {"phone": None}, {"phone": "  "}, {"full_name": None}, {"full_name": ""}],
    ids=["empty-phone", "null-phone", "blank-phone", "null-name", "empty-name"],
)
def test_register_without_phone_or_name_is_a_person(send: Send, absent: dict[str, Any]):
    user = send("post", PATH, FORM | absent).json()["user"]
    name = next(iter(absent))
    assert user[name] == ""


def test_register_is_audited(send: Send):
    send("post", PATH, FORM)
    assert AuditEvent.objects.get().kind == "registered"


# What the register screen shows: the first of `email`, `phone`, `confirm_password`, `error`


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"email": "ada@EXAMPLE.org"}, "email"),
        ({"email": "ada"}, "email"),
        ({"email": ""}, "email"),
        ({"email": None}, "email"),
        ({"email": f"{'a' * 250}@example.org"}, "email"),
        ({"phone": "+352 621 12 34 56"}, "phone"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "1" * 16}, "phone"),
        ({"confirm_password": "other"}, "confirm_password"),
        ({"confirm_password": ""}, "confirm_password"),
    ],
    ids=[
        "taken-email-in-other-case", "bad-email", "empty-email", "null-email", "long-email", "taken-phone", "bad-phone",
        "long-phone", "other-confirmation", "no-confirmation",
    ],
)  # fmt: skip
def test_register_refused_shows_one_text(
    send: Send, assert_error: Any, person: User, change: dict[str, Any], shown: str
):
    new = FORM | {"email": "grace@example.org", "phone": "+352621000000"}
    body = assert_error(send("post", PATH, new | change), 400, "invalid")
    assert set(body) == {"error", "detail", "code", "fields", shown}
    assert body[shown] == body["error"] == body["fields"][shown][0]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "password",
    ["abcdef", "1234567890123", "password123", "adalovelace", "", None],
    ids=["short", "digits", "common", "like-the-name", "empty", "null"],
)
def test_register_weak_password_is_told_under_error(send: Send, assert_error: Any, password: str | None):
    body = assert_error(send("post", PATH, FORM | {"password": password, "confirm_password": password}), 400, "invalid")
    assert body["error"] == body["fields"]["password"][0]
    assert "password" not in body
    assert not User.objects.exists()


def test_register_both_taken_names_both(send: Send, person: User):
    body = send("post", PATH, FORM).json()
    assert "e-mail" in body["email"]
    assert "phone" in body["phone"]


def test_register_keeps_blanks_of_a_password(send: Send):
    password = "  plum tree vK3  "
    send("post", PATH, FORM | {"password": password, "confirm_password": password})
    assert User.objects.get().check_password(password)


@pytest.mark.parametrize("authorization", ["Bearer not-a-token", "Bearer", "Basic YTpi"])
def test_register_with_a_stale_token_is_anonymous(send: Send, authorization: str):
    assert send("post", PATH, FORM, Authorization=authorization).status_code == 201


def test_register_in_two_scripts_of_digits_is_one_phone(send: Send, assert_error: Any, person: User):
    arabic = "+" + "".join(chr(0x0660 + int(digit)) for digit in "352621123456")
    body = assert_error(send("post", PATH, FORM | {"email": "grace@example.org", "phone": arabic}), 400, "invalid")
    assert "phone" in body
