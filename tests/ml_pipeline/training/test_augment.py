"""Random changes to training photos."""

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.preprocess import InputSpec, preprocess
from ml_pipeline.training.augment import _random_affine, augment
from ml_pipeline.training.recipes import Augmentation

OFF = Augmentation(**{field.name: type(field.default)() for field in dataclasses.fields(Augmentation)})
TURNED = dataclasses.replace(OFF, flip=True, rotate=True)


def test_augment_same_seed_same_picture(lesion_rgb: NDArray[np.uint8]) -> None:
    first, second = (
        augment(lesion_rgb, size_px=96, strength=Augmentation(), rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert (first == second).all()


def test_augment_gives_a_training_input_in_range(lesion_rgb: NDArray[np.uint8]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        image = augment(lesion_rgb, size_px=96, strength=Augmentation(), rng=rng)
        assert (image.dtype, image.shape) == (np.float32, (96, 96, 3))
        assert image.min() >= 0
        assert image.max() <= 255


def test_augment_does_not_touch_its_frame(lesion_rgb: NDArray[np.uint8]) -> None:
    before = lesion_rgb.copy()
    augment(lesion_rgb, size_px=96, strength=Augmentation(erase=1.0), rng=np.random.default_rng(0))
    assert (lesion_rgb == before).all()


def test_augment_switched_off_is_what_preprocess_gives(lesion_rgb: NDArray[np.uint8]) -> None:
    small = cv2.resize(lesion_rgb, (128, 96), interpolation=cv2.INTER_AREA)
    image = augment(small, size_px=96, strength=OFF, rng=np.random.default_rng(0))
    assert np.abs(image - preprocess(small, InputSpec(96))).mean() < 2


@pytest.mark.parametrize("seed", range(5))
def test_random_affine_turns_in_true_proportions(seed: int) -> None:
    matrix = _random_affine(150, 200, 96, TURNED, np.random.default_rng(seed))
    corners = np.array([[0, 0, 1], [199, 0, 1], [0, 149, 1], [199, 149, 1]]).T
    moved = matrix @ corners
    assert np.allclose(moved.mean(axis=1), 47.5)
    undone = np.linalg.svd(matrix[:, :2], compute_uv=False)
    assert undone.max() / undone.min() <= 200 / 150 + 1e-6


STRENGTHS = sorted({field.name for field in dataclasses.fields(Augmentation)} - {"level_sharpness"})  # batches.py's


@pytest.mark.parametrize("name", STRENGTHS)
def test_augment_every_strength_changes_the_picture(name: str, lesion_rgb: NDArray[np.uint8]) -> None:
    full = True if isinstance(getattr(OFF, name), bool) else 1.0
    changed = dataclasses.replace(OFF, **{name: full})
    plain, other = (
        augment(lesion_rgb, size_px=96, strength=strength, rng=np.random.default_rng(4)) for strength in (OFF, changed)
    )
    assert np.abs(plain - other).mean() > 0.1
