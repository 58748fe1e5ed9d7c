"""Which photos an epoch holds, and in which order."""

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.training.recipes.recipe import Sampling


def epoch_order(
    labels: NDArray[np.int32],
    clinical: NDArray[np.bool_],
    *,
    sampling: Sampling,
    clinical_share: float | None,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Indices of one epoch, as many as there are photos [n], shuffled.

    Without a share and with natural sampling every photo comes once. Where one modality gets more than its own share
    its photos come several times, each about equally often, and the other's are thinned out.
    """
    count = len(labels)
    if clinical_share is None or clinical.all() or not clinical.any():
        chosen = _draw(np.arange(count), labels, count, sampling, rng)
    else:
        of_clinical = round(count * clinical_share)
        chosen = np.concatenate(
            [
                _draw(np.flatnonzero(clinical), labels, of_clinical, sampling, rng),
                _draw(np.flatnonzero(~clinical), labels, count - of_clinical, sampling, rng),
            ]
        )
    return np.asarray(rng.permutation(chosen))


def _draw(
    rows: NDArray[np.intp], labels: NDArray[np.int32], count: int, sampling: Sampling, rng: np.random.Generator
) -> NDArray[np.intp]:
    if sampling is Sampling.NATURAL:
        return _repeated(rows, count, rng)
    classes = np.unique(labels[rows])
    shares = np.diff(np.round(np.linspace(0, count, len(classes) + 1)).astype(int))
    drawn = [_repeated(rows[labels[rows] == c], share, rng) for c, share in zip(classes, shares, strict=True)]
    return np.concatenate(drawn)


def _repeated(rows: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """`count` of the rows, none drawn again before every other has been."""
    rounds = [rng.permutation(rows) for _ in range(0, count, len(rows))]
    return np.concatenate([rows[:0], *rounds])[:count]
