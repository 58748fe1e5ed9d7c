"""The one preprocessing function, against values that do not come from itself."""

import numpy as np
import pytest

from ml_models.preprocess import InputSpec, crop_to_frame, frame_box, preprocess

SPEC = InputSpec(size_px=64)


def test_preprocess_uniform_photo_stays_uniform() -> None:
    photo = np.full((150, 200, 3), (10, 120, 250), np.uint8)
    result = preprocess(photo, SPEC)
    assert result.dtype == np.float32
    assert result.shape == (64, 64, 3)
    assert np.allclose(result, (10, 120, 250))


def test_preprocess_halves_by_averaging_blocks() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    blocks = photo.reshape(64, 2, 64, 2, 3).astype(np.float64).mean(axis=(1, 3))
    assert np.abs(preprocess(photo, SPEC) - blocks).max() < 1e-3


def test_preprocess_same_size_changes_nothing() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert (preprocess(photo, SPEC) == photo).all()


def test_preprocess_enlarging_a_ramp_stays_monotone_and_in_range() -> None:
    ramp = np.repeat(np.linspace(0, 255, 40).astype(np.uint8)[np.newaxis, :, np.newaxis], 40, axis=0).repeat(3, axis=2)
    row = preprocess(ramp, SPEC)[32, :, 0]
    assert (np.diff(row) >= 0).all()
    assert row.min() >= 0
    assert row.max() <= 255


def test_preprocess_keeps_left_and_right() -> None:
    photo = np.zeros((150, 200, 3), np.uint8)
    photo[:, :100] = 255
    result = preprocess(photo, SPEC)
    assert np.allclose(result[:, :30], 255, atol=1e-3)
    assert np.allclose(result[:, 34:], 0, atol=1e-3)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (150, 200, (slice(0, 150), slice(0, 200))),
        (200, 150, (slice(0, 200), slice(0, 150))),
        (90, 160, (slice(0, 90), slice(20, 140))),
        (300, 100, (slice(83, 216), slice(0, 100))),
        (100, 100, (slice(0, 100), slice(0, 100))),
    ],
    ids=["4:3", "3:4", "16:9", "tall", "square"],
)
def test_frame_box_cuts_only_beyond_four_to_three(height: int, width: int, expected: tuple[slice, slice]) -> None:
    assert frame_box(height, width) == expected


def test_crop_to_frame_keeps_the_centre() -> None:
    photo = np.zeros((100, 400, 3), np.uint8)
    photo[50, 200] = 255
    assert crop_to_frame(photo).any()
