"""Candidates: each pair once, by its most alike windows, and none missed that is close enough."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_pipeline.data import fingerprint
from ml_pipeline.data.candidates import Candidates, Closeness, find_candidates
from ml_pipeline.data.changes import cropped, square
from ml_pipeline.data.fingerprint import FRAME, ORIENTATIONS, SEARCHED, VIEWS
from tests.ml_pipeline.data.conftest import Photo, pyramid_of


def signatures_of(photos: Sequence[Photo]) -> NDArray[np.uint8]:
    return np.stack([fingerprint.signature(pyramid_of(photo)) for photo in photos])


def rows(found: Candidates) -> list[tuple[int, ...]]:
    """The columns as rows of plain numbers."""
    columns = [getattr(found, field.name).tolist() for field in dataclasses.fields(found)]
    return list(zip(*columns, strict=True))


def by_brute_force(signatures: NDArray[np.uint8], closeness: Closeness) -> dict[tuple[int, int], int]:
    """Fewest bits between any searched windows of every pair that is close enough."""
    best: dict[tuple[int, int], int] = {}
    for view, searched in SEARCHED:
        for orientation in range(ORIENTATIONS):
            queries = fingerprint.oriented(signatures[:, view], orientation)
            for other in searched:
                bits = np.bitwise_count(queries[:, np.newaxis] ^ signatures[:, other]).sum(axis=2)
                keys = np.bitwise_count(
                    fingerprint.keys(queries)[:, np.newaxis] ^ fingerprint.keys(signatures[:, other])
                )
                near = (keys <= closeness.key_bits) & (bits <= closeness.signature_bits)
                for i, j in np.argwhere(near).tolist():
                    if i != j:
                        pair = (min(i, j), max(i, j))
                        best[pair] = min(best.get(pair, 256), int(bits[i, j]))
    return best


@pytest.fixture(scope="module")
def photos(lesions: Sequence[Photo]) -> list[Photo]:
    """Six lesions, and of each a cropped, a square and a turned copy."""
    rng = np.random.default_rng(0)
    few = list(lesions[:6])
    turned = [np.ascontiguousarray(np.rot90(photo)) for photo in few]
    return [*few, *(cropped(0.9)(photo, rng) for photo in few), *(square(photo, rng) for photo in few), *turned]


def test_find_candidates_proposes_all_changed_copies(photos: list[Photo]) -> None:
    found = {(row[0], row[1]) for row in rows(find_candidates(signatures_of(photos), Closeness()))}
    for copies in range(1, 4):
        assert {(i, i + 6 * copies) for i in range(6)} <= found


@pytest.mark.parametrize("closeness", [Closeness(), Closeness(3, 30), Closeness(9, 120)])
def test_find_candidates_are_those_of_brute_force_each_once(photos: list[Photo], closeness: Closeness) -> None:
    signatures = signatures_of(photos)
    found = rows(find_candidates(signatures, closeness))
    pairs = [(row[0], row[1]) for row in found]
    assert pairs == sorted(set(pairs))
    assert {pair: row[6] for pair, row in zip(pairs, found, strict=True)} == by_brute_force(signatures, closeness)


def test_find_candidates_on_random_bits_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(1)
    signatures = rng.integers(0, 256, (40, len(VIEWS), 32), np.uint8)
    signatures[20:] = signatures[:20] ^ np.packbits(rng.random((20, len(VIEWS), 256)) < 0.08, axis=2)
    found = rows(find_candidates(signatures, Closeness()))
    assert {(row[0], row[1]): row[6] for row in found} == by_brute_force(signatures, Closeness())
    assert len(found) >= 15


def test_find_candidates_orientation_and_windows_belong_to_the_left_picture(photos: list[Photo]) -> None:
    signatures = signatures_of(photos)
    for left, right, left_view, right_view, orientation, key_bits, bits in rows(
        find_candidates(signatures, Closeness())
    ):
        turned = fingerprint.oriented(signatures[left : left + 1, left_view], orientation)
        other = signatures[right : right + 1, right_view]
        assert np.bitwise_count(turned ^ other).sum() == bits
        assert np.bitwise_count(fingerprint.keys(turned) ^ fingerprint.keys(other))[0] == key_bits


def test_find_candidates_of_reversed_input_are_the_same_pairs(photos: list[Photo]) -> None:
    signatures = signatures_of(photos)
    last = len(photos) - 1
    forward = {(row[0], row[1]): row[5:] for row in rows(find_candidates(signatures, Closeness()))}
    backward = {(last - row[1], last - row[0]): row[5:] for row in rows(find_candidates(signatures[::-1], Closeness()))}
    assert forward == backward


def test_find_candidates_of_a_square_copy_meet_in_the_square(lesions: Sequence[Photo]) -> None:
    copy = square(lesions[0], np.random.default_rng(0))
    [row] = rows(find_candidates(signatures_of([lesions[0], copy]), Closeness()))
    assert VIEWS[row[2]].startswith("square")
    assert row[3] == FRAME or VIEWS[row[3]].startswith("square")
    assert row[4] == 0


@pytest.mark.parametrize("count", [0, 1])
def test_find_candidates_without_a_pair_finds_none(count: int) -> None:
    assert len(find_candidates(np.zeros((count, len(VIEWS), 32), np.uint8), Closeness())) == 0


def test_find_candidates_reports_every_search(lesions: Sequence[Photo]) -> None:
    seen = []

    def counting(items, *, what, total, unit):
        for item in items:
            seen.append((what, total, unit))
            yield item

    find_candidates(signatures_of(lesions[:2]), Closeness(), counting)
    assert seen == [("Searching pairs", len(SEARCHED) * ORIENTATIONS, "searches")] * len(SEARCHED) * ORIENTATIONS
