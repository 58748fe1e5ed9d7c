"""Mixup and cutmix."""

import numpy as np
import pytest

from ml_pipeline.training.mixing import mix
from ml_pipeline.training.recipes.recipe import Mixing

# Photo i is all i, and belongs to class i alone.
IMAGES = np.broadcast_to(np.arange(4, dtype=np.float32)[:, None, None, None], (4, 32, 32, 3)).copy()
TARGETS = np.eye(4, dtype=np.float32)


def test_mix_switched_off_leaves_the_batch_alone() -> None:
    images, targets = mix(IMAGES, TARGETS, mixing=Mixing(), rng=np.random.default_rng(0))
    assert (images == IMAGES).all()
    assert (targets == TARGETS).all()


@pytest.mark.parametrize("mixing", [Mixing(mixup=1.0), Mixing(cutmix=1.0, alpha=1.0)], ids=["mixup", "cutmix"])
@pytest.mark.parametrize("seed", range(8))
def test_mix_targets_hold_what_is_seen(mixing: Mixing, seed: int) -> None:
    before = IMAGES.copy()
    images, targets = mix(IMAGES, TARGETS, mixing=mixing, rng=np.random.default_rng(seed))
    assert (before == IMAGES).all()
    assert targets.sum(axis=1) == pytest.approx(1)
    # The mean of a mixed photo is the mean of its classes' numbers, weighted by their shares of the target.
    assert images.mean(axis=(1, 2, 3)) == pytest.approx(targets @ np.arange(4), abs=1e-4)


def test_mix_cutmix_sets_one_rectangle() -> None:
    mixing = Mixing(cutmix=1.0, alpha=1.0)
    images, targets = mix(IMAGES, TARGETS, mixing=mixing, rng=np.random.default_rng(3))
    mixed = next(i for i in range(4) if 0 < targets[i, i] < 1)
    rows, columns = np.nonzero(images[mixed, :, :, 0] != mixed)
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_mix_takes_its_share_of_the_batches() -> None:
    rng = np.random.default_rng(0)
    mixing = Mixing(mixup=0.25)
    mixed = [(mix(IMAGES, TARGETS, mixing=mixing, rng=rng)[0] != IMAGES).any() for _ in range(400)]
    assert 0.15 < np.mean(mixed) < 0.32
