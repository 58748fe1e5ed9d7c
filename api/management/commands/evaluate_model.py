"""`manage.py evaluate_model NAME --records CSV`: the figures of any version on any table."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api.services.model_versions import active_folder
from ml_models.artefact import DOCUMENT
from ml_models.errors import SkinModelError
from ml_pipeline.data.lineage import lineage_of
from ml_pipeline.data.records import Split, read_records
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.outputs import write_evaluation
from ml_pipeline.evaluation.printed import printed_evaluation
from ml_pipeline.executor import available_cores
from ml_pipeline.progress import bars
from ml_pipeline.promotion.promote import Entrant, Work
from ml_pipeline.promotion.score import Score, score

_ACTIVE, _SHIPPED = "active", "shipped"


class Command(BaseCommand):
    """Score a version. Photos that it was trained on are left out, as far as its own table tells."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=f"{_ACTIVE}, {_SHIPPED}, or a folder in MODEL_DIR")
        parser.add_argument("--records", type=Path, required=True, metavar="CSV", help="records.csv of a built table")
        parser.add_argument("--split", type=Split, choices=tuple(Split), default=Split.TEST, metavar="|".join(Split))
        parser.add_argument(
            "--trained-on", type=Path, metavar="CSV", help="the model's own table, where it is not in its folder"
        )
        parser.add_argument("--out", type=Path, metavar="DIR", help="write figures, plots and a report with photos")
        parser.add_argument(
            "--cache", type=Path, metavar="FILE", help="what is known of files, such as that of a build"
        )
        parser.add_argument("--workers", type=int, default=available_cores(), metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = _folder(options["name"])
        try:
            scored = _scored(folder, options)
            if options["out"]:
                write_evaluation(
                    options["out"],
                    scored.evaluation,
                    scored.answers,
                    scored.uncalibrated,
                    scored.records,
                    size_px=scored.size_px,
                )
        except (PipelineError, SkinModelError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(printed_evaluation(scored.evaluation))


def _scored(folder: Path, options: dict[str, Any]) -> Score:
    entrant = Entrant(folder, lineage_of(folder, table=options["trained_on"]))
    records = read_records(options["records"])
    with tempfile.TemporaryDirectory() as scratch:
        work = Work(options["cache"] or Path(scratch) / "cache.sqlite3", options["workers"], bars)
        return score(entrant, records, options["split"], name=options["records"].name, work=work)


def _folder(name: str) -> Path:
    if name == _ACTIVE:
        return active_folder()
    if name == _SHIPPED:
        return Path(settings.MODEL_ARTEFACT)
    models = Path(settings.MODEL_DIR)
    folder = models / name
    if not (folder / DOCUMENT).is_file():
        known = sorted(place.parent.name for place in models.glob(f"*/{DOCUMENT}"))
        raise CommandError(f"No model {name} in {models}. Known: {', '.join((_ACTIVE, _SHIPPED, *known))}.")
    return folder
