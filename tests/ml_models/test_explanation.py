"""The class activation map and its picture."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.explanation import MAX_SIDE_PX, class_activations, explanation_picture, heat, overlay, spread
from ml_models.legend import Legend, strip_size

LEGEND = Legend("Evidence for: Melanoma", note="97.5 %", low="none", high="strongest")


def _peak(rows: int, columns: int, row: int, column: int) -> np.ndarray:
    grid = np.zeros((rows, columns), np.float32)
    grid[row, column] = 1
    return grid


def test_class_activations_are_what_each_cell_adds_to_each_logit() -> None:
    rng = np.random.default_rng(1)
    features, weights = rng.normal(size=(5, 5, 6)).astype(np.float32), rng.normal(size=(6, 3)).astype(np.float32)
    grids = class_activations(features, weights)
    assert grids.shape == (3, 5, 5)
    np.testing.assert_allclose(grids.sum(axis=(1, 2)), features.mean(axis=(0, 1)) @ weights, atol=1e-6)
    np.testing.assert_allclose(grids[2, 1, 3], features[1, 3] @ weights[:, 2] / 25, atol=1e-6)


def test_heat_is_the_positive_part_with_its_peak_at_one() -> None:
    np.testing.assert_allclose(heat(np.array([[-3.0, 0.5], [0.0, 2.0]], np.float32)), [[0, 0.25], [0, 1]])


def test_heat_without_evidence_is_zero() -> None:
    assert not heat(np.full((5, 5), -1, np.float32)).any()


def test_spread_stays_within_its_scale_and_keeps_the_peak_in_its_cell() -> None:
    smooth = spread(_peak(5, 5, 3, 1), height=100, width=200)
    row, column = np.unravel_index(smooth.argmax(), smooth.shape)
    assert (row // 20, column // 40) == (3, 1)
    assert smooth.min() == 0
    assert 0.95 < smooth.max() <= 1


def test_overlay_leaves_what_the_model_did_not_see() -> None:
    photo = np.full((90, 200, 3), 100, np.uint8)
    drawn = overlay(photo, np.ones((5, 5), np.float32))
    assert (drawn[:, :40] == 100).all()
    assert (drawn[:, 160:] == 100).all()
    assert (drawn[:, 60:140] != 100).any(axis=2).all()


def test_overlay_is_aligned_with_the_photo() -> None:
    drawn = overlay(np.zeros((300, 300, 3), np.uint8), _peak(5, 5, 0, 4)).sum(axis=2)
    row, column = np.unravel_index(drawn.argmax(), drawn.shape)
    assert row < 90
    assert column > 210


@given(width=st.integers(64, 3000), height=st.integers(64, 3000), legend=st.sampled_from([None, LEGEND]))
def test_picture_is_never_larger_than_its_limit(width: int, height: int, legend: Legend | None) -> None:
    picture = explanation_picture(np.zeros((height, width, 3), np.uint8), _peak(5, 5, 2, 2), legend=legend)
    assert max(picture.shape) <= MAX_SIDE_PX
    if legend is None:
        assert max(picture.shape) == min(MAX_SIDE_PX, max(width, height))


@pytest.mark.parametrize(("width", "height"), [(600, 450), (450, 600), (200, 150)], ids=["lying", "standing", "small"])
def test_picture_with_legend_covers_nothing_of_a_photo_that_fits(width: int, height: int) -> None:
    photo = np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)
    picture = explanation_picture(photo, _peak(5, 5, 1, 1), legend=LEGEND)
    np.testing.assert_array_equal(picture[:height, :width], overlay(photo, _peak(5, 5, 1, 1)))
    strip = strip_size(width)
    assert picture.shape == (height + strip.height, strip.width, 3)


@pytest.mark.parametrize(("width", "height"), [(4032, 3024), (3024, 4032), (1000, 2400)])
def test_picture_of_a_large_photo_keeps_its_proportions_above_the_legend(width: int, height: int) -> None:
    picture = explanation_picture(np.zeros((height, width, 3), np.uint8), np.ones((5, 5), np.float32), legend=LEGEND)
    shown_width = int((picture[0] < 255).any(axis=1).sum())
    shown_height = picture.shape[0] - strip_size(shown_width).height
    assert MAX_SIDE_PX - 10 < max(picture.shape) <= MAX_SIDE_PX
    assert shown_width / shown_height == pytest.approx(width / height, rel=0.005)


def test_picture_colours_rise_evenly_in_lightness() -> None:
    """What viridis is made for: equal steps of the scale are equal steps of lightness to the eye."""
    picture = explanation_picture(np.zeros((450, 600, 3), np.uint8), np.ones((5, 5), np.float32), legend=LEGEND)
    strip = picture[450:]
    row = cv2.cvtColor(strip[round(2.4 * strip_size(600).font)][np.newaxis].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, chroma = row[0, :, 0], np.hypot(row[0, :, 1], row[0, :, 2])
    bar = lightness[np.flatnonzero(chroma > 10)]
    assert len(bar) > 300
    steps = np.diff(bar[:: len(bar) // 16])
    assert steps.min() > 0
    assert steps.max() < 2.5 * steps.min()
