"""Codes over HTTP, as the app sends and verifies them."""

from typing import Any

import pytest
from django.core import mail

from accounts.models import OneTimeCode, User
from tests.accounts.conftest import Send, code_in, mailed_code, wrong_code

pytestmark = pytest.mark.django_db

EMAIL_SEND, EMAIL_VERIFY = "/api/auth/otp/email/send/", "/api/auth/otp/email/verify/"
PHONE_SEND, PHONE_VERIFY = "/api/auth/otp/phone/send/", "/api/auth/otp/phone/verify/"
METHODS = ["post", "patch"]


@pytest.mark.parametrize("method", METHODS)
def test_email_code_verifies_the_email(send: Send, person: User, method: str):
    assert send(method, EMAIL_SEND, user=person).status_code == 200
    assert mail.outbox[0].to == [person.email]
    assert send(method, EMAIL_VERIFY, {"otp": mailed_code()}, user=person).status_code == 200
    person.refresh_from_db()
    assert (person.email_verified, person.phone_verified) == (True, False)


@pytest.mark.parametrize("method", METHODS)
def test_phone_code_verifies_the_phone(send: Send, person: User, sms: list[tuple[str, str]], method: str):
    assert send(method, PHONE_SEND, user=person).status_code == 200
    ((number, text),) = sms
    assert number == person.phone
    assert send(method, PHONE_VERIFY, {"otp": code_in(text)}, user=person).status_code == 200
    person.refresh_from_db()
    assert (person.email_verified, person.phone_verified) == (False, True)


@pytest.mark.parametrize("path", [EMAIL_SEND, EMAIL_VERIFY, PHONE_SEND, PHONE_VERIFY])
@pytest.mark.parametrize("method", METHODS)
def test_code_route_without_token_is_401(send: Send, path: str, method: str):
    assert send(method, path, {"otp": "123456"}).status_code == 401


def test_phone_code_without_phone_is_refused(send: Send, assert_error: Any, sms: list[tuple[str, str]]):
    person = User.objects.create_user("grace@example.org")
    assert_error(send("post", PHONE_SEND, user=person), 400, "invalid")
    assert not sms


def test_code_sent_again_at_once_is_429(send: Send, assert_error: Any, person: User):
    send("post", EMAIL_SEND, user=person)
    response = send("post", EMAIL_SEND, user=person)
    assert_error(response, 429, "throttled")
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert len(mail.outbox) == 1


def test_code_wrong_is_refused_and_then_locked(send: Send, assert_error: Any, person: User):
    send("post", EMAIL_SEND, user=person)
    wrong = {"otp": wrong_code(mailed_code())}
    codes = [send("post", EMAIL_VERIFY, wrong, user=person).json()["code"] for _ in range(6)]
    assert codes == ["code_not_valid"] * 4 + ["code_locked"] * 2
    assert_error(send("post", EMAIL_VERIFY, {"otp": mailed_code()}, user=person), 400, "code_locked")


def test_code_without_one_sent_is_refused(send: Send, assert_error: Any, person: User):
    assert_error(send("post", EMAIL_VERIFY, {"otp": "123456"}, user=person), 400, "code_not_valid")


def test_code_of_a_stranger_is_refused(send: Send, assert_error: Any, person: User, stranger: User):
    send("post", EMAIL_SEND, user=stranger)
    assert_error(send("post", EMAIL_VERIFY, {"otp": mailed_code()}, user=person), 400, "code_not_valid")


@pytest.mark.parametrize(
    "otp", ["", None, "12345", "123456789", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "123456\n7", [], {}, True]
)
def test_code_that_is_none_costs_no_try(send: Send, assert_error: Any, person: User, otp: Any):
    send("post", EMAIL_SEND, user=person)
    assert_error(send("post", EMAIL_VERIFY, {"otp": otp}, user=person), 400, "invalid")
    assert OneTimeCode.objects.get().tries == 0


def test_code_with_blanks_around_it_is_taken(send: Send, person: User):
    send("post", EMAIL_SEND, user=person)
    assert send("post", EMAIL_VERIFY, {"otp": f" {mailed_code()} "}, user=person).status_code == 200


def test_code_sent_before_the_address_changed_is_refused(send: Send, assert_error: Any, person: User, sms):
    send("post", PHONE_SEND, user=person)
    send("patch", "/api/auth/profile/update/", {"phone": "+352621000000"}, user=person)
    code = code_in(sms[0][1])
    assert_error(send("post", PHONE_VERIFY, {"otp": code}, user=person), 400, "code_not_valid")


def test_verify_again_when_verified_is_ok(send: Send, person: User):
    """The answer to the first may have been lost on its way."""
    send("post", EMAIL_SEND, user=person)
    form = {"otp": mailed_code()}
    assert [send("post", EMAIL_VERIFY, form, user=person).status_code for _ in range(2)] == [200, 200]


def test_send_when_verified_sends_nothing(send: Send, person: User):
    User.objects.update(email_verified=True)
    assert send("post", EMAIL_SEND, user=person).status_code == 200
    assert not mail.outbox
