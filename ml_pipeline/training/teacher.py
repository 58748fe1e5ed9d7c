"""What finished runs say about training photos, for another run to learn from (Hinton 2015)."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import file_digest
from ml_models.calibration import softmax
from ml_models.preprocess import InputSpec
from ml_pipeline.data.records import Record
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.training.batches import in_parts
from ml_pipeline.training.history import best_of, read_history
from ml_pipeline.training.run_folder import is_finished, load_run, read_identity, weights_of

_BATCH_SIZE = 64


def check_teachers(runs: Sequence[Path], codes: Sequence[str], *, data_sha256: str) -> tuple[str, ...]:
    """Digests of the teachers' weights, once each is a finished run on the same table with the same classes.

    Raises LeakageError for one that was trained on another split: it may have seen this one's test photos.
    """
    digests = []
    for run in runs:
        identity, history = read_identity(run), read_history(run)
        if identity.data_sha256 != data_sha256:
            raise LeakageError(
                f"{run} was trained on other records or another split, so it may have seen photos of this test split. "
                "Train the teacher on the same table."
            )
        if identity.codes != tuple(codes):
            raise TrainingError(f"{run} knows {', '.join(identity.codes)}, not {', '.join(codes)}. Take another.")
        if not is_finished(history, identity.recipe):
            raise TrainingError(f"{run} is not finished: {len(history)} epochs. Run its training again to go on.")
        digests.append(file_digest(weights_of(run, best_of(history).epoch)))
    return tuple(digests)


def soft_answers(runs: Sequence[Path], records: Sequence[Record], *, temperature: float) -> NDArray[np.float32]:
    """The runs' mean softened probabilities of each photo in its eight orientations, float32 [n, classes]."""
    return np.asarray(np.mean([_answers(run, records, temperature) for run in runs], axis=0), dtype=np.float32)


def orientations(images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Square images [n, s, s, 3] turned by quarters and mirrored: eight views."""
    turned = [np.rot90(images, quarter, axes=(1, 2)) for quarter in range(4)]
    return turned + [view[:, :, ::-1] for view in turned]


def _answers(run: Path, records: Sequence[Record], temperature: float) -> NDArray[np.float64]:
    trained = load_run(run)
    spec = InputSpec(trained.recipe.size_px)
    return np.concatenate([_mean_answer(trained.model, part, temperature) for part in in_parts(records, spec)])


def _mean_answer(model: keras.Model, inputs: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    views = [
        softmax(model.predict(view, batch_size=_BATCH_SIZE, verbose=0) / temperature) for view in orientations(inputs)
    ]
    return np.asarray(np.mean(views, axis=0))
