"""GET /api/privacy/."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def notice() -> dict:
    return Client().get("/api/privacy/", headers={"Authorization": "Bearer stale"}).json()


def whole_text(answer: dict) -> str:
    return " ".join(section["text"] for section in answer["sections"])


def test_privacy_notice_has_texts():
    answer = notice()
    assert answer["title"]
    assert all(section["heading"] and section["text"] for section in answer["sections"])


@pytest.mark.parametrize(("days", "text"), [(1, "after 1 day."), (45, "after 45 days.")])
def test_privacy_notice_says_how_long_anonymous_photos_stay(settings, days: int, text: str):
    settings.ANONYMOUS_RETENTION_DAYS = days
    answer = notice()
    assert answer["anonymous_retention_days"] == days
    assert text in whole_text(answer)


@pytest.mark.parametrize(("hours", "says"), [(0, False), (6, True)])
def test_privacy_notice_says_how_a_photo_becomes_yours(settings, hours: int, says: bool):  # noqa: FBT001
    settings.CLAIM_HOURS = hours
    assert ("within 6 hours." in whole_text(notice())) is says


def test_privacy_notice_without_retention_says_until_deleted(settings):
    settings.RETENTION_DAYS = 0
    answer = notice()
    assert answer["retention_days"] is None
    assert "until you delete them" in whole_text(answer)


def test_privacy_notice_with_retention_says_how_long(settings):
    settings.RETENTION_DAYS = 365
    answer = notice()
    assert answer["retention_days"] == 365
    assert "after 365 days, or when you delete them" in whole_text(answer)


@pytest.mark.parametrize("contact", ["", "privacy@example.org"])
def test_privacy_notice_names_the_contact_where_there_is_one(settings, contact: str):
    settings.PRIVACY_CONTACT = contact
    answer = notice()
    assert answer["contact"] == contact
    assert ("Questions:" in whole_text(answer)) is bool(contact)
