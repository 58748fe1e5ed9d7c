"""A run's folder: what is trained there, how far it has come, and the model of its best epoch."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from ml_models.labels import Label
from ml_pipeline.data.label_table import TABLE, read_labels, write_labels
from ml_pipeline.errors import TrainingError
from ml_pipeline.files import replacing
from ml_pipeline.training.backbones import build_classifier
from ml_pipeline.training.history import EpochResult, best_of, read_history
from ml_pipeline.training.recipes.recipe import Recipe

RUN = "run.json"


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The best epoch's model (moving average of weights), and what it was made from.

    `labels` are in the order of the model's outputs, `seconds` is the time that all epochs took.
    """

    model: keras.Model
    recipe: Recipe
    labels: tuple[Label, ...]
    epoch: int
    validation_balanced_accuracy: float
    seconds: float
    data_sha256: str
    backbone_weights_sha256: str | None

    @property
    def codes(self) -> tuple[str, ...]:
        """The labels' codes, in order."""
        return tuple(label.code for label in self.labels)


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What makes two runs the same; anything else in a run folder is another run. `teachers` are digests."""

    recipe: Recipe
    codes: tuple[str, ...]
    data_sha256: str
    backbone_weights_sha256: str | None
    teachers: tuple[str, ...]


def claim(out: Path, identity: RunIdentity, labels: Sequence[Label]) -> None:
    """Write what is trained into a new run folder; refuse a folder in which something else has begun."""
    out.mkdir(parents=True, exist_ok=True)
    run, said = out / RUN, json.dumps(asdict(identity), indent=2, sort_keys=True)
    if run.is_file() and run.read_text(encoding="utf-8") != said:
        raise TrainingError(
            f"{out} holds a run of another recipe, other records or other backbone weights. "
            "Choose another --out or delete the folder."
        )
    if not run.is_file():
        write_labels(labels, out / TABLE)
        with replacing(run) as file:
            file.write(said)


def load_run(out: Path) -> TrainedModel:
    """The best epoch of a run, by the recipe that it was made by. Raises TrainingError where there is none."""
    identity, history = read_identity(out), read_history(out)
    if not history:
        raise TrainingError(f"{out} holds no trained epoch. Train first: python -m ml_pipeline train --out {out}")
    best = best_of(history)
    labels = {label.code: label for label in read_labels(out / TABLE)}
    model = untrained(identity.recipe, len(identity.codes))
    model.load_weights(weights_of(out, best.epoch))
    return TrainedModel(
        model=model,
        recipe=identity.recipe,
        labels=tuple(labels[code] for code in identity.codes),
        epoch=best.epoch,
        validation_balanced_accuracy=best.validation_balanced_accuracy,
        seconds=sum(row.seconds for row in history),
        data_sha256=identity.data_sha256,
        backbone_weights_sha256=identity.backbone_weights_sha256,
    )


def read_identity(out: Path) -> RunIdentity:
    """What a run folder was made by. Raises TrainingError where there is no run."""
    run = out / RUN
    if not run.is_file():
        raise TrainingError(f"{out} is no run folder: {RUN} is missing. Train first: python -m ml_pipeline train")
    stored = json.loads(run.read_text(encoding="utf-8"))
    return RunIdentity(
        recipe=Recipe.from_json(stored["recipe"]),
        codes=tuple(stored["codes"]),
        data_sha256=stored["data_sha256"],
        backbone_weights_sha256=stored["backbone_weights_sha256"],
        teachers=tuple(stored["teachers"]),
    )


def untrained(recipe: Recipe, classes: int) -> keras.Model:
    """The recipe's network with random weights."""
    return build_classifier(
        backbone=recipe.backbone, size_px=recipe.size_px, classes=classes, dropout=recipe.dropout, weights=None
    )


def is_finished(history: Sequence[EpochResult], recipe: Recipe) -> bool:
    """Whether all epochs are done, or none was better for as long as the recipe's patience."""
    if not history:
        return False
    last = history[-1].epoch
    return last + 1 >= recipe.epochs or last - best_of(history).epoch >= recipe.patience_epochs


def weights_of(out: Path, epoch: int) -> Path:
    """The file of an epoch's averaged weights."""
    return out / f"best-{epoch}.weights.h5"


def state_of(out: Path, epoch: int) -> Path:
    """The file of everything that training goes on from after an epoch."""
    return out / f"state-{epoch}.weights.h5"


def forget_other_epochs(out: Path, history: Sequence[EpochResult]) -> None:
    """Delete the weights of epochs that the history, once it is written, no longer needs."""
    needed = {weights_of(out, best_of(history).epoch), state_of(out, history[-1].epoch)}
    for path in (*out.glob("best-*.weights.h5"), *out.glob("state-*.weights.h5")):
        if path not in needed:
            path.unlink()
