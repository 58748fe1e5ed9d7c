"""Who did what: events are recorded here and never changed. Must not hold content, names or addresses."""

from django.contrib.auth.models import AnonymousUser
from django.utils.crypto import salted_hmac

from accounts.models import AuditEvent, AuditKind, User

_PSEUDONYM_LENGTH = 16


def record_event(*, kind: AuditKind, actor: User | AnonymousUser | None, subject: str = "") -> AuditEvent:
    """Append one event, within the caller's transaction if there is one.

    `subject` names what it was done to by its identifier (`prediction 3f2a...`, `model name 1.0.0`), never by content.
    """
    person = actor if isinstance(actor, User) else None
    return AuditEvent.objects.create(
        kind=kind,
        actor=person,
        actor_pseudonym=pseudonym_of(person) if person else "",
        subject=subject,
    )


def pseudonym_of(person: User) -> str:
    """16 hexadecimal digits that stay the same for one person and tell nobody without the server's secret who it is."""
    return salted_hmac("accounts.audit", str(person.pk), algorithm="sha256").hexdigest()[:_PSEUDONYM_LENGTH]
