"""What is chosen on the validation split: temperature, warning threshold, the confidence under which we are unsure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import beta
from sklearn.metrics import log_loss

from ml_models.calibration import calibrated_probabilities

_TEMPERATURE_BOUNDS = (0.05, 20.0)
_REQUIRED_SENSITIVITY = 0.95
_RESAMPLES = 2000
_LOWER_TAIL = 0.025  # lower end of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """A threshold on the summed malignant probability and what it does on validation photos.

    `sensitivity_lower_bound` is the lower 95 % bound by lesion; `specificity` is on benign photos.
    """

    threshold: float
    sensitivity: float
    sensitivity_lower_bound: float
    melanoma_sensitivity: float
    specificity: float


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature that minimises the log-loss (Guo 2017); logits [n, classes], labels [n]."""

    def loss(log_temperature: float) -> float:
        probabilities = calibrated_probabilities(logits, float(np.exp(log_temperature)))
        return float(log_loss(labels, probabilities, labels=range(logits.shape[1])))

    found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURE_BOUNDS)), method="bounded")
    return float(np.exp(found.x))


def choose_threshold(
    malignant_probability: NDArray[np.floating],
    *,
    is_malignant: NDArray[np.bool_],
    is_melanoma: NDArray[np.bool_],
    groups: NDArray[np.str_],
    seed: int = 0,
) -> ThresholdChoice | None:
    """The highest threshold whose lower bound of malignant sensitivity, and melanoma sensitivity, are at least .95.

    All arrays are [n], one entry a photo. The bound is the lower of a bootstrap by lesion and the exact binomial bound
    (Clopper and Pearson 1934) with lesions as cases: where nothing is missed the bootstrap alone would promise
    certainty after five cases. None when no threshold can do that: too few cases, or too poor a model.
    """
    if not is_melanoma.any() or is_malignant.all():
        return None
    scores, cases = malignant_probability[is_malignant], groups[is_malignant]
    candidates = np.unique(scores)[::-1]
    caught = scores[:, np.newaxis] >= candidates
    bounds = np.minimum(
        _bootstrap_bounds(caught, cases, np.random.default_rng(seed)),
        _exact_bounds(caught.mean(axis=0), len(np.unique(cases))),
    )
    melanoma = (malignant_probability[is_melanoma][:, np.newaxis] >= candidates).mean(axis=0)
    fit = np.flatnonzero((bounds >= _REQUIRED_SENSITIVITY) & (melanoma >= _REQUIRED_SENSITIVITY))
    if fit.size == 0:
        return None
    best = fit[0]
    # Rounded down, so that reading the number back from JSON can never lose the case that set it.
    threshold = float(np.floor(candidates[best] * 1e6) / 1e6)
    return ThresholdChoice(
        threshold=threshold,
        sensitivity=float(caught[:, best].mean()),
        sensitivity_lower_bound=float(bounds[best]),
        melanoma_sensitivity=float(melanoma[best]),
        specificity=float((malignant_probability[~is_malignant] < threshold).mean()),
    )


def choose_minimum_confidence(probabilities: NDArray[np.floating], *, coverage: float) -> float:
    """The top probability that the stated share of validation photos [n, classes] reaches."""
    return float(np.floor(np.quantile(probabilities.max(axis=1), 1 - coverage) * 1e6) / 1e6)


def _bootstrap_bounds(
    caught: NDArray[np.bool_], groups: NDArray[np.str_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Lower bound of the share caught, per column of [photos, candidates], lesions resampled with replacement."""
    names, index = np.unique(groups, return_inverse=True)
    sizes = np.bincount(index).astype(float)
    hits = np.zeros((len(names), caught.shape[1]))
    np.add.at(hits, index, caught)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=_RESAMPLES).astype(float)
    shares = (draws @ hits) / (draws @ sizes)[:, np.newaxis]
    return np.asarray(np.percentile(shares, 100 * _LOWER_TAIL, axis=0))


def _exact_bounds(shares: NDArray[np.float64], cases: int) -> NDArray[np.float64]:
    hits = shares * cases
    return np.asarray(np.where(hits > 0, beta.ppf(_LOWER_TAIL, np.maximum(hits, 1e-9), cases - hits + 1), 0.0))
