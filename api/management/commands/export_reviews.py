"""`manage.py export_reviews --out DIR`: a data set for `python -m ml_pipeline build --reviews DIR`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.reviews.data_set import ExportRefused, export_reviews


class Command(BaseCommand):
    """Write concluded cases whose people allow training."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, or an earlier export")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        try:
            summary = export_reviews(folder=out)
        except (ExportRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{summary.photos} photos of {summary.cases} cases in {out}, {summary.photos_for_training_only} of them "
            f"anonymous: for training only. Left out: {summary.cases_left_out} concluded cases (no consent, no lesion, "
            f"or no photo), {summary.photos_lost} lost photos."
        )
        if not summary.photos:
            self.stderr.write("There is nothing to train with: the table is empty, and the pipeline will refuse it.")
