"""The one preprocessing function, used by training, evaluation and serving alike.

Changing what it computes means a new `VERSION`; artefacts of another version are refused.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

VERSION = 1
# What phones and dermatoscope cameras take; wider frames lose their ends, so a lesion at the edge is rarely cut away.
MAX_ASPECT = 4 / 3


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the model eats: RGB float32 in 0-255, NHWC, square."""

    size_px: int
    preprocess_version: int = VERSION


def preprocess(rgb: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    """Turn an upright photo uint8 [H, W, 3] into the model's input, float32 [size_px, size_px, 3] in 0-255.

    The frame is kept whole up to `MAX_ASPECT` and squeezed to a square. Resizing happens in float32: rounding to 8 bit
    first would make the result depend on the SIMD path of the OpenCV build.
    """
    return resize(crop_to_frame(rgb), spec.size_px)


def crop_to_frame(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of [H, W, 3] that the model sees; a view."""
    return rgb[frame_box(rgb.shape[0], rgb.shape[1])]


def frame_box(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns left when the longer side is cut symmetrically to at most `MAX_ASPECT` times the shorter."""
    longest = round(min(height, width) * MAX_ASPECT)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return slice(top, top + min(height, longest)), slice(left, left + min(width, longest))


def resize(rgb: NDArray[np.uint8], size_px: int) -> NDArray[np.float32]:
    """Resize uint8 [H, W, 3] to float32 [size_px, size_px, 3]: area averaging to shrink, bilinear to enlarge."""
    height, width = rgb.shape[:2]
    shrinks = height >= size_px and width >= size_px
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(rgb.astype(np.float32), (size_px, size_px), interpolation=method)
    return np.asarray(resized, dtype=np.float32)
