"""What phones send, as whole HTTP requests: photos of every size and format, and now and then a file that is none."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from benchmarks.serving import FORM_TYPE, PREDICT_PATH, ROOT, form_body

pillow_heif.register_heif_opener(thumbnails=False)

_SAMPLE_NAMES = ("akiec", "bcc", "bkl", "dark_skin", "df", "hair", "mel", "nv", "scc")
_PHONE_PX = (1632, 1224)
_CAMERA_PX = (4000, 3000)
_HEIF_PX = (1024, 768)  # encoding takes seconds per megapixel
_SENSOR_NOISE = 6.0
_NOISE_TILE_PX = 256
_SHARES = {
    "dermatoscopic JPEG": 0.60,
    "phone JPEG, 2 MP": 0.26,
    "camera JPEG, 12 MP": 0.04,
    "PNG": 0.03,
    "WebP, 2 MP": 0.03,
    "HEIC, 0.8 MP": 0.02,
    "bad file": 0.02,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, encoded once; `expected` are the statuses of a server that does its work."""

    kind: str
    raw: bytes
    expected: frozenset[int] = frozenset({HTTPStatus.OK})


@dataclass(frozen=True, slots=True)
class Mix:
    """Requests by kind, and how often each kind is sent."""

    requests: Mapping[str, Sequence[Request]]
    shares: Mapping[str, float]

    def choose(self, rng: np.random.Generator) -> Request:
        """A request of a kind drawn by its share."""
        kinds, shares = list(self.shares), np.array(list(self.shares.values()))
        of_kind = self.requests[kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]]
        return of_kind[int(rng.integers(len(of_kind)))]

    def only(self, kind: str) -> "Mix":
        """The same photos of one kind."""
        return Mix({kind: self.requests[kind]}, {kind: 1.0})


def photo_mix(folder: Path | None = None, *, count: int = 9) -> Mix:
    """The mix of an ordinary day, made of `count` photos of `folder`, or of the drawn samples.

    Dermatoscopic photos are sent as they are; the larger ones are enlarged from them and get a sensor's noise.
    Raises ValueError for a folder without JPEG files.
    """
    files = _sample_files() if folder is None else sorted(folder.rglob("*.jpg"))
    if not files:
        raise ValueError(f"{folder} holds no *.jpg file. Name a folder of photos, or leave --photos out.")
    chosen = [files[round(at)] for at in np.linspace(0, len(files) - 1, min(count, len(files)))]
    pictures = [Image.open(file).convert("RGB") for file in chosen]
    small = [file.read_bytes() for file in chosen]
    files_of = {
        "dermatoscopic JPEG": small,
        "phone JPEG, 2 MP": [_encoded(_enlarged(each, _PHONE_PX), "JPEG", quality=90) for each in pictures[:4]],
        "camera JPEG, 12 MP": [_encoded(_enlarged(each, _CAMERA_PX), "JPEG", quality=92) for each in pictures[:2]],
        "PNG": [_encoded(each, "PNG") for each in pictures[:2]],
        "WebP, 2 MP": [_encoded(_enlarged(each, _PHONE_PX), "WEBP", method=0) for each in pictures[:2]],
        "HEIC, 0.8 MP": [_encoded(pictures[0].resize(_HEIF_PX), "HEIF", quality=60)],
    }
    requests = {kind: [Request(kind, predict_request(photo)) for photo in photos] for kind, photos in files_of.items()}
    refused = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})
    bad = (b"no photo at all", small[0][: len(small[0]) // 2])
    requests["bad file"] = [Request("bad file", predict_request(photo), refused) for photo in bad]
    return Mix(requests, _SHARES)


def dermatoscopic_mix() -> Mix:
    """The drawn samples alone, as they are: made at once, and light, so that many are answered in a second."""
    kind = "dermatoscopic JPEG"
    return Mix({kind: [Request(kind, predict_request(file.read_bytes())) for file in _sample_files()]}, {kind: 1.0})


def phone_mix() -> Mix:
    """Phone photos of 2 MP alone."""
    kind = "phone JPEG, 2 MP"
    pictures = (Image.open(file).convert("RGB") for file in _sample_files()[:4])
    photos = [_encoded(_enlarged(each, _PHONE_PX), "JPEG", quality=90) for each in pictures]
    return Mix({kind: [Request(kind, predict_request(photo)) for photo in photos]}, {kind: 1.0})


def predict_request(photo: bytes) -> bytes:
    """The phone app's post of one photo."""
    body = form_body(photo)
    head = f"POST {PREDICT_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM_TYPE}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get_request(path: str) -> Request:
    """A GET that must be answered with 200."""
    return Request(f"GET {path}", f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


def _sample_files() -> list[Path]:
    return [ROOT / "sample_images" / f"{name}.jpg" for name in _SAMPLE_NAMES]


def _enlarged(picture: Image.Image, size_px: tuple[int, int]) -> Image.Image:
    width_px, height_px = size_px
    enlarged = np.asarray(picture.resize(size_px, Image.Resampling.BICUBIC)).astype(np.int16)
    tile = np.random.default_rng(0).normal(0, _SENSOR_NOISE, (_NOISE_TILE_PX, _NOISE_TILE_PX, 3)).astype(np.int16)
    repeats = (-(-height_px // _NOISE_TILE_PX), -(-width_px // _NOISE_TILE_PX), 1)
    noisy: NDArray[np.int16] = enlarged + np.tile(tile, repeats)[:height_px, :width_px]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _encoded(picture: Image.Image, image_format: str, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, image_format, **options)
    return stream.getvalue()
