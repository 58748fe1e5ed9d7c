"""The loss: adjusted by the prior, and taught by others."""

import numpy as np
import pytest

from ml_models.calibration import softmax
from ml_pipeline.training.losses import AdjustedCrossEntropy, pack
from ml_pipeline.training.recipes.recipe import Distillation

LOGITS = np.array([[2.0, 0.5, -1.0]], np.float32)
TRUTH = np.array([[0.0, 1.0, 0.0]], np.float32)
EVEN = np.log(np.full((1, 3), 1 / 3, np.float32))
NOTHING = np.zeros((1, 3), np.float32)


def _cross_entropy(scores: np.ndarray, index: int) -> float:
    return float(-np.log(softmax(scores)[0, index]))


def test_adjusted_cross_entropy_of_even_classes_is_plain() -> None:
    loss = AdjustedCrossEntropy(tau=1.0)(pack(TRUTH, EVEN, NOTHING), LOGITS)
    assert float(loss) == pytest.approx(_cross_entropy(LOGITS, 1), rel=1e-5)


def test_adjusted_cross_entropy_adds_the_log_prior_times_tau() -> None:
    prior = np.log(np.array([[0.7, 0.1, 0.2]], np.float32))
    loss = AdjustedCrossEntropy(tau=0.5)(pack(TRUTH, prior, NOTHING), LOGITS)
    assert float(loss) == pytest.approx(_cross_entropy(LOGITS + 0.5 * prior, 1), rel=1e-5)


def test_adjusted_cross_entropy_of_shared_truth_is_the_shared_loss() -> None:
    shared = np.array([[0.25, 0.75, 0.0]], np.float32)
    loss = AdjustedCrossEntropy(tau=1.0)(pack(shared, EVEN, NOTHING), LOGITS)
    expected = 0.25 * _cross_entropy(LOGITS, 0) + 0.75 * _cross_entropy(LOGITS, 1)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_adjusted_cross_entropy_with_a_teacher_weighs_both(weight: float) -> None:
    teacher = np.array([[0.1, 0.6, 0.3]], np.float32)
    prior = np.log(np.array([[0.7, 0.1, 0.2]], np.float32))
    loss = AdjustedCrossEntropy(tau=1.0, distillation=Distillation(weight, temperature=2.0))
    soft = sum(4 * teacher[0, c] * _cross_entropy(LOGITS / 2, c) for c in range(3))
    expected = (1 - weight) * _cross_entropy(LOGITS + prior, 1) + weight * soft
    assert float(loss(pack(TRUTH, prior, teacher), LOGITS)) == pytest.approx(expected, rel=1e-5)
