"""The one preprocessing function, against values that do not come from itself."""

from pathlib import Path

import numpy as np
import pytest

from ml_models.preprocess import InputSpec, crop_to_frame, frame_box, preprocess

SPEC = InputSpec(size_px=64)
GOLDEN = Path(__file__).with_name("golden_preprocess.npz")


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


def _overlaps(source: int, target: int) -> np.ndarray:
    """Share of every source pixel in every target pixel, [target, source]: averaging by area, written out."""
    factor = source / target
    edges = np.arange(target + 1) * factor
    pixels = np.arange(source)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return covered.clip(min=0) / factor


def _neighbours(source: int, target: int) -> np.ndarray:
    """Weights of the two nearest source pixels, [target, source]: bilinear, pixel centres aligned, edges repeated."""
    centres = ((np.arange(target) + 0.5) * source / target - 0.5).clip(0, source - 1)
    return (1 - np.abs(centres[:, None] - np.arange(source))).clip(min=0)


@pytest.mark.parametrize(
    ("height", "width", "weights"),
    [(150, 200, _overlaps), (97, 113, _overlaps), (45, 60, _neighbours), (150, 50, _neighbours)],
    ids=["shrink 4:3", "shrink odd", "enlarge", "mixed, cropped"],
)
def test_preprocess_agrees_with_the_written_out_reference(height: int, width: int, weights: object) -> None:
    photo = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    frame = photo[frame_box(height, width)].astype(np.float64)
    rows, columns = weights(frame.shape[0], 64), weights(frame.shape[1], 64)
    expected = np.einsum("ih,hwc,jw->ijc", rows, frame, columns)
    assert np.abs(preprocess(photo, SPEC) - expected).max() < 0.01


def test_preprocess_gives_the_golden_values() -> None:
    """Values of 2026-11, OpenCV 5.0: another library that moves them would move every shipped model's answers."""
    with np.load(GOLDEN, allow_pickle=False) as golden:
        for photo, expected in zip(golden["photos"], golden["inputs"], strict=True):
            assert np.abs(preprocess(photo, InputSpec(size_px=48)) - expected).max() < 1e-3
