"""Forgotten, reset and changed passwords."""

from typing import Any

import pytest
from django.core import mail

from accounts.models import AuditEvent, CodePurpose, OneTimeCode, User
from accounts.services import send_password_code
from accounts.tokens import issue_tokens
from tests.accounts.conftest import PASSWORD, Send, mailed_code, wrong_code

pytestmark = pytest.mark.django_db

FORGOT, RESET, CHANGE = "/api/auth/password/forgot/", "/api/auth/password/reset/", "/api/auth/password/change/"
REFRESH, PROFILE = "/api/auth/refresh/", "/api/auth/profile/"
NEW = "Tr0ut&lamp-post"


def log_in(send: Send, password: str) -> int:
    return send("post", "/api/auth/login/", {"email": "ada@example.org", "password": password}).status_code


@pytest.fixture
def reset(send: Send):
    def post(**change: Any) -> Any:
        return send("post", RESET, {"email": "ada@example.org", "password": NEW, **change})

    return post


@pytest.fixture
def code(send: Send, person: User) -> str:
    send("post", FORGOT, {"email": person.email})
    return mailed_code()


# Forgotten


def test_forgot_sends_a_code_to_the_person(send: Send, person: User):
    send("post", FORGOT, {"email": "ADA@example.org"})
    assert mail.outbox[0].to == [person.email]
    assert len(mailed_code()) == 8


def test_forgot_answers_the_same_for_everybody(send: Send, person: User):
    User.objects.create_user("inactive@example.org", PASSWORD, is_active=False)
    User.objects.create_user("no-password@example.org")
    emails = ["nobody@example.org", "inactive@example.org", "no-password@example.org", person.email, person.email]
    answers = [send("post", FORGOT, {"email": email}) for email in emails]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert [message.to for message in mail.outbox] == [[person.email]]


# Reset


def test_reset_by_code_sets_the_password(send: Send, reset: Any, code: str):
    assert reset(otp=code).status_code == 200
    assert (log_in(send, NEW), log_in(send, PASSWORD)) == (200, 401)


def test_reset_proves_the_email_and_is_audited(reset: Any, person: User, code: str):
    reset(otp=code)
    person.refresh_from_db()
    assert person.email_verified
    assert AuditEvent.objects.get().kind == "password_reset"


def test_reset_ends_every_login(send: Send, reset: Any, person: User, code: str):
    tokens = issue_tokens(user=person)
    reset(otp=code)
    assert send("post", REFRESH, {"refresh": tokens.refresh}).status_code == 401
    assert send("get", PROFILE, token=tokens.access).status_code == 401


def test_reset_twice_with_one_code_is_refused(reset: Any, assert_error: Any, code: str):
    reset(otp=code)
    assert_error(reset(otp=code), 400, "code_not_valid")


def test_reset_failures_are_the_same_for_everybody(reset: Any, assert_error: Any, code: str):
    """A lock would tell that there is an account, so it is not told."""
    wrong = wrong_code(code)
    answers = [reset(otp=wrong) for _ in range(7)] + [reset(otp=wrong, email="nobody@example.org")]
    bodies = {answer.content for answer in answers}
    assert len(bodies) == 1
    assert_error(answers[0], 400, "code_not_valid")
    assert_error(reset(otp=code), 400, "code_not_valid")


def test_reset_of_an_inactive_person_is_refused(reset: Any, assert_error: Any, code: str):
    User.objects.update(is_active=False)
    assert_error(reset(otp=code), 400, "code_not_valid")


@pytest.mark.parametrize("password", ["abcdef", "1234567890123", "ada@example.org"], ids=["short", "digits", "email"])
def test_reset_to_a_weak_password_is_refused_and_keeps_the_code(
    send: Send, reset: Any, assert_error: Any, code: str, password: str
):
    body = assert_error(reset(otp=code, password=password), 400, "invalid")
    assert body["error"] == body["fields"]["password"][0]
    assert log_in(send, PASSWORD) == 200
    assert reset(otp=code).status_code == 200


def test_reset_weak_like_the_person_is_not_told_without_the_code(reset: Any, assert_error: Any, code: str):
    assert_error(reset(otp=wrong_code(code), password="ada@example.org"), 400, "code_not_valid")


def test_reset_with_another_confirmation_is_refused(reset: Any, assert_error: Any, code: str):
    body = assert_error(reset(otp=code, confirm_password="else"), 400, "invalid")
    assert "confirm_password" in body["fields"]


def test_reset_by_an_email_verification_code_is_refused(send: Send, reset: Any, assert_error: Any, person: User):
    send("post", "/api/auth/otp/email/send/", user=person)
    assert_error(reset(otp=mailed_code()), 400, "code_not_valid")


def test_reset_code_is_void_once_the_email_has_changed(send: Send, reset: Any, assert_error: Any, person, code: str):
    form = {"email": "new@example.org", "current_password": PASSWORD}
    assert send("patch", "/api/auth/profile/update/", form, user=person).status_code == 200
    assert_error(reset(otp=code, email="new@example.org"), 400, "code_not_valid")


# Changed


def test_change_sets_the_password_and_brings_tokens(send: Send, person: User):
    form = {"current_password": PASSWORD, "password": NEW}
    answer = send("post", CHANGE, form, user=person).json()
    assert send("get", PROFILE, token=answer["access"]).status_code == 200
    assert send("post", REFRESH, {"refresh": answer["refresh"]}).status_code == 200
    assert (log_in(send, NEW), log_in(send, PASSWORD)) == (200, 401)


def test_change_ends_every_login_before_it(send: Send, person: User):
    tokens = issue_tokens(user=person)
    send("post", CHANGE, {"current_password": PASSWORD, "password": NEW}, user=person)
    assert send("post", REFRESH, {"refresh": tokens.refresh}).status_code == 401
    assert send("get", PROFILE, token=tokens.access).status_code == 401


def test_change_voids_a_code_on_its_way(send: Send, reset: Any, assert_error: Any, person: User, code: str):
    send("post", CHANGE, {"current_password": PASSWORD, "password": NEW}, user=person)
    assert_error(reset(otp=code, password="An0ther&one-here"), 400, "code_not_valid")


def test_change_is_audited(send: Send, person: User):
    send("post", CHANGE, {"current_password": PASSWORD, "password": NEW}, user=person)
    assert AuditEvent.objects.get().kind == "password_changed"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"current_password": "wrong"}, "current_password"),
        ({"current_password": ""}, "current_password"),
        ({"password": "abcdef"}, "password"),
        ({"password": "ada@example.org"}, "password"),
        ({"confirm_password": "else"}, "confirm_password"),
    ],
    ids=["wrong", "none", "weak", "like-the-email", "other-confirmation"],
)
def test_change_refused_names_the_field(
    send: Send, assert_error: Any, person: User, change: dict[str, str], field: str
):
    form = {"current_password": PASSWORD, "password": NEW} | change
    body = assert_error(send("post", CHANGE, form, user=person), 400, "invalid")
    assert list(body["fields"]) == [field]
    assert log_in(send, PASSWORD) == 200


def test_change_without_token_is_401(send: Send):
    assert send("post", CHANGE, {"current_password": PASSWORD, "password": NEW}).status_code == 401


def test_send_password_code_too_soon_is_silent(person: User):
    send_password_code(email=person.email)
    send_password_code(email=person.email)
    assert OneTimeCode.objects.get(purpose=CodePurpose.PASSWORD).sends == 1
