"""Identity: one mailbox is one account, one phone is one person."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_create_user_mixed_case_email_is_stored_in_lower_case():
    assert User.objects.create_user(" Ada@Example.ORG ").email == "ada@example.org"


@pytest.mark.parametrize("email", ["", "  ", None], ids=["empty", "blank", "none"])
def test_create_user_without_email_is_refused(email):
    with pytest.raises(ValueError, match="needs an e-mail address"):
        User.objects.create_user(email)


def test_create_user_same_email_in_other_case_is_refused():
    User.objects.create_user("ada@example.org")
    with pytest.raises(IntegrityError):
        User.objects.create_user("ADA@example.org")


def test_user_saved_past_the_manager_in_other_case_is_refused():
    User.objects.create_user("ada@example.org")
    with pytest.raises(IntegrityError):
        User(email="ADA@example.org").save()


def test_full_clean_same_email_in_other_case_names_the_field():
    User.objects.create_user("ada@example.org")
    with pytest.raises(ValidationError) as caught:
        User(email="ADA@example.org", password="!").full_clean()
    assert "email" in caught.value.message_dict


def test_create_user_full_name_omitted_is_empty_text():
    assert User.objects.create_user("ada@example.org").full_name == ""


@pytest.mark.parametrize("absent", [{}, {"phone": None}, {"phone": ""}], ids=["omitted", "none", "empty"])
def test_create_user_without_phone_twice_is_allowed(absent):
    User.objects.create_user("ada@example.org", **absent)
    User.objects.create_user("grace@example.org", **absent)
    assert User.objects.filter(phone=None).count() == 2


def test_create_user_with_a_taken_phone_is_refused():
    User.objects.create_user("ada@example.org", phone="+3520001")
    with pytest.raises(IntegrityError):
        User.objects.create_user("grace@example.org", phone="+3520001")


def test_user_saved_past_the_manager_with_empty_phone_is_refused():
    with pytest.raises(IntegrityError):
        User(email="ada@example.org", phone="").save()


def test_create_user_without_password_cannot_log_in_with_one():
    assert not User.objects.create_user("ada@example.org").has_usable_password()


def test_create_user_has_no_rights():
    user = User.objects.create_user("ada@example.org", "correct horse")
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_create_superuser_has_all_rights():
    user = User.objects.create_superuser("root@example.org", "correct horse")
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_authenticate_email_in_any_case_finds_the_person():
    user = User.objects.create_user("ada@example.org", "correct horse")
    assert authenticate(username="ADA@Example.org", password="correct horse") == user


def test_find_by_email_asynchronously_in_any_case_finds_the_person():
    user = User.objects.create_user("ada@example.org")
    assert async_to_sync(User.objects.aget_by_natural_key)("ADA@example.org") == user


def test_authenticate_inactive_person_is_refused():
    User.objects.create_user("ada@example.org", "correct horse", is_active=False)
    assert authenticate(username="ada@example.org", password="correct horse") is None


def test_createsuperuser_from_environment_creates_an_administrator(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@Example.org")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse")
    call_command("createsuperuser", interactive=False, verbosity=0)
    assert User.objects.get().email == "root@example.org"
