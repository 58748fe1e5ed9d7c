"""The comparison on pixels: high for one photograph, low for two lesions, defined for everything."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_pipeline.data import fingerprint
from ml_pipeline.data.changes import CHANGES, blurred, cropped, gamma, in_turn, recoloured, recompressed, resized
from ml_pipeline.data.deduplicate import Limits
from ml_pipeline.data.fingerprint import FRAME, LESION, LESION_WIDEST, ORIENTATIONS, Window
from ml_pipeline.data.match import Framed, correlation
from tests.ml_pipeline.data.conftest import Photo, pyramid_of

WHOLE = Window(0.5, 0.5, 0.5, 0.5)
JOINED = Limits().correlation


def compared(left: Photo, right: Photo, *, view: int = FRAME, orientation: int = 0) -> float:
    one, other = (pyramid_of(photo) for photo in (left, right))
    return correlation(
        Framed(one, fingerprint.windows(one)[view]),
        Framed(other, fingerprint.windows(other)[view]),
        orientation=orientation,
    )


@pytest.mark.parametrize(
    "change",
    [
        "resized to half",
        "enlarged by half",
        "JPEG quality 30",
        "squashed to 256 x 256",
        "white balance",
        "brighter (gamma 0.6)",
        "darker (gamma 1.6)",
        "blurred",
    ],
)
def test_correlation_of_a_changed_copy_is_far_above_the_limit(lesions: Sequence[Photo], change: str) -> None:
    rng = np.random.default_rng(0)
    assert min(compared(photo, CHANGES[change](photo, rng)) for photo in lesions) > JOINED + 0.1


def test_correlation_of_different_lesions_is_far_below_the_limit(lesions: Sequence[Photo]) -> None:
    highest = max(
        compared(left, right, view=view)
        for left, right in itertools.combinations(lesions[:10], 2)
        for view in (FRAME, LESION_WIDEST)
    )
    assert highest < JOINED - 0.1


def test_correlation_of_the_same_kind_of_lesion_is_below_the_limit(lesions: Sequence[Photo]) -> None:
    pairs = zip(lesions[:8], lesions[8:], strict=True)  # two of each class
    assert max(compared(*pair, orientation=o) for pair in pairs for o in range(ORIENTATIONS)) < JOINED - 0.1


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_correlation_needs_the_right_orientation(lesions: Sequence[Photo], orientation: int) -> None:
    photo = lesions[2]
    turned = np.ascontiguousarray(photo.swapaxes(0, 1) if orientation & 4 else photo)
    turned = turned[:: -1 if orientation & 2 else 1, :: -1 if orientation & 1 else 1]
    scores = [compared(photo, turned, orientation=each) for each in range(ORIENTATIONS)]
    assert int(np.argmax(scores)) == orientation
    assert scores[orientation] > 0.95
    assert sorted(scores)[-2] < JOINED


def test_correlation_aligns_a_cut_off_the_centre(lesions: Sequence[Photo]) -> None:
    for photo in lesions[:8]:
        assert compared(photo, photo[4:, 9:]) > JOINED


def test_correlation_survives_several_changes_at_once(lesions: Sequence[Photo]) -> None:
    change = in_turn(resized(0.6), recoloured, gamma(0.8), blurred, recompressed(40), cropped(0.98))
    assert min(compared(photo, change(photo, np.random.default_rng(0))) for photo in lesions) > JOINED


@pytest.mark.parametrize("view", [FRAME, LESION, LESION_WIDEST])
def test_correlation_decides_the_same_the_other_way_round(lesions: Sequence[Photo], view: int) -> None:
    change = in_turn(recompressed(30), cropped(0.95))
    for photo, unlike in itertools.pairwise(lesions[:7]):
        copy = change(photo, np.random.default_rng(0))
        assert min(compared(photo, copy, view=view), compared(copy, photo, view=view)) > JOINED
        assert max(compared(unlike, copy, view=view), compared(copy, unlike, view=view)) < JOINED - 0.1


def test_correlation_does_not_depend_on_brightness_or_contrast(lesions: Sequence[Photo]) -> None:
    for photo in lesions[:4]:
        assert compared(photo, (40 + photo * 0.6).astype(np.uint8)) > 0.97


def _degenerate() -> dict[str, Photo]:
    checks = np.indices((128, 128)).sum(axis=0) % 2
    spot = np.full((128, 128), 180, np.uint8)
    spot[64, 64] = 0
    return {
        "black": np.zeros((128, 128), np.uint8),
        "white": np.full((128, 128), 255, np.uint8),
        "checks": np.asarray(255 * checks, np.uint8),
        "spot": spot,
        "thin": np.tile(np.arange(200, dtype=np.uint8), (25, 1)),
        "noise": np.random.default_rng(0).integers(0, 256, (128, 128), np.uint8),
        "one pixel": np.full((1, 1), 9, np.uint8),
    }


@pytest.mark.parametrize(("left", "right"), list(itertools.combinations_with_replacement(_degenerate(), 2)))
def test_correlation_of_degenerate_pictures_is_a_number_and_no_match(left: str, right: str) -> None:
    one, other = (fingerprint.pyramid(_degenerate()[name]) for name in (left, right))
    for view, orientation in itertools.product((FRAME, LESION_WIDEST), (0, 5)):
        framed = (Framed(each, fingerprint.windows(each)[view]) for each in (one, other))
        value = correlation(*framed, orientation=orientation)
        assert -1 <= value <= 1 + 1e-6
        assert value < JOINED or (left == right and left not in ("black", "white", "one pixel"))


@settings(max_examples=60)
@given(st.data())
def test_correlation_of_any_pixels_through_any_windows_is_never_nan(data: st.DataObject) -> None:
    framed = []
    for _ in range(2):
        height, width = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
        pixels = np.frombuffer(data.draw(st.binary(min_size=height * width, max_size=height * width)), np.uint8)
        centre, extent = st.floats(0, 1), st.floats(1e-3, 3)
        window = Window(*(data.draw(each) for each in (centre, centre, extent, extent)))
        framed.append(Framed(fingerprint.pyramid(pixels.reshape(height, width)), window))
    assert -1 <= correlation(*framed, orientation=data.draw(st.integers(0, 7))) <= 1 + 1e-6
