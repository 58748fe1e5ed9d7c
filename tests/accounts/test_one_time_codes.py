"""The rules of one-time codes, with the clock in the test's hand."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import Throttled

from accounts.models import CodePurpose, OneTimeCode, User
from accounts.one_time_codes import (
    LIFETIME,
    MAX_TRIES,
    RESEND_AFTER,
    SENDS_PER_DAY,
    CodeOutcome,
    issue_code,
    use_code,
    void_codes,
)
from tests.accounts.conftest import wrong_code

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SECOND = timedelta(seconds=1)
EMAIL, PHONE, PASSWORD = CodePurpose.EMAIL, CodePurpose.PHONE, CodePurpose.PASSWORD


@pytest.fixture
def issue(person: User):
    def issued(*, purpose=EMAIL, address="ada@example.org", now=NOW) -> str:
        return issue_code(user=person, purpose=purpose, address=address, now=now)

    return issued


@pytest.fixture
def use(person: User):
    def used(code: str, *, user=person, purpose=EMAIL, address="ada@example.org", now=NOW) -> CodeOutcome:
        return use_code(user=user, purpose=purpose, address=address, code=code, now=now)

    return used


@pytest.mark.parametrize(("purpose", "digits"), [(EMAIL, 6), (PHONE, 6), (PASSWORD, 8)])
def test_issue_code_has_digits_by_purpose(issue, purpose: CodePurpose, digits: int):
    code = issue(purpose=purpose)
    assert (len(code), code.isascii(), code.isdigit()) == (digits, True, True)


def test_issue_code_small_number_keeps_its_zeros(issue, monkeypatch):
    monkeypatch.setattr("accounts.one_time_codes.secrets.randbelow", lambda _limit: 42)
    assert issue() == "000042"


def test_issue_code_differs_each_time(issue):
    codes = {issue(now=NOW + turn * RESEND_AFTER) for turn in range(SENDS_PER_DAY)}
    assert len(codes) > SENDS_PER_DAY / 2


def test_issue_code_stores_no_readable_code_and_no_address(issue):
    code = issue()
    stored = str(OneTimeCode.objects.values().get())
    assert code not in stored
    assert "ada@example.org" not in stored


def test_use_code_right_is_right_once(issue, use):
    code = issue()
    assert [use(code), use(code)] == [CodeOutcome.RIGHT, CodeOutcome.GONE]


def test_use_code_wrong_leaves_the_right_one_good(issue, use):
    code = issue()
    assert [use(wrong_code(code)), use(code)] == [CodeOutcome.WRONG, CodeOutcome.RIGHT]


def test_use_code_after_five_wrong_ones_is_locked(issue, use):
    code = issue()
    outcomes = [use(wrong_code(code)) for _ in range(MAX_TRIES)]
    assert outcomes == [CodeOutcome.WRONG] * (MAX_TRIES - 1) + [CodeOutcome.LOCKED]
    assert use(code) is CodeOutcome.LOCKED


def test_use_code_right_as_the_fifth_try_is_right(issue, use):
    code = issue()
    for _ in range(MAX_TRIES - 1):
        use(wrong_code(code))
    assert use(code) is CodeOutcome.RIGHT


@pytest.mark.parametrize(
    ("age", "outcome"),
    [(LIFETIME - SECOND, CodeOutcome.RIGHT), (LIFETIME, CodeOutcome.GONE)],
    ids=["last-second", "too-old"],
)
def test_use_code_lives_ten_minutes(issue, use, age: timedelta, outcome: CodeOutcome):
    assert use(issue(), now=NOW + age) is outcome


def test_use_code_for_another_address_is_wrong(issue, use):
    assert use(issue(), address="new@example.org") is CodeOutcome.WRONG


def test_use_code_for_another_purpose_is_gone(issue, use):
    assert use(issue(), purpose=PHONE) is CodeOutcome.GONE


def test_use_code_of_another_person_is_gone(issue, use, stranger: User):
    assert use(issue(), user=stranger) is CodeOutcome.GONE


def test_use_code_of_another_person_with_a_code_of_their_own_is_wrong(issue, use, stranger: User):
    issue_code(user=stranger, purpose=EMAIL, address="ada@example.org", now=NOW)
    assert use(issue(), user=stranger) is CodeOutcome.WRONG


def test_use_code_never_sent_is_gone(use):
    assert use("000000") is CodeOutcome.GONE


def test_use_code_after_the_next_was_sent_is_wrong(issue, use, monkeypatch):
    numbers = iter([111111, 222222])
    monkeypatch.setattr("accounts.one_time_codes.secrets.randbelow", lambda _limit: next(numbers))
    first, _second = issue(), issue(now=NOW + RESEND_AFTER)
    assert use(first, now=NOW + RESEND_AFTER) is CodeOutcome.WRONG


def test_use_code_after_a_lock_the_next_one_is_right(issue, use):
    code = issue()
    for _ in range(MAX_TRIES):
        use(wrong_code(code))
    later = NOW + RESEND_AFTER
    assert use(issue(now=later), now=later) is CodeOutcome.RIGHT


def test_void_codes_ends_the_outstanding_one(person: User, issue, use):
    code = issue()
    void_codes(user=person, purpose=EMAIL)
    assert use(code) is CodeOutcome.GONE


# Sending again


@pytest.mark.parametrize("age_s", [0, 59])
def test_issue_code_too_soon_says_how_long_to_wait(issue, age_s: int):
    issue()
    with pytest.raises(Throttled) as caught:
        issue(now=NOW + age_s * SECOND)
    assert caught.value.wait == 60 - age_s


def test_issue_code_too_soon_leaves_the_one_before_good(issue, use):
    code = issue()
    with pytest.raises(Throttled):
        issue()
    assert use(code) is CodeOutcome.RIGHT


def test_issue_code_too_soon_for_another_address_waits_too(issue):
    issue()
    with pytest.raises(Throttled):
        issue(address="victim@example.org")


def test_issue_code_for_another_purpose_needs_not_wait(issue):
    issue()
    assert issue(purpose=PHONE)


def test_issue_code_after_a_used_one_waits_too(issue, use):
    use(issue())
    with pytest.raises(Throttled):
        issue()


def test_issue_code_more_than_ten_in_a_day_waits_for_the_next(issue):
    for turn in range(SENDS_PER_DAY):
        issue(now=NOW + turn * RESEND_AFTER)
    later = NOW + timedelta(hours=23)
    with pytest.raises(Throttled) as caught:
        issue(now=later)
    assert caught.value.wait == 3600
    assert issue(now=later + timedelta(hours=1))
