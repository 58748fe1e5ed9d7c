"""Small pictures of photos as data URIs, through the serving code's decoder."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml_models.errors import PhotoError
from ml_models.image_io import read_pixels
from ml_pipeline.data import fingerprint
from ml_pipeline.data.deduplicate import DECODED_FOR_PX
from ml_pipeline.report_page.page import Box
from ml_pipeline.report_page.pictures import photo_uri

_LONG_SIDE_PX = 120


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A data URI, empty where the file cannot be decoded, and the windows that the search of copies looks through."""

    uri: str = ""
    windows: tuple[Box, ...] = ()

    def window(self, view: str) -> Box | None:
        """The window of that name; None for the whole frame and where nothing is known."""
        index = fingerprint.VIEWS.index(view)
        return self.windows[index] if self.windows and index != fingerprint.FRAME else None


def thumbnail(path: Path) -> Thumbnail:
    """The thumbnail of a file, whatever its state."""
    try:
        rgb = read_pixels(path.read_bytes(), model_input_px=DECODED_FOR_PX).rgb
    except (OSError, PhotoError):
        return Thumbnail()
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    windows = fingerprint.windows(fingerprint.pyramid(grey))
    return Thumbnail(photo_uri(rgb, long_side_px=_LONG_SIDE_PX), tuple(_box(window) for window in windows))


def _box(window: fingerprint.Window) -> Box:
    """In percent, cut at the edges of the photo."""
    left, right = (np.clip(window.x + sign * window.half_width, 0, 1) for sign in (-1, 1))
    top, bottom = (np.clip(window.y + sign * window.half_height, 0, 1) for sign in (-1, 1))
    return Box(*(round(100 * float(value), 1) for value in (left, top, right - left, bottom - top)))
