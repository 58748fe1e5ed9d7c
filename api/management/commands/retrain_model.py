"""`manage.py retrain_model --data DIR...`: a candidate from data sets and reviews, judged beside the active model."""

import os
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from api.services.model_versions import active_folder, register_candidate
from ml_models.errors import SkinModelError
from ml_pipeline.errors import PipelineError
from ml_pipeline.executor import available_cores
from ml_pipeline.gating.options import add_options, folders_from
from ml_pipeline.progress import bars
from ml_pipeline.promotion.promote import Work
from ml_pipeline.retraining.lock import only_one
from ml_pipeline.retraining.plan import Origin, Request, plan

_LOCK, _CACHE = "retraining.lock", "cache.sqlite3"


class Command(BaseCommand):
    """Build, train, calibrate, export, judge, register. Killed? Run the same command again, and it goes on."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data", type=Path, nargs="+", required=True, metavar="DIR", help="data sets; each tells what it is"
        )
        parser.add_argument("--with-reviews", action="store_true", help="and the reviewed, consented cases of this app")
        parser.add_argument("--recipe", default="", metavar="NAME", help="default: that of the active model")
        start = parser.add_mutually_exclusive_group()
        for option, origin in (
            ("--from-active", Origin.ACTIVE),
            ("--from-imagenet", Origin.IMAGENET),
            ("--from-scratch", Origin.NOWHERE),
        ):
            start.add_argument(
                option, action="store_const", const=origin, dest="origin", help=f"start from {origin.value}"
            )
        parser.set_defaults(origin=Origin.ACTIVE)
        parser.add_argument(
            "--backbone-weights", type=Path, metavar="FILE", help="of ImageNet, where keras has none to download"
        )
        parser.add_argument("--previous", type=Path, metavar="CSV", help="table of the active model's training")
        parser.add_argument(
            "--dermatoscopic",
            action="append",
            default=[],
            metavar="NAME",
            help="class folders that are no phone photos",
        )
        add_options(parser)
        parser.add_argument("--allow-missing", action="store_true", help="go on although listed photos are absent")
        parser.add_argument("--runs", type=Path, metavar="DIR", help="unfinished work; default: runs beside MODEL_DIR")
        parser.add_argument("--workers", type=int, default=available_cores(), metavar="N")
        parser.add_argument(
            "--nice", type=int, default=10, choices=range(20), metavar="0-19", help="how far the server goes first"
        )
        parser.add_argument("--restart", action="store_true", help="forget what is unfinished of this request")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(options["nice"])
        models = Path(settings.MODEL_DIR)
        runs = options["runs"] or models.parent / "runs"
        try:
            if options["dry_run"]:
                self._say_what_would_happen(options, runs)
                return
            with only_one(runs / _LOCK):
                self._retrain(options, runs, models)
        except (PipelineError, SkinModelError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. The same command goes on after the last finished step or epoch.") from stop

    def _say_what_would_happen(self, options: dict[str, Any], runs: Path) -> None:
        request = _request(options)
        self.stdout.write(str(plan(request)))
        if request.with_reviews:
            self.stdout.write("The reviewed, consented cases of this app would be exported and added.")
        place = request.run_folder(runs)
        self.stdout.write(f"Would {'go on in' if place.is_dir() else 'begin'} {place}. Nothing was done.")

    def _retrain(self, options: dict[str, Any], runs: Path, models: Path) -> None:
        from ml_pipeline.retraining.retrain import Workshop, has_table, retrain  # noqa: PLC0415 - it imports TensorFlow

        request = _request(options)
        run = request.run_folder(runs)
        if options["restart"]:
            shutil.rmtree(run, ignore_errors=True)
        reviews = run / "reviews" if request.with_reviews else None
        if reviews and not has_table(run):
            shutil.rmtree(reviews, ignore_errors=True)
            call_command("export_reviews", "--out", str(reviews))
        planned = plan(request, reviews=reviews)
        self.stdout.write(str(planned))
        workshop = Workshop(runs, models, Work(runs / _CACHE, options["workers"], bars), self._say)
        made = retrain(planned, workshop, now=timezone.now())
        close_old_connections()  # hours may have passed
        register_candidate(folder=made.folder, report=made.verdict, passed=made.passed)
        made.finish()
        self.stdout.write(f"{made.folder.name} is registered as a candidate: {made.folder}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _request(options: dict[str, Any]) -> Request:
    return Request(
        data=tuple(options["data"]),
        active=active_folder(),
        origin=options["origin"],
        recipe=options["recipe"],
        backbone_weights=options["backbone_weights"],
        previous=options["previous"],
        dermatoscopic=tuple(options["dermatoscopic"]),
        allow_missing=options["allow_missing"],
        with_reviews=options["with_reviews"],
        gating=folders_from(options),
    )
