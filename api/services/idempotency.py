"""Requests that may come twice: a key and a body that were answered are answered again by the row written then.

Only keyed digests and a reference are kept: no key, no body, no answer. The reference is written in the transaction of
the row itself, so neither can exist without the other, and of two requests at once the second loses its row.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from accounts.models import User
from api.exceptions import IdempotencyKeyReused
from api.models import IdempotencyKey, Prediction, Scan

HEADER = "Idempotency-Key"
MAX_LENGTH = 255
# Without a person, the key alone keeps two strangers apart: it must be one that nobody guesses or shares by accident.
MIN_ANONYMOUS_LENGTH = 16

Row = TypeVar("Row", Prediction, Scan)


@dataclass(frozen=True, slots=True)
class RetryKey:
    """One request: who asked for what under which key, and with which body."""

    digest: str
    body_digest: str


class KeyTaken(Exception):
    """A request with the same key was answered while this one was being worked on."""


def make_retry_key(
    *,
    text: str,
    purpose: str,
    user: User | AnonymousUser,
    fields: Mapping[str, Iterable[str]],
    files: Mapping[str, Iterable[UploadedFile]],
) -> RetryKey:
    """Digest a request. The multipart boundary, which every attempt draws anew, does not count, nor do file names.

    Raises ValidationError for a key that is too long, not printable ASCII, or too short for an anonymous request.
    """
    if not (0 < len(text) <= MAX_LENGTH and text.isascii() and text.isprintable()):
        raise ValidationError({HEADER: _("Send 1 to %(most)s printable ASCII characters.") % {"most": MAX_LENGTH}})
    if not isinstance(user, User) and len(text) < MIN_ANONYMOUS_LENGTH:
        words = _("Without a bearer token, send at least %(least)s random characters, such as a UUID.")
        raise ValidationError({HEADER: words % {"least": MIN_ANONYMOUS_LENGTH}})
    who = f"person {user.pk}" if isinstance(user, User) else "anonymous"
    body = {
        "fields": {name: list(values) for name, values in fields.items()},
        "files": {name: [_file_digest(file) for file in uploads] for name, uploads in files.items()},
    }
    return RetryKey(digest=_keyed(purpose, who, text), body_digest=_keyed(json.dumps(body, sort_keys=True)))


def once(*, key: RetryKey | None, make: Callable[[], Row]) -> Row:
    """The row that `make` writes, or the one that it wrote when this key came first.

    `make` must call `record_answer` in its transaction. Raises IdempotencyKeyReused when the body was another one.
    """
    if key is None:
        return make()
    first = _answered(key)
    if first is None:
        try:
            return make()
        except KeyTaken:
            first = _answered(key)
            if first is None:  # answered and deleted again in between
                return make()
    return cast("Row", first.prediction or first.scan)


def record_answer(*, key: RetryKey | None, prediction: Prediction | None = None, scan: Scan | None = None) -> None:
    """Remember which row answered, inside the transaction that writes it. Raises KeyTaken when another one did."""
    if key is None:
        return
    expired_keys(now=timezone.now()).filter(digest=key.digest).delete()
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(
                digest=key.digest, body_digest=key.body_digest, prediction=prediction, scan=scan
            )
    except IntegrityError as error:
        raise KeyTaken from error


def expired_keys(*, now: datetime) -> QuerySet[IdempotencyKey]:
    """Keys that are forgotten at `now`."""
    return IdempotencyKey.objects.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_HOURS))


def _answered(key: RetryKey) -> IdempotencyKey | None:
    oldest = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    rows = IdempotencyKey.objects.select_related("prediction", "scan__prediction")
    first = rows.filter(digest=key.digest, created_at__gte=oldest).first()
    if first and first.body_digest != key.body_digest:
        raise IdempotencyKeyReused
    return first


def _keyed(*parts: str) -> str:
    return salted_hmac("api.idempotency", json.dumps(parts), algorithm="sha256").hexdigest()


def _file_digest(file: UploadedFile) -> str:
    digest = hashlib.sha256(file.read()).hexdigest()
    file.seek(0)
    return f"{file.size} {digest}"  # of a file beyond the limit only the size is left
