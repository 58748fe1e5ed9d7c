"""Renewing and ending tokens."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import AuditEvent, User
from accounts.tokens import issue_tokens, purge_expired_tokens
from tests.accounts.conftest import Send

pytestmark = pytest.mark.django_db

REFRESH, LOGOUT = "/api/auth/refresh/", "/api/auth/logout/"


@pytest.fixture
def refresh(person: User) -> str:
    return issue_tokens(user=person).refresh


def test_refresh_gives_tokens_that_work(send: Send, refresh: str):
    answer = send("post", REFRESH, {"refresh": refresh}).json()
    assert set(answer) == {"access", "refresh"}
    assert send("get", "/api/auth/profile/", token=answer["access"]).status_code == 200
    assert send("post", REFRESH, {"refresh": answer["refresh"]}).status_code == 200


def test_refresh_used_twice_is_refused(send: Send, assert_error: Any, refresh: str):
    send("post", REFRESH, {"refresh": refresh})
    assert_error(send("post", REFRESH, {"refresh": refresh}), 401, "token_not_valid")


def expired(person: User) -> str:
    token = RefreshToken.for_user(person)
    token.set_exp(lifetime=timedelta(seconds=-1))
    return str(token)


UNUSABLE = {
    "garbage": lambda _person: "not-a-token",
    "three-dots": lambda _person: "a.b.c",
    "access": lambda person: str(AccessToken.for_user(person)),
    "foreign": lambda person: str(RefreshToken.for_user(person))[:-4] + "AAAA",
    "expired": expired,
    "without-person": lambda _person: str(RefreshToken()),
    "not-ascii": lambda _person: "é" * 10,
}


@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
@pytest.mark.parametrize("make", UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_token_is_refused(send: Send, assert_error: Any, person: User, path: str, make: Any):
    assert_error(send("post", path, {"refresh": make(person)}), 401, "token_not_valid")


@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
def test_token_of_an_inactive_person_is_refused(send: Send, assert_error: Any, refresh: str, path: str):
    User.objects.update(is_active=False)
    assert_error(send("post", path, {"refresh": refresh}), 401, "token_not_valid")


@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
def test_token_of_a_deleted_person_is_refused(send: Send, assert_error: Any, person: User, refresh: str, path: str):
    person.delete()
    assert_error(send("post", path, {"refresh": refresh}), 401, "token_not_valid")


def test_logout_ends_the_refresh_token(send: Send, assert_error: Any, refresh: str):
    assert send("post", LOGOUT, {"refresh": refresh}).status_code == 204
    assert_error(send("post", REFRESH, {"refresh": refresh}), 401, "token_not_valid")


def test_logout_ends_no_other_login(send: Send, person: User, refresh: str):
    other = issue_tokens(user=person).refresh
    send("post", LOGOUT, {"refresh": refresh})
    assert send("post", REFRESH, {"refresh": other}).status_code == 200


def test_logout_needs_no_access_token(send: Send, refresh: str):
    assert send("post", LOGOUT, {"refresh": refresh}, token="expired-long-ago").status_code == 204


def test_logout_is_audited(send: Send, person: User, refresh: str):
    send("post", LOGOUT, {"refresh": refresh})
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor) == ("logout", person)


@pytest.mark.parametrize(("options", "left"), [([], 0), (["--dry-run"], 1)], ids=["for-real", "dry-run"])
def test_purge_command_forgets_expired_tokens(person: User, options: list[str], left: int):
    issue_tokens(user=person)
    OutstandingToken.objects.update(expires_at=timezone.now() - timedelta(days=1))
    call_command("purge_expired", *options, verbosity=0, stdout=StringIO())
    assert OutstandingToken.objects.count() == left


def test_purge_expired_tokens_deletes_what_has_expired_and_nothing_else(person: User):
    for days in (-1, 1):
        issue_tokens(user=person)
        OutstandingToken.objects.filter(pk=OutstandingToken.objects.latest("pk").pk).update(
            expires_at=timezone.now() + timedelta(days=days)
        )
    assert purge_expired_tokens(now=timezone.now()) == 1
    assert OutstandingToken.objects.get().expires_at > timezone.now()
