"""`manage.py purge_expired`: run it daily."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from api.services.retention import purge_expired


class Command(BaseCommand):
    """Delete predictions and photos whose retention is over, and files without a row."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        summary = purge_expired(now=timezone.now(), dry_run=dry_run)
        verb = "Would delete" if dry_run else "Deleted"
        self.stdout.write(f"{verb} {summary.predictions} predictions and {summary.orphan_files} files without a row.")
