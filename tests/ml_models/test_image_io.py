"""From untrusted bytes to an upright photo and clean content."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ml_models import image_io
from ml_models.errors import (
    PhotoDimensions,
    PhotoError,
    PhotoMissing,
    PhotoTooLarge,
    PhotoTruncated,
    PhotoUnsupported,
)
from ml_models.image_io import PhotoFormat, PhotoLimits, read_photo

Encode = Callable[..., bytes]
ORIENTATION = 0x0112


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif.get_ifd(0x8825)[1] = "N"  # a GPS block
    exif[0x010E] = "SECRET-PLACE"
    return exif


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_read_photo_recognises_format_by_content(encode: Encode, image_format: str) -> None:
    photo = read_photo(encode(image_format), model_input_px=160)
    assert photo.format is PhotoFormat(image_format.lower())
    assert (photo.width_px, photo.height_px) == (600, 450)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_read_photo_shows_what_was_encoded(encode: Encode, lesion_rgb: NDArray[np.uint8], image_format: str) -> None:
    photo = read_photo(encode(image_format, quality=95), model_input_px=2000)
    assert np.abs(photo.rgb.astype(int) - lesion_rgb).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_read_photo_undoes_orientation_exactly_once(encode: Encode, image_format: str, orientation: int) -> None:
    data = encode(image_format, exif=_exif(orientation), quality=95)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    photo = read_photo(data, model_input_px=2000)
    assert (photo.height_px, photo.width_px) == expected.shape[:2]
    assert np.abs(photo.rgb.astype(int) - expected).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_stored_content_gives_the_very_pixels_that_were_classified(
    encode: Encode, image_format: str, orientation: int
) -> None:
    first = read_photo(encode(image_format, exif=_exif(orientation)), model_input_px=160)
    again = read_photo(first.content, model_input_px=160)
    assert (again.rgb == first.rgb).all()
    assert again.content == first.content


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_stored_content_holds_no_metadata(encode: Encode, image_format: str) -> None:
    data = encode(image_format, exif=_exif(6).tobytes())
    assert b"SECRET-PLACE" in data
    assert b"SECRET-PLACE" not in read_photo(data, model_input_px=160).content


def test_stored_jpeg_keeps_scan_data_and_drops_comment_xmp_and_trailer(encode: Encode) -> None:
    plain = encode("JPEG")
    xmp = b"http://ns.adobe.com/xap/1.0/\0SECRET-XMP"
    dirty = (
        plain[:2]
        + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp
        + b"\xff\xfe" + struct.pack(">H", 8) + b"SECRET"
        + plain[2:]
        + b"SECRET-TRAILER"
    )  # fmt: skip
    assert read_photo(dirty, model_input_px=160).content == read_photo(plain, model_input_px=160).content
    assert b"SECRET" not in read_photo(dirty, model_input_px=160).content


def test_progressive_jpeg_survives_cleaning(encode: Encode) -> None:
    photo = read_photo(encode("JPEG", progressive=True, quality=90), model_input_px=2000)
    baseline = read_photo(encode("JPEG", quality=90), model_input_px=2000)
    assert np.abs(photo.rgb.astype(int) - baseline.rgb).mean() < 1


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize(("model_input_px", "expected"), [(160, 450), (150, 225), (75, 113), (37, 57), (10, 57)])
def test_read_photo_scale_leaves_one_and_a_half_times_the_input(
    encode: Encode, image_format: str, model_input_px: int, expected: int
) -> None:
    assert min(read_photo(encode(image_format), model_input_px=model_input_px).rgb.shape[:2]) == expected


def test_read_photo_transparent_png_lies_on_white(encode: Encode) -> None:
    rgba = np.zeros((100, 100, 4), np.uint8)
    rgba[:50, :, 3] = 255
    photo = read_photo(encode("PNG", rgba), model_input_px=64)
    assert (photo.rgb[:50] == 0).all()
    assert (photo.rgb[50:] == 255).all()


def test_read_photo_sixteen_bit_grey_png_keeps_its_tones(encode: Encode) -> None:
    grey = np.linspace(0, 65535, 100 * 100).astype(np.uint16).reshape(100, 100)
    photo = read_photo(encode("PNG", grey), model_input_px=64)
    assert np.abs(photo.rgb[..., 0].astype(int) - (grey / 257).round()).max() <= 1


def test_read_photo_palette_png_has_its_colours(encode: Encode, lesion_rgb: NDArray[np.uint8]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(lesion_rgb).quantize(64).save(buffer, "PNG")
    photo = read_photo(buffer.getvalue(), model_input_px=2000)
    assert np.abs(photo.rgb.astype(int) - lesion_rgb).mean() < 8


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", PhotoMissing),
        (b"hello", PhotoUnsupported),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PhotoUnsupported),
        (b"%PDF-1.7\n", PhotoUnsupported),
        (b"PK\x03\x04" + bytes(100), PhotoUnsupported),
        (b"GIF89a" + bytes(100), PhotoUnsupported),
        (b"\xff\xd8\xff", PhotoTruncated),
        (b"\x89PNG\r\n\x1a\n", PhotoTruncated),
    ],
    ids=["empty", "text", "svg", "pdf", "zip", "gif", "jpeg stub", "png stub"],
)
def test_read_photo_no_photo_is_refused(data: bytes, error: type[PhotoError]) -> None:
    with pytest.raises(error):
        read_photo(data, model_input_px=160)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_read_photo_truncated_is_refused(encode: Encode, image_format: str) -> None:
    data = encode(image_format)
    with pytest.raises((PhotoTruncated, PhotoUnsupported)):
        read_photo(data[: len(data) * 2 // 3], model_input_px=160)


def test_read_photo_too_many_bytes_is_refused(lesion_jpeg: bytes) -> None:
    with pytest.raises(PhotoTooLarge, match="MB"):
        read_photo(lesion_jpeg, model_input_px=160, limits=PhotoLimits(max_bytes=1000))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_read_photo_too_many_pixels_is_refused_without_decoding(
    encode: Encode, image_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = PhotoLimits(max_jpeg_pixels=200_000, max_other_pixels=200_000)
    monkeypatch.setattr(image_io, "_decode_jpeg", None)
    monkeypatch.setattr(image_io, "_decode_whole", None)
    with pytest.raises(PhotoTooLarge, match="megapixels"):
        read_photo(encode(image_format), model_input_px=160, limits=limits)


@pytest.mark.parametrize("shape", [(63, 100), (70, 600)], ids=["small", "thin"])
def test_read_photo_too_small_or_thin_is_refused(encode: Encode, shape: tuple[int, int]) -> None:
    with pytest.raises(PhotoDimensions):
        read_photo(encode("PNG", np.zeros((*shape, 3), np.uint8)), model_input_px=160)


@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20), head=st.booleans())
def test_read_photo_mutated_jpeg_gives_a_photo_or_a_photo_error(
    lesion_jpeg: bytes, places: list[tuple[float, int]], *, head: bool
) -> None:
    data = bytearray(lesion_jpeg)
    for position, value in places:
        data[int(position * ((700 if head else len(data)) - 1))] = value
    with contextlib.suppress(PhotoError):
        assert read_photo(bytes(data), model_input_px=160).rgb.shape[2] == 3


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 4}], ids=str)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_read_photo_cut_jpeg_with_an_end_marker_is_refused(
    encode: Encode, share: float, options: dict[str, int]
) -> None:
    whole = encode("JPEG", quality=90, **options)
    with pytest.raises(PhotoTruncated, match="lower part"):
        read_photo(whole[: int(share * len(whole))] + b"\xff\xd9", model_input_px=160)


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(
    "planted",
    [
        _segment(0xE0, b"JFIF\0" + bytes(9) + b"SECRET"),
        _segment(0xE0, b"JFXX\0SECRET"),
        _segment(0xE1, b"Exif\0\0SECRET"),
        _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0SECRET"),
        _segment(0xE2, b"MPF\0SECRET"),
        _segment(0xED, b"Photoshop 3.0\0SECRET"),
        _segment(0xEE, b"Adobe\0\x64\0\0\0\0\1SECRET"),
        *(_segment(marker, b"SECRET") for marker in (0xE3, 0xEB, 0xEF, 0xF0, 0xFD, 0xFE, 0xDC, 0xDF, 0xC8)),
        b"SECRET",
    ],
    ids=lambda planted: planted[:14].hex(),
)
def test_stored_jpeg_keeps_nothing_planted_between_its_segments(encode: Encode, planted: bytes) -> None:
    plain = encode("JPEG")
    photo = read_photo(plain[:2] + planted + plain[2:], model_input_px=160)
    assert b"SECRET" not in photo.content
    assert (photo.rgb == read_photo(plain, model_input_px=160).rgb).all()


def _with_scans(jpeg: bytes, count: int) -> bytes:
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[start:-2] * count + b"\xff\xd9"


def test_read_photo_usual_number_of_scans_is_accepted(encode: Encode) -> None:
    assert read_photo(encode("JPEG", progressive=True), model_input_px=160).rgb.any()


def test_read_photo_very_many_scans_are_refused_before_decoding(encode: Encode) -> None:
    with pytest.raises(PhotoUnsupported, match="scans"):
        read_photo(_with_scans(encode("JPEG", progressive=True), 60), model_input_px=160)


def test_read_photo_scans_too_many_for_its_size_are_refused_before_decoding(encode: Encode) -> None:
    limits = PhotoLimits(max_scanned_pixels=600 * 450 * 20)
    with pytest.raises(PhotoTooLarge, match="scans"):
        read_photo(_with_scans(encode("JPEG", progressive=True), 15), model_input_px=160, limits=limits)


def test_read_photo_very_many_chunks_are_refused(encode: Encode) -> None:
    plain = encode("PNG")
    empty = struct.pack(">I4sI", 0, b"tEXt", zlib.crc32(b"tEXt"))
    with pytest.raises(PhotoUnsupported, match="chunks"):
        read_photo(plain[:33] + empty * 60_000 + plain[33:], model_input_px=160)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=str)
@pytest.mark.parametrize("grey", [127, 128])
def test_read_photo_as_grey_as_an_undecoded_one_is_whole(encode: Encode, grey: int, options: dict[str, int]) -> None:
    photo = read_photo(encode("JPEG", np.full((400, 400, 3), grey, np.uint8), **options), model_input_px=160)
    assert (photo.rgb == grey).all()


def test_read_photo_very_many_segments_are_refused(lesion_jpeg: bytes) -> None:
    with pytest.raises(PhotoUnsupported, match="segments"):
        read_photo(lesion_jpeg[:2] + _segment(0xFE, b"") * 2000 + lesion_jpeg[2:], model_input_px=160)


def test_read_photo_long_padding_is_skipped(encode: Encode) -> None:
    plain = encode("JPEG")
    photo = read_photo(plain[:2] + b"\xff" * 5_000_000 + plain[2:], model_input_px=160)
    assert photo.content == read_photo(plain, model_input_px=160).content


def test_read_photo_transparent_heif_lies_on_white(encode: Encode) -> None:
    rgba = np.zeros((128, 128, 4), np.uint8)
    assert (read_photo(encode("HEIF", rgba), model_input_px=64).rgb > 250).all()
