"""`manage.py seed_demo`: an account to try the app with, and what it would have saved."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from api.ml_utils import read_upload
from api.models import Prediction, Scan
from api.services.predict import Patient, predict_photos
from api.services.scans import ScanClaim, save_scan

EMAIL = "demo@example.org"
_PHOTOS = {  # drawn, see sample_images/README.md
    "nv.jpg": Patient(age_years=34, sex="female", site="left forearm", history="There since childhood, unchanged."),
    "mel.jpg": Patient(age_years=34, sex="female", site="back", history="Has grown in the last three months."),
    "bkl.jpg": Patient(age_years=34, sex="female", site="right cheek"),
    "plain_wall.jpg": Patient(),
}


class Command(BaseCommand):
    """Make the demo account, answer some sample photos with the live model, and save them as the app does."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", help="of the demo account; a random one when absent")
        parser.add_argument("--anyway", action="store_true", help="also outside the local profile")

    def handle(self, *args: Any, password: str | None, anyway: bool, **options: Any) -> None:
        if not settings.IS_LOCAL and not anyway:
            raise CommandError("This is not the local profile. A demo account is a way in: repeat with --anyway.")
        password = password or secrets.token_urlsafe(12)
        person = _demo_person(password)
        folder = Path(settings.BASE_DIR) / "sample_images"
        saved = sum(_save_once(person, folder / name, patient) for name, patient in _PHOTOS.items())
        self.stdout.write(f"{saved} scans saved, {person.scans.count()} in all. Log in with:")
        self.stdout.write(f"  e-mail    {EMAIL}\n  password  {password}")


def _demo_person(password: str) -> User:
    """The account, with this password from now on: nobody could look up an earlier one."""
    person = User.objects.filter(email=EMAIL).first() or User(email=EMAIL, full_name="Demo Person")
    person.set_password(password)
    person.full_clean()
    person.save()
    return person


def _save_once(person: User, photo: Path, patient: Patient) -> bool:
    if Scan.objects.filter(user=person, content_sha256=read_upload(_upload(photo)).content_sha256).exists():
        return False
    answer = predict_photos(uploads=[_upload(photo)], patient=patient, consent=False, explain=True, user=person)
    save_scan(user=person, upload=_upload(photo), claim=_claim(answer))
    return True


def _claim(answer: Prediction) -> ScanClaim:
    """What the app would send: what it was answered, the confidence as whole per cents."""
    return ScanClaim(
        diagnosis=answer.diagnosis,
        confidence=f"{answer.confidence_percent:.0f}%",
        severity=answer.severity,
        advice=answer.advice,
        is_safe=answer.is_safe,
    )


def _upload(photo: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile("skin.jpg", photo.read_bytes(), "image/jpeg")
