"""Which model answers: its changes are on record."""

import logging

from django.db import DatabaseError, transaction

from accounts.audit import record_event
from accounts.models import AuditEvent, AuditKind
from ml_models.classification import ModelIdentity

logger = logging.getLogger(__name__)

_DIGEST_LENGTH = 16
_SUBJECT_LENGTH = 100


def record_live_model(*, identity: ModelIdentity) -> AuditEvent | None:
    """Append an event when another model answers than the last one on record; None where it is the same.

    Of several workers that start at once one records it. A database that cannot be written is logged, and stops nobody.
    """
    subject = f"model {identity.digest[:_DIGEST_LENGTH]} {identity.name} {identity.version}"[:_SUBJECT_LENGTH]
    try:
        if _last_subject() == subject:  # the usual start: a read waits for no lock
            return None
        with transaction.atomic():
            if _last_subject() == subject:
                return None
            return record_event(kind=AuditKind.MODEL_SWITCHED, actor=None, subject=subject)
    except DatabaseError:
        logger.exception("The change to %s could not be recorded", subject)
        return None


def _last_subject() -> str | None:
    last = AuditEvent.objects.filter(kind=AuditKind.MODEL_SWITCHED).order_by("-id").first()
    return last.subject if last else None
