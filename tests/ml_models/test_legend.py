"""The strip below a map."""

import numpy as np
import pytest

from ml_models.legend import MIN_WIDTH_PX, Legend, legend_strip, strip_size

COLOURS = np.tile(np.linspace(0, 255, 256, dtype=np.uint8)[np.newaxis, :, np.newaxis], (1, 1, 3))


def _strip(title: str = "Evidence", *, note: str = "97.5 %", width: int = 600) -> np.ndarray:
    return legend_strip(Legend(title, note=note, low="none", high="strongest"), COLOURS, photo_width=width)


def _written(strip: np.ndarray) -> np.ndarray:
    """Columns in which the title's line has ink."""
    line = strip[: round(1.6 * strip_size(strip.shape[1]).font)]
    return np.flatnonzero((line < 128).any(axis=(0, 2)))


@pytest.mark.parametrize("width", [64, 320, 600, 1024])
def test_strip_is_as_wide_as_its_photo_or_as_its_words_need(width: int) -> None:
    assert _strip(width=width).shape[1] == max(width, MIN_WIDTH_PX)


def test_strip_title_begins_left_and_note_ends_right() -> None:
    columns = _written(_strip())
    assert columns[0] < 20
    assert columns[-1] > 580


def test_strip_title_that_is_too_long_leaves_the_note_readable() -> None:
    note = _written(_strip("", note="97.5 %"))
    long, cut = _strip("Evidence " * 30), _written(_strip("Evidence " * 30))
    assert long.shape == _strip().shape
    np.testing.assert_array_equal(cut[cut >= note[0]], note)
    assert cut[cut < note[0]].max() < note[0] - 5


def test_strip_writes_spanish() -> None:
    assert (_strip("máximo") != _strip("m\uffffximo")).any()
    assert (_strip("máximo") != _strip("maximo")).any()
