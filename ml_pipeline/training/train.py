"""One training run: resumable, early-stopped on validation balanced accuracy, its history on disk."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import recall_score

from ml_models.classification import Modality
from ml_models.labels import Label
from ml_models.preprocess import InputSpec
from ml_pipeline.data.lineage import Lineage
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Record, Split, of_split, records_digest
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.averaging import AveragingAdamW
from ml_pipeline.training.backbones import DROPOUT, build_classifier
from ml_pipeline.training.batches import (
    TrainingBatches,
    TrainingPhotos,
    class_indices,
    load_inputs,
    load_training_photos,
    steps_an_epoch,
)
from ml_pipeline.training.history import EpochResult, best_of, read_history, write_history
from ml_pipeline.training.losses import AdjustedCrossEntropy
from ml_pipeline.training.memory import keep_freed_memory
from ml_pipeline.training.recipes.recipe import Recipe
from ml_pipeline.training.run_folder import (
    RunIdentity,
    TrainedModel,
    claim,
    forget_other_epochs,
    is_finished,
    load_run,
    state_of,
    untrained,
    weights_of,
)
from ml_pipeline.training.selection import select
from ml_pipeline.training.start import NOWHERE, Start, start_of
from ml_pipeline.training.teacher import check_teachers, soft_answers

_BATCH_SIZE = 64  # of predictions


@dataclass(frozen=True, slots=True)
class _ValidationPhotos:
    """Model inputs float32 [n, s, s, 3], true classes int32 [n], and which of them are clinical [n]."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int32]
    clinical: NDArray[np.bool_]


def train(
    records: Sequence[Record],
    recipe: Recipe,
    *,
    labels: Sequence[Label],
    out: Path,
    backbone_weights: str | None,
    teachers: Sequence[Path] = (),
    earlier: Lineage | None = None,
) -> TrainedModel:
    """Train `recipe` on the training split into the run folder `out`; called again, it goes on where it was killed.

    `labels` has a row for every label of the table, in output order; those that the recipe does not see are left out.
    `teachers` are folders of finished runs with the same labels, which a recipe with `distillation` learns from.
    `earlier` is what the model that the weights are of was trained on, where that was another table.
    Raises LeakageError for records that leak and TrainingError for a folder that holds another run.
    """
    keep_freed_memory()
    refuse_leakage(records)
    if bool(teachers) != (recipe.distillation is not None):
        raise TrainingError(
            f"Recipe {recipe.name} {'needs --teacher RUN' if recipe.distillation else 'does not learn from teachers'}."
        )
    chosen = select(records, recipe)
    seen = {record.label for record in chosen}
    codes = tuple(label.code for label in labels if label.code in seen)
    if missing := seen - set(codes):
        raise TrainingError(f"The labels given lack {sorted(missing)}, which records have.")
    start = start_of(backbone_weights, records, codes, earlier=earlier)
    digest = records_digest(records)
    identity = RunIdentity(recipe, codes, digest, start.digest, check_teachers(teachers, codes, data_sha256=digest))
    claim(out, identity, [label for label in labels if label.code in seen])
    if not is_finished(read_history(out), recipe):
        _fit(chosen, codes, recipe, out=out, start=start, teachers=teachers)
    return load_run(out)


def compiled(recipe: Recipe, classes: int, *, steps: int, start: Start = NOWHERE) -> keras.Model:
    """The recipe's network with its loss, optimizer and schedule over so many steps."""
    model = build_classifier(
        backbone=recipe.backbone,
        size_px=recipe.size_px,
        classes=classes,
        dropout=recipe.dropout,
        weights=start.weights,
        with_head=start.with_head,
        frozen_through=recipe.frozen_through,
    )
    warmup = max(1, int(steps * recipe.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 20,
        decay_steps=max(1, steps - warmup),
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    averaged = recipe.ema_momentum > 0
    optimizer = AveragingAdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        use_ema=averaged,
        ema_momentum=recipe.ema_momentum if averaged else None,
        global_clipnorm=5.0,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = AdjustedCrossEntropy(tau=recipe.logit_adjustment, distillation=recipe.distillation)
    # XLA on CPUs is several times slower than plain kernels for these networks; accelerators choose for themselves.
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, loss, jit_compile=False if keras.backend.backend() == "tensorflow" else "auto")
    return model


def _fit(
    records: Sequence[Record],
    codes: tuple[str, ...],
    recipe: Recipe,
    *,
    out: Path,
    start: Start,
    teachers: Sequence[Path],
) -> None:
    keras.utils.set_random_seed(recipe.seed)
    training, validation = of_split(records, Split.TRAIN), of_split(records, Split.VALIDATION)
    teacher = None
    if recipe.distillation:
        teacher = soft_answers(teachers, training, temperature=recipe.distillation.temperature)
    photos = load_training_photos(training, codes, recipe, teacher=teacher)
    judged = _ValidationPhotos(
        load_inputs(validation, InputSpec(recipe.size_px)),
        class_indices(validation, codes),
        np.array([record.modality is Modality.CLINICAL for record in validation]),
    )
    steps = steps_an_epoch(len(training), recipe) * recipe.epochs
    model, scored = compiled(recipe, len(codes), steps=steps, start=start), untrained(recipe, len(codes))
    history = read_history(out)
    if history:
        model.load_weights(state_of(out, history[-1].epoch))
    while not is_finished(history, recipe):
        epoch, began = len(history), time.monotonic()
        loss = _train_epoch(model, photos, recipe, epoch)
        _average_into(scored, model)
        logits = scored.predict(judged.inputs, batch_size=_BATCH_SIZE, verbose=0)
        history = (*history, _scores(epoch, loss, time.monotonic() - began, logits, judged))
        if best_of(history) is history[-1]:
            scored.save_weights(weights_of(out, epoch))
        model.save_weights(state_of(out, epoch))
        write_history(history, out)  # from here on the epoch counts: a kill before it repeats the epoch
        forget_other_epochs(out, history)
        print(history[-1], flush=True)


def _train_epoch(model: keras.Model, photos: TrainingPhotos, recipe: Recipe, epoch: int) -> float:
    """One epoch; its mean loss. Batches and dropout depend on seed and epoch alone: a resumed run is the same."""
    if recipe.dropout > 0:
        model.get_layer(DROPOUT).seed_generator.state.assign([recipe.seed % 2**32, epoch])
    with closing(TrainingBatches(photos, recipe, epoch=epoch)) as batches:  # they shuffle by themselves
        done = model.fit(batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose="auto")
    return float(done.history["loss"][0])


def _average_into(scored: keras.Model, model: keras.Model) -> None:
    """Copy the moving average of the weights into a model of its own; the one in training keeps the raw ones."""
    raw = [weights.copy() for weights in model.get_weights()]
    model.optimizer.put_averages(model.trainable_variables)
    scored.set_weights([weights.copy() for weights in model.get_weights()])
    model.set_weights(raw)


def _scores(
    epoch: int, loss: float, seconds: float, logits: NDArray[np.float32], photos: _ValidationPhotos
) -> EpochResult:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    labels, predicted = photos.labels, logits.argmax(axis=1)
    return EpochResult(
        epoch=epoch,
        loss=loss,
        validation_balanced_accuracy=_balanced_accuracy(labels, predicted),
        validation_accuracy=float((predicted == labels).mean()),
        validation_loss=float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        validation_dermatoscopic=_balanced_accuracy_of(~photos.clinical, labels, predicted),
        validation_clinical=_balanced_accuracy_of(photos.clinical, labels, predicted),
        seconds=seconds,
    )


def _balanced_accuracy_of(
    modality: NDArray[np.bool_], labels: NDArray[np.int32], predicted: NDArray[np.intp]
) -> float | None:
    return _balanced_accuracy(labels[modality], predicted[modality]) if modality.any() else None


def _balanced_accuracy(labels: NDArray[np.int32], predicted: NDArray[np.intp]) -> float:
    """Over the classes that are there."""
    return float(recall_score(labels, predicted, labels=np.unique(labels), average="macro"))
