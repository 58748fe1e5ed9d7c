"""The curves of a run as a picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ml_pipeline.training.history import EpochResult

_DPI = 110


def write_curves(path: Path, history: Sequence[EpochResult]) -> None:
    """Loss and validation figures over the epochs, as PNG."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row.epoch + 1 for row in history]
    for name in ("loss", "validation_loss"):
        left.plot(epochs, [getattr(row, name) for row in history], marker=".", label=name.replace("_", " "))
    for name in (
        "validation_balanced_accuracy",
        "validation_accuracy",
        "validation_dermatoscopic",
        "validation_clinical",
    ):
        values = np.array([getattr(row, name) for row in history], dtype=float)  # None becomes NaN
        if np.isfinite(values).any():
            right.plot(epochs, values, marker=".", label=name.replace("_", " "))
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, format="png", dpi=_DPI, metadata={"Software": None})
