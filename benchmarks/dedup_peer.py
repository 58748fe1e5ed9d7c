"""The other tool beside ours: imagededup's PHash, in an environment of its own, on the very same files.

Speed is end to end: from files to pairs. What is found is judged on labelled pairs: for each change, a folder of
pictures of different lesions and one changed copy of each. A true pair is a picture and its copy; any pair of files of
two pictures is a false one. Every tool gets its best threshold: the one with the highest recall at that precision.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.dedup_photos import SizeClass, decoded, write_jpeg
from benchmarks.measuring import BenchmarkError, Spread, in_turns, spread, timed
from ml_pipeline.data.cache import Cache
from ml_pipeline.data.changes import CHANGES
from ml_pipeline.data.deduplicate import File, Limits, Pair, find_copies
from ml_pipeline.data.survey import survey
from ml_pipeline.data.verify import FileStatus
from ml_pipeline.executor import available_cores
from ml_pipeline.progress import silence

MIN_PRECISION = 0.99
PEER = "imagededup"
PEER_DEFAULT_BITS = 10

_PEER_VERSION = "0.3.3.post2"
# What its hashes need; PyTorch and torchvision, gigabytes for its neural network alone, stay away.
_PEER_NEEDS = ("numpy", "scipy", "PyWavelets", "Pillow", "tqdm", "scikit-learn", "matplotlib")
_INSTALL_TIMEOUT_S = 900
_RUN_TIMEOUT_S = 1800
_SCRIPT = Path(__file__).with_name("dedup_imagededup.py")
_SWEPT_BITS = 20
_COPY_QUALITY = 95
_IDENTICAL = 1.0


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Seconds from files to pairs over the same images by the same number of processes, ours and theirs.

    To know a file is to verify, digest and fingerprint it for us, and to hash it for the other tool. `times_faster` is
    theirs over ours in the same turn. `peer_encoded` counts the files that it could read.
    """

    size: str
    images: int
    processes: int
    ours_s: Spread
    ours_know_s: Spread
    peer_s: Spread
    peer_know_s: Spread
    peer_encoded: int
    times_faster: Spread

    @property
    def ours_per_s(self) -> float:
        return self.images / self.ours_s.median

    @property
    def peer_per_s(self) -> float:
        return self.images / self.peer_s.median


@dataclass(frozen=True, slots=True)
class Scored:
    """What one tool proposes in one folder: pairs of files by position, and how alike they are to it.

    Pictures come first, their copies after them in the same order.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    alike: NDArray[np.float64]

    def is_true(self, pictures: int) -> NDArray[np.bool_]:
        return np.asarray(np.abs(self.right - self.left) == pictures)


@dataclass(frozen=True, slots=True)
class Operating:
    """One threshold: copies found by change, pairs of different pictures wrongly proposed, and what that makes."""

    threshold: float
    found: dict[str, int]
    wrong: int
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class Quality:
    """One tool on the labelled pairs: at its best threshold, and at the one that it comes with."""

    best: Operating | None
    usual: Operating


@dataclass(frozen=True, slots=True)
class Found:
    """Both tools on `pictures` with one copy per change; `peer` is None where it was not run."""

    pictures: int
    ours: Quality
    peer: Quality | None


@dataclass(frozen=True, slots=True)
class _PeerRun:
    know_s: float
    find_s: float
    encoded: int
    pairs: list[list[tuple[str, str, int]]]


@dataclass(frozen=True, slots=True)
class Peer:
    """The other tool, installed."""

    python: Path
    version: str = _PEER_VERSION

    def run(self, folder: Path, *, workers: int, radius: int, pools: Sequence[Sequence[str]] = ()) -> _PeerRun:
        """Encode the folder and find pairs, in it or in each pool. Raises BenchmarkError with what it said last."""
        with tempfile.TemporaryDirectory(prefix="skin-peer-") as own:
            answer, asked = Path(own) / "answer.json", Path(own) / "pools.json"
            command = [str(self.python), str(_SCRIPT), str(folder), str(answer)]
            command += ["--workers", str(workers), "--radius", str(radius)]
            if pools:
                asked.write_text(json.dumps(pools))
                command += ["--pools", str(asked)]
            done = subprocess.run(  # noqa: S603 - our own
                command, capture_output=True, text=True, timeout=_RUN_TIMEOUT_S, check=False
            )
            if done.returncode:
                raise BenchmarkError(f"{PEER} failed: {done.stderr[-2000:]}")
            said = json.loads(answer.read_text())
        return _PeerRun(said["encode_s"], said["find_s"], said["encoded"], said["pairs"])


def install_peer(folder: Path) -> Peer:
    """The environment in that folder, made unless it is there. Raises BenchmarkError with pip's reason."""
    environment = folder / f"{PEER}-{_PEER_VERSION}"
    python = environment / "bin" / "python"
    if not python.exists():
        unfinished = environment.with_name(f"{environment.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        pip = [str(unfinished / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        _install([sys.executable, "-m", "venv", str(unfinished)])
        _install([*pip, *_PEER_NEEDS])
        _install([*pip, "--no-deps", f"{PEER}=={_PEER_VERSION}"])
        unfinished.rename(environment)
    return Peer(python)


def measure_end_to_end(sizes: Sequence[SizeClass], peer: Peer, *, rounds: int) -> list[EndToEnd]:
    """Both tools on every size class, in turns, each with all cores."""
    return [_end_to_end(size, peer, rounds) for size in sizes]


def measure_found(pictures: Sequence[Path], peer: Peer | None, *, folder: Path, seed: int) -> Found:
    """Write the labelled pairs into the folder and let both tools look for them."""
    pools = _write_copies(pictures, folder, seed)
    count = len(pictures)
    ours = _found_by_us(pools)
    quality = Quality(best_operating(ours, count), operating(ours, count, Limits().correlation))
    if peer is None:
        return Found(count, quality, None)
    theirs = _found_by_peer(peer, folder, pools)
    return Found(count, quality, Quality(best_operating(theirs, count), operating(theirs, count, -PEER_DEFAULT_BITS)))


def operating(scored: dict[str, Scored], pictures: int, threshold: float) -> Operating:
    """What a tool finds that takes all pairs at least so alike for copies."""
    found, wrong = {}, 0
    for change, each in scored.items():
        taken, true = each.alike >= threshold, each.is_true(pictures)
        found[change] = int((taken & true).sum())
        wrong += int((taken & ~true).sum())
    right = sum(found.values())
    precision = right / (right + wrong) if right + wrong else 1.0
    return Operating(threshold, found, wrong, right / (pictures * len(scored)), precision)


def best_operating(
    scored: dict[str, Scored], pictures: int, *, min_precision: float = MIN_PRECISION
) -> Operating | None:
    """The threshold with the highest recall among those of that precision; None where no threshold has it."""
    alike = np.concatenate([each.alike for each in scored.values()])
    true = np.concatenate([each.is_true(pictures) for each in scored.values()])
    order = np.argsort(-alike, kind="stable")
    alike, right = alike[order], np.cumsum(true[order])
    last_of_a_kind = np.append(np.diff(alike) != 0, True)[: len(alike)]
    precise = last_of_a_kind & (right >= min_precision * np.arange(1, len(alike) + 1)) & (right > 0)
    if not precise.any():
        return None
    return operating(scored, pictures, float(alike[np.flatnonzero(precise)[-1]]))


def _install(command: Sequence[str]) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own
            command, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S
        )
    except subprocess.CalledProcessError as error:
        raise BenchmarkError(f"{PEER} could not be installed: {error.stderr.strip()[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"{PEER} was not installed within {_INSTALL_TIMEOUT_S / 60:.0f} minutes.") from error


def _end_to_end(size: SizeClass, peer: Peer, rounds: int) -> EndToEnd:
    workers = available_cores()
    ours: list[float] = []
    theirs: list[_PeerRun] = []

    def run_ours() -> float:
        with tempfile.TemporaryDirectory(prefix="skin-dedup-") as own:
            cache = Path(own) / "cache.sqlite3"
            know = timed(lambda: files.extend(_surveyed(size.paths, cache, workers)))
            files: list[File] = []
            ours.append(know())
            return ours[-1] + timed(lambda: _copies(files, cache, workers))()

    with _one_folder(size.paths) as folder:

        def run_theirs() -> float:
            theirs.append(peer.run(folder, workers=workers, radius=PEER_DEFAULT_BITS))
            return theirs[-1].know_s + theirs[-1].find_s

        ours_s, peer_s = in_turns([run_ours, run_theirs], rounds=rounds)
    count = len(ours_s)  # without those that warmed up
    return EndToEnd(
        size.name,
        len(size.paths),
        workers,
        spread(ours_s),
        spread(ours[-count:]),
        spread(peer_s),
        spread([run.know_s for run in theirs[-count:]]),
        theirs[-1].encoded,
        spread([theirs_s / own_s for theirs_s, own_s in zip(peer_s, ours_s, strict=True)]),
    )


@contextmanager
def _one_folder(paths: Sequence[Path]) -> Iterator[Path]:
    """Links to the files under names of their own: the other tool takes one folder."""
    with tempfile.TemporaryDirectory(prefix="skin-peer-") as name:
        folder = Path(name)
        for number, path in enumerate(paths):
            (folder / f"{number:06}{path.suffix}").symlink_to(path.resolve())
        yield folder


def _surveyed(paths: Sequence[Path], cache: Path, workers: int) -> list[File]:
    facts = survey([str(path) for path in paths], cache=cache, workers=workers, progress=silence)
    return [File(str(path), path, facts[str(path)]) for path in paths if facts[str(path)].status is FileStatus.OK]


def _copies(files: Sequence[File], cache: Path, workers: int) -> tuple[Pair, ...]:
    store = Cache(cache)
    try:
        return find_copies(files, limits=Limits(), workers=workers, cache=store, progress=silence)
    finally:
        store.close()


def _write_copies(pictures: Sequence[Path], folder: Path, seed: int) -> dict[str, list[Path]]:
    """Files by change: the pictures as they are, then their copies."""
    originals = []
    for number, picture in enumerate(pictures):
        originals.append(folder / f"{number:04}{picture.suffix}")
        originals[-1].write_bytes(picture.read_bytes())
    pools = {}
    photos = [decoded(picture) for picture in originals]
    for which, (change, make) in enumerate(CHANGES.items()):
        rng = np.random.default_rng(seed)
        copies = [folder / f"{number:04}_{which:02}.jpg" for number in range(len(pictures))]
        for photo, copy in zip(photos, copies, strict=True):
            write_jpeg(copy, make(photo, rng), quality=_COPY_QUALITY)
        pools[change] = originals + copies
    return pools


def _found_by_us(pools: dict[str, list[Path]]) -> dict[str, Scored]:
    """Candidates of the search as alike as their pixels; the same file or the same pixels are identical."""
    workers = available_cores()
    with tempfile.TemporaryDirectory(prefix="skin-dedup-") as own:
        cache = Path(own) / "cache.sqlite3"
        everything = sorted({path for paths in pools.values() for path in paths})
        known = {file.path: file for file in _surveyed(everything, cache, workers)}
        scored = {}
        for change, paths in pools.items():
            places = [place for place, path in enumerate(paths) if path in known]
            pairs = _copies([known[paths[place]] for place in places], cache, 1)
            alike = [(pair.correlation if pair.correlation is not None else _IDENTICAL) for pair in pairs]
            scored[change] = Scored(
                np.array([places[pair.left] for pair in pairs], np.int64),
                np.array([places[pair.right] for pair in pairs], np.int64),
                np.array(alike, np.float64),
            )
    return scored


def _found_by_peer(peer: Peer, folder: Path, pools: dict[str, list[Path]]) -> dict[str, Scored]:
    names = [[path.name for path in paths] for paths in pools.values()]
    run = peer.run(folder, workers=available_cores(), radius=_SWEPT_BITS, pools=names)
    scored = {}
    for change, pool, pairs in zip(pools, names, run.pairs, strict=True):
        place = {name: index for index, name in enumerate(pool)}
        scored[change] = Scored(
            np.array([place[left] for left, _, _ in pairs], np.int64),
            np.array([place[right] for _, right, _ in pairs], np.int64),
            -np.array([bits for _, _, bits in pairs], np.float64),
        )
    return scored
