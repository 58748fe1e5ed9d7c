"""POST /api/auth/login/, and the login of the administration."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.audit import pseudonym_of
from accounts.models import AuditEvent, OneTimeCode, User
from tests.accounts.conftest import PASSWORD, Send, mailed_code, wrong_code

pytestmark = pytest.mark.django_db

PATH = "/api/auth/login/"
FORM = {"email": "ada@example.org", "password": PASSWORD}


def test_login_answers_tokens_and_the_person(send: Send, person: User):
    answer = send("post", PATH, FORM).json()
    assert set(answer) == {"access", "refresh", "user"}
    assert answer["user"]["id"] == person.pk
    assert send("get", "/api/auth/profile/", token=answer["access"]).json() == answer["user"]


@pytest.mark.parametrize("email", ["ADA@example.ORG", " ada@example.org "], ids=["case", "blanks"])
def test_login_email_in_any_spelling_is_the_person(send: Send, person: User, email: str):
    assert send("post", PATH, FORM | {"email": email}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"password": "wrong"}, {"password": f"{PASSWORD} "}, {"email": "nobody@example.org"}, {"email": "no address"}],
    ids=["password", "password-with-blank", "unknown", "no-address"],
)
def test_login_wrong_is_401_with_one_text(send: Send, assert_error: Any, person: User, change: dict[str, str]):
    body = assert_error(send("post", PATH, FORM | change), 401, "login_failed")
    assert body["error"] == send("post", PATH, FORM | {"password": "else"}).json()["error"]


def test_login_inactive_person_is_told_as_a_stranger(send: Send, assert_error: Any, person: User):
    User.objects.update(is_active=False)
    assert_error(send("post", PATH, FORM), 401, "login_failed")


def test_login_person_without_password_is_refused(send: Send, assert_error: Any):
    User.objects.create_user("ada@example.org")
    assert_error(send("post", PATH, FORM), 401, "login_failed")


def test_login_stale_token_is_ignored(send: Send, person: User):
    assert send("post", PATH, FORM, token="not-a-token").status_code == 200


def test_login_is_audited_and_remembered(send: Send, person: User):
    send("post", PATH, FORM)
    event = AuditEvent.objects.get()
    person.refresh_from_db()
    assert (event.kind, event.actor, event.actor_pseudonym) == ("login", person, pseudonym_of(person))
    assert person.last_login


@pytest.mark.parametrize(("email", "is_known"), [("ada@example.org", True), ("nobody@example.org", False)])
def test_login_failed_is_audited_without_the_email(send: Send, person: User, email: str, is_known: bool):  # noqa: FBT001
    send("post", PATH, {"email": email, "password": "wrong"})
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, event.actor_pseudonym) == ("login_failed", None, "")
    assert event.subject == (f"account {pseudonym_of(person)}" if is_known else "")


# Where the e-mail must be verified first


@pytest.fixture
def required(settings) -> None:
    settings.EMAIL_VERIFICATION = "required"


@pytest.mark.usefixtures("required")
def test_login_unverified_is_refused_and_sends_a_code(send: Send, assert_error: Any, person: User):
    assert_error(send("post", PATH, FORM), 403, "email_not_verified")
    assert mail.outbox[0].to == [person.email]


@pytest.mark.usefixtures("required")
def test_login_unverified_twice_sends_one_code(send: Send, assert_error: Any, person: User):
    for _ in range(2):
        assert_error(send("post", PATH, FORM), 403, "email_not_verified")
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("required")
def test_login_unverified_with_wrong_password_sends_nothing(send: Send, assert_error: Any, person: User):
    assert_error(send("post", PATH, FORM | {"password": "wrong"}), 401, "login_failed")
    assert not mail.outbox


@pytest.mark.usefixtures("required")
def test_login_with_the_code_verifies(send: Send, person: User):
    send("post", PATH, FORM)
    answer = send("post", PATH, FORM | {"otp": mailed_code()}).json()
    assert answer["user"]["email_verified"] is True
    assert send("post", PATH, FORM).status_code == 200


@pytest.mark.usefixtures("required")
def test_login_with_a_wrong_code_is_refused(send: Send, assert_error: Any, person: User):
    send("post", PATH, FORM)
    assert_error(send("post", PATH, FORM | {"otp": wrong_code(mailed_code())}), 400, "code_not_valid")


@pytest.mark.usefixtures("required")
def test_login_with_the_code_but_a_wrong_password_is_refused(send: Send, assert_error: Any, person: User):
    send("post", PATH, FORM)
    body = FORM | {"otp": mailed_code(), "password": "wrong"}
    assert_error(send("post", PATH, body), 401, "login_failed")
    assert OneTimeCode.objects.get().tries == 0


@pytest.mark.usefixtures("required")
def test_register_where_verification_is_required_gives_no_tokens(send: Send):
    form = FORM | {"full_name": "Ada", "phone": "", "confirm_password": PASSWORD}
    answer = send("post", "/api/auth/register/", form).json()
    assert set(answer) == {"user", "detail"}
    assert send("post", PATH, FORM | {"otp": mailed_code()}).status_code == 200


# The administration


def test_admin_login_is_audited(client: Client):
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    client.post("/admin/login/", {"username": "root@example.org", "password": PASSWORD})
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, event.subject) == ("login", root, "administration")


def test_admin_login_failed_is_audited(client: Client):
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    client.post("/admin/login/", {"username": "root@example.org", "password": "wrong"})
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, event.subject) == ("login_failed", None, f"account {pseudonym_of(root)}")


def test_admin_login_counts_tries(client: Client, settings, tmp_path):
    settings.DATA_DIR, settings.THROTTLE_RATES = tmp_path, {"login": (1, 3600)}
    User.objects.create_superuser("root@example.org", PASSWORD)
    for _ in range(2):
        response = client.post("/admin/login/", {"username": "root@example.org", "password": "wrong"})
    assert "Too many attempts" in response.text
    assert AuditEvent.objects.count() == 1
