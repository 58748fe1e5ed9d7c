"""Random changes to training photos. Pure: the randomness is passed in."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_pipeline.training.recipes.recipe import Augmentation
from ml_pipeline.training.sharpness import recompress

_MEAN_GREY = 128.0


def augment(
    frame: NDArray[np.uint8], *, size_px: int, strength: Augmentation, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Change a frame uint8 [H, W, 3] at random into a training input float32 [size_px, size_px, 3] in 0-255.

    With everything switched off this is the frame squeezed to a square, as `preprocess` does it.
    """
    softened = _jpeg(_soften(frame, strength.soften, rng), strength.jpeg, rng)
    matrix = _random_affine(frame.shape[0], frame.shape[1], size_px, strength, rng)
    warped = cv2.warpAffine(
        softened, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return _erase(_recolour(warped.astype(np.float32), strength, rng), strength.erase, rng)


def _random_affine(
    height: int, width: int, size_px: int, strength: Augmentation, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Source-to-target matrix [2, 3]: flip, rotate in true proportions, then squeeze as the rotated frame would be."""
    angle = rng.uniform(0, 2 * math.pi) if strength.rotate else 0.0
    cos, sin = math.cos(angle), math.sin(angle)
    frame_width = width * cos**2 + height * sin**2
    frame_height = width * sin**2 + height * cos**2
    scale = math.exp(rng.uniform(-strength.scale, strength.scale))
    stretch = math.exp(rng.uniform(-strength.aspect, strength.aspect) / 2)
    flip = rng.choice((-1.0, 1.0)) if strength.flip else 1.0
    squeeze = np.diag([scale * stretch * size_px / frame_width, scale / stretch * size_px / frame_height])
    linear = squeeze @ np.array([[cos, -sin], [sin, cos]]) @ np.diag([flip, 1.0])
    shift = rng.uniform(-strength.shift, strength.shift, size=2) * size_px
    source_centre = np.array([(width - 1) / 2, (height - 1) / 2])
    target_centre = np.full(2, (size_px - 1) / 2)
    return np.column_stack([linear, target_centre + shift - linear @ source_centre])


def _soften(frame: NDArray[np.uint8], probability: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    if rng.random() >= probability:
        return frame
    height, width = frame.shape[:2]
    factor = rng.uniform(0.4, 0.9)
    small = cv2.resize(frame, (max(8, int(width * factor)), max(8, int(height * factor))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _jpeg(frame: NDArray[np.uint8], probability: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    return recompress(frame, int(rng.integers(40, 95))) if rng.random() < probability else frame


def _recolour(image: NDArray[np.float32], strength: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    gain = 1 + rng.uniform(-strength.brightness, strength.brightness)
    gains = gain * (1 + rng.uniform(-strength.cast, strength.cast, size=3))
    contrast = 1 + rng.uniform(-strength.contrast, strength.contrast)
    mean = image.mean(axis=(0, 1))
    changed = ((image - mean) * contrast + mean) * gains
    return np.asarray(np.clip(changed, 0, 255), dtype=np.float32)


def _erase(image: NDArray[np.float32], probability: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Blank one rectangle (Zhong 2020, Random Erasing) so that no single spot decides."""
    if rng.random() >= probability:
        return image
    side = image.shape[0]
    height, width = rng.integers(side // 8, side // 3, size=2)
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    image[top : top + height, left : left + width] = _MEAN_GREY
    return image
