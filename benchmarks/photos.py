"""The photos that speed is measured on: drawn, so that a fresh clone has them, or a person's own files.

Equal arguments give equal pixels. Nothing is kept on disk.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

from benchmarks.measuring import BenchmarkError
from ml_models.image_io import PhotoLimits
from ml_pipeline.synthetic import Scene, draw

PHONE = "phone JPEG"
DERMATOSCOPIC = "dermatoscopic JPEG"
HEIC = "phone HEIC"
FOLDER_SUFFIXES = (".jpg", ".jpeg", ".heic", ".png", ".webp")

_PHONE_PX = (4032, 3024)
_DERMATOSCOPIC_PX = (600, 450)
_DRAWN_SHARE = 4  # drawing takes seconds per megapixel; enlarging and noise do not
_SCENE = Scene("mel", skin_tone=0.2, lesion_scale=0.5, hair=10)
_SEED = 2026
# With these, 12 MP have 4 MB as from a phone, and a dermatoscopic photo 270 kB as in HAM10000's original resolution.
_PHONE_NOISE, _PHONE_QUALITY = 5.0, 95
_DERMATOSCOPIC_NOISE, _DERMATOSCOPIC_QUALITY = 8.0, 98
_HEIC_QUALITY = 60
_HEIC_PRESET = {"preset": "ultrafast"}  # x265's default takes ten seconds
_NOISE_TILE_PX = 512

_MAKE, _MODEL, _ORIENTATION, _DATE_TIME, _GPS = 0x010F, 0x0110, 0x0112, 0x0132, 0x8825
_ROTATE_CLOCKWISE_TO_VIEW = 6
# Display P3 (SMPTE EG 432-1, 2010), adapted to D50, in 1/65536: what iPhones write.
_DISPLAY_P3 = {
    b"rXYZ": (33759, 15807, -69),
    b"gXYZ": (19135, 45367, 2745),
    b"bXYZ": (10296, 4363, 51385),
}
_PROFILE_DATE = slice(24, 36)
_PROFILE_HEADER_BYTES, _TAG_HEADER_BYTES = 128, 8

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BenchmarkPhoto:
    """One uploaded file and what its rows are called. The size is the stored one, before its orientation is undone."""

    name: str
    content: bytes
    width_px: int
    height_px: int

    @property
    def size(self) -> str:
        """Pixels and bytes for reading."""
        megapixels = self.width_px * self.height_px / 1e6
        return f"{self.width_px} x {self.height_px}, {megapixels:.1f} MP, {len(self.content) / 1e6:.2f} MB"


def made_photos(*, shrink: int = 1) -> Sequence[BenchmarkPhoto]:
    """The phone JPEG, the dermatoscopic JPEG and the phone HEIC.

    The phone's photos are one scene. Their sides are divided by `shrink`.
    """
    picture = _phone_picture(shrink)
    width_px, height_px = _DERMATOSCOPIC_PX
    dermatoscopic = draw(Scene("mel", vignette=True), width_px=width_px, height_px=height_px, seed=_SEED)
    return (
        _photo(PHONE, phone_jpeg(picture), picture),
        _photo(
            DERMATOSCOPIC,
            _encoded(".jpg", _with_noise(dermatoscopic, _DERMATOSCOPIC_NOISE), _jpeg(_DERMATOSCOPIC_QUALITY)),
            dermatoscopic,
        ),
        _photo(HEIC, _heic(picture), picture),
    )


def made_memory_photos(*, shrink: int = 1) -> Iterator[BenchmarkPhoto]:
    """The files whose decoding is known to cost memory, one after the other: PNG, WebP, progressive, the largest."""
    picture, limits = _phone_picture(shrink), PhotoLimits()
    progressive = [*_jpeg(_PHONE_QUALITY), cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    yield _photo("progressive JPEG", _encoded(".jpg", picture, progressive), picture)
    yield _photo("PNG", _encoded(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1]), picture)
    yield _photo("WebP", _encoded(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 90]), picture)
    largest = _with_noise(_enlarged(_largest_px(limits.max_jpeg_pixels, shrink)), _PHONE_NOISE)
    yield _photo("largest JPEG", _encoded(".jpg", largest, _jpeg(_PHONE_QUALITY)), largest)
    smooth = _enlarged(_largest_px(limits.max_other_pixels, shrink))  # noise would exceed the limit in bytes
    yield _photo("largest PNG", _encoded(".png", smooth, [cv2.IMWRITE_PNG_COMPRESSION, 1]), smooth)


def photos_of(folder: Path) -> Sequence[BenchmarkPhoto]:
    """A person's own files, by name. Raises BenchmarkError when there are none, or one cannot be opened."""
    files = sorted(file for file in folder.glob("*") if file.suffix.lower() in FOLDER_SUFFIXES)
    if not files:
        raise BenchmarkError(f"{folder} holds no photo. Put {', '.join(FOLDER_SUFFIXES)} files there.")
    return [_photo_of(file) for file in files]


def phone_jpeg(picture: Rgb) -> bytes:
    """A file as a phone writes it: EXIF with GPS and orientation 6, Display P3, a second image at its end (MPF)."""
    exif = Image.Exif()
    exif[_MAKE], exif[_MODEL], exif[_DATE_TIME] = "Maker", "Phone 1", "2026:01:31 12:00:00"
    exif[_ORIENTATION] = _ROTATE_CLOCKWISE_TO_VIEW
    exif.get_ifd(_GPS).update({1: "N", 2: (48.0, 8.0, 12.5), 3: "E", 4: (11.0, 34.0, 1.5)})
    image = Image.fromarray(picture)
    second = image.resize((image.width // 8, image.height // 8))
    stream = io.BytesIO()
    options = {"quality": _PHONE_QUALITY, "exif": exif, "icc_profile": display_p3()}
    image.save(stream, "MPO", save_all=True, append_images=[second], **options)
    return stream.getvalue()


def display_p3() -> bytes:
    """An ICC profile with Display P3's colorants and sRGB's curves."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_DATE] = bytes(12)
    (count,) = struct.unpack_from(">I", profile, _PROFILE_HEADER_BYTES)
    for entry in range(count):
        name, start, _ = struct.unpack_from(">4sII", profile, _PROFILE_HEADER_BYTES + 4 + 12 * entry)
        if name in _DISPLAY_P3:
            struct.pack_into(">3i", profile, start + _TAG_HEADER_BYTES, *_DISPLAY_P3[name])
    return bytes(profile)


def _phone_picture(shrink: int) -> Rgb:
    width_px, height_px = _PHONE_PX
    return _with_noise(_enlarged((width_px // shrink, height_px // shrink)), _PHONE_NOISE)


def _largest_px(pixels: int, shrink: int) -> tuple[int, int]:
    """Width and height of a 4:3 picture of at most so many pixels."""
    height_px = int((pixels * 3 / 4) ** 0.5)
    return height_px * 4 // 3 // shrink, height_px // shrink


def _enlarged(size_px: tuple[int, int]) -> Rgb:
    width_px, height_px = (side // _DRAWN_SHARE for side in _PHONE_PX)
    drawn = draw(_SCENE, width_px=width_px, height_px=height_px, seed=_SEED)
    return np.asarray(cv2.resize(drawn, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)


def _with_noise(rgb: Rgb, sigma: float) -> Rgb:
    """A sensor's noise, one tile of it again and again: a JPEG of it costs as much as one of fresh noise."""
    tile = np.random.default_rng(_SEED).normal(0, sigma, (_NOISE_TILE_PX, _NOISE_TILE_PX, 3)).round().astype(np.int8)
    height_px, width_px = rgb.shape[:2]
    noise = np.tile(tile, (-(-height_px // _NOISE_TILE_PX), -(-width_px // _NOISE_TILE_PX), 1))[:height_px, :width_px]
    return np.asarray(cv2.add(rgb, np.ascontiguousarray(noise), dtype=cv2.CV_8U), np.uint8)


def _jpeg(quality: int) -> list[int]:
    return [cv2.IMWRITE_JPEG_QUALITY, quality]


def _encoded(suffix: str, rgb: Rgb, options: Sequence[int]) -> bytes:
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise BenchmarkError(f"This OpenCV cannot write {suffix}.")
    return bytes(encoded)


def _heic(rgb: Rgb) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(rgb)
    image.info["icc_profile"] = display_p3()
    pillow_heif.from_pillow(image).save(stream, quality=_HEIC_QUALITY, enc_params=_HEIC_PRESET)
    return stream.getvalue()


def _photo(name: str, content: bytes, rgb: Rgb) -> BenchmarkPhoto:
    return BenchmarkPhoto(name, content, rgb.shape[1], rgb.shape[0])


def _photo_of(file: Path) -> BenchmarkPhoto:
    try:
        with Image.open(file) as image:
            return BenchmarkPhoto(file.name, file.read_bytes(), *image.size)
    except OSError as error:
        raise BenchmarkError(f"{file} cannot be opened: {error}. Take it out of the folder.") from error
