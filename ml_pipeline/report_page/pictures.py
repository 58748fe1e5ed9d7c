"""Pictures inside a page: arrays and files as data URIs."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 80]


def photo_uri(rgb: NDArray[np.uint8], *, long_side_px: int) -> str:
    """A photo uint8 [h, w, 3], shrunk to that long side, as JPEG."""
    small = shrunk(rgb, long_side_px=long_side_px)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), _JPEG)
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}"


def png_uri(data: bytes) -> str:
    """The bytes of a PNG."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def shrunk(rgb: NDArray[np.uint8], *, long_side_px: int) -> NDArray[np.uint8]:
    """The photo with at most that long side, by area averaging."""
    factor = min(1.0, long_side_px / max(rgb.shape[:2]))
    height_px, width_px = (max(1, round(side * factor)) for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)
