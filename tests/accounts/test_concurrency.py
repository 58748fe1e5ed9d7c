"""Two at once for what only one may have, on a database file."""

import threading
from collections import Counter
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import CodePurpose, OneTimeCode, User
from accounts.one_time_codes import MAX_TRIES, CodeOutcome, issue_code, use_code
from accounts.tokens import issue_tokens
from tests.accounts.conftest import PASSWORD, Send, wrong_code
from tests.threads import WRITERS, in_threads

pytestmark = pytest.mark.usefixtures("file_database")

EMAIL = CodePurpose.EMAIL


@pytest.fixture
def ada(file_database) -> User:
    return User.objects.create_user("ada@example.org", PASSWORD, phone="+352621123456")


def numbered(name: str) -> Any:
    """A function that gives another value in each thread: `number()`."""
    lock, numbers = threading.Lock(), iter(range(10 * WRITERS))

    def number() -> str:
        with lock:
            return f"{name}{next(numbers)}"

    return number


@pytest.fixture
def unseen(monkeypatch) -> None:
    """Nobody's look-up finds the other one in time: all reach the database."""
    real = User.objects.none().__class__.exists
    waiting = threading.Barrier(WRITERS)
    first = threading.local()

    def exists(queryset: Any) -> bool:
        found = real(queryset)
        if queryset.model is User and not getattr(first, "passed", False):
            first.passed = True
            waiting.wait(timeout=30)
        return found

    monkeypatch.setattr(User.objects.none().__class__, "exists", exists)


@pytest.mark.usefixtures("unseen")
def test_register_one_email_at_once_makes_one_person(send: Send):
    number = numbered("+35262100")

    def register() -> Any:
        email = "Ada@example.org"
        form = {"email": email, "phone": f"{number()}00", "password": PASSWORD, "confirm_password": PASSWORD}
        return send("post", "/api/auth/register/", form)

    answers = in_threads(register)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 400: WRITERS - 1}
    assert all("email" in answer.json() for answer in answers if answer.status_code == 400)
    assert User.objects.count() == 1


@pytest.mark.usefixtures("unseen")
def test_register_one_phone_at_once_makes_one_person(send: Send):
    number = numbered("ada")

    def register() -> Any:
        email = f"{number()}@example.org"
        form = {"email": email, "phone": "+352621123456", "password": PASSWORD, "confirm_password": PASSWORD}
        return send("post", "/api/auth/register/", form)

    answers = in_threads(register)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 400: WRITERS - 1}
    assert all("phone" in answer.json() for answer in answers if answer.status_code == 400)
    assert User.objects.count() == 1


def test_update_to_one_phone_at_once_gives_it_to_one(send: Send):
    people = iter([User.objects.create_user(f"{number}@example.org") for number in range(WRITERS)])
    lock = threading.Lock()

    def update() -> int:
        with lock:
            person = next(people)
        return send("patch", "/api/auth/profile/update/", {"phone": "+352621123456"}, user=person).status_code

    assert Counter(in_threads(update)) == {200: 1, 400: WRITERS - 1}
    assert User.objects.filter(phone="+352621123456").count() == 1


def test_use_code_wrong_ones_at_once_share_five_tries(ada: User):
    code = issue_code(user=ada, purpose=EMAIL, address=ada.email, now=timezone.now())
    guess = wrong_code(code)

    def use() -> list[CodeOutcome]:
        attempts = range(3)
        return [use_code(user=ada, purpose=EMAIL, address=ada.email, code=guess, now=timezone.now()) for _ in attempts]

    outcomes = Counter(outcome for each in in_threads(use) for outcome in each)
    assert outcomes == {CodeOutcome.WRONG: MAX_TRIES - 1, CodeOutcome.LOCKED: 3 * WRITERS - MAX_TRIES + 1}
    assert OneTimeCode.objects.get().tries == MAX_TRIES


def test_use_code_right_one_at_once_is_right_once(ada: User):
    code = issue_code(user=ada, purpose=EMAIL, address=ada.email, now=timezone.now())

    def use() -> CodeOutcome:
        return use_code(user=ada, purpose=EMAIL, address=ada.email, code=code, now=timezone.now())

    assert Counter(in_threads(use)) == {CodeOutcome.RIGHT: 1, CodeOutcome.GONE: WRITERS - 1}


def test_send_code_at_once_sends_one(send: Send, ada: User):
    def ask() -> int:
        return send("post", "/api/auth/otp/email/send/", user=ada).status_code

    assert Counter(in_threads(ask)) == {200: 1, 429: WRITERS - 1}
    assert len(mail.outbox) == 1


def test_refresh_at_once_renews_once(send: Send, ada: User):
    refresh = issue_tokens(user=ada).refresh

    def renew() -> int:
        return send("post", "/api/auth/refresh/", {"refresh": refresh}).status_code

    assert Counter(in_threads(renew)) == {200: 1, 401: WRITERS - 1}


def test_login_at_once_lets_everybody_in(send: Send, ada: User):
    def log_in() -> int:
        return send("post", "/api/auth/login/", {"email": ada.email, "password": PASSWORD}).status_code

    assert in_threads(log_in) == [200] * WRITERS


def test_throttle_at_once_lets_through_what_is_allowed(send: Send, ada: User, settings, tmp_path):
    settings.DATA_DIR, settings.THROTTLE_RATES = tmp_path, {"login": (5, 86_400)}

    def log_in() -> int:
        return send("post", "/api/auth/login/", {"email": ada.email, "password": "wrong"}).status_code

    assert Counter(in_threads(log_in)) == {401: 5, 429: WRITERS - 5}
