"""Opens every file once: whether it can be used, its digests, and its fingerprint for the search of copies."""

import dataclasses
import io
import warnings
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
import xxhash
from PIL import Image

from ml_models.errors import PhotoDimensions, PhotoError, PhotoMissing, PhotoTooLarge, PhotoTruncated
from ml_models.image_io import UNREADABLE, PhotoFormat, read_pixels
from ml_pipeline.data import fingerprint

VERSION = f"1.{fingerprint.VERSION}"  # of everything that decides a fact; facts of other versions are found again
_MIN_CONTRAST = 2.0  # standard deviation of grey levels; none of 19,809 real photos is below
_SUFFIXES = {
    PhotoFormat.JPEG: (".jpg", ".jpeg", ".jfif"),
    PhotoFormat.PNG: (".png",),
    PhotoFormat.WEBP: (".webp",),
    PhotoFormat.HEIF: (".heic", ".heif"),
}
_WHOLE = 1 << 20  # a model's input so large that every pixel of every photo is decoded


class FileStatus(StrEnum):
    """Whether a file can be used, or what is wrong with it."""

    OK = "ok"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    WRONG_SUFFIX = "wrong suffix"
    TOO_SMALL = "too small"
    TOO_LARGE = "too large"
    BLANK = "blank"
    ANIMATED = "animated"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file holds. Everything but `sha256`, `status` and `reason` is empty where it cannot be decoded.

    `pixel_digest` (XXH3, 128 bits) is over the upright sRGB pixels, which needs every pixel decoded: files that differ
    only in metadata or in lossless packing share it, together with the size. `signature` is that of `fingerprint`.
    """

    sha256: str
    status: FileStatus
    reason: str = ""
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    size_bytes: int = 0
    pixel_digest: str = ""
    signature: bytes = b""


def examine(data: bytes, sha256: str) -> FileFacts:
    """Facts of a file's bytes, whatever it is called."""
    size = len(data)
    try:
        if _frames(data) > 1:
            return FileFacts(sha256, FileStatus.ANIMATED, "several frames: save the right one alone", size_bytes=size)
        pixels = read_pixels(data, model_input_px=_WHOLE)
    except PhotoError as error:
        return FileFacts(sha256, _STATUS_OF.get(type(error), FileStatus.UNREADABLE), str(error), size_bytes=size)
    picture = fingerprint.pyramid(np.asarray(cv2.cvtColor(pixels.rgb, cv2.COLOR_RGB2GRAY), np.uint8))
    blank = float(cv2.meanStdDev(picture.levels[0])[1].item()) < _MIN_CONTRAST
    return FileFacts(
        sha256,
        FileStatus.BLANK if blank else FileStatus.OK,
        f"one colour: contrast under {_MIN_CONTRAST:g} of 255 grey levels" if blank else "",
        format=pixels.format,
        width_px=pixels.width_px,
        height_px=pixels.height_px,
        size_bytes=size,
        pixel_digest=xxhash.xxh3_128_hexdigest(np.ascontiguousarray(pixels.rgb).data),
        signature=b"" if blank else fingerprint.signature(picture).tobytes(),
    )


def named_as(facts: FileFacts, path: Path) -> FileFacts:
    """The same, or `WRONG_SUFFIX` where a good file's name promises another format."""
    if facts.status is not FileStatus.OK or path.suffix.lower() in (right := _SUFFIXES[PhotoFormat(facts.format)]):
        return facts
    reason = f"a {facts.format.upper()} named {path.suffix or 'without a suffix'}: rename it to {right[0]}"
    return dataclasses.replace(facts, status=FileStatus.WRONG_SUFFIX, reason=reason)


_STATUS_OF: dict[type[PhotoError], FileStatus] = {
    PhotoMissing: FileStatus.EMPTY,
    PhotoTruncated: FileStatus.TRUNCATED,
    PhotoDimensions: FileStatus.TOO_SMALL,
    PhotoTooLarge: FileStatus.TOO_LARGE,
}


def _frames(data: bytes) -> int:
    """Pictures in an animation; a JPEG is one, also with the previews that phones append (MPO)."""
    if data.startswith(b"\xff\xd8"):
        return 1
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=("PNG", "WEBP", "GIF", "TIFF")) as image,
        ):
            return int(getattr(image, "n_frames", 1))
    except (*UNREADABLE, Image.DecompressionBombError):
        return 1  # what else is wrong with it, decoding will say
