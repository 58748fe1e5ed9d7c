"""Saving what the app shows, beside what the server itself answered to the same photo; and deleting it again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.selectors import current_person
from api.ml_utils import read_upload
from api.models import Prediction, Scan
from api.selectors import claimable_predictions, predictions_of
from api.services.idempotency import RetryKey, once, record_answer
from api.services.photo_files import delete_files, remove_photo, write_photo


@dataclass(frozen=True, slots=True)
class ScanClaim:
    """What the client says that it was answered, word for word; nobody has checked it."""

    diagnosis: str
    confidence: str
    severity: str
    advice: str
    is_safe: bool


def save_scan(*, user: User, upload: UploadedFile, claim: ScanClaim, key: RetryKey | None = None) -> Scan:
    """Keep a photo with its claims, linked to the server's own answer where there is one; row and file, or neither.

    Raises PhotoError subclasses for bad files, StorageUnavailable and OperationalError when it cannot be kept,
    TokenRefused when the person has gone meanwhile.
    """
    return once(key=key, make=partial(_save, user=user, upload=upload, claim=claim, key=key))


def delete_scans(*, scans: QuerySet[Scan]) -> int:
    """Delete rows and, once that is committed, their photos; how many. The server's answers stay in the history."""
    with transaction.atomic():
        names = list(scans.values_list("photo", flat=True))
        scans.delete()
    delete_files(names=names, storage=Scan.photo.field.storage)
    return len(names)


def _save(*, user: User, upload: UploadedFile, claim: ScanClaim, key: RetryKey | None) -> Scan:
    photo = read_upload(upload)
    scan = Scan(
        user=user,
        claimed_diagnosis=claim.diagnosis,
        claimed_confidence=claim.confidence,
        claimed_severity=claim.severity,
        claimed_advice=claim.advice,
        claimed_is_safe=claim.is_safe,
        content_sha256=photo.content_sha256,
    )
    write_photo(file=scan.photo, photo=photo)
    try:
        with transaction.atomic():
            current_person(user)
            scan.prediction = _own_answer(user=user, content_sha256=scan.content_sha256, now=scan.created_at)
            scan.save(force_insert=True)
            record_answer(key=key, scan=scan)
    except BaseException:
        remove_photo(file=scan.photo)
        raise
    return scan


def _own_answer(*, user: User, content_sha256: str, now: datetime) -> Prediction | None:
    """The person's newest answer to these bytes, or an anonymous one that becomes theirs by this.

    The app predicts without a token, so having the very file within hours is what shows whose answer it was.
    """
    own = predictions_of(user=user).filter(images__content_sha256=content_sha256).first()
    if own:
        return own
    since = now - timedelta(hours=settings.CLAIM_HOURS)
    for prediction in claimable_predictions(content_sha256=content_sha256, since=since):
        # Somebody else may be claiming it at this moment: only one of us turns nobody into a person.
        if Prediction.objects.filter(pk=prediction.pk, user=None).update(user=user):
            prediction.user = user
            return prediction
    return None
