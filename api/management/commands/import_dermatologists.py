"""`manage.py import_dermatologists FILE`: fill the directory, or bring it up to date."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.directory.importing import COLUMNS, DirectoryFileError, import_dermatologists


class Command(BaseCommand):
    """Import dermatologists from a CSV file: all of it or nothing; entries that exist are updated."""

    help = f"{__doc__} Columns: {', '.join(COLUMNS)}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV in UTF-8")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            summary = import_dermatologists(content=file.read_bytes())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except DirectoryFileError as error:
            raise CommandError(f"{file} was not imported.\n{error}") from error
        self.stdout.write(f"Imported {file}: {summary.created} new entries, {summary.updated} updated.")
