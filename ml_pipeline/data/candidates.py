"""Pairs of pictures that may be copies of one photograph: every window, flip and quarter turn, by the fingerprint."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.data import fingerprint
from ml_pipeline.data.search import pairs_within
from ml_pipeline.progress import Progress, silence

_Columns = tuple[NDArray[np.int64], ...]
_INVERSE = np.array([0, 1, 2, 3, 4, 6, 5, 7])  # orientation that undoes an orientation


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close fingerprints must be: the search's radius in the 64-bit key, then bits of the whole 256."""

    key_bits: int = 8
    signature_bits: int = 80


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of pictures, each once, `left` < `right`, by their most alike windows; all arrays [n].

    `left` turned by `orientation` and seen through `left_view` looks like `right` through `right_view`. int32 positions
    and uint8 for the rest; `key_bits` of 64 and `signature_bits` of 256 differ.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    left_view: NDArray[np.uint8]
    right_view: NDArray[np.uint8]
    orientation: NDArray[np.uint8]
    key_bits: NDArray[np.uint8]
    signature_bits: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.left)


def find_candidates(signatures: NDArray[np.uint8], closeness: Closeness, progress: Progress = silence) -> Candidates:
    """All pairs among signatures uint8 [n, views, 32] that are close enough; sorted by `left`, then `right`."""
    searches = len(fingerprint.SEARCHED) * fingerprint.ORIENTATIONS
    blocks = progress(_searches(signatures, closeness), what="Searching pairs", total=searches, unit="searches")
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    left, right, left_view, right_view, orientation, key_bits, signature_bits = columns
    swapped = left > right
    left, right = np.where(swapped, right, left), np.where(swapped, left, right)
    left_view, right_view = np.where(swapped, right_view, left_view), np.where(swapped, left_view, right_view)
    orientation = np.where(swapped, _INVERSE[orientation], orientation)
    order = np.lexsort((orientation, right_view, left_view, key_bits, signature_bits, right, left))
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(left[order]) != 0) | (np.diff(right[order]) != 0)
    best = order[first]
    return Candidates(
        left[best].astype(np.int32),
        right[best].astype(np.int32),
        *(column[best].astype(np.uint8) for column in (left_view, right_view, orientation, key_bits, signature_bits)),
    )


def _searches(signatures: NDArray[np.uint8], closeness: Closeness) -> Iterator[_Columns]:
    """Pairs found through one window in one orientation at a time, as columns of `Candidates`."""
    for view, searched in fingerprint.SEARCHED:
        views = np.asarray(searched)
        table = np.concatenate([signatures[:, each] for each in searched])
        keys = fingerprint.keys(table)
        for orientation in range(fingerprint.ORIENTATIONS):
            queries = fingerprint.oriented(signatures[:, view], orientation)
            blocks = [_none()]
            for pairs in pairs_within(fingerprint.keys(queries), keys, radius=closeness.key_bits):
                in_view, right = np.divmod(pairs.right, len(signatures))
                bits = np.bitwise_count(queries[pairs.left] ^ table[pairs.right]).sum(axis=1, dtype=np.int64)
                # Through the same window a pair comes twice, once from either side.
                once = np.where(views[in_view] == view, pairs.left < right, pairs.left != right)
                near = once & (bits <= closeness.signature_bits)
                columns = (pairs.left, right, views[in_view], pairs.distance.astype(np.int64), bits)
                left, right, right_view, key_bits, bits = (column[near] for column in columns)
                fixed = np.full(len(left), view), np.full(len(left), orientation)
                blocks.append((left, right, fixed[0], right_view, fixed[1], key_bits, bits))
            yield tuple(np.concatenate(column) for column in zip(*blocks, strict=True))


def _none() -> _Columns:
    return tuple(np.zeros(0, np.int64) for _ in range(7))
