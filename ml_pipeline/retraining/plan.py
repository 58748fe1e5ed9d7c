"""What a retraining will do, said before it is done: data, start, the table that it goes on from, name and folder."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ml_models.artefact import ModelDocument
from ml_pipeline.data.lineage import Lineage, document_of, lineage_of
from ml_pipeline.data.records import Split
from ml_pipeline.data.sources.source import Reading
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.gating.options import NO_GATING, GatingFolders
from ml_pipeline.promotion.promote import frozen_test
from ml_pipeline.report_page.words import number_of
from ml_pipeline.retraining.layouts import read_all
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.recipes.recipe import Recipe


class Origin(StrEnum):
    """Where the weights come from."""

    ACTIVE = "the active model"
    IMAGENET = "ImageNet"
    NOWHERE = "random weights"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for.

    `recipe` empty means the active model's; `backbone_weights` is a file for `IMAGENET`, else keras downloads them.
    `previous` is the active model's table where that is not in its folder. `dermatoscopic` names class folders.
    """

    data: tuple[Path, ...]
    active: Path
    origin: Origin = Origin.ACTIVE
    recipe: str = ""
    backbone_weights: Path | None = None
    previous: Path | None = None
    dermatoscopic: tuple[str, ...] = ()
    allow_missing: bool = False
    with_reviews: bool = False
    gating: GatingFolders = NO_GATING

    def run_folder(self, runs: Path) -> Path:
        """Where it is worked on: the same request on the same active model finds its folder again."""
        said = {
            "data": sorted(str(place.resolve()) for place in self.data),
            "active": document_of(self.active).to_json(),
            "origin": self.origin,
            "recipe": self.recipe,
            "backbone_weights": str(self.backbone_weights or ""),
            "previous": str(self.previous or ""),
            "dermatoscopic": sorted(self.dermatoscopic),
            "with_reviews": self.with_reviews,
            "gating": self.gating.as_json(),
        }
        key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]
        return runs / f"retraining-{key}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with everything looked up; no photo has been opened. `lineage` is the active model's, if known."""

    request: Request
    readings: tuple[Reading, ...]
    recipe: Recipe
    document: ModelDocument
    lineage: Lineage | None

    @property
    def can_be_found_again(self) -> bool:
        """Whether all that the active model was trained on is among the data, so that its table can be built again."""
        sources = set(self.document.provenance.get("data", {}).get("sources", ()))
        return bool(sources) and sources <= {reading.source for reading in self.readings}

    def __str__(self) -> str:
        """The plan for a person."""
        lines = [f"{reading.source}: {_reading(reading)}" for reading in self.readings]
        lines.append(f"Recipe {self.recipe.name}, starting from {self.request.origin}.")
        return "\n".join([*lines, *_continuity(self)])


def plan(request: Request, *, reviews: Path | None = None) -> Plan:
    """Look up data sets, recipe and the active model's table. Raises PipelineError naming what does not fit.

    `reviews` is the export of reviewed cases that is to be trained on as well.
    Starting from the active model needs the table that it was trained on: else a photo that it has learned from could
    come into the new test.
    """
    document = document_of(request.active)
    lineage = lineage_of(request.active, table=request.previous)
    recipe = recipe_named(request.recipe or str(document.provenance.get("recipe", {}).get("name", "")))
    if request.backbone_weights and request.origin is not Origin.IMAGENET:
        raise TrainingError("Backbone weights go with a start from ImageNet only. Leave them out, or start from there.")
    readings = read_all((*request.data, *([reviews] if reviews else [])), dermatoscopic=request.dermatoscopic)
    planned = Plan(request, readings, recipe, document, lineage)
    if request.origin is Origin.ACTIVE:
        _refuse_other_backbone(document, recipe)
        if not planned.can_be_found_again:
            refuse_unknown_training(planned)
    return planned


def refuse_unknown_training(plan: Plan) -> None:
    """Raise LeakageError for a start from an active model of which nobody knows what it has learned from."""
    if plan.request.origin is Origin.ACTIVE and plan.lineage is None:
        raise LeakageError(
            f"What {plan.document.name} {plan.document.version} was trained on is not known, so a new test could hold "
            "photos that it has learned from. Give the records.csv of its training, or start from ImageNet or from "
            "random weights."
        )


def _refuse_other_backbone(document: ModelDocument, recipe: Recipe) -> None:
    own = document.provenance.get("recipe", {}).get("backbone")
    if own != recipe.backbone:
        raise TrainingError(
            f"The active model is a {own}, recipe {recipe.name} a {recipe.backbone}: its weights do not fit. Choose "
            "another recipe, or start from ImageNet or from random weights."
        )


def _reading(reading: Reading) -> str:
    photos = len(reading.records)
    labels = Counter(record.label for record in reading.records)
    said = f"{number_of(photos, 'label')} without photos" if reading.labels_only else number_of(photos, "photo")
    missing = f", {len(reading.missing)} missing" if reading.missing else ""
    return f"{said}{missing} ({', '.join(f'{label} {count}' for label, count in sorted(labels.items()))})"


def _continuity(plan: Plan) -> list[str]:
    """What stays where it was, what is new, and what the gate will say to it."""
    if plan.lineage is None and plan.can_be_found_again:
        return ["The active model's table is not beside it: it is looked for by building it again from its data sets."]
    if plan.lineage is None:
        return [
            "The active model's table is not known, so the photos are split afresh.",
            "The gate will refuse the candidate: nobody can say what the active model has seen of the new test.",
        ]
    here = {record.image_id for reading in plan.readings for record in reading.records if record.path}
    earlier = plan.lineage.rows
    kept = Counter(record.split for record in earlier if record.image_id in here)
    counts = ", ".join(f"{split} {kept[split]}" for split in Split)
    new = len(here - {record.image_id for record in earlier})
    lines = [f"{number_of(sum(kept.values()), 'photo')} keep their split ({counts}), {new} are new."]
    held_out = frozen_test(plan.lineage.table)
    lost = sum(record.image_id not in here for record in held_out)
    if lost:
        lines.append(f"{lost} of the {len(held_out)} photos that the active model was tested on are not in the data.")
    return lines
