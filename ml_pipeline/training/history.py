"""What every epoch of a run gave, as `history.csv` in the run folder."""

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_pipeline.files import write_table

HISTORY = "history.csv"


@dataclass(frozen=True, slots=True)
class EpochResult:
    """One epoch, counted from 0: training loss, and the averaged weights on the validation split.

    `validation_dermatoscopic` and `validation_clinical` are balanced accuracies of one modality, None without photos.
    """

    epoch: int
    loss: float
    validation_balanced_accuracy: float
    validation_accuracy: float
    validation_loss: float
    validation_dermatoscopic: float | None
    validation_clinical: float | None
    seconds: float


def read_history(run: Path) -> tuple[EpochResult, ...]:
    """The epochs of a run, oldest first; empty before the first."""
    path = run / HISTORY
    if not path.is_file():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            EpochResult(int(row.pop("epoch")), **{name: float(value) if value else None for name, value in row.items()})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        )


def write_history(history: Sequence[EpochResult], run: Path) -> None:
    """Replace the file at once: a kill leaves the old or the new one."""
    names = [field.name for field in dataclasses.fields(EpochResult)]
    rows = (["" if cell is None else cell for cell in dataclasses.astuple(row)] for row in history)
    write_table(run / HISTORY, names, rows)


def best_of(history: Sequence[EpochResult]) -> EpochResult:
    """The epoch with the highest validation balanced accuracy, the first among equals."""
    return max(history, key=lambda row: row.validation_balanced_accuracy)
