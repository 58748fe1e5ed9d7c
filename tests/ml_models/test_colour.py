"""Colour profiles: their numbers survive, their texts do not, and the model sees sRGB."""

import io
import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ml_models.colour import MAX_PROFILE_BYTES, matrix_profile, to_srgb
from ml_models.image_io import read_photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
DISPLAY_P3 = {  # colorants under D50: SMPTE EG 432-1 (2010), adapted as ICC.1 asks
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}


def with_colorants(colorants: dict[bytes, tuple[float, float, float]]) -> bytes:
    """The sRGB profile with other primaries, as phones write it."""
    profile = bytearray(SRGB)
    (count,) = struct.unpack_from(">I", profile, 128)
    for entry in range(count):
        name, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * entry)
        if name in colorants:
            struct.pack_into(">3i", profile, start + 8, *(round(value * 65536) for value in colorants[name]))
    return bytes(profile)


P3 = with_colorants(DISPLAY_P3)


def converted_by_pillow(rgb: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(Image.fromarray(rgb), source, ImageCms.createProfile("sRGB")))


@pytest.fixture
def colours() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (64, 96, 3), np.uint8)


def test_matrix_profile_keeps_the_colours(colours):
    rebuilt = matrix_profile(P3)
    assert (to_srgb(colours, rebuilt) == converted_by_pillow(colours, P3)).all()
    assert np.abs(to_srgb(colours, rebuilt).astype(int) - colours).mean() > 3


def test_matrix_profile_of_srgb_changes_nothing(colours):
    assert np.abs(to_srgb(colours, matrix_profile(SRGB)).astype(int) - colours).max() <= 1


def test_matrix_profile_drops_texts_dates_and_identifiers():
    marked = bytearray(P3)
    marked[24:36] = b"\x07\xe9" + bytes(10)  # year of creation
    marked[48:56] = b"MAKR\0\0\0\1"
    assert b"MAKR" not in matrix_profile(bytes(marked))
    assert matrix_profile(bytes(marked)) == matrix_profile(P3) == matrix_profile(P3 + b"GPS 48.85")


def test_matrix_profile_rebuilt_again_is_the_same():
    assert matrix_profile(matrix_profile(P3)) == matrix_profile(P3)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"x" * 200, P3[:140], P3[: len(P3) // 2], P3[:16] + b"CMYK" + P3[20:], P3 + bytes(MAX_PROFILE_BYTES)],
    ids=["empty", "noise", "table only", "half", "cmyk", "huge"],
)
def test_matrix_profile_damaged_or_foreign_is_none(damaged):
    assert matrix_profile(damaged) is None


def test_to_srgb_numbers_that_make_no_colours_change_nothing(colours):
    black = matrix_profile(with_colorants(dict.fromkeys(DISPLAY_P3, (0.0, 0.0, 0.0))))
    assert to_srgb(colours, black).shape == colours.shape


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_read_photo_shows_the_model_srgb(encode, lesion_rgb, image_format):
    plain = read_photo(encode(image_format, quality=95), model_input_px=2000)
    tagged = read_photo(encode(image_format, quality=95, icc_profile=P3), model_input_px=2000)
    assert np.abs(tagged.rgb.astype(int) - converted_by_pillow(plain.rgb, P3)).max() <= 1


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_stored_content_has_the_profile_that_it_was_classified_with(encode, image_format):
    first = read_photo(encode(image_format, icc_profile=P3), model_input_px=160)
    again = read_photo(first.content, model_input_px=160)
    assert Image.open(io.BytesIO(first.content)).info["icc_profile"] == matrix_profile(P3)
    assert (again.rgb == first.rgb).all()
    assert again.content == first.content


def test_read_photo_profile_in_several_parts_is_put_together(encode):
    """Profiles beyond 64 KB come in numbered parts, which need not be in order."""
    whole = encode("JPEG", icc_profile=P3)
    middle = len(P3) // 2
    parts = [b"ICC_PROFILE\0" + bytes((number, 2)) + part for number, part in ((2, P3[middle:]), (1, P3[:middle]))]
    segments = b"".join(b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part for part in parts)
    plain = encode("JPEG")
    split = plain[:2] + segments + plain[2:]
    assert read_photo(split, model_input_px=160).content == read_photo(whole, model_input_px=160).content


def test_read_photo_profile_that_inflates_without_end_is_left_out(encode):
    import zlib

    plain = encode("PNG")
    body = b"iCCPbomb\0\0" + zlib.compress(bytes(50 * 2**20), 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    bomb = plain[:33] + chunk + plain[33:]
    assert read_photo(bomb, model_input_px=160).content == read_photo(plain, model_input_px=160).content
