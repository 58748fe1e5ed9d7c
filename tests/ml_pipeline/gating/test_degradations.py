"""Photos taken badly: each degradation lowers its own score, grade by grade."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.gates import PHOTO_SCORES, measure
from ml_pipeline.gating.degradations import DEGRADATIONS, Degradation, cut_off, from_afar

MEASURED = [each for each in DEGRADATIONS if each.score in PHOTO_SCORES]


@pytest.mark.parametrize("degradation", MEASURED, ids=lambda each: each.name)
def test_degradation_lowers_its_score_with_every_grade(degradation: Degradation, lesion_rgb: NDArray[np.uint8]) -> None:
    photo = cv2.convertScaleAbs(lesion_rgb, alpha=1.2)
    scores = [measure(degradation.apply(photo, strength))[degradation.score] for strength in degradation.strengths]
    scores = [measure(photo)[degradation.score], *scores]
    assert all(later <= earlier for earlier, later in pairwise(scores))
    assert scores[-1] < scores[0]


@pytest.mark.parametrize("degradation", DEGRADATIONS, ids=lambda each: each.name)
def test_degradation_gives_a_photo_and_leaves_the_given_one(
    degradation: Degradation, lesion_rgb: NDArray[np.uint8]
) -> None:
    before = lesion_rgb.copy()
    for strength in degradation.strengths:
        made = degradation.apply(lesion_rgb, strength)
        assert (made.dtype, made.ndim, made.shape[2]) == (np.uint8, 3, 3)
        assert (degradation.apply(lesion_rgb, strength) == made).all()
    assert (lesion_rgb == before).all()


def test_from_afar_shows_the_whole_photo_small_in_the_middle(lesion_rgb: NDArray[np.uint8]) -> None:
    far = from_afar(lesion_rgb, 0.5)
    assert far.shape == lesion_rgb.shape
    small = cv2.resize(lesion_rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    middle = far[height // 2 : height // 2 + height, width // 2 : width // 2 + width].astype(int)
    inside = np.s_[height // 5 : -height // 5, width // 5 : -width // 5]
    assert np.abs(middle[inside] - small[inside]).mean() < 2


def test_cut_off_takes_its_share_of_each_side(lesion_rgb: NDArray[np.uint8]) -> None:
    height, width = lesion_rgb.shape[:2]
    assert (cut_off(lesion_rgb, 0.25) == lesion_rgb[round(height / 4) :, round(width / 4) :]).all()
