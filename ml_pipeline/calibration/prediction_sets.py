"""Conformal prediction sets: which classes cannot be ruled out, and when that means not to know.

Split conformal prediction with the probability of the true class as score (Sadinle 2019, Least Ambiguous Set-Valued
Classifiers), lesions exchangeable, and the stated coverage held among malignant and among benign lesions alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.calibration.cases import Cases

COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class SetChoice:
    """The probability from which on a class belongs to the set, and what that does to validation photos.

    Coverages are by lesion, each the lowest of the ways of asking; `mean_size` is that of the sets.
    """

    minimum: float
    coverage: float
    malignant_coverage: float | None
    benign_coverage: float | None
    mean_size: float


def choose_prediction_set(
    cases: Cases, views: Sequence[NDArray[np.float64]], *, coverage: float = COVERAGE
) -> SetChoice:
    """The highest minimum that covers the true class of so many malignant and so many benign lesions.

    `views` are probabilities [n, classes] of the same photos, asked in different ways; the minimum holds for each. A
    kind with too few lesions for the coverage gets a minimum of 0: nothing can be ruled out.
    """
    rows = np.arange(len(cases.labels))
    true = [view[rows, cases.labels] for view in views]
    kinds = [mask for mask in (cases.is_malignant, ~cases.is_malignant) if mask.any()]
    minimum = min(_quantile(each[kind], cases.groups[kind], 1 - coverage) for each in true for kind in kinds)
    minimum = float(np.floor(minimum * 1e6) / 1e6)

    def covered(mask: NDArray[np.bool_]) -> float | None:
        if not mask.any():
            return None
        weights = _weights(cases.groups[mask])
        return float(min(np.average(each[mask] >= minimum, weights=weights) for each in true))

    everything = np.ones(len(cases.labels), bool)
    return SetChoice(
        minimum=minimum,
        coverage=covered(everything) or 0.0,
        malignant_coverage=covered(cases.is_malignant),
        benign_coverage=covered(~cases.is_malignant),
        mean_size=float(np.mean([(view >= minimum).sum(axis=1).mean() for view in views])),
    )


def _quantile(scores: NDArray[np.float64], groups: NDArray[np.str_], miss: float) -> float:
    """The score under which at most the share `miss` of lesions lies, one more unseen lesion counted as the worst."""
    order = np.argsort(scores)
    weights = _weights(groups)[order]
    below = (np.cumsum(weights) + 1) / (weights.sum() + 1)  # of lesions, were this score left out too
    allowed = np.flatnonzero(below <= miss)
    return float(scores[order[allowed[-1] + 1]]) if allowed.size and allowed[-1] + 1 < len(order) else 0.0


def _weights(groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """Photos of one lesion share a weight of 1."""
    _, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[index])
