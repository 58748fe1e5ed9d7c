"""The loss, and the form of the targets that it reads."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ml_pipeline.training.recipes.recipe import Distillation


def pack(
    truth: NDArray[np.float32], log_prior: NDArray[np.float32], teacher: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What `AdjustedCrossEntropy` reads as y_true: three blocks [n, classes] side by side.

    `truth` holds the share of each class, `log_prior` its log frequency among photos of that kind, `teacher` the
    probabilities to learn from (all 0 without a teacher).
    """
    return np.concatenate([truth, log_prior, teacher], axis=1).astype(np.float32)


class AdjustedCrossEntropy(keras.losses.Loss):
    """Cross-entropy on logits + tau * log(prior) (Menon 2021), and on a teacher's soft answers (Hinton 2015).

    The teacher speaks about the plain logits: it has learnt what they aim at.
    """

    def __init__(self, *, tau: float, distillation: Distillation | None = None) -> None:
        super().__init__(name="adjusted_cross_entropy")
        self._tau, self._distillation = tau, distillation

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, log_prior, teacher = ops.split(ops.cast(y_true, "float32"), 3, axis=1)
        logits = ops.cast(y_pred, "float32")
        hard = -ops.sum(truth * ops.log_softmax(logits + self._tau * log_prior, axis=1), axis=1)
        if self._distillation is None:
            return hard
        weight, temperature = self._distillation.weight, self._distillation.temperature
        soft = -ops.sum(teacher * ops.log_softmax(logits / temperature, axis=1), axis=1) * temperature**2
        return (1 - weight) * hard + weight * soft
