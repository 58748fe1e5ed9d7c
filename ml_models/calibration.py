"""Logits to calibrated probabilities by temperature scaling (Guo 2017, On Calibration of Modern Neural Networks)."""

import numpy as np
from numpy.typing import NDArray

from ml_models.errors import InferenceError


def calibrated_probabilities(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Softmax of `logits / temperature` over the last axis, float64, rows summing to 1.

    Raises InferenceError when a logit is not finite: a NaN must never become an answer.
    """
    if not np.isfinite(logits).all():
        raise InferenceError("The model returned a value that is not finite. Check the artefact with its golden pairs.")
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
