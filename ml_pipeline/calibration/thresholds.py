"""Warning thresholds on the summed malignant probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from ml_pipeline.calibration.cases import Cases

_REQUIRED_SENSITIVITY = 0.95
_FEWEST_MELANOMAS = 20  # lesions: with fewer, one that is missed is more than 5 %, so .95 cannot be told from 1
_RESAMPLES = 2000
_LOWER_TAIL = 0.025  # lower end of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """A threshold on the summed malignant probability and what it does on validation photos.

    `sensitivity_lower_bound` is the lower 95 % bound by lesion; `specificity` is on the other photos. Each is the
    lowest of the ways of asking that the threshold has to hold for.
    """

    threshold: float
    sensitivity: float
    sensitivity_lower_bound: float
    melanoma_sensitivity: float
    melanoma_lesions: int
    specificity: float


@dataclass(frozen=True, slots=True)
class NoThreshold:
    """Why the data support no threshold."""

    reason: str


def choose_threshold(
    cases: Cases, views: Sequence[NDArray[np.float64]], *, seed: int = 0
) -> ThresholdChoice | NoThreshold:
    """The highest threshold whose lower bound of malignant sensitivity, and melanoma sensitivity, are at least .95.

    `views` are malignant probabilities [n] of the same photos, asked in different ways (with and without what is known
    of the person); the threshold holds for each of them. The bound is the lower of a bootstrap by lesion and the exact
    binomial bound (Clopper and Pearson 1934) with lesions as cases: where nothing is missed the bootstrap alone would
    promise certainty after five cases.
    """
    if any(label.malignant is None for label in cases.classes):
        return NoThreshold("of some classes it is not known whether they are malignant")
    melanomas = len(np.unique(cases.groups[cases.is_melanoma]))
    if melanomas < _FEWEST_MELANOMAS:
        return NoThreshold(f"melanoma lesions on validation: {melanomas}; {_FEWEST_MELANOMAS} are needed")
    if cases.is_malignant.all():
        return NoThreshold("no benign photos on validation")
    highest = [_highest(cases, view, seed=seed) for view in views]
    found = [each for each in highest if each is not None]
    if len(found) < len(highest):
        lesions = len(np.unique(cases.groups[cases.is_malignant]))
        return NoThreshold(
            f"malignant lesions on validation: {lesions}; too few, or too many missed, for a bound of .95"
        )
    # Rounded down, so that reading the number back from JSON can never lose the case that set it.
    threshold = float(np.floor(min(found) * 1e6) / 1e6)
    measured = [_measured(cases, view >= threshold, seed=seed) for view in views]
    sensitivity, bound, of_melanoma, specificity = np.min(measured, axis=0).tolist()
    return ThresholdChoice(threshold, sensitivity, bound, of_melanoma, melanomas, specificity)


def _highest(cases: Cases, probability: NDArray[np.float64], *, seed: int) -> float | None:
    """The highest score of a malignant photo that is a good threshold for this way of asking."""
    scores = probability[cases.is_malignant]
    candidates = np.unique(scores)[::-1]
    bounds = _lower_bounds(scores[:, np.newaxis] >= candidates, cases.groups[cases.is_malignant], seed=seed)
    melanoma = (probability[cases.is_melanoma][:, np.newaxis] >= candidates).mean(axis=0)
    fit = np.flatnonzero((bounds >= _REQUIRED_SENSITIVITY) & (melanoma >= _REQUIRED_SENSITIVITY))
    return float(candidates[fit[0]]) if fit.size else None


def _measured(cases: Cases, flagged: NDArray[np.bool_], *, seed: int) -> tuple[float, float, float, float]:
    """Malignant sensitivity, its lower bound, melanoma sensitivity, specificity."""
    caught = flagged[cases.is_malignant]
    bound = _lower_bounds(caught[:, np.newaxis], cases.groups[cases.is_malignant], seed=seed)[0]
    specificity = 1 - flagged[~cases.is_malignant].mean()
    return float(caught.mean()), float(bound), float(flagged[cases.is_melanoma].mean()), float(specificity)


def _lower_bounds(caught: NDArray[np.bool_], groups: NDArray[np.str_], *, seed: int) -> NDArray[np.float64]:
    """Lower bound of the share caught, per column of [photos, candidates]."""
    names, index = np.unique(groups, return_inverse=True)
    sizes = np.bincount(index).astype(float)
    hits = np.zeros((len(names), caught.shape[1]))
    np.add.at(hits, index, caught)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=_RESAMPLES).astype(float)
    shares = (draws @ hits) / (draws @ sizes)[:, np.newaxis]
    bootstrap = np.percentile(shares, 100 * _LOWER_TAIL, axis=0)
    return np.asarray(np.minimum(bootstrap, _exact(caught.mean(axis=0), len(names))))


def _exact(shares: NDArray[np.float64], cases: int) -> NDArray[np.float64]:
    hits = shares * cases
    return np.asarray(np.where(hits > 0, beta.ppf(_LOWER_TAIL, np.maximum(hits, 1e-9), cases - hits + 1), 0.0))
