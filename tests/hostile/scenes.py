"""Drawn photos, encoded in every way that the tests need; all deterministic and cached."""

import io
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from ml_pipeline.synthetic import Scene, draw

pillow_heif.register_heif_opener(thumbnails=False)

Rgb = NDArray[np.uint8]


@cache
def scene(lesion: str | None = "nv", *, width_px: int = 600, height_px: int = 450, seed: int = 11) -> Rgb:
    """A drawn lesion; nobody may write into it."""
    rgb = draw(Scene(lesion=lesion), width_px=width_px, height_px=height_px, seed=seed)
    rgb.flags.writeable = False
    return rgb


def encoded(image_format: str, picture: Rgb | Image.Image | None = None, **options: Any) -> bytes:
    """A file made by Pillow of a picture, or of the drawn mole."""
    if picture is None:
        picture = scene()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if image_format == "HEIF":
        options = {"enc_params": {"preset": "ultrafast"}} | options  # a twelfth of the time
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@cache
def plain(image_format: str) -> bytes:
    """The drawn mole without metadata: what hostile files are made from."""
    return encoded(image_format, **({"quality": 80} if image_format != "PNG" else {}))


@cache
def progressive_jpeg() -> bytes:
    """The drawn mole in about ten scans."""
    return encoded("JPEG", progressive=True, quality=80)
