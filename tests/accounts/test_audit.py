"""What happened stays as it happened."""

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.urls import reverse

from accounts.audit import pseudonym_of, record_event
from accounts.models import AppendOnlyError, AuditEvent, AuditKind, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(person: User) -> AuditEvent:
    return record_event(kind=AuditKind.EXPORT, actor=person, subject="prediction 1")


@pytest.mark.parametrize("nobody", [None, AnonymousUser()], ids=["none", "anonymous"])
def test_record_event_of_a_stranger_has_no_actor(nobody: AnonymousUser | None):
    event = record_event(kind=AuditKind.PHOTO_VIEWED, actor=nobody)
    assert (event.actor, event.actor_pseudonym) == (None, "")


def test_record_event_keeps_who_what_and_when(event: AuditEvent, person: User):
    stored = AuditEvent.objects.get()
    assert (stored.kind, stored.actor, stored.subject) == ("export", person, "prediction 1")
    assert stored.created_at == event.created_at


def test_pseudonym_is_one_for_one_person_and_says_nothing(person: User, stranger: User):
    assert pseudonym_of(person) == pseudonym_of(person) != pseudonym_of(stranger)
    assert str(person.pk) != pseudonym_of(person)
    assert len(pseudonym_of(person)) == 16


def test_pseudonym_changes_with_the_secret(settings, person: User):
    before = pseudonym_of(person)
    settings.SECRET_KEY = "another-secret"
    assert pseudonym_of(person) != before


def test_event_of_a_deleted_person_keeps_the_pseudonym(event: AuditEvent, person: User):
    pseudonym = pseudonym_of(person)
    person.delete()
    stored = AuditEvent.objects.get()
    assert (stored.actor, stored.actor_pseudonym, stored.subject) == (None, pseudonym, "prediction 1")


CHANGES = {
    "save": lambda event: event.save(),
    "save-fields": lambda event: event.save(update_fields=["kind"]),
    "save-a-copy-by-id": lambda event: AuditEvent(pk=event.pk, kind="login").save(force_update=True),
    "delete": lambda event: event.delete(),
    "update": lambda _event: AuditEvent.objects.update(kind="login"),
    "update-some": lambda event: AuditEvent.objects.filter(pk=event.pk).update(kind="login"),
    "bulk-update": lambda event: AuditEvent.objects.bulk_update([event], ["kind"]),
    "delete-all": lambda _event: AuditEvent.objects.all().delete(),
    "through-the-person": lambda event: event.actor.audit_events.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_event_cannot_be_changed_or_deleted(event: AuditEvent, change):
    before = AuditEvent.objects.values().get()
    with pytest.raises((AppendOnlyError, ValueError)):
        change(event)
    assert AuditEvent.objects.values().get() == before


# In the administration


@pytest.fixture
def auditor_client(client, person: User):
    person.is_staff = True
    person.save()
    person.user_permissions.set(Permission.objects.filter(codename__endswith="auditevent"))
    client.force_login(person)
    return client


@pytest.mark.parametrize(
    ("page", "status"), [("changelist", 200), ("change", 200), ("history", 200), ("add", 403), ("delete", 403)]
)
def test_audit_admin_is_to_read_only(auditor_client, event: AuditEvent, page: str, status: int):
    arguments = [event.pk] if page in {"change", "delete", "history"} else []
    assert auditor_client.get(reverse(f"admin:accounts_auditevent_{page}", args=arguments)).status_code == status


def test_audit_admin_refuses_a_change(auditor_client, event: AuditEvent):
    address = reverse("admin:accounts_auditevent_change", args=[event.pk])
    assert auditor_client.post(address, {"kind": "login"}).status_code == 403
    assert AuditEvent.objects.get().kind == "export"


def test_audit_admin_refuses_a_delete_action(auditor_client, event: AuditEvent):
    form = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    auditor_client.post(reverse("admin:accounts_auditevent_changelist"), form)
    assert AuditEvent.objects.count() == 1


def test_audit_admin_search_by_email_finds_the_event(auditor_client, event: AuditEvent):
    page = auditor_client.get(reverse("admin:accounts_auditevent_changelist"), {"q": "ada@example.org"})
    assert "prediction 1" in page.text


@pytest.mark.parametrize("model", ["outstandingtoken", "blacklistedtoken"])
def test_admin_shows_no_tokens(admin_client, model: str):
    assert admin_client.get(f"/admin/token_blacklist/{model}/").status_code == 404
