"""`manage.py delete_account`: for people who ask the operator, and cannot delete their account themselves."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.selectors import person_by_email
from api.services.privacy import erase_person


class Command(BaseCommand):
    """Delete a person with all answers, scans, photos and tokens; a tombstone that says nothing of them is left."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        person = person_by_email(email)
        if person is None:
            raise CommandError("No account has this e-mail.")
        if person.is_staff:
            raise CommandError(
                "This is an account of the staff, whose reviews stay attributed. Clear `active` to shut it out, "
                "or `staff` first to delete it all the same."
            )
        number = person.pk
        erase_person(user=person)
        self.stdout.write(f"Account {number} is deleted.")
