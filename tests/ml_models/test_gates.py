"""Measurements of photos."""

import numpy as np
from numpy.typing import NDArray

from ml_models.classification import ReasonCode
from ml_models.gates import Gate, failed_gates, measure

GATE = Gate("contrast", 2.0, ReasonCode.NO_DETAIL)


def test_measure_uniform_photo_has_no_contrast() -> None:
    scores = measure(np.full((300, 400, 3), 90, np.uint8))
    assert scores == {"brightness": 90.0, "contrast": 0.0, "sharpness": 0.0}


def test_measure_does_not_depend_on_resolution(lesion_rgb: NDArray[np.uint8]) -> None:
    large = lesion_rgb.repeat(3, axis=0).repeat(3, axis=1)
    first, second = measure(lesion_rgb), measure(large)
    assert abs(first["contrast"] - second["contrast"]) < 0.5
    assert abs(first["brightness"] - second["brightness"]) < 0.5


def test_measure_blur_lowers_sharpness(lesion_rgb: NDArray[np.uint8]) -> None:
    import cv2

    assert measure(cv2.GaussianBlur(lesion_rgb, (0, 0), 6))["sharpness"] < measure(lesion_rgb)["sharpness"] / 2


def test_failed_gates_under_the_minimum_gives_its_reason() -> None:
    assert failed_gates({"contrast": 1.99}, (GATE,)) == (ReasonCode.NO_DETAIL,)


def test_failed_gates_at_the_minimum_passes() -> None:
    assert failed_gates({"contrast": 2.0}, (GATE,)) == ()
