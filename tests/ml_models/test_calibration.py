"""Temperature scaling."""

import numpy as np
import pytest

from ml_models.calibration import calibrated_probabilities
from ml_models.errors import InferenceError


def test_calibrated_probabilities_sum_to_one_for_huge_logits() -> None:
    result = calibrated_probabilities(np.array([[1e4, -1e4, 0.0]]), 1.0)
    assert np.allclose(result, [[1, 0, 0]])


def test_calibrated_probabilities_two_classes_are_a_sigmoid() -> None:
    assert calibrated_probabilities(np.array([3.0, 1.0]), 2.0)[0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_calibrated_probabilities_high_temperature_flattens() -> None:
    logits = np.array([2.0, 0.0, -1.0])
    assert calibrated_probabilities(logits, 10).max() < calibrated_probabilities(logits, 1).max()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_calibrated_probabilities_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(InferenceError):
        calibrated_probabilities(np.array([0.0, wrong]), 1.0)
