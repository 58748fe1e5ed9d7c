"""Which photos an epoch holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_pipeline.training.recipes.recipe import Sampling
from ml_pipeline.training.sampling import epoch_order

LABELS = np.array([0] * 90 + [1] * 10, np.int32)
CLINICAL = np.arange(100) % 20 == 0  # five photos, all classes


def _order(seed: int = 0, *, sampling: Sampling = Sampling.NATURAL, share: float | None = None) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return epoch_order(LABELS, CLINICAL, sampling=sampling, clinical_share=share, rng=rng)


def test_epoch_order_natural_has_every_photo_once() -> None:
    assert sorted(_order()) == list(range(100))


def test_epoch_order_is_shuffled_by_its_seed() -> None:
    assert (_order(1) == _order(1)).all()
    assert (_order(1) != _order(2)).any()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_epoch_order_gives_clinical_photos_their_share(share: float) -> None:
    order = _order(share=share)
    assert len(order) == 100
    assert CLINICAL[order].mean() == pytest.approx(share)


def test_epoch_order_repeats_no_photo_before_all_others_have_come() -> None:
    counts = np.bincount(_order(share=0.32), minlength=100)
    assert set(counts[CLINICAL]) <= {6, 7}
    assert set(counts[~CLINICAL]) <= {0, 1}


def test_epoch_order_class_balanced_has_each_class_equally_often() -> None:
    assert np.bincount(LABELS[_order(sampling=Sampling.CLASS_BALANCED)]).tolist() == [50, 50]


def test_epoch_order_of_one_modality_ignores_the_share() -> None:
    order = epoch_order(
        LABELS,
        np.zeros(100, bool),
        sampling=Sampling.NATURAL,
        clinical_share=0.5,
        rng=np.random.default_rng(0),
    )
    assert sorted(order) == list(range(100))


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    share=st.none() | st.floats(0, 1),
    sampling=st.sampled_from(Sampling),
    seed=st.integers(0, 2**32 - 1),
)
def test_epoch_order_has_as_many_photos_as_there_are(
    labels: list[int], share: float | None, sampling: Sampling, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    clinical = rng.random(len(labels)) < 0.5
    order = epoch_order(np.array(labels, np.int32), clinical, sampling=sampling, clinical_share=share, rng=rng)
    assert len(order) == len(labels)
    assert ((order >= 0) & (order < len(labels))).all()
