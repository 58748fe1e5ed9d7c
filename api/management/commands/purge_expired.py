"""`manage.py purge_expired`: run it daily."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.tokens import purge_expired_tokens
from api.services.retention import purge_expired


class Command(BaseCommand):
    """Delete predictions, scans and photos whose retention is over, and files without a row."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        summary = purge_expired(now=now, dry_run=dry_run)
        if not dry_run:
            purge_expired_tokens(now=now)
        verb = "Would delete" if dry_run else "Deleted"
        self.stdout.write(
            f"{verb} {summary.predictions} predictions, {summary.scans} scans, {summary.idempotency_keys} keys of "
            f"repeated requests and {summary.orphan_files} files without a row."
        )
