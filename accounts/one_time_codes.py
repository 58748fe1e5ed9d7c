"""One-time codes: made, bound to person, purpose and address, tried at most five times in ten minutes, used once.

Only a keyed digest is stored. Must not know what a code is good for.
"""

import math
import secrets
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework.exceptions import Throttled

from accounts.models import CodePurpose, OneTimeCode, User
from accounts.selectors import current_person

LIFETIME = timedelta(minutes=10)
MAX_TRIES = 5
RESEND_AFTER = timedelta(seconds=60)
SENDS_PER_DAY = 10
# Six is what the app's screen takes. Whoever guesses at a password's code needs no login first, hence eight.
DIGITS = {CodePurpose.EMAIL: 6, CodePurpose.PHONE: 6, CodePurpose.PASSWORD: 8}
_DAY = timedelta(days=1)


class CodeOutcome(Enum):
    """What became of one try."""

    RIGHT = auto()
    WRONG = auto()
    GONE = auto()  # never sent, used or too old
    LOCKED = auto()


def issue_code(*, user: User, purpose: CodePurpose, address: str, now: datetime) -> str:
    """A new code, which ends the one before.

    Raises Throttled less than a minute after that, or after ten in a day; TokenRefused when the person has gone.
    """
    digits = DIGITS[purpose]
    code = f"{secrets.randbelow(10**digits):0{digits}}"
    fresh = {
        "digest": _digest(user, purpose, address, code),
        "sent_at": now,
        "expires_at": now + LIFETIME,
        "tries": 0,
    }
    with transaction.atomic():
        current_person(user)
        row, is_first = OneTimeCode.objects.select_for_update().get_or_create(
            user=user, purpose=purpose, defaults=fresh | {"day_started_at": now}
        )
        if not is_first:
            _count_send(row, now)
            for name, value in fresh.items():
                setattr(row, name, value)
            row.save()
    return code


def use_code(*, user: User, purpose: CodePurpose, address: str, code: str, now: datetime) -> CodeOutcome:
    """Try a code that was sent to `address`. A right one is used up; the caller commits also what was wrong.

    The try is counted by the same statement that finds one left, so parallel guesses share the five.
    """
    live = OneTimeCode.objects.filter(user=user, purpose=purpose, expires_at__gt=now).exclude(digest="")
    with transaction.atomic():
        if not live.filter(tries__lt=MAX_TRIES).update(tries=F("tries") + 1):
            return CodeOutcome.LOCKED if live.exists() else CodeOutcome.GONE
        row = live.get()
        if constant_time_compare(row.digest, _digest(user, purpose, address, code)):
            void_codes(user=user, purpose=purpose)
            return CodeOutcome.RIGHT
        return CodeOutcome.LOCKED if row.tries >= MAX_TRIES else CodeOutcome.WRONG


def void_codes(*, user: User, purpose: CodePurpose) -> None:
    """End what is outstanding for one purpose; not by its time, for others may look with a clock of before."""
    OneTimeCode.objects.filter(user=user, purpose=purpose).update(digest="")


def _count_send(row: OneTimeCode, now: datetime) -> None:
    if now - row.day_started_at >= _DAY:
        row.day_started_at, row.sends = now, 0
    again_at = row.day_started_at + _DAY if row.sends >= SENDS_PER_DAY else row.sent_at + RESEND_AFTER
    if now < again_at:
        raise Throttled(wait=math.ceil((again_at - now).total_seconds()))
    row.sends += 1


def _digest(user: User, purpose: CodePurpose, address: str, code: str) -> str:
    # No part can hold a line break, so no two different lists of parts are the same text.
    text = "\n".join([str(user.pk), purpose.value, address, code])
    return salted_hmac("accounts.one_time_codes", text, algorithm="sha256").hexdigest()
