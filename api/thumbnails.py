"""Small pictures of stored photos, made when they are looked at: nothing more lies on disk to be forgotten."""

import cv2

from api.ml_utils import read_stored_photo
from api.models import PredictionImage, Scan


def thumbnail_jpeg(image: PredictionImage | Scan, *, max_side_px: int) -> bytes:
    """The stored photo, upright, its longer side at most `max_side_px`, as JPEG without metadata."""
    rgb = read_stored_photo(image.photo, model_input_px=max_side_px).rgb
    factor = min(1.0, max_side_px / max(rgb.shape[:2]))
    shrunk = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(shrunk, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return bytes(encoded)
