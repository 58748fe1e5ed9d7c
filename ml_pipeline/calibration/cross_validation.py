"""Judging two ways by photos that neither was fitted on; a lesion never lies on both sides."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from ml_models.calibration import log_softmax

_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Improvement:
    """By how much the log-loss of a photo falls on average, and the standard error of that, lesions as units."""

    mean: float
    standard_error: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than one standard error."""
        return self.mean > self.standard_error

    def __str__(self) -> str:
        return f"{self.mean:+.4f} (standard error {self.standard_error:.4f})"


def folds(groups: NDArray[np.str_], *, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows to fit on and rows to judge on, five times, or as often as there are groups; nothing for one group."""
    count = min(_FOLDS, len(np.unique(groups)))
    if count > 1:
        yield from GroupKFold(count, shuffle=True, random_state=seed).split(groups, groups=groups)


def losses(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Log-loss [n] of unnormalised log-probabilities [n, classes]."""
    return np.asarray(-log_softmax(scores)[np.arange(len(labels)), labels])


def improvement(before: NDArray[np.float64], after: NDArray[np.float64], groups: NDArray[np.str_]) -> Improvement:
    """The mean fall of the log-losses [n], with the standard error of a mean over clusters.

    One lesion alone can make nothing clear: its standard error is given as large as the fall.
    """
    falls = before - after
    mean = float(falls.mean())
    _, index = np.unique(groups, return_inverse=True)
    deviations = np.bincount(index, weights=falls - mean)
    units = len(deviations)
    if units == 1:
        return Improvement(mean, abs(mean))
    return Improvement(mean, float(np.sqrt(units / (units - 1) * (deviations**2).sum()) / len(falls)))
