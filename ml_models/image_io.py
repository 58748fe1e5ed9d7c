"""Untrusted bytes to an upright RGB photo and to the clean bytes that may be stored.

What is classified is what is stored: pixels come from the cleaned file. Limits are read from the header first.
"""

import hashlib
import io
import struct
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from ml_models import heif, jpeg, png
from ml_models.colour import MAX_PROFILE_BYTES, matrix_profile, to_srgb
from ml_models.errors import (
    PhotoDimensions,
    PhotoError,
    PhotoMissing,
    PhotoTooLarge,
    PhotoTruncated,
    PhotoUnsupported,
)
from ml_models.exif import orientation

pillow_heif.register_heif_opener(thumbnails=False)
cv2.setNumThreads(1)  # one core per worker; OpenCV's own pool would fight with the other workers

SHORT_SIDE_MARGIN = 1.5
# Entropy-coded noise (no FF, which would be a marker), enough to change the first block that a cut scan lacks.
_FILLER = bytes(range(1, 255)) * 16
_PNG_OPTIONS = [
    # Twice as fast as the default filters and strategy at 9 % more bytes (12 MP photo: 0.30 s, 19 MB).
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG),
]
_WITH_ALPHA = 4
_STRIP_ROWS = 256
# What Pillow and its plug-ins raise on damaged files.
UNREADABLE = (OSError, ValueError, SyntaxError, TypeError, LookupError, RuntimeError, EOFError, struct.error)
# Formats without scaled decoding, and JPEGs in several scans, need hundreds of MB each.
_buffered_decoding = threading.Lock()
_MIRRORED = (2, 4, 5, 7)
_TURNS = {
    3: cv2.ROTATE_180,
    4: cv2.ROTATE_180,
    5: cv2.ROTATE_90_COUNTERCLOCKWISE,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_90_CLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_JPEG_MODES = {
    1: cv2.IMREAD_COLOR_RGB,  # OpenCV has names for the reduced ones in BGR and grey only
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_COLOR_RGB,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_COLOR_RGB,
}


class PhotoFormat(StrEnum):
    """What the bytes are, whatever the client called them."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIF = "heif"


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What is refused. Pixels are those of the header, before anything is decoded."""

    max_bytes: int = 25 * 1024 * 1024
    max_jpeg_pixels: int = 50_000_000
    max_other_pixels: int = 25_000_000
    max_decoded_pixels: int = 60_000_000  # of a HEIF file's tiles, which may go beyond the edge, and of its alpha
    max_scanned_pixels: int = 1_800_000_000  # of all components in all scans: 12 passes over a colour JPEG of 50 MP
    min_side_px: int = 64
    max_aspect: float = 8.0


@dataclass(frozen=True, slots=True)
class Photo:
    """One upright photo.

    `rgb` is sRGB uint8 [h, w, 3], possibly decoded at a reduced scale; `width_px` and `height_px` are the upright size
    of the original. `content` is the cleaned file to be stored: equal for equal uploads.
    """

    rgb: NDArray[np.uint8]
    width_px: int
    height_px: int
    format: PhotoFormat
    content: bytes
    content_suffix: str

    @property
    def content_sha256(self) -> str:
        """Digest of the cleaned file."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Pixels:
    """The picture of a photo alone: fields as in `Photo`."""

    rgb: NDArray[np.uint8]
    width_px: int
    height_px: int
    format: PhotoFormat


@dataclass(frozen=True, slots=True)
class _Header:
    format: PhotoFormat
    width_px: int
    height_px: int
    orientation: int
    profile: bytes | None  # rebuilt: only numbers

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height once the orientation is undone; 5 to 8 are a quarter turned."""
        size = (self.width_px, self.height_px)
        return size if self.orientation in range(1, 5) else size[::-1]


_DEFAULT_LIMITS = PhotoLimits()


def read_photo(data: bytes, *, model_input_px: int, limits: PhotoLimits = _DEFAULT_LIMITS) -> Photo:
    """Check, clean and decode one uploaded file.

    A JPEG is decoded at the smallest DCT scale whose short side is at least 1.5 times `model_input_px`. Other formats
    are decoded whole, one at a time, re-encoded losslessly as PNG, and shrunk as far. Raises PhotoError subclasses
    whose text says what to do.
    """
    if _is_jpeg(data, limits):
        header, content, rgb = _read_jpeg(data, limits, model_input_px)
        suffix = ".jpg"
    else:
        header, decodable = _read_other_header(data, limits)
        with _buffered_decoding:
            rgb = _decode_whole(decodable, header)
            content, suffix = _encode_png(rgb, header.profile), ".png"
            rgb = _shrunk(rgb, model_input_px)
    width_px, height_px = header.upright_size
    return Photo(
        rgb=to_srgb(rgb, header.profile),
        width_px=width_px,
        height_px=height_px,
        format=header.format,
        content=content,
        content_suffix=suffix,
    )


def read_pixels(data: bytes, *, model_input_px: int, limits: PhotoLimits = _DEFAULT_LIMITS) -> Pixels:
    """The same pixels as `read_photo`, checked in the same way, but no file to be stored is made of them."""
    if _is_jpeg(data, limits):
        header, _, rgb = _read_jpeg(data, limits, model_input_px)
    else:
        header, decodable = _read_other_header(data, limits)
        with _buffered_decoding:
            rgb = _shrunk(_decode_whole(decodable, header), model_input_px)
    width_px, height_px = header.upright_size
    return Pixels(to_srgb(rgb, header.profile), width_px, height_px, header.format)


def _is_jpeg(data: bytes, limits: PhotoLimits) -> bool:
    if not data:
        raise PhotoMissing("The image is empty. Choose a photo and send it again.")
    if len(data) > limits.max_bytes:
        raise PhotoTooLarge(
            f"The image has {len(data) / 2**20:.1f} MB; at most {limits.max_bytes / 2**20:.0f} MB are accepted. "
            "Send a smaller copy."
        )
    return data.startswith(jpeg.START)


def _read_jpeg(data: bytes, limits: PhotoLimits, model_input_px: int) -> tuple[_Header, bytes, NDArray[np.uint8]]:
    """Header, cleaned file and upright pixels; the colours are still those of the profile."""
    parts = jpeg.clean_jpeg(data)
    header = _read_header(parts.header(), limits, exif=parts.exif, icc=parts.icc)
    _check_scans(parts, header, limits)
    content = parts.content(orientation=header.orientation, profile=header.profile)
    with _buffered_decoding if parts.scans > 1 else nullcontext():
        return header, content, _decode_jpeg(content, parts, header, model_input_px)


def _read_other_header(data: bytes, limits: PhotoLimits) -> tuple[_Header, bytes]:
    """The header, and the bytes that may be decoded: of a PNG only what is picture."""
    if data.startswith(b"RIFF") and int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
    if not data.startswith(png.START):
        header = _read_header(data, limits)
        if header.format is PhotoFormat.HEIF and heif.decoded_pixels(data) > limits.max_decoded_pixels:
            raise PhotoTooLarge("The HEIC photo holds far more than it shows. Save it again as JPEG and send that.")
        return header, data
    parts = png.clean_png(data, max_profile_bytes=MAX_PROFILE_BYTES)
    content = parts.content()
    header = _read_header(content, limits, exif=parts.exif, icc=parts.icc)
    parts.check_amount()
    return header, content


def _read_header(data: bytes, limits: PhotoLimits, *, exif: bytes | None = None, icc: bytes | None = None) -> _Header:
    """Format, size, orientation and profile by content, checked against the limits, nothing decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "HEIF")) as image:
            photo_format = PhotoFormat(str(image.format).lower())
            _check_limits(photo_format, *image.size, limits)
            profile = matrix_profile(icc or image.info.get("icc_profile") or b"")
            if not image.info.get("primary", True):  # pillow_heif shows another where the main picture is broken
                raise PhotoTruncated("The HEIC photo is damaged or incomplete. Send the whole file again.")
            # libheif turns the photo upright itself.
            known = 1 if photo_format is PhotoFormat.HEIF else orientation(exif or image.info.get("exif"))
            return _Header(photo_format, *image.size, known, profile)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # a warning where -W error is set
        raise PhotoTooLarge("The image has far too many pixels. Send a smaller copy.") from error
    except UNREADABLE as error:
        raise PhotoUnsupported("This is not a photo that can be read. Send a JPEG, PNG, WebP or HEIC image.") from error


def _check_limits(photo_format: PhotoFormat, width_px: int, height_px: int, limits: PhotoLimits) -> None:
    pixels = width_px * height_px
    allowed = limits.max_jpeg_pixels if photo_format is PhotoFormat.JPEG else limits.max_other_pixels
    if pixels > allowed:
        raise PhotoTooLarge(
            f"The image has {pixels / 1e6:.0f} megapixels; at most {allowed / 1e6:.0f} are accepted for this format. "
            "Send a smaller copy."
        )
    short, long = sorted((width_px, height_px))
    if short < limits.min_side_px or long > limits.max_aspect * short:
        raise PhotoDimensions(
            f"The image is {width_px} x {height_px} pixels: too small or too thin to show a lesion. "
            f"Send a photo of at least {limits.min_side_px} pixels on each side, not a strip."
        )


def _check_scans(parts: jpeg.CleanJpeg, header: _Header, limits: PhotoLimits) -> None:
    if parts.component_passes * header.width_px * header.height_px > limits.max_scanned_pixels:
        raise PhotoTooLarge(f"The JPEG has {parts.scans} scans, too many for its size. Save it again as a plain JPEG.")


def _decode_jpeg(content: bytes, parts: jpeg.CleanJpeg, header: _Header, model_input_px: int) -> NDArray[np.uint8]:
    mode = _JPEG_MODES[_scale(min(header.width_px, header.height_px), model_input_px)]
    rgb = np.asarray(_imdecode(content, mode), np.uint8)
    # libjpeg paints what a cut file lacks in one grey, and says so only on stderr; but a photo may end in one colour.
    if (rgb[-1] == rgb[-1, 0]).all() and (_imdecode(parts.padded(_FILLER), mode) != rgb).any():
        raise PhotoTruncated("The lower part of the photo is missing. Send the whole file again.")
    return _upright(rgb, header.orientation)


def _decode_whole(data: bytes, header: _Header) -> NDArray[np.uint8]:
    """The first frame of a PNG, WebP or HEIF file, upright, alpha laid over white."""
    if header.format is PhotoFormat.HEIF:
        try:
            with Image.open(io.BytesIO(data), formats=("HEIF",)) as image:  # libheif turns the photo upright itself
                return _on_white(np.array(image.convert("RGBA" if image.has_transparency_data else "RGB")))
        except UNREADABLE as error:
            raise PhotoTruncated("The HEIC photo is damaged or incomplete. Send the whole file again.") from error
    pixels = _imdecode(data, cv2.IMREAD_UNCHANGED)
    if pixels.dtype == np.uint16:
        pixels = np.asarray(cv2.convertScaleAbs(pixels, alpha=1 / 257), np.uint8)
    if pixels.shape[2:] == ():
        return _upright(np.repeat(pixels[..., np.newaxis], 3, axis=2).astype(np.uint8, copy=False), header.orientation)
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == _WITH_ALPHA else cv2.COLOR_BGR2RGB
    return _upright(_on_white(np.asarray(cv2.cvtColor(pixels, order), np.uint8)), header.orientation)


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay [h, w, 4] over white, a strip of rows at a time: whole pictures in floating point would cost gigabytes."""
    if pixels.shape[2] != _WITH_ALPHA:
        return pixels
    rgb = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), _STRIP_ROWS):
        strip = pixels[top : top + _STRIP_ROWS].astype(np.float32)
        share = strip[..., 3:] / 255
        rgb[top : top + _STRIP_ROWS] = (strip[..., :3] * share + 255 * (1 - share)).round()
    return rgb


def _imdecode(data: bytes, mode: int) -> NDArray[np.uint8 | np.uint16]:
    """Decode with orientation left alone: OpenCV 5 would otherwise turn the photo a second time."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), mode | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise PhotoError("The photo is damaged. Save it again as JPEG or PNG and send that.") from error
    if pixels is None:
        raise PhotoTruncated("The photo is damaged or incomplete. Send the whole file again.")
    return np.asarray(pixels)


def _upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo EXIF orientation 1-8 (CIPA DC-008, 2023): mirror first, then turn."""
    if orientation in _MIRRORED:
        rgb = np.asarray(cv2.flip(rgb, 1), np.uint8)
    turn = _TURNS.get(orientation)
    return rgb if turn is None else np.asarray(cv2.rotate(rgb, turn), np.uint8)


def _shrunk(rgb: NDArray[np.uint8], model_input_px: int) -> NDArray[np.uint8]:
    """A whole picture at the scale at which a JPEG would have been decoded."""
    scale = _scale(min(rgb.shape[:2]), model_input_px)
    size = (-(-rgb.shape[1] // scale), -(-rgb.shape[0] // scale))
    return rgb if scale == 1 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _scale(short_side_px: int, model_input_px: int) -> int:
    """The largest of libjpeg's fast divisors that leaves a margin above the model's input."""
    needed = SHORT_SIDE_MARGIN * model_input_px
    return max(scale for scale in _JPEG_MODES if scale == 1 or short_side_px / scale >= needed)


def _encode_png(rgb: NDArray[np.uint8], profile: bytes | None) -> bytes:
    done, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), _PNG_OPTIONS)
    if not done:
        raise PhotoError("The photo could not be stored losslessly. Send it as JPEG.")
    return png.with_profile(bytes(encoded), profile) if profile else bytes(encoded)
