"""What is chosen on the validation split: temperature, warning threshold, the confidence under which we are unsure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from ml_models.calibration import calibrated_probabilities

_TEMPERATURE_BOUNDS = (0.05, 20.0)
_RESAMPLES = 2000
_LOWER_PERCENTILE = 2.5  # lower end of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """A threshold on the summed malignant probability and what it does on validation photos.

    `sensitivity_lower_bound` is the lower 95 % bootstrap bound, resampled by lesion; `specificity` is on benign photos.
    """

    threshold: float
    sensitivity: float
    sensitivity_lower_bound: float
    melanoma_sensitivity: float
    specificity: float


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature that minimises the negative log-likelihood (Guo 2017); logits [n, classes], labels [n]."""

    def loss(log_temperature: float) -> float:
        probabilities = calibrated_probabilities(logits, float(np.exp(log_temperature)))
        return float(log_loss(labels, probabilities, labels=range(logits.shape[1])))

    bounds = tuple(np.log(_TEMPERATURE_BOUNDS))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def choose_threshold(
    malignant_probability: NDArray[np.floating],
    *,
    is_malignant: NDArray[np.bool_],
    is_melanoma: NDArray[np.bool_],
    groups: NDArray[np.str_],
    required: float = 0.95,
    seed: int = 0,
) -> ThresholdChoice | None:
    """The highest threshold whose lower bound of malignant sensitivity, and melanoma sensitivity, are `required`.

    All arrays are [n], one entry a photo. None when no threshold can do that: too few cases, or too poor a model.
    """
    scores = malignant_probability[is_malignant]
    candidates = np.unique(scores)[::-1]
    caught = scores[:, np.newaxis] >= candidates
    bounds = _lower_bounds(caught, groups[is_malignant], np.random.default_rng(seed))
    melanoma = (malignant_probability[is_melanoma][:, np.newaxis] >= candidates).mean(axis=0)
    fit = np.flatnonzero((bounds >= required) & (melanoma >= required))
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


def _lower_bounds(caught: NDArray[np.bool_], groups: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Lower bound of the share caught, per column of [photos, candidates], lesions resampled with replacement."""
    names, index = np.unique(groups, return_inverse=True)
    sizes = np.bincount(index).astype(float)
    hits = np.zeros((len(names), caught.shape[1]))
    np.add.at(hits, index, caught)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=_RESAMPLES).astype(float)
    shares = (draws @ hits) / (draws @ sizes)[:, np.newaxis]
    return np.asarray(np.percentile(shares, _LOWER_PERCENTILE, axis=0))
