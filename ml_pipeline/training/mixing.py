"""Mixing the photos of a batch with one another."""

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.training.recipes.recipe import Mixing


def mix(
    images: NDArray[np.float32], targets: NDArray[np.float32], *, mixing: Mixing, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mix a batch [b, s, s, 3] and its packed targets [b, k] with a shuffle of itself, or leave it as it is.

    Mixup (Zhang 2018) blends whole photos; cutmix (Yun 2019) sets a rectangle of one into the other. The targets are
    blended by the same share.
    """
    drawn = rng.random()
    if drawn >= mixing.mixup + mixing.cutmix:
        return images, targets
    other = rng.permutation(len(images))
    share = float(rng.beta(mixing.alpha, mixing.alpha))
    if drawn < mixing.mixup:
        mixed = share * images + (1 - share) * images[other]
    else:
        mixed, share = _with_patch(images, images[other], share, rng)
    return mixed.astype(np.float32), (share * targets + (1 - share) * targets[other]).astype(np.float32)


def _with_patch(
    images: NDArray[np.float32], others: NDArray[np.float32], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], float]:
    """The batch with a rectangle of the others, and the share of the area that is its own."""
    side = images.shape[1]
    length = round(side * float(np.sqrt(1 - share)))
    centre = rng.integers(0, side, size=2)
    (top, left), (bottom, right) = np.maximum(centre - length // 2, 0), np.minimum(centre + length // 2, side)
    mixed = images.copy()
    mixed[:, top:bottom, left:right] = others[:, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / side**2
