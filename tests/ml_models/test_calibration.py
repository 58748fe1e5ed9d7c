"""Scaling logits, and that probabilities are probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml_models.calibration import Calibration, log_softmax, softmax
from ml_models.errors import InferenceError


@given(arrays(np.float64, (3, 8), elements=st.floats(-1e6, 1e6)))
def test_softmax_any_scores_sum_to_one(scores: np.ndarray) -> None:
    probabilities = softmax(scores)
    assert probabilities.dtype == np.float64
    assert (probabilities >= 0).all()
    assert np.abs(probabilities.sum(axis=-1) - 1).max() < 1e-12


def test_softmax_huge_scores_do_not_overflow() -> None:
    assert np.allclose(softmax(np.array([[1e4, -1e4, 0.0]])), [[1, 0, 0]])


def test_log_softmax_of_a_hopeless_class_is_finite() -> None:
    assert log_softmax(np.array([0.0, -5000.0]))[1] == pytest.approx(-5000)


def test_softmax_of_two_classes_is_a_sigmoid() -> None:
    assert softmax(np.array([3.0, 1.0]))[0] == pytest.approx(1 / (1 + np.exp(-2)))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_softmax_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(InferenceError):
        softmax(np.array([0.0, wrong]))


def test_calibration_divides_and_then_moves() -> None:
    calibration = Calibration(2.0, {"b": 0.5, "a": -1.0})
    assert calibration.scaled(np.array([[4.0, 2.0]], np.float32), ("a", "b")).tolist() == [[1.0, 1.5]]


def test_calibration_without_bias_is_temperature_alone() -> None:
    assert Calibration(4.0).scaled(np.array([4.0, 2.0], np.float32), ("a", "b")).tolist() == [1.0, 0.5]
