"""The search for pairs within a radius, on many keys: seconds, memory, and whether it finds what brute force finds.

Each measurement runs in a process of its own, so that its peak is its own: `python -m benchmarks.dedup_search` with a
task as JSON answers with JSON. Memory is read from /proc.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import BenchmarkError
from benchmarks.serving import ROOT, forget_peak, peak_bytes, resident_bytes
from ml_pipeline.data import fingerprint
from ml_pipeline.data.candidates import Closeness, find_candidates
from ml_pipeline.data.search import pairs_within

RADIUS = 8
RADII = range(2, 10)

_BITS = 64
_MAX_PLANTED = 1000  # pairs at each distance
_BLOCK = 1 << 20
_SEED = 2026
_TIMEOUT_S = 3600
_COPIES_SHARE = 0.1
_COPY_NOISE = 0.05  # of the bits
_WINDOW_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class SearchTask:
    """What a process is to search: so many random keys, or a file of keys; or whole signatures for candidates."""

    keys: int = 0
    file: str = ""
    brute_force: bool = False
    signatures: int = 0


@dataclass(frozen=True, slots=True)
class Searched:
    """One search. Pairs are counted once, without a key's pair with itself.

    `planted` and `found` are by distance. `cpu_s` leaves out what the machine did for others. `before_bytes` is
    resident memory with the keys in it; `peak_bytes` is the most while searching. Of brute force: its seconds, and
    whether both found the very same pairs.
    """

    keys: int
    seconds: float
    cpu_s: float
    pairs: int
    planted: tuple[int, ...]
    found: tuple[int, ...]
    before_bytes: int
    peak_bytes: int
    brute_force_s: float | None = None
    is_equal: bool | None = None

    @property
    def recall(self) -> float:
        return sum(self.found) / sum(self.planted) if self.planted else 1.0


@dataclass(frozen=True, slots=True)
class CandidateSearch:
    """`find_candidates` over so many synthetic signatures."""

    signatures: int
    seconds: float
    pairs: int
    before_bytes: int
    peak_bytes: int


def search(task: SearchTask) -> Searched:
    """`pairs_within` in a process of its own."""
    said = _in_own_process(task)
    return Searched(**{**said, "planted": tuple(said["planted"]), "found": tuple(said["found"])})


def search_candidates(signatures: int) -> CandidateSearch:
    """`find_candidates` in a process of its own."""
    return CandidateSearch(**_in_own_process(SearchTask(signatures=signatures)))


def growth(runs: Sequence[Searched]) -> list[float]:
    """Exponents of the CPU seconds in the number of keys, from each run to the next: 1 is linear, 2 quadratic."""
    return [float(np.log(b.cpu_s / a.cpu_s) / np.log(b.keys / a.keys)) for a, b in pairwise(runs)]


def equal_radii(keys: int) -> dict[int, bool]:
    """For each radius whether search and brute force find the same pairs among so many keys with near ones planted."""
    some, _ = planted_keys(keys)
    return {radius: _same(_all_pairs(some, radius), brute_force(some, radius), keys) for radius in RADII}


def planted_keys(count: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Random keys; and pairs of positions [distance, n, 2] that are 0 to 8 bits apart, no key in two of them."""
    rng = np.random.default_rng(_SEED)
    keys = rng.integers(0, 2**_BITS, count, np.uint64)
    each = min(_MAX_PLANTED, count // (4 * (RADIUS + 1)))
    places = rng.permutation(count)[: (RADIUS + 1) * each * 2].reshape(RADIUS + 1, each, 2)
    for distance, pairs in enumerate(places):
        flips = np.argsort(rng.random((each, _BITS)), axis=1)[:, :distance].astype(np.uint64)
        masks = np.bitwise_or.reduce(np.uint64(1) << flips, axis=1) if distance else np.zeros(each, np.uint64)
        keys[pairs[:, 1]] = keys[pairs[:, 0]] ^ masks
    return keys, places


def brute_force(keys: NDArray[np.uint64], radius: int) -> NDArray[np.int64]:
    """Every pair once, int64 [n, 3] of left, right and distance, sorted: all keys with all, nothing clever."""
    found = [np.zeros((0, 3), np.int64)]
    for first, rows in _blocks(len(keys)):
        distance = np.bitwise_count(keys[first : first + rows, np.newaxis] ^ keys[np.newaxis, first:])
        row, column = np.divmod(np.flatnonzero(distance <= radius), len(keys) - first)
        once = row < column
        row, column = row[once], column[once]
        found.append(np.stack([row + first, column + first, distance[row, column]], axis=1).astype(np.int64))
    return np.concatenate(found)


def _in_own_process(task: SearchTask) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.dedup_search", json.dumps(dataclasses.asdict(task))]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"The search failed: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _answer(task: SearchTask) -> Searched | CandidateSearch:
    if task.signatures:
        return _search_candidates(task.signatures)
    if task.file:
        return _search(np.load(task.file), np.zeros((0, 0, 2), np.int64), brute=task.brute_force)
    return _search(*planted_keys(task.keys), brute=task.brute_force)


def _search(keys: NDArray[np.uint64], planted: NDArray[np.int64], *, brute: bool) -> Searched:
    wanted = np.sort(planted.reshape(-1, 2), axis=1)
    wanted = wanted[:, 0] * len(keys) + wanted[:, 1]
    before, pairs, seconds, cpu_s, found = _watched(), 0, 0.0, 0.0, [np.zeros(0, np.int64)]
    blocks = pairs_within(keys, keys, radius=RADIUS)
    while True:
        started, cpu_started = time.perf_counter(), time.process_time()
        block = next(blocks, None)
        seconds, cpu_s = seconds + time.perf_counter() - started, cpu_s + time.process_time() - cpu_started
        if block is None:
            break
        once = block.left < block.right
        pairs += int(once.sum())
        numbers = block.left[once] * len(keys) + block.right[once]
        found.append(numbers[np.isin(numbers, wanted)])
    peak = peak_bytes(os.getpid())
    is_found = np.isin(wanted, np.concatenate(found)).reshape(planted.shape[:2])
    return Searched(
        len(keys),
        seconds,
        cpu_s,
        pairs,
        tuple(len(each) for each in is_found),
        tuple(int(each.sum()) for each in is_found),
        before,
        peak,
        *(_compared_with_brute_force(keys) if brute else (None, None)),
    )


def _compared_with_brute_force(keys: NDArray[np.uint64]) -> tuple[float, bool]:
    started = time.perf_counter()
    expected = brute_force(keys, RADIUS)
    seconds = time.perf_counter() - started
    return seconds, _same(_all_pairs(keys, RADIUS), expected, len(keys))


def _all_pairs(keys: NDArray[np.uint64], radius: int) -> NDArray[np.int64]:
    """What the search yields, int64 [n, 3], sorted: both ways round, and every key with itself."""
    columns = ((block.left, block.right, block.distance) for block in pairs_within(keys, keys, radius=radius))
    blocks = (np.stack(each, axis=1).astype(np.int64) for each in columns)
    pairs = np.concatenate([np.zeros((0, 3), np.int64), *blocks])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _same(searched: NDArray[np.int64], expected: NDArray[np.int64], keys: int) -> bool:
    """Whether the search found each expected pair once each way, every key once with itself, and nothing else."""
    once = searched[searched[:, 0] < searched[:, 1]]
    back = searched[searched[:, 0] > searched[:, 1]][:, [1, 0, 2]]
    itself = searched[searched[:, 0] == searched[:, 1]]
    expected = expected[np.lexsort((expected[:, 1], expected[:, 0]))]
    back = back[np.lexsort((back[:, 1], back[:, 0]))]
    return bool(
        np.array_equal(once, expected)
        and np.array_equal(back, expected)
        and (itself[:, 2] == 0).all()
        and np.array_equal(itself[:, 0], np.arange(keys))
    )


def _search_candidates(count: int) -> CandidateSearch:
    signatures = _synthetic_signatures(count)
    before, started = _watched(), time.perf_counter()
    found = find_candidates(signatures, Closeness())
    seconds = time.perf_counter() - started
    return CandidateSearch(count, seconds, len(found), before, peak_bytes(os.getpid()))


def _synthetic_signatures(count: int) -> NDArray[np.uint8]:
    """Random pictures whose windows look like each other; a tenth are copies of others, with some bits changed."""
    rng = np.random.default_rng(_SEED)
    shape = (count, len(fingerprint.VIEWS), fingerprint.SIGNATURE_BYTES)
    signatures = np.empty(shape, np.uint8)
    copies = int(_COPIES_SHARE * count)
    for first in range(0, count, 1000):
        rows = signatures[first : first + 1000]
        picture = rng.integers(0, 256, (len(rows), 1, shape[2]), np.uint8)
        rows[:] = picture ^ _flipped_bits(rng, rows.shape, _WINDOW_NOISE)
    for first in range(0, copies, 1000):
        rows = signatures[first : min(first + 1000, copies)]
        rows[:] = signatures[count - copies + first :][: len(rows)] ^ _flipped_bits(rng, rows.shape, _COPY_NOISE)
    return signatures


def _flipped_bits(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> NDArray[np.uint8]:
    return np.packbits(rng.random((*shape, 8), np.float32) < share, axis=-1)[..., 0]


def _blocks(keys: int) -> Iterator[tuple[int, int]]:
    """First row and number of rows of blocks that stay in the cache's reach."""
    first = 0
    while first < keys:
        rows = max(1, min(keys - first, _BLOCK // (keys - first)))
        yield first, rows
        first += rows


def _watched() -> int:
    """Begin to watch this process's peak; its memory now."""
    forget_peak(os.getpid())
    return resident_bytes(os.getpid())


if __name__ == "__main__":
    outcome = _answer(SearchTask(**json.loads(sys.argv[1])))
    print(json.dumps(dataclasses.asdict(outcome)))  # noqa: T201 - its protocol
