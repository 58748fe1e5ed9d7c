"""The calibration of one modality: a temperature, and a bias per class only where that clearly does better."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.metrics import recall_score

from ml_models.calibration import Calibration, log_softmax
from ml_pipeline.calibration.cases import Cases
from ml_pipeline.calibration.cross_validation import Improvement, folds, improvement, losses

_TEMPERATURE_BOUNDS = (0.05, 20.0)
# Of the normal distributions that a bias and the logarithm of the temperature are taken to come from: few photos move
# them little. Without, photos that are all right would ask for a temperature of 0, and so for certainty.
_BIAS_VARIANCE = 1.0
_LOG_TEMPERATURE_VARIANCE = 0.25  # 95 % of temperatures between .38 and 2.7


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """What was chosen for one modality, and the cross-validated comparison that decided.

    `gain_of_bias` is the fall of log-loss from temperature alone to temperature and bias.
    """

    calibration: Calibration
    gain_of_bias: Improvement
    balanced_accuracy_temperature: float
    balanced_accuracy_bias: float


def choose_calibration(cases: Cases, *, seed: int = 0) -> CalibrationChoice:
    """Temperature scaling, unless a bias per class lowers the log-loss by more than its standard error.

    Balanced accuracy must not fall either: a model that was trained to answer rare classes as willingly as common
    ones would lose just that to a bias fitted on a collection's frequencies.
    """
    temperature, bias = (_cross_validated(fit, cases, seed=seed) for fit in (fit_temperature, fit_bias))
    gained = improvement(losses(temperature, cases.labels), losses(bias, cases.labels), cases.groups)
    plain, moved = (balanced_accuracy(scores, cases.labels) for scores in (temperature, bias))
    better = gained.is_clear and moved >= plain
    fitted = fit_bias(cases) if better else fit_temperature(cases)
    return CalibrationChoice(fitted, gained, plain, moved)


def fit_temperature(cases: Cases) -> Calibration:
    """The temperature that minimises the log-loss (Guo 2017), with a log-normal prior around 1."""
    penalty = 1 / (_LOG_TEMPERATURE_VARIANCE * len(cases.labels))

    def loss(log_temperature: float) -> float:
        scores = cases.logits / np.exp(log_temperature)
        return float(losses(scores, cases.labels).mean() + penalty / 2 * log_temperature**2)

    found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURE_BOUNDS)), method="bounded")
    return Calibration(float(np.exp(found.x)))


def fit_bias(cases: Cases) -> Calibration:
    """Temperature, with the same prior, and a bias per class by penalised maximum likelihood.

    Biases of the classes that have photos sum to 0 and the others' are 0: a class that a collection lacks stands where
    it stood.
    """
    photos, classes = cases.logits.shape
    truth = np.eye(classes)[cases.labels]
    present = truth.any(axis=0)
    centring = np.diag(present.astype(float)) - np.outer(present, present) / present.sum()
    penalty, bias_penalty = 1 / (_LOG_TEMPERATURE_VARIANCE * photos), 1 / (_BIAS_VARIANCE * photos)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_temperature, bias = parameters[0], centring @ parameters[1:]
        scaled = cases.logits * np.exp(-log_temperature)
        log_probabilities = log_softmax(scaled + bias)
        wrong = (np.exp(log_probabilities) - truth) / photos
        shrunk = penalty * log_temperature**2 + bias_penalty * (bias**2).sum()
        value = -(truth * log_probabilities).sum() / photos + shrunk / 2
        steepness = penalty * log_temperature - (wrong * scaled).sum()
        return float(value), np.array([steepness, *centring @ (wrong.sum(axis=0) + bias_penalty * bias)])

    bounds = [tuple(np.log(_TEMPERATURE_BOUNDS)), *[(None, None)] * classes]
    found = minimize(loss, np.zeros(1 + classes), jac=True, method="L-BFGS-B", bounds=bounds)
    bias = (centring @ found.x[1:]).tolist()
    return Calibration(float(np.exp(found.x[0])), dict(zip(cases.codes, bias, strict=True)))


def balanced_accuracy(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean sensitivity over the classes that occur; scores [n, classes]."""
    return float(recall_score(labels, scores.argmax(axis=1), labels=np.unique(labels), average="macro"))


def _cross_validated(fit: Callable[[Cases], Calibration], cases: Cases, *, seed: int) -> NDArray[np.float64]:
    """Scores [n, classes] of photos by calibrations that were fitted on others; of one group, by none."""
    scores = cases.logits.copy()
    for fitting, judging in folds(cases.groups, seed=seed):
        scores[judging] = fit(cases.take(fitting)).scaled(cases.logits[judging], cases.codes)
    return scores
