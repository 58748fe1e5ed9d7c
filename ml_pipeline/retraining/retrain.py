"""Build, train, calibrate, export, judge, publish: each step leaves whole files; a killed run goes on.

A run's folder holds everything that is unfinished; the folder of models gets a candidate at once and complete.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ml_models.artefact import DOCUMENT, KERAS_MODEL
from ml_pipeline.data.build import BuildOptions, build
from ml_pipeline.data.label_table import TABLE, labels_of
from ml_pipeline.data.lineage import FOLDER, Lineage, proven, write_lineage
from ml_pipeline.data.outputs import RECORDS, SUMMARY, write_build
from ml_pipeline.data.records import Record, read_records, write_records
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.export import export
from ml_pipeline.files import replacing
from ml_pipeline.progress import Progress
from ml_pipeline.promotion.promote import Entrant, Work, promote
from ml_pipeline.promotion.report_html import VERDICT, printed_verdict, write_verdict
from ml_pipeline.retraining.plan import Origin, Plan, Request, refuse_unknown_training
from ml_pipeline.training.backbones import IMAGENET
from ml_pipeline.training.curves import write_curves
from ml_pipeline.training.history import HISTORY, read_history
from ml_pipeline.training.train import train

PROMOTION = "promotion"
CACHE = "cache.sqlite3"
_RUN = "retraining.json"
_CURVES = "curves.png"


@dataclass(frozen=True, slots=True)
class Retrained:
    """A complete candidate in the folder of models, the verdict on it as JSON, and the run that made it."""

    folder: Path
    verdict: dict[str, Any]
    run: Path

    @property
    def passed(self) -> bool:
        """Whether the gate lets it pass."""
        return bool(self.verdict["passed"])

    def finish(self) -> None:
        """Forget the run, once the candidate is on record: the next request is a new training."""
        shutil.rmtree(self.run)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and how to work: the folder of unfinished `runs`, that of `models`, and how to tell a person."""

    runs: Path
    models: Path
    work: Work
    say: Callable[[str], None]

    @property
    def progress(self) -> Progress:
        """How to show progress inside a step."""
        return self.work.progress


def retrain(plan: Plan, workshop: Workshop, *, now: datetime) -> Retrained:
    """Do everything that is not done yet. Raises PipelineError; what is finished stays for the next call."""
    run = plan.request.run_folder(workshop.runs)
    name, version = _named(run, plan, now)
    published = workshop.models / name
    if not published.exists():
        workshop.say(f"1/4 table: {run / 'table'}")
        plan = _with_lineage(plan, run, workshop)
        records = _table(plan, run, workshop)
        workshop.say(f"2/4 training: {plan.recipe.name} on {len(records)} photos")
        candidate = _model(plan, run, records, name=name, version=version, now=now, workshop=workshop)
        workshop.say("4/4 judging it beside the active model")
        _judge(plan, candidate, records, workshop)
        _publish(candidate, published)
    verdict = json.loads((published / PROMOTION / VERDICT).read_text(encoding="utf-8"))
    return Retrained(published, verdict, run)


def has_table(run: Path) -> bool:
    """Whether a run has its table: from then on it needs its data sets and reviews as they are."""
    return (run / "table" / SUMMARY).is_file()


def _named(run: Path, plan: Plan, now: datetime) -> tuple[str, str]:
    """The candidate's name and version, decided once: a run that goes on keeps them."""
    place = run / _RUN
    if not place.is_file():
        said = {"name": f"{plan.recipe.name}-{now:%Y%m%d-%H%M%S}", "version": f"{now:%Y.%m.%d}"}
        with replacing(place) as file:
            json.dump(said, file)
    said = json.loads(place.read_text(encoding="utf-8"))
    return said["name"], said["version"]


def _with_lineage(plan: Plan, run: Path, workshop: Workshop) -> Plan:
    """The plan with the active model's table, found again where it is not beside the model.

    Splits are deterministic, so a plain build of the same data sets gives it; the model's own digest proves it.
    """
    if plan.lineage is None and plan.can_be_found_again:
        place = run / "active.csv"
        if not place.is_file():
            sources = plan.document.provenance["data"]["sources"]
            own = [each for each in plan.readings if each.labels_only or each.source in sources]
            options = BuildOptions(labelled_pairs=0, workers=workshop.work.workers)
            made = build(own, options, cache=workshop.work.cache, progress=workshop.progress)
            write_records(made.records, place)
        try:
            plan = replace(plan, lineage=proven(read_records(place), plan.document))
        except LeakageError:
            workshop.say("The same data sets do not give the active model's table: what it has seen is not known.")
    refuse_unknown_training(plan)
    return plan


def _table(plan: Plan, run: Path, workshop: Workshop) -> tuple[Record, ...]:
    """The table, built on the active model's where that is known: the frozen test stays frozen."""
    out, previous = run / "table", None
    if not has_table(run):
        if plan.lineage is not None:
            previous = run / "previous.csv"
            write_records(plan.lineage.rows, previous)
        options = BuildOptions(
            previous=previous,
            labelled_pairs=0,
            allow_missing=plan.request.allow_missing,
            workers=workshop.work.workers,
        )
        made = build(plan.readings, options, cache=workshop.work.cache, progress=workshop.progress)
        write_build(made, out, report=False)
    return read_records(out / RECORDS)


def _model(
    plan: Plan, run: Path, records: tuple[Record, ...], *, name: str, version: str, now: datetime, workshop: Workshop
) -> Path:
    """The candidate's folder inside the run, with its lineage and how its training went."""
    candidate = run / "model" / name
    labels = labels_of(records, run / "table" / TABLE)
    trained = train(
        records,
        plan.recipe,
        labels=labels,
        out=run / "training",
        backbone_weights=_weights(plan.request),
        earlier=plan.lineage,
    )
    workshop.say(f"3/4 calibrating and exporting {name}")
    if not (candidate / DOCUMENT).is_file():
        export(
            trained,
            records,
            model_version=version,
            created_at=now.isoformat(timespec="seconds"),
            out=candidate,
            gating_photos=plan.request.gating.photos(),
            progress=workshop.progress,
        )
    write_lineage(candidate, (plan.lineage or Lineage(())).followed_by(records), labels)
    shutil.copy(run / "training" / HISTORY, candidate / FOLDER / HISTORY)
    write_curves(candidate / FOLDER / _CURVES, read_history(run / "training"))
    return candidate


def _weights(request: Request) -> str | None:
    """What the training starts from."""
    if request.origin is Origin.ACTIVE:
        return str(request.active / KERAS_MODEL)
    if request.origin is Origin.IMAGENET:
        return str(request.backbone_weights or IMAGENET)
    return None


def _judge(plan: Plan, candidate: Path, records: tuple[Record, ...], workshop: Workshop) -> None:
    verdict = promote(
        Entrant(candidate, (plan.lineage or Lineage(())).followed_by(records)),
        Entrant(plan.request.active, plan.lineage),
        records,
        work=workshop.work,
    )
    write_verdict(candidate / PROMOTION, verdict)
    workshop.say(printed_verdict(verdict))


def _publish(candidate: Path, published: Path) -> None:
    """Put the complete folder among the models at once, also from another file system."""
    published.parent.mkdir(parents=True, exist_ok=True)
    unfinished = published.with_name(f".{published.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(candidate, unfinished, ignore=shutil.ignore_patterns(DOCUMENT))
    shutil.copy2(candidate / DOCUMENT, unfinished)  # last: what makes a folder a model
    try:
        unfinished.rename(published)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise TrainingError(f"{published} cannot be put in place: {error.strerror}. Mend it and run again.") from error
