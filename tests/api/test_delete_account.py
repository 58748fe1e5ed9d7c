"""`manage.py delete_account`: what the operator does for people who cannot do it themselves."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from api.models import Prediction, Scan, Tombstone
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db


def delete(email: str) -> str:
    output = io.StringIO()
    call_command("delete_account", email, stdout=output)
    return output.getvalue()


def test_delete_account_leaves_a_tombstone_and_nothing_else(bearer, person: User, predict, save, media_root: Path):
    predict(bearer(person))
    save(bearer(person))
    number = person.pk
    assert delete("ADA@example.org") == f"Account {number} is deleted.\n"
    assert (User.objects.count(), Prediction.objects.count(), Scan.objects.count()) == (0, 0, 0)
    assert not stored_files(media_root)
    assert Tombstone.objects.get().user_id == number


def test_delete_account_unknown_email_is_an_error():
    with pytest.raises(CommandError, match="No account"):
        delete("nobody@example.org")


def test_delete_account_of_staff_is_refused(reviewer: User):
    with pytest.raises(CommandError, match="staff"):
        delete(reviewer.email)
    assert User.objects.filter(pk=reviewer.pk).exists()
