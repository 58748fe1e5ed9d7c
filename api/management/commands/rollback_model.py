"""`manage.py rollback_model`: let the model answer that answered before."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.management.record import add_record_arguments, person_named
from api.services.model_versions import SwitchRefused, roll_back
from ml_models.errors import ArtefactError


class Command(BaseCommand):
    """Undo the last switch; run again, the one before it."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_record_arguments(parser)

    def handle(self, *args: Any, why: str, by: str | None, **options: Any) -> None:
        try:
            switch = roll_back(actor=person_named(by), why=why)
        except (SwitchRefused, ArtefactError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{switch.version or 'The shipped model'} is active again.")
