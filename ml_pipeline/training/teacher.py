"""What finished runs say about training photos, for another run to learn from (Hinton 2015)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_models.calibration import softmax
from ml_models.preprocess import InputSpec
from ml_pipeline.data.records import Record
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.batches import load_inputs
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.run_folder import load_run, recipe_name

_BATCH_SIZE = 64


def soft_answers(
    runs: Sequence[Path], records: Sequence[Record], codes: Sequence[str], *, temperature: float, kept: Path
) -> NDArray[np.float32]:
    """The runs' mean softened probabilities of each photo in its eight orientations, float32 [n, classes].

    Kept in the file `kept` for a resumed run. Raises TrainingError for a run with other labels.
    """
    if kept.is_file():
        return np.asarray(np.load(kept), np.float32)
    answers = np.mean([_answers(run, records, codes, temperature) for run in runs], axis=0, dtype=np.float64)
    np.save(kept, answers.astype(np.float32))
    return np.asarray(answers, np.float32)


def orientations(images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Square images [n, s, s, 3] turned by quarters and mirrored: eight views."""
    turned = [np.rot90(images, quarter, axes=(1, 2)) for quarter in range(4)]
    return turned + [view[:, :, ::-1] for view in turned]


def _answers(run: Path, records: Sequence[Record], codes: Sequence[str], temperature: float) -> NDArray[np.float64]:
    trained = load_run(run, recipe_named(recipe_name(run)))
    if trained.codes != tuple(codes):
        raise TrainingError(f"{run} answers {', '.join(trained.codes)}, not {', '.join(codes)}. Take another teacher.")
    inputs = load_inputs(records, InputSpec(trained.recipe.size_px))
    views = [
        softmax(trained.model.predict(view, batch_size=_BATCH_SIZE, verbose=0) / temperature)
        for view in orientations(inputs)
    ]
    return np.asarray(np.mean(views, axis=0))
