"""The one preprocessing function, used by training, evaluation and serving alike.

Changing what it computes means a new `VERSION`; artefacts of another version are refused.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

VERSION = 1


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the model eats: RGB float32 0-255, NHWC, square `size_px`; wider frames are cropped to `max_aspect`."""

    size_px: int
    max_aspect: float = 4 / 3
    preprocess_version: int = VERSION


def preprocess(rgb: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    """Turn an upright photo uint8 [H, W, 3] into the model's input, float32 [size_px, size_px, 3] in 0-255.

    The frame is kept whole up to `max_aspect` (4:3, what phones and dermatoscope cameras take), so a lesion at the
    edge is not cut away, and squeezed to a square. Resizing happens in float32: rounding to 8 bit first would make the
    result depend on the SIMD path of the OpenCV build.
    """
    frame = crop_to_aspect(rgb, spec.max_aspect)
    return resize(frame, spec.size_px)


def crop_to_aspect(rgb: NDArray[np.uint8], max_aspect: float) -> NDArray[np.uint8]:
    """Cut the longer side of [H, W, 3] symmetrically so that long/short is at most `max_aspect`; a view."""
    height, width = rgb.shape[:2]
    longest = round(min(height, width) * max_aspect)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return rgb[top : top + min(height, longest), left : left + min(width, longest)]


def resize(rgb: NDArray[np.uint8], size_px: int) -> NDArray[np.float32]:
    """Resize uint8 [H, W, 3] to float32 [size_px, size_px, 3]: area averaging to shrink, bilinear to enlarge."""
    height, width = rgb.shape[:2]
    shrinks = height >= size_px and width >= size_px
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(rgb.astype(np.float32), (size_px, size_px), interpolation=method)
    return np.asarray(resized, dtype=np.float32)
