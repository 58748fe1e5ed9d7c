"""Where the model looked: the linear class activation map.

With a head of global average pooling and one linear layer, Grad-CAM on the logits (Selvaraju 2017) equals the feature
map times the class's weights (Zhou 2016) up to the constant 1 / grid cells.
"""

import numpy as np
from numpy.typing import NDArray


def class_activation(
    feature_map: NDArray[np.float32], class_weights: NDArray[np.float32], class_index: int
) -> NDArray[np.float32]:
    """Positive evidence for one class, float32 [grid, grid], scaled so that its peak is 1 (all 0 without evidence).

    `feature_map` is [grid, grid, channels], `class_weights` [channels, classes].
    """
    evidence = np.maximum(feature_map @ class_weights[:, class_index], 0)
    peak = float(evidence.max())
    return np.asarray(evidence / peak if peak > 0 else evidence, dtype=np.float32)
