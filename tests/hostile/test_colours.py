"""A colour profile is applied once, to what the model sees, and only its numbers are stored."""

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ml_models.image_io import read_photo
from tests.hostile import jpegs, profiles
from tests.hostile.scenes import encoded, plain, scene

Rgb = NDArray[np.uint8]
WHOLE_PX = 2_000  # above any test photo: decoded at full scale

PROFILES: dict[str, bytes] = {
    "display-p3": profiles.profile(),
    "version-2": profiles.profile(version=2),
    "adobe-rgb": profiles.profile(profiles.ADOBE_RGB, curve=profiles.gamma(563 / 256)),
    "pure-gamma": profiles.profile(curve=profiles.parametric(0, 1.8)),
    "sampled-curve": profiles.profile(
        curve=profiles.sampled([round(65_535 * (index / 1023) ** 2.2) for index in range(1024)])
    ),
    "linear": profiles.profile(curve=b"curv" + bytes(8)),
}


def _converted(data: bytes, profile: bytes) -> Rgb:
    """The picture in sRGB, by Little CMS."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = image.convert("RGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    shown = ImageCms.profileToProfile(pixels, source, ImageCms.createProfile("sRGB"), renderingIntent=1)
    assert shown is not None
    return np.asarray(shown)


def _difference(left: Rgb, right: Rgb) -> NDArray[np.int_]:
    return np.abs(left.astype(int) - right)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_read_photo_shows_colours_as_little_cms_does(profile: bytes, image_format: str) -> None:
    options = {} if image_format == "PNG" else {"quality": 95}
    if image_format == "WEBP":
        options = {"lossless": True}
    data = encoded(image_format, icc_profile=profile, **options)
    difference = _difference(read_photo(data, model_input_px=WHOLE_PX).rgb, _converted(data, profile))
    assert difference.mean() < 1
    assert np.quantile(difference, 0.999) <= 4


def test_profiles_of_this_test_change_colours() -> None:
    """Otherwise the comparison above would hold without any conversion."""
    data = plain("PNG")
    assert all(_difference(_converted(data, profile), scene()).mean() > 3 for profile in PROFILES.values())


def test_read_photo_profile_in_many_shuffled_segments_is_applied() -> None:
    profile = PROFILES["sampled-curve"]
    size = 100
    count = -(-len(profile) // size)
    several = jpegs.icc_segments(profile, size=size).split(b"\xff\xe2")[1:]
    assert len(several) == count
    shuffled = b"".join(b"\xff\xe2" + segment for segment in reversed(several))
    in_order = read_photo(jpegs.planted(plain("JPEG"), jpegs.icc_segments(profile)), model_input_px=WHOLE_PX)
    in_disorder = read_photo(jpegs.planted(plain("JPEG"), shuffled), model_input_px=WHOLE_PX)
    np.testing.assert_array_equal(in_disorder.rgb, in_order.rgb)


def _without_count(profile: bytes) -> bytes:
    return profile[:128] + b"\xff\xff\xff\xff" + profile[132:]


UNUSABLE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: jpegs.icc_segments(b""),
    "words": lambda: jpegs.icc_segments(b"no profile at all"),
    "cut": lambda: jpegs.icc_segments(profiles.profile()[:200]),
    "of-four-billion-tags": lambda: jpegs.icc_segments(_without_count(profiles.profile())),
    "lacks-its-first-segment": lambda: jpegs.icc_segments(profiles.profile()[200:], numbers=[(2, 2)]),
    "numbered-zero": lambda: jpegs.icc_segments(profiles.profile(), numbers=[(0, 0)]),
    "in-255-large-segments": lambda: jpegs.icc_segments(bytes(255 * 60_000), size=60_000),
    "without-primaries": lambda: jpegs.icc_segments(profiles.profile({})),
    "primaries-of-zero": lambda: jpegs.icc_segments(
        profiles.profile(dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ"), (0.0, 0.0, 0.0)))
    ),
    "gamma-of-zero": lambda: jpegs.icc_segments(profiles.profile(curve=profiles.parametric(0, 0.0))),
    "gamma-of-thousands": lambda: jpegs.icc_segments(profiles.profile(curve=profiles.parametric(0, 30_000.0))),
    "dividing-by-zero": lambda: jpegs.icc_segments(
        profiles.profile(curve=profiles.parametric(3, 2.4, 0.0, 0.0, 0.0, 0.0))
    ),
    "curve-of-four-billion-samples": lambda: jpegs.icc_segments(
        profiles.profile(curve=b"curv\0\0\0\0\xff\xff\xff\xff" + bytes(100))
    ),
    "falling-curve": lambda: jpegs.icc_segments(profiles.profile(curve=profiles.sampled([65_535, 0]))),
    "of-a-printer": lambda: jpegs.icc_segments(profiles.profile(space=b"CMYK")),
    "of-a-grey-camera": lambda: jpegs.icc_segments(profiles.profile(space=b"GRAY")),
}


@pytest.mark.parametrize("make", UNUSABLE.values(), ids=UNUSABLE)
def test_read_photo_unusable_profile_stops_nothing(make: Callable[[], bytes]) -> None:
    photo = read_photo(jpegs.planted(plain("JPEG"), make()), model_input_px=WHOLE_PX)
    again = read_photo(photo.content, model_input_px=WHOLE_PX)
    assert photo.rgb.shape == scene().shape
    np.testing.assert_array_equal(again.rgb, photo.rgb)
    assert len(photo.content) < len(plain("JPEG")) + 2**20


@pytest.mark.parametrize("name", ["words", "cut", "lacks-its-first-segment", "without-primaries"])
def test_read_photo_profile_that_cannot_be_read_changes_no_colour(name: str) -> None:
    photo = read_photo(jpegs.planted(plain("JPEG"), UNUSABLE[name]()), model_input_px=WHOLE_PX)
    np.testing.assert_array_equal(photo.rgb, read_photo(plain("JPEG"), model_input_px=WHOLE_PX).rgb)


def test_read_photo_grey_profile_of_grey_jpeg_is_applied_or_dropped_alike() -> None:
    profile = profiles.profile(space=b"GRAY", curve=profiles.gamma(1.0))
    data = encoded("JPEG", Image.fromarray(scene()).convert("L"), icc_profile=profile)
    photo = read_photo(data, model_input_px=WHOLE_PX)
    assert (photo.rgb[..., 0] == photo.rgb[..., 1]).all()
    np.testing.assert_array_equal(read_photo(photo.content, model_input_px=WHOLE_PX).rgb, photo.rgb)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_stored_file_looks_alike_in_a_colour_managed_viewer(image_format: str) -> None:
    profile = PROFILES["display-p3"]
    photo = read_photo(encoded(image_format, icc_profile=profile), model_input_px=WHOLE_PX)
    kept = Image.open(io.BytesIO(photo.content)).info.get("icc_profile")
    shown = Image.open(io.BytesIO(photo.content)).convert("RGB")
    seen = np.asarray(shown) if kept is None else _converted(photo.content, kept)
    assert _difference(seen, photo.rgb).mean() < 1


def test_stored_profile_is_the_same_whatever_its_words_were() -> None:
    words = [profiles.profile(extra=profiles.mirrored_text(text)) for text in ("one", "another and longer")]
    contents = [
        read_photo(jpegs.planted(plain("JPEG"), jpegs.icc_segments(each)), model_input_px=WHOLE_PX).content
        for each in words
    ]
    assert all(left == right for left, right in pairwise(contents))


WORDS = b"a secret of 28 bytes or more"
NUMBERS_OF_WORDS = {
    "curves": profiles.profile(curve=b"para\0\0\0\0\0\4\0\0" + WORDS),
    "primaries": profiles.profile(extra=dict.fromkeys(profiles.DISPLAY_P3, b"XYZ \0\0\0\0" + WORDS[:12])),
}


@pytest.mark.parametrize("profile", NUMBERS_OF_WORDS.values(), ids=NUMBERS_OF_WORDS)
def test_stored_profile_has_no_words_for_numbers(profile: bytes) -> None:
    content = read_photo(jpegs.planted(plain("JPEG"), jpegs.icc_segments(profile)), model_input_px=WHOLE_PX).content
    assert WORDS[:12] not in content
