"""The class activation map and its overlay."""

import numpy as np

from ml_models.explanation import class_activation, overlay


def test_class_activation_peaks_where_the_evidence_is() -> None:
    features = np.zeros((5, 5, 2), np.float32)
    features[1, 3, 0], features[4, 0, 1] = 2.0, 9.0
    weights = np.array([[1.0, 0.0], [-1.0, 1.0]], np.float32)
    grid = class_activation(features, weights, 0)
    assert np.unravel_index(grid.argmax(), grid.shape) == (1, 3)
    assert grid.max() == 1
    assert grid.min() == 0


def test_class_activation_without_evidence_is_zero() -> None:
    grid = class_activation(np.ones((5, 5, 1), np.float32), np.array([[-1.0]], np.float32), 0)
    assert not grid.any()


def test_overlay_leaves_what_the_model_did_not_see() -> None:
    photo = np.full((90, 200, 3), 100, np.uint8)
    drawn = overlay(photo, np.ones((5, 5), np.float32))
    assert (drawn[:, :40] == 100).all()
    assert (drawn[:, 160:] == 100).all()
    assert (drawn[:, 60:140] != 100).any(axis=2).all()


def test_overlay_is_aligned_with_the_photo() -> None:
    grid = np.zeros((5, 5), np.float32)
    grid[0, 4] = 1
    drawn = overlay(np.zeros((300, 300, 3), np.uint8), grid).sum(axis=2)
    row, column = np.unravel_index(drawn.argmax(), drawn.shape)
    assert row < 90
    assert column > 210
