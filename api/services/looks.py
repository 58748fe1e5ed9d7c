"""That somebody of the staff looked at a person's photo: once in a while per photo, not once per picture on a page."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.audit import record_event
from accounts.models import AuditKind, User

_ONE_LOOK = timedelta(hours=1)


def record_look(*, reviewer: Any, subject: str) -> None:
    """Record a look at the photos of one row, named like `prediction 3f2a...`, unless the last was within an hour."""
    if not isinstance(reviewer, User):
        return
    recent = reviewer.audit_events.filter(kind=AuditKind.PHOTO_VIEWED, created_at__gte=timezone.now() - _ONE_LOOK)
    if not recent.filter(subject=subject).exists():
        record_event(kind=AuditKind.PHOTO_VIEWED, actor=reviewer, subject=subject)
