"""All pairs of 64-bit keys within a Hamming radius: exactly, and far below quadratic time.

Multi-index hashing (Norouzi, Punjani, Fleet 2012, "Fast search in Hamming space with multi-index hashing"): the 64 bits
are dealt out to five chunks. Of two keys at most `radius` bits apart, one chunk differs in at most `radius // 5` bits
(pigeonhole), so comparing only keys whose chunks are equal, or one bit apart from radius 5 on, misses no pair. Every
comparison is then made on all 64 bits, so nothing else is found either.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_RADIUS = 9
_CHUNKS = 5
_BITS = 64
_FEW = 1 << 28  # comparisons that take less time than going through the buckets
_BLOCK = 1 << 20  # comparisons at a time: 8 MB of differences stay in the cache's reach


@dataclass(frozen=True, slots=True)
class Pairs:
    """Some of the pairs: positions in both arrays of keys (int64) and distances in bits (uint8), all [n]."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    distance: NDArray[np.uint8]


def pairs_within(left: NDArray[np.uint64], right: NDArray[np.uint64], *, radius: int) -> Iterator[Pairs]:
    """Every pair (i, j) with `left[i]` and `right[j]` at most `radius` of 64 bits apart, each once, in blocks.

    With `left is right` every pair comes both ways round, and every key with itself. Memory beyond the blocks is a few
    columns as long as the keys. Raises ValueError for a radius outside 0-9.
    """
    if not 0 <= radius <= MAX_RADIUS:
        raise ValueError(f"radius {radius} is outside 0-{MAX_RADIUS}")
    if len(left) * len(right) <= _FEW:
        yield from _brute_force(left, right, radius)
        return
    tolerance = radius // _CHUNKS
    for chunk in range(_CHUNKS):
        bits = _bits_of(chunk)
        table = _Buckets(_chunk_values(right, bits), 1 << len(bits))
        queries = _Buckets(_chunk_values(left, bits), 1 << len(bits))
        neighbours = [0, *(1 << bit for bit in range(len(bits)))] if tolerance else [0]
        for value in queries.occupied():
            i = queries.members(value)
            j = np.concatenate([table.members(value ^ flip) for flip in neighbours])
            if len(j):
                yield from _compared(left, right, i, j, radius=radius, chunk=chunk, tolerance=tolerance)


def _brute_force(left: NDArray[np.uint64], right: NDArray[np.uint64], radius: int) -> Iterator[Pairs]:
    if len(left) and len(right):
        everyone = np.arange(len(left)), np.arange(len(right))
        yield from _compared(left, right, *everyone, radius=radius, chunk=0, tolerance=0)


class _Buckets:
    """Positions grouped by chunk value."""

    def __init__(self, values: NDArray[np.uint16], count: int) -> None:
        self._order = np.argsort(values, kind="stable")
        self._starts = np.searchsorted(values[self._order], np.arange(count + 1))

    def members(self, value: int) -> NDArray[np.int64]:
        return self._order[self._starts[value] : self._starts[value + 1]]

    def occupied(self) -> list[int]:
        return np.flatnonzero(np.diff(self._starts)).tolist()


def _compared(
    left: NDArray[np.uint64],
    right: NDArray[np.uint64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    *,
    radius: int,
    chunk: int,
    tolerance: int,
) -> Iterator[Pairs]:
    """The pairs of two buckets within the radius that no earlier chunk has found, in blocks of bounded size."""
    columns = min(len(j), _BLOCK)
    rows = max(1, _BLOCK // columns)
    for first_column in range(0, len(j), columns):
        js = j[first_column : first_column + columns]
        keys = right[js]
        for first_row in range(0, len(i), rows):
            rows_here = i[first_row : first_row + rows]
            difference = left[rows_here][:, np.newaxis] ^ keys
            near = np.flatnonzero(np.bitwise_count(difference) <= radius)
            found = difference.ravel()[near]
            new = np.ones(len(found), bool)
            for earlier in range(chunk):
                new &= np.bitwise_count(found & _mask(earlier)) > tolerance
            if new.any():
                row, column = np.divmod(near[new], len(js))
                yield Pairs(rows_here[row], js[column], np.bitwise_count(found[new]))


def _bits_of(chunk: int) -> range:
    """Every fifth bit: neighbours in a perceptual hash depend on each other, so a chunk takes bits far apart."""
    return range(chunk, _BITS, _CHUNKS)


@functools.cache
def _mask(chunk: int) -> np.uint64:
    return np.uint64(sum(1 << bit for bit in _bits_of(chunk)))


def _chunk_values(keys: NDArray[np.uint64], bits: range) -> NDArray[np.uint16]:
    values = np.zeros(len(keys), np.uint16)
    for position, bit in enumerate(bits):
        values |= ((keys >> np.uint64(bit)) & np.uint64(1)).astype(np.uint16) << np.uint16(position)
    return values
