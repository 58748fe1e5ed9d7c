"""Measurements of photos."""

import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Modality, ReasonCode
from ml_models.gates import Gate, failed_gates, measure

GATE = Gate("contrast", 2.0, ReasonCode.NO_DETAIL)


def test_measure_uniform_photo_has_no_contrast() -> None:
    scores = measure(np.full((300, 400, 3), 90, np.uint8))
    assert scores == {"brightness": 90.0, "contrast": 0.0, "sharpness": 0.0, "unclipped": 1.0, "detail_px": 200.0}


def test_measure_does_not_depend_on_resolution(lesion_rgb: NDArray[np.uint8]) -> None:
    large = lesion_rgb.repeat(3, axis=0).repeat(3, axis=1)
    first, second = measure(lesion_rgb), measure(large)
    assert abs(first["contrast"] - second["contrast"]) < 0.5
    assert abs(first["brightness"] - second["brightness"]) < 0.5


def test_measure_blur_lowers_sharpness(lesion_rgb: NDArray[np.uint8]) -> None:
    import cv2

    assert measure(cv2.GaussianBlur(lesion_rgb, (0, 0), 6))["sharpness"] < measure(lesion_rgb)["sharpness"] / 2


def test_failed_gates_under_the_minimum_gives_its_reason() -> None:
    assert failed_gates({"contrast": 1.99}, (GATE,), modality=None) == (ReasonCode.NO_DETAIL,)


def test_failed_gates_at_the_minimum_passes() -> None:
    assert failed_gates({"contrast": 2.0}, (GATE,), modality=None) == ()


def test_failed_gates_asks_only_the_photos_own_modality() -> None:
    clinical = Gate("contrast", 2.0, ReasonCode.NO_DETAIL, Modality.CLINICAL)
    assert failed_gates({"contrast": 1}, (clinical,), modality=Modality.DERMATOSCOPIC) == ()
    assert failed_gates({"contrast": 1}, (clinical,), modality=Modality.CLINICAL) == (ReasonCode.NO_DETAIL,)


def test_failed_gates_of_an_uncertain_modality_asks_all() -> None:
    clinical = Gate("contrast", 2.0, ReasonCode.NO_DETAIL, Modality.CLINICAL)
    assert failed_gates({"contrast": 1}, (clinical,), modality=None) == (ReasonCode.NO_DETAIL,)


def test_failed_gates_names_what_must_be_mended_first() -> None:
    gates = (
        Gate("lesion_share", 0.1, ReasonCode.LESION_TOO_SMALL),
        Gate("lesion_photo", 0.5, ReasonCode.NOT_A_LESION),
        Gate("sharpness", 10, ReasonCode.TOO_BLURRED),
        Gate("brightness", 50, ReasonCode.TOO_DARK),
    )
    scores = {"lesion_share": 0.0, "lesion_photo": 0.0, "sharpness": 0.0, "brightness": 0.0}
    assert failed_gates(scores, gates, modality=None) == (ReasonCode.TOO_BLURRED, ReasonCode.TOO_DARK)
    sharp = {**scores, "sharpness": 20, "brightness": 90}
    assert failed_gates(sharp, gates, modality=None) == (ReasonCode.NOT_A_LESION,)
    assert failed_gates({**sharp, "lesion_photo": 1}, gates, modality=None) == (ReasonCode.LESION_TOO_SMALL,)


def test_failed_gates_names_a_reason_once() -> None:
    assert failed_gates({"contrast": 1}, (GATE, GATE), modality=None) == (ReasonCode.NO_DETAIL,)


def test_measure_burnt_out_pixels_are_not_unclipped() -> None:
    photo = np.full((100, 100, 3), 90, np.uint8)
    photo[:25] = 255
    assert measure(photo)["unclipped"] == 0.75


def test_measure_detail_is_the_short_side_up_to_what_is_measured() -> None:
    assert measure(np.zeros((60, 90, 3), np.uint8))["detail_px"] == 60
    assert measure(np.zeros((900, 600, 3), np.uint8))["detail_px"] == 200
