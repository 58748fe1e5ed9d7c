"""Logits to calibrated probabilities: temperature scaling, with a bias per class where validation asked for one.

Guo 2017, On Calibration of Modern Neural Networks. Everything is float64, and the softmax is taken in log space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml_models.errors import InferenceError

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How one modality's logits are scaled: divided by `temperature`, then moved by `bias` per class code, if any."""

    temperature: float
    bias: Mapping[str, float] = field(default_factory=dict)

    def scaled(self, logits: Floats, codes: Sequence[str]) -> NDArray[np.float64]:
        """The calibrated logits float64 [..., classes] of a model whose outputs are `codes`."""
        scaled = np.asarray(logits, np.float64) / self.temperature
        return scaled + np.array([self.bias[code] for code in codes]) if self.bias else scaled


def log_softmax(scores: Floats) -> NDArray[np.float64]:
    """Log-probabilities float64 of scores [..., classes].

    Raises InferenceError when a score is not finite: a NaN must never become an answer.
    """
    if not np.isfinite(scores).all():
        raise InferenceError("The model returned a value that is not finite. Check the artefact with its golden pairs.")
    shifted = np.asarray(scores, np.float64) - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def softmax(scores: Floats) -> NDArray[np.float64]:
    """Probabilities float64 of scores [..., classes], summing to 1 over the last axis. Raises as `log_softmax`."""
    probabilities = np.exp(log_softmax(scores))
    return np.asarray(probabilities / probabilities.sum(axis=-1, keepdims=True))
