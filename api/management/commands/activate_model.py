"""`manage.py activate_model NAME`: let another model answer, in every worker within seconds and without a restart."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from api.management.record import add_record_arguments, person_named
from api.services.model_versions import SwitchRefused, activate_shipped, activate_version, register_candidate
from api.switching.models import ModelVersion
from api.switching.selectors import versions_called
from api.switching.store import SHIPPED
from ml_models.artefact import DOCUMENT
from ml_models.errors import ArtefactError


class Command(BaseCommand):
    """Verify a version and switch to it; what has not passed the gate only with --force and a reason."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name",
            help="a version's name, `name version`, folder in MODEL_DIR, or first digits of its digest; "
            f"`{SHIPPED}` for the model that comes with the code",
        )
        parser.add_argument("--force", action="store_true", help="although it has not passed the gate")
        add_record_arguments(parser)

    def handle(self, *args: Any, name: str, force: bool, why: str, by: str | None, **options: Any) -> None:
        actor = person_named(by)
        try:
            if name == SHIPPED:
                called, switch = "The shipped model", activate_shipped(actor=actor, why=why)
            else:
                version = _version(name, actor)
                called, switch = str(version), activate_version(version=version, actor=actor, force=force, why=why)
        except (SwitchRefused, ArtefactError) as error:
            raise CommandError(str(error)) from error
        if switch is None:
            self.stdout.write(f"{called} is active already.")
            return
        self.stdout.write(f"{called} is active. `manage.py rollback_model` returns to {switch.before or SHIPPED}.")


def _version(name: str, actor: User | None) -> ModelVersion:
    """The one version that is meant. A folder in MODEL_DIR that nobody has registered becomes a candidate first."""
    found = versions_called(name)
    if len(found) > 1:
        raise CommandError(f"{name} may be {', '.join(map(str, found))}. Give the first digits of the digest.")
    if found:
        return found[0]
    folder = Path(settings.MODEL_DIR) / name
    if not (folder / DOCUMENT).is_file():
        known = ", ".join(map(str, ModelVersion.objects.all())) or "none"
        raise CommandError(f"No version is called {name}. Known: {known}, and `{SHIPPED}`.")
    return register_candidate(folder=folder, actor=actor)
