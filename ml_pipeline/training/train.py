"""One training run: resumable, early-stopped on validation balanced accuracy, its history on disk."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import recall_score

from ml_models.artefact import file_digest
from ml_models.classification import Modality
from ml_models.labels import Label
from ml_models.preprocess import InputSpec
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Record, Split, of_split, records_digest
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.backbones import build_classifier
from ml_pipeline.training.batches import TrainingBatches, class_indices, load_inputs, load_training_photos
from ml_pipeline.training.history import EpochResult, best_of, read_history, write_history
from ml_pipeline.training.losses import AdjustedCrossEntropy
from ml_pipeline.training.memory import keep_freed_memory
from ml_pipeline.training.recipes.recipe import Recipe
from ml_pipeline.training.run_folder import (
    RUN,
    RunIdentity,
    TrainedModel,
    claim,
    is_finished,
    load_run,
    untrained,
    weights_of,
)
from ml_pipeline.training.selection import select
from ml_pipeline.training.teacher import soft_answers

_TEACHER = "teacher.npy"
_BATCH_SIZE = 64  # of predictions


@dataclass(frozen=True, slots=True)
class _ValidationPhotos:
    """Model inputs float32 [n, s, s, 3], true classes int32 [n], and which of them are clinical [n]."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int32]
    clinical: NDArray[np.bool_]


class _Validation(keras.callbacks.Callback):
    """After every epoch: score the averaged weights on validation, keep the best, write history, stop in time.

    They are scored in a model of their own, `scored`: JAX gives away the buffers of the one in training.
    """

    def __init__(
        self, batches: TrainingBatches, photos: _ValidationPhotos, scored: keras.Model, recipe: Recipe, out: Path
    ) -> None:
        super().__init__()
        self._batches, self._photos, self._scored, self._recipe, self._out = batches, photos, scored, recipe, out
        self._began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 - Keras calls it
        self._batches.epoch = epoch
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        raw = [weights.copy() for weights in self.model.get_weights()]
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        self._scored.set_weights([weights.copy() for weights in self.model.get_weights()])
        self.model.set_weights(raw)
        logits = self._scored.predict(self._photos.inputs, batch_size=_BATCH_SIZE, verbose=0)
        loss, seconds = (logs or {}).get("loss", float("nan")), time.monotonic() - self._began
        row = _scores(epoch, loss, seconds, logits, self._photos)
        history = [*(earlier for earlier in read_history(self._out) if earlier.epoch < epoch), row]
        if best_of(history) is row:
            self._scored.save_weights(weights_of(self._out, epoch))
        write_history(history, self._out)  # from now on it names the weights to load; older ones may go
        for path in self._out.glob("best-*.weights.h5"):
            if path != weights_of(self._out, best_of(history).epoch):
                path.unlink()
        print(f"\n{row}", flush=True)
        if epoch - best_of(history).epoch >= self._recipe.patience_epochs:
            self.model.stop_training = True


def train(
    records: Sequence[Record],
    recipe: Recipe,
    *,
    labels: Sequence[Label],
    out: Path,
    backbone_weights: str | None,
    teachers: Sequence[Path] = (),
) -> TrainedModel:
    """Train `recipe` on the training split into the run folder `out`; called again, it goes on where it was killed.

    `labels` has a row for every label of the table, in output order; those that the recipe does not see are left out.
    `teachers` are folders of finished runs with the same labels, which a recipe with `distillation` learns from.
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
    identity = RunIdentity(
        recipe,
        codes,
        records_digest(records),
        _weights_sha256(backbone_weights),
        tuple(file_digest(run / RUN) for run in teachers),
    )
    claim(out, identity, [label for label in labels if label.code in seen])
    if not is_finished(read_history(out), recipe):
        _fit(chosen, codes, recipe, out=out, backbone_weights=backbone_weights, teachers=teachers)
    return load_run(out, recipe)


def compiled(recipe: Recipe, classes: int, *, steps: int, backbone_weights: str | None) -> keras.Model:
    """The recipe's network with its loss, optimizer and schedule over so many steps."""
    model = build_classifier(
        backbone=recipe.backbone,
        size_px=recipe.size_px,
        classes=classes,
        dropout=recipe.dropout,
        weights=backbone_weights,
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
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        use_ema=averaged,
        ema_momentum=recipe.ema_momentum if averaged else None,
        global_clipnorm=5.0,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = AdjustedCrossEntropy(tau=recipe.logit_adjustment, distillation=recipe.distillation)
    # XLA on CPUs is several times slower than plain kernels for these networks; accelerators choose for themselves.
    model.compile(optimizer, loss, jit_compile=False if keras.backend.backend() == "tensorflow" else "auto")
    return model


def _fit(
    records: Sequence[Record],
    codes: tuple[str, ...],
    recipe: Recipe,
    *,
    out: Path,
    backbone_weights: str | None,
    teachers: Sequence[Path],
) -> None:
    keras.utils.set_random_seed(recipe.seed)
    training, validation = of_split(records, Split.TRAIN), of_split(records, Split.VALIDATION)
    teacher = None
    if recipe.distillation:
        temperature = recipe.distillation.temperature
        teacher = soft_answers(teachers, training, codes, temperature=temperature, kept=out / _TEACHER)
    batches = TrainingBatches(load_training_photos(training, codes, recipe, teacher=teacher), recipe)
    photos = _ValidationPhotos(
        load_inputs(validation, InputSpec(recipe.size_px)),
        class_indices(validation, codes),
        np.array([record.modality is Modality.CLINICAL for record in validation]),
    )
    model = compiled(recipe, len(codes), steps=len(batches) * recipe.epochs, backbone_weights=backbone_weights)
    callbacks = [
        _Validation(batches, photos, untrained(recipe, len(codes)), recipe, out),
        keras.callbacks.BackupAndRestore(out / "backup", delete_checkpoint=False),
    ]
    # The batches shuffle by seed and epoch; another shuffle on top would make a resumed run another one.
    model.fit(batches, epochs=recipe.epochs, callbacks=callbacks, shuffle=False, verbose="auto")


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


def _weights_sha256(backbone_weights: str | None) -> str | None:
    """Digest of a weights file; the name itself for `imagenet`, None for random weights."""
    if backbone_weights is None or not Path(backbone_weights).is_file():
        return backbone_weights
    return file_digest(Path(backbone_weights))
