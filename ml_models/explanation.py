"""Where the model looked: the linear class activation map.

With a head of global average pooling and one linear layer, Grad-CAM on the logits (Selvaraju 2017) equals the feature
map times the class's weights (Zhou 2016) up to the constant 1 / grid cells.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.preprocess import frame_box

_OPACITY = 0.45


def class_activation(
    feature_map: NDArray[np.float32], class_weights: NDArray[np.float32], class_index: int
) -> NDArray[np.float32]:
    """Positive evidence for one class, float32 [grid, grid], scaled so that its peak is 1 (all 0 without evidence).

    `feature_map` is [grid, grid, channels], `class_weights` [channels, classes].
    """
    evidence = np.maximum(feature_map @ class_weights[:, class_index], 0)
    peak = float(evidence.max())
    return np.asarray(evidence / peak if peak > 0 else evidence, dtype=np.float32)


def overlay(rgb: NDArray[np.uint8], activation: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay an activation grid in 0-1 over the upright photo uint8 [h, w, 3] it was computed from; the same size.

    The grid covers the frame that the model saw; outside it the photo stays as it is. Colours are
    viridis (van der Walt and Smith 2015), perceptually uniform and readable without red-green vision.
    """
    box = frame_box(rgb.shape[0], rgb.shape[1])
    frame = rgb[box]
    smooth = cv2.resize(activation, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_CUBIC)
    levels = np.clip(255 * smooth, 0, 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    result = rgb.copy()
    result[box] = cv2.addWeighted(frame, 1 - _OPACITY, colours, _OPACITY, 0)
    return result
