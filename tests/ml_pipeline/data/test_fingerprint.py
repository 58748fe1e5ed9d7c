"""Bits that follow a picture through flips and quarter turns, and windows that stay where a picture is."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_pipeline.data import fingerprint
from ml_pipeline.data.fingerprint import LESION, ORIENTATIONS, SIGNATURE_BYTES, VIEWS, Window, turned
from ml_pipeline.synthetic import Scene, draw
from tests.ml_pipeline.data.conftest import Photo, pyramid_of

BITS = 8 * SIGNATURE_BYTES


def signature_of(photo: Photo) -> Photo:
    return fingerprint.signature(pyramid_of(photo))


def turned_photo(photo: Photo, orientation: int) -> Photo:
    """By OpenCV, so that the module's own idea of a turn is not what it is measured by."""
    photo = np.ascontiguousarray(cv2.transpose(photo)) if orientation & 4 else photo
    photo = np.asarray(cv2.flip(photo, 0), np.uint8) if orientation & 2 else photo
    return np.asarray(cv2.flip(photo, 1), np.uint8) if orientation & 1 else photo


@pytest.mark.parametrize("size", [(300, 225), (225, 300), (641, 479), (767, 513), (224, 224), (150, 200)])
@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_oriented_signature_is_that_of_the_turned_picture(orientation: int, size: tuple[int, int]) -> None:
    photo = draw(Scene(lesion="mel", hair=8, shift_x=0.1, shift_y=-0.05), width_px=300, height_px=225, seed=4)
    photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    of_turned = signature_of(turned_photo(photo, orientation))
    by_bits = fingerprint.oriented(signature_of(photo), orientation)
    different = np.bitwise_count(by_bits ^ of_turned).sum(axis=1)
    assert different.max() <= 20  # resampling, and the pixel cut off an odd side, move coefficients across zero
    for other in set(range(ORIENTATIONS)) - {orientation}:
        wrong = np.bitwise_count(fingerprint.oriented(signature_of(photo), other) ^ of_turned).sum(axis=1)
        assert wrong.min() > 60


@given(st.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES), st.integers(0, ORIENTATIONS - 1))
def test_oriented_twice_there_and_back_is_the_same(bits: bytes, orientation: int) -> None:
    signatures = np.frombuffer(bits, np.uint8)[np.newaxis]
    back = {5: 6, 6: 5}.get(orientation, orientation)
    assert (fingerprint.oriented(fingerprint.oriented(signatures, orientation), back) == signatures).all()


@given(st.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES))
def test_keys_are_the_lowest_eight_by_eight_signs(bits: bytes) -> None:
    signatures = np.frombuffer(bits, np.uint8)[np.newaxis]
    table = np.unpackbits(signatures).reshape(16, 16)
    key = fingerprint.keys(signatures)
    assert np.bitwise_count(key[0]) == table[:8, :8].sum()
    high_frequencies_inverted = np.packbits(table ^ ~np.pad(np.full((8, 8), True), (0, 8)))[np.newaxis]
    assert fingerprint.keys(high_frequencies_inverted) == key
    one_low_inverted = table.copy()
    one_low_inverted[3, 7] ^= 1
    assert np.bitwise_count(fingerprint.keys(np.packbits(one_low_inverted)[np.newaxis]) ^ key)[0] == 1


def test_signature_tells_lesions_apart(lesions: Sequence[Photo]) -> None:
    frames = np.stack([signature_of(photo)[0] for photo in lesions])
    bits = np.bitwise_count(frames[:, np.newaxis] ^ frames).sum(axis=2)
    assert bits[~np.eye(len(frames), dtype=bool)].min() > 80  # no copy is looked for beyond


@pytest.mark.parametrize("size", [(600, 450), (1200, 900), (200, 150), (256, 256)])
def test_signature_hardly_depends_on_the_size(lesions: Sequence[Photo], size: tuple[int, int]) -> None:
    for photo in lesions[:6]:
        resized = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
        assert np.bitwise_count(signature_of(photo)[0] ^ signature_of(resized)[0]).sum() <= 12


@pytest.mark.parametrize("gain", [0.6, 1.2])
def test_signature_hardly_depends_on_the_brightness(lesions: Sequence[Photo], gain: float) -> None:
    for photo in lesions[:6]:
        other = np.clip(photo * gain, 0, 255).astype(np.uint8)
        assert np.bitwise_count(signature_of(photo)[0] ^ signature_of(other)[0]).sum() <= 30


def test_windows_lesion_follows_the_lesion() -> None:
    left, right = (
        fingerprint.windows(
            pyramid_of(draw(Scene(lesion="nv", lesion_scale=0.4, shift_x=x), width_px=300, height_px=225, seed=1))
        )[LESION]
        for x in (-0.25, 0.25)
    )
    assert left.x < 0.4
    assert right.x > 0.6
    assert left.y == pytest.approx(0.5, abs=0.1)


def test_windows_follow_their_names(lesions: Sequence[Photo]) -> None:
    named = fingerprint.windows(pyramid_of(lesions[0]))
    frame, square, frame_90, square_90, frame_80, square_80, lesion, wider, widest = named
    assert frame == Window(0.5, 0.5, 0.5, 0.5)
    assert square == Window(0.5, 0.5, 0.375, 0.5)  # of 300 x 225
    assert (frame_90.half_width, frame_80.half_height) == (0.45, 0.4)
    assert (square_90.half_width, square_80.half_height) == (pytest.approx(0.3375), 0.4)
    assert wider.half_width == pytest.approx(1.2 * lesion.half_width)
    assert widest.half_height == pytest.approx(1.5 * lesion.half_height)


def _patterns(height: int, width: int) -> dict[str, Photo]:
    rng = np.random.default_rng(1)
    spot = np.full((height, width), 200, np.uint8)
    spot[height // 2, width // 2] = 0
    halves = np.zeros((height, width), np.uint8)
    halves[:, width // 2 :] = 255
    return {
        "black": np.zeros((height, width), np.uint8),
        "white": np.full((height, width), 255, np.uint8),
        "gradient": np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1)),
        "noise": rng.integers(0, 256, (height, width), np.uint8),
        "one dark pixel": spot,
        "halves": halves,
    }


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (64, 64), (64, 512), (512, 64), (65, 511), (1500, 3000)])
@pytest.mark.parametrize("pattern", _patterns(1, 1))
def test_signature_of_any_picture_is_whole_and_its_windows_are_sane(pattern: str, size: tuple[int, int]) -> None:
    picture = fingerprint.pyramid(_patterns(*size)[pattern])
    assert fingerprint.signature(picture).shape == (len(VIEWS), SIGNATURE_BYTES)
    for window in fingerprint.windows(picture):
        assert 0 <= window.x <= 1
        assert 0 <= window.y <= 1
        assert 0 < min(window.half_width, window.half_height) <= max(window.half_width, window.half_height) < 3
        sample = fingerprint.sampled(picture, window, side_px=32)
        assert sample.shape == (32, 32)
        assert 0 <= sample.min() <= sample.max() <= 255


@settings(max_examples=40)
@given(st.integers(1, 90), st.integers(1, 90), st.data())
def test_signature_of_any_pixels_does_not_raise(height: int, width: int, data: st.DataObject) -> None:
    pixels = data.draw(st.binary(min_size=height * width, max_size=height * width))
    grey = np.frombuffer(pixels, np.uint8).reshape(height, width)
    assert fingerprint.signature(fingerprint.pyramid(grey)).shape == (len(VIEWS), SIGNATURE_BYTES)


def test_pyramid_keeps_the_size_and_halves_the_levels(lesions: Sequence[Photo]) -> None:
    picture = pyramid_of(lesions[0])
    assert (picture.width_px, picture.height_px) == (300, 225)
    assert [level.shape for level in picture.levels] == [(256, 256), (128, 128), (64, 64)]


def test_turned_pictures_are_eight_different_ones() -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3)
    seen = {(turned(picture, orientation).shape, turned(picture, orientation).tobytes()) for orientation in range(8)}
    assert len(seen) == ORIENTATIONS
