"""Where the model looked: the linear class activation map, and the picture that shows it.

With a head of global average pooling and one linear layer, Grad-CAM on the logits (Selvaraju 2017) equals the feature
map times the class's weights (Zhou 2016) up to the constant 1 / grid cells.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.legend import Legend, legend_strip, strip_size
from ml_models.preprocess import frame_box

MAX_SIDE_PX = 1024
_OPACITY = 0.45
_COLOURS = cv2.COLORMAP_VIRIDIS  # van der Walt and Smith 2015: perceptually uniform, readable without red-green vision
_BACKGROUND = 255


def class_activations(feature_map: NDArray[np.float32], class_weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """What every cell adds to every class's logit, signed, float32 [classes, grid, grid].

    A class's cells sum to its logit less its bias. `feature_map` is [grid, grid, channels], `class_weights`
    [channels, classes].
    """
    cells = feature_map.shape[0] * feature_map.shape[1]
    return np.ascontiguousarray(np.moveaxis(feature_map @ class_weights / cells, -1, 0), dtype=np.float32)


def heat(activation: NDArray[np.float32]) -> NDArray[np.float32]:
    """The evidence for a class, float32 [grid, grid]: its activation without what is negative, its peak scaled to 1.

    All 0 where nothing speaks for the class.
    """
    evidence = np.maximum(activation, 0)
    peak = float(evidence.max())
    return np.asarray(evidence / peak if peak > 0 else evidence, dtype=np.float32)


def spread(grid: NDArray[np.float32], *, height: int, width: int) -> NDArray[np.float32]:
    """A grid of 0-1 over a frame of height x width pixels, smoothly, float32 in 0-1; cell edges lie on frame edges."""
    smooth = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth, 0, 1), dtype=np.float32)


def overlay(rgb: NDArray[np.uint8], grid: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay a grid of 0-1 over the upright photo uint8 [h, w, 3] that it is of; the same size.

    The grid covers the frame that the model saw; outside it the photo stays as it is.
    """
    box = frame_box(rgb.shape[0], rgb.shape[1])
    frame = rgb[box]
    result = rgb.copy()
    colours = _coloured(spread(grid, height=frame.shape[0], width=frame.shape[1]))
    result[box] = cv2.addWeighted(frame, 1 - _OPACITY, colours, _OPACITY, 0)
    return result


def explanation_picture(
    rgb: NDArray[np.uint8], grid: NDArray[np.float32], *, legend: Legend | None = None, max_side_px: int = MAX_SIDE_PX
) -> NDArray[np.uint8]:
    """The photo under its map, shrunk so that no side of the picture is longer than `max_side_px`; uint8 [h, w, 3].

    A legend goes into a strip below: the photo begins at the top left corner, and nothing of it is covered. The picture
    is wider than the photo where the legend needs the room.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, max_side_px / max(height, width))
    if legend:
        strip_height = strip_size(round(factor * width)).height
        factor = min(factor, (max_side_px - strip_height) / height)
    size = max(1, round(factor * width)), max(1, round(factor * height))
    shown = overlay(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8), grid)
    if legend is None:
        return shown
    strip = legend_strip(legend, _coloured(np.linspace(0, 1, 256, dtype=np.float32)[np.newaxis]), photo_width=size[0])
    picture = np.full((size[1] + strip.shape[0], strip.shape[1], 3), _BACKGROUND, np.uint8)
    picture[: size[1], : size[0]] = shown
    picture[size[1] :] = strip
    return picture


def _coloured(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours uint8 [h, w, 3] of levels in 0-1 [h, w]."""
    mapped = cv2.applyColorMap((255 * levels).astype(np.uint8), _COLOURS)
    return np.asarray(cv2.cvtColor(mapped, cv2.COLOR_BGR2RGB), np.uint8)
