"""`manage.py seed_demo`: an account to try the app with."""

import io

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from api.claims import mismatch_of
from api.management.commands.seed_demo import EMAIL
from api.models import Prediction, Scan

pytestmark = pytest.mark.django_db


def seed(*options: str) -> str:
    output = io.StringIO()
    call_command("seed_demo", *options, stdout=output)
    return output.getvalue()


def password_of(output: str) -> str:
    return output.rpartition("password")[2].strip()


def test_seed_demo_prints_how_to_log_in():
    output = seed()
    assert EMAIL in output
    assert authenticate(username=EMAIL, password=password_of(output)) == User.objects.get()


def test_seed_demo_password_is_random_unless_given():
    assert password_of(seed()) != password_of(seed())
    assert password_of(seed("--password", "given by hand")) == "given by hand"


def test_seed_demo_scans_are_really_answered(bearer):
    seed()
    answers = {scan.prediction.status for scan in Scan.objects.select_related("prediction")}
    assert "rejected" in answers
    assert len(answers) > 1
    assert [mismatch_of(scan) for scan in Scan.objects.all()] == [None] * Scan.objects.count()


def test_seed_demo_scans_open_in_the_app(bearer):
    seed()
    client = bearer(User.objects.get())
    items = client.get("/api/scans/").json()
    assert len(items) == 4
    assert {Client().get(item["image"]).status_code for item in items} == {200}
    assert {client.get(f"/api/scans/{item['id']}/pdf/").status_code for item in items} == {200}


def test_seed_demo_again_adds_nothing():
    seed()
    output = seed()
    assert output.startswith("0 scans saved, 4 in all.")
    assert (User.objects.count(), Scan.objects.count(), Prediction.objects.count()) == (1, 4, 4)


def test_seed_demo_outside_the_local_profile_is_refused(settings):
    settings.IS_LOCAL = False
    with pytest.raises(CommandError, match="--anyway"):
        seed()
    assert not User.objects.exists()


def test_seed_demo_outside_the_local_profile_can_be_insisted_on(settings):
    settings.IS_LOCAL = False
    assert EMAIL in seed("--anyway")
