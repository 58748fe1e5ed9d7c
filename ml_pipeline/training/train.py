"""One training run: resumable, early-stopped on validation balanced accuracy, its history on disk."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import recall_score

from ml_models.artefact import file_digest
from ml_models.labels import CODES
from ml_models.preprocess import InputSpec
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Record, Split, of_split, records_digest
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.backbones import build_classifier
from ml_pipeline.training.batches import TrainingBatches, class_indices, load_frames, load_inputs
from ml_pipeline.training.history import EpochResult, best_of, read_history, write_history
from ml_pipeline.training.recipes.recipe import Recipe

_RUN = "run.json"


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The best epoch's model (moving average of weights), and what it was made from."""

    model: keras.Model
    recipe: Recipe
    codes: tuple[str, ...]
    epoch: int
    validation_balanced_accuracy: float
    data_sha256: str
    backbone_weights_sha256: str | None


@dataclass(frozen=True, slots=True)
class _RunIdentity:
    """What makes two runs the same; anything else in a run folder is another run."""

    recipe: Recipe
    data_sha256: str
    backbone_weights_sha256: str | None


class LogitAdjustedCrossEntropy(keras.losses.Loss):
    """Cross-entropy on logits + tau * log(prior) (Menon 2021)."""

    def __init__(self, log_prior: NDArray[np.float32], *, tau: float) -> None:
        super().__init__(name="logit_adjusted_cross_entropy")
        self._offset = (tau * log_prior).astype(np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred + self._offset, from_logits=True)


class _Validation(keras.callbacks.Callback):
    """After every epoch: score the averaged weights on validation, keep the best, write history, stop in time."""

    def __init__(
        self,
        batches: TrainingBatches,
        inputs: NDArray[np.float32],
        labels: NDArray[np.int32],
        recipe: Recipe,
        out: Path,
    ) -> None:
        super().__init__()
        self._batches, self._inputs, self._labels, self._recipe, self._out = batches, inputs, labels, recipe, out

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 - Keras calls it
        self._batches.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        raw = self.model.get_weights()
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        logits = self.model.predict(self._inputs, batch_size=64, verbose=0)
        row = _scores(epoch, (logs or {}).get("loss", float("nan")), logits, self._labels)
        history = [*(earlier for earlier in read_history(self._out) if earlier.epoch < epoch), row]
        if best_of(history) is row:
            self.model.save_weights(_weights_of(self._out, epoch))
        self.model.set_weights(raw)
        write_history(history, self._out)  # from now on it names the weights to load; older ones may go
        for path in self._out.glob("best-*.weights.h5"):
            if path != _weights_of(self._out, best_of(history).epoch):
                path.unlink()
        print(f"\n{row}", flush=True)
        if epoch - best_of(history).epoch >= self._recipe.patience_epochs:
            self.model.stop_training = True


def train(records: Sequence[Record], recipe: Recipe, *, out: Path, backbone_weights: str | None) -> TrainedModel:
    """Train `recipe` on the training split into the run folder `out`; called again, it goes on where it was killed.

    Raises LeakageError for records that leak and TrainingError for a folder that holds another run.
    """
    refuse_leakage(records)
    _claim_run_folder(out, _RunIdentity(recipe, records_digest(records), _weights_sha256(backbone_weights)))
    keras.utils.set_random_seed(recipe.seed)
    spec = InputSpec(size_px=recipe.size_px)
    training, validation = of_split(records, Split.TRAIN), of_split(records, Split.VALIDATION)
    labels = class_indices(training, CODES)
    batches = TrainingBatches(
        load_frames(training, spec),
        labels,
        size_px=recipe.size_px,
        batch_size=recipe.batch_size,
        augmentation=recipe.augmentation,
        seed=recipe.seed,
    )
    model = _compiled(recipe, labels, steps=len(batches) * recipe.epochs, backbone_weights=backbone_weights)
    callbacks = [
        _Validation(batches, load_inputs(validation, spec), class_indices(validation, CODES), recipe, out),
        keras.callbacks.BackupAndRestore(out / "backup", delete_checkpoint=False),
    ]
    if not _finished(read_history(out), recipe):
        # The batches shuffle by seed and epoch; another shuffle on top would make a resumed run another one.
        model.fit(batches, epochs=recipe.epochs, callbacks=callbacks, shuffle=False, verbose="auto")
    return load_run(out, recipe)


def load_run(out: Path, recipe: Recipe) -> TrainedModel:
    """The best epoch of a run. Raises TrainingError when the folder holds no finished epoch."""
    history = read_history(out)
    if not history:
        raise TrainingError(f"{out} holds no trained epoch. Train first: python -m ml_pipeline train --out {out}")
    best = best_of(history)
    identity = json.loads((out / _RUN).read_text(encoding="utf-8"))
    model = build_classifier(
        backbone=recipe.backbone, size_px=recipe.size_px, classes=len(CODES), dropout=recipe.dropout, weights=None
    )
    model.load_weights(_weights_of(out, best.epoch))
    return TrainedModel(
        model=model,
        recipe=recipe,
        codes=CODES,
        epoch=best.epoch,
        validation_balanced_accuracy=best.validation_balanced_accuracy,
        data_sha256=identity["data_sha256"],
        backbone_weights_sha256=identity["backbone_weights_sha256"],
    )


def _weights_of(out: Path, epoch: int) -> Path:
    return out / f"best-{epoch}.weights.h5"


def _compiled(recipe: Recipe, labels: NDArray[np.int32], *, steps: int, backbone_weights: str | None) -> keras.Model:
    model = build_classifier(
        backbone=recipe.backbone,
        size_px=recipe.size_px,
        classes=len(CODES),
        dropout=recipe.dropout,
        weights=backbone_weights,
    )
    warmup = max(1, int(steps * recipe.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 20,
        decay_steps=steps - warmup,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=recipe.weight_decay, use_ema=True, ema_momentum=recipe.ema_momentum, global_clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    counts = np.bincount(labels, minlength=len(CODES)) + 1
    loss = LogitAdjustedCrossEntropy(
        np.log(counts / counts.sum()).astype(np.float32),
        tau=recipe.logit_adjustment,
    )
    # XLA on CPUs is several times slower than plain kernels for these networks; accelerators choose for themselves.
    model.compile(optimizer, loss, jit_compile=False if keras.backend.backend() == "tensorflow" else "auto")
    return model


def _scores(epoch: int, loss: float, logits: NDArray[np.float32], labels: NDArray[np.int32]) -> EpochResult:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    predicted = logits.argmax(axis=1)
    return EpochResult(
        epoch=epoch,
        loss=loss,
        validation_balanced_accuracy=float(recall_score(labels, predicted, labels=np.unique(labels), average="macro")),
        validation_accuracy=float((predicted == labels).mean()),
        validation_loss=float(-log_probabilities[np.arange(len(labels)), labels].mean()),
    )


def _finished(history: Sequence[EpochResult], recipe: Recipe) -> bool:
    if not history:
        return False
    last = history[-1].epoch
    return last + 1 >= recipe.epochs or last - best_of(history).epoch >= recipe.patience_epochs


def _claim_run_folder(out: Path, identity: _RunIdentity) -> None:
    """Write what is trained into a new run folder, or refuse a folder in which something else has begun."""
    out.mkdir(parents=True, exist_ok=True)
    run, said = out / _RUN, json.dumps(asdict(identity), indent=2, sort_keys=True)
    if run.is_file() and run.read_text(encoding="utf-8") != said:
        raise TrainingError(
            f"{out} holds a run of another recipe, other records or other backbone weights. "
            "Choose another --out or delete the folder."
        )
    run.write_text(said, encoding="utf-8")


def _weights_sha256(backbone_weights: str | None) -> str | None:
    """Digest of a weights file; the name itself for `imagenet`, None for random weights."""
    if backbone_weights is None or not Path(backbone_weights).is_file():
        return backbone_weights
    return file_digest(Path(backbone_weights))
