"""Exact search of near keys: nothing missed, nothing twice, nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_pipeline.data import search
from ml_pipeline.data.search import MAX_RADIUS, pairs_within

Keys = NDArray[np.uint64]
WORD = st.integers(0, 2**64 - 1)
SMALL_SETS_BY_BRUTE_FORCE = search._FEW


@pytest.fixture(scope="module", autouse=True)
def _through_the_buckets() -> Iterator[None]:
    """Small sets are compared all with all; here they must go the way of large ones."""
    search._FEW = 0
    yield
    search._FEW = SMALL_SETS_BY_BRUTE_FORCE


def found(left: Keys, right: Keys, *, radius: int) -> list[tuple[int, int, int]]:
    """All that the search yields, as (left, right, distance), sorted; a pair found twice stands there twice."""
    rows: list[tuple[int, int, int]] = []
    for pairs in pairs_within(left, right, radius=radius):
        rows += zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist(), strict=True)
    return sorted(rows)


def by_brute_force(left: Keys, right: Keys, *, radius: int) -> list[tuple[int, int, int]]:
    distances = np.bitwise_count(left[:, np.newaxis] ^ right)
    return [(int(i), int(j), int(distances[i, j])) for i, j in np.argwhere(distances <= radius)]


def random_keys(rng: np.random.Generator, count: int) -> Keys:
    return rng.integers(0, 2**64, count, np.uint64)


def flipped(rng: np.random.Generator, keys: Keys, bits: int) -> Keys:
    """Every key with exactly so many other bits."""
    masks = [np.bitwise_or.reduce(np.uint64(1) << rng.permutation(64)[:bits].astype(np.uint64)) for _ in keys]
    return np.asarray(keys ^ np.array(masks, np.uint64)) if bits else keys.copy()


def with_neighbours(rng: np.random.Generator) -> Keys:
    """Random keys, each with one neighbour at every distance from 0 to 12."""
    centres = random_keys(rng, 60)
    return np.concatenate([centres, *(flipped(rng, centres, bits) for bits in range(13))])


def skewed(rng: np.random.Generator) -> Keys:
    """Most bits nearly always the same, as the hashes of round dark blobs have them."""
    bits = rng.random((400, 64)) < np.linspace(0.005, 0.15, 64)
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint64).ravel()


def clustered(rng: np.random.Generator) -> Keys:
    """A few centres with many keys close to each."""
    return np.concatenate([flipped(rng, np.repeat(random_keys(rng, 4), 50), bits) for bits in (1, 3, 5)])


def in_one_chunk(rng: np.random.Generator) -> Keys:
    """Keys that differ in every fifth bit only: all other chunks are equal for everyone."""
    values = rng.integers(0, 2**12, 300)
    bits = np.arange(0, 60, 5, dtype=np.uint64)
    return np.array([sum(1 << int(b) for i, b in enumerate(bits) if value >> i & 1) for value in values], np.uint64)


KINDS = {"neighbours": with_neighbours, "skewed": skewed, "clustered": clustered, "one chunk": in_one_chunk}


@pytest.mark.parametrize("radius", range(MAX_RADIUS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_pairs_within_finds_what_brute_force_finds_once_each(kind: str, radius: int) -> None:
    keys = KINDS[kind](np.random.default_rng([radius, 1]))
    expected = by_brute_force(keys, keys, radius=radius)
    assert len(expected) > len(keys)
    assert found(keys, keys, radius=radius) == expected


@pytest.mark.parametrize("radius", [0, 4, 5, 9])
def test_pairs_within_thousands_of_random_keys_finds_all_planted_ones(radius: int) -> None:
    rng = np.random.default_rng(radius)
    left = random_keys(rng, 2000)
    right = np.concatenate([random_keys(rng, 1000), flipped(rng, left[:500], radius), flipped(rng, left, radius + 1)])
    pairs = found(left, right, radius=radius)
    assert pairs == by_brute_force(left, right, radius=radius)
    assert len(pairs) >= 500


@given(st.data())
def test_pairs_within_of_two_arrays_equals_brute_force(data: st.DataObject) -> None:
    left = data.draw(st.lists(WORD, max_size=8))
    masks = data.draw(st.lists(st.tuples(st.sets(st.integers(0, 63), max_size=11), st.integers(0, 7)), max_size=12))
    right = [(left[i % len(left)] if left else 0) ^ sum(1 << bit for bit in bits) for bits, i in masks]
    radius = data.draw(st.integers(0, MAX_RADIUS))
    arrays = np.array(left, np.uint64), np.array(right, np.uint64)
    assert found(*arrays, radius=radius) == by_brute_force(*arrays, radius=radius)


def test_pairs_within_a_bucket_larger_than_a_block_is_compared_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_pipeline.data.search._BLOCK", 37)
    keys = clustered(np.random.default_rng(3))[::3]
    assert found(keys, keys[::2], radius=6) == by_brute_force(keys, keys[::2], radius=6)


def test_pairs_within_blocks_are_bounded() -> None:
    equal = np.zeros(1500, np.uint64)
    sizes = [len(pairs.left) for pairs in pairs_within(equal, equal, radius=0)]
    assert sum(sizes) == 2_250_000
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize(("left", "right"), [(0, 0), (0, 3), (3, 0)])
def test_pairs_within_without_keys_finds_nothing(left: int, right: int) -> None:
    assert found(np.zeros(left, np.uint64), np.zeros(right, np.uint64), radius=MAX_RADIUS) == []


def test_pairs_within_one_key_finds_itself() -> None:
    assert found(np.array([7], np.uint64), np.array([7], np.uint64), radius=0) == [(0, 0, 0)]


def test_pairs_within_opposite_keys_are_never_found() -> None:
    keys = np.array([0, 2**64 - 1], np.uint64)
    assert found(keys, keys, radius=MAX_RADIUS) == [(0, 0, 0), (1, 1, 0)]


@pytest.mark.parametrize("radius", [-1, MAX_RADIUS + 1, 64])
def test_pairs_within_a_radius_that_is_not_exact_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match=rf"radius {radius} is outside 0-{MAX_RADIUS}"):
        list(pairs_within(np.zeros(2, np.uint64), np.zeros(2, np.uint64), radius=radius))


@pytest.mark.parametrize("radius", [0, 4, 8])
def test_pairs_within_of_few_keys_is_the_same_without_buckets(monkeypatch: pytest.MonkeyPatch, radius: int) -> None:
    keys = with_neighbours(np.random.default_rng(3))
    through_buckets = found(keys, keys, radius=radius)
    monkeypatch.setattr(search, "_FEW", SMALL_SETS_BY_BRUTE_FORCE)
    assert found(keys, keys, radius=radius) == through_buckets == by_brute_force(keys, keys, radius=radius)
    assert found(keys[:0], keys, radius=radius) == []
