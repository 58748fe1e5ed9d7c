"""What it costs to know a file: read, verified, digested and fingerprinted, beside reading and decoding it alone.

The floor is reading the file and OpenCV's decoding in full colour: the digest of the pixels needs every pixel decoded
(the digest of the bytes and the fingerprint do not). A file is known as `survey` knows it, without its cache. Both run
in worker processes that are warm, in turns, and a share is taken within a turn, when both met the same machine.
"""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import xxhash

from benchmarks.dedup_photos import SizeClass
from benchmarks.measuring import BenchmarkError, Call, Spread, Stage, StageClock, in_turns, spread, timed
from ml_models import image_io, jpeg
from ml_pipeline.data import fingerprint, verify
from ml_pipeline.data.verify import FileStatus

# What the worker of `survey` spends its time on; what none of these names covers is the rest.
STAGES = (
    Stage(hashlib, "sha256", "digest of the bytes"),
    Stage(jpeg, "clean_jpeg", "clean metadata"),
    Stage(jpeg.CleanJpeg, "header", "clean metadata"),
    Stage(jpeg.CleanJpeg, "content", "clean metadata"),
    Stage(image_io, "_read_header", "header"),
    Stage(cv2, "imdecode", "decode"),
    Stage(cv2, "cvtColor", "change of colours"),
    Stage(xxhash, "xxh3_128_hexdigest", "digest of the pixels"),
    Stage(fingerprint, "pyramid", "pyramid"),
    Stage(fingerprint, "signature", "fingerprint"),
)
_USABLE = {FileStatus.OK, FileStatus.BLANK}  # both are gone through whole


@dataclass(frozen=True, slots=True)
class Known:
    """Files of one size class: seconds of a turn over `files` of them, by one process and by two.

    `shares` are floor over known, turn by turn, by one process and by two; speed-ups are one process over two.
    `stages_s` are the seconds of one file by stage, in this process and at another time, and `alone_s` those of all.
    """

    size: str
    files: int
    mean_bytes: float
    floor_s: tuple[Spread, Spread]
    known_s: tuple[Spread, Spread]
    shares: tuple[Spread, Spread]
    floor_speed_up: Spread
    known_speed_up: Spread
    stages_s: dict[str, float]
    alone_s: float

    def per_s(self, seconds: Spread) -> float:
        """Images a second."""
        return self.files / seconds.median


def read_and_decode(path: Path) -> None:
    """The floor of one file."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    if cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) is None:
        raise BenchmarkError(f"{path} cannot be decoded. Take it out of the folder.")


def know(path: Path) -> None:
    """One file as the worker of `survey` takes it, apart from looking into the cache."""
    data = path.read_bytes()
    facts = verify.examine(data, hashlib.sha256(data).hexdigest())
    if facts.status not in _USABLE:
        raise BenchmarkError(f"{path} is {facts.status} ({facts.reason}). Take it out of the folder.")


def measure_known(sizes: Sequence[SizeClass], *, rounds: int) -> list[Known]:
    """Every size class in turn."""
    with _warm_processes(1) as one, _warm_processes(2) as two:
        return [_known(size, one, two, rounds) for size in sizes]


@dataclass(frozen=True, slots=True)
class _Processes:
    """Warm workers; a call hands each its part of the files and waits for all."""

    pool: ProcessPoolExecutor
    count: int

    def call(self, function: Callable[[Path], None], paths: Sequence[Path]) -> Call:
        parts = [paths[start :: self.count] for start in range(self.count)]

        def run() -> None:
            for done in [self.pool.submit(_each, function, part) for part in parts]:
                done.result()

        return timed(run)


@contextmanager
def _warm_processes(count: int) -> Iterator[_Processes]:
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(abs, range(4 * count)))
        yield _Processes(pool, count)


def _each(function: Callable[[Path], None], paths: Sequence[Path]) -> None:
    for path in paths:
        function(path)


def _known(size: SizeClass, one: _Processes, two: _Processes, rounds: int) -> Known:
    calls = [processes.call(function, size.paths) for processes in (one, two) for function in (read_and_decode, know)]
    floor_one, known_one, floor_two, known_two = in_turns(calls, rounds=rounds)
    clock = StageClock(STAGES)
    alone_s = [clock.time(lambda: _each(know, size.paths)) for _ in range(len(floor_one) + 1)]  # the first warms up
    return Known(
        size.name,
        len(size.paths),
        size.mean_bytes,
        (spread(floor_one), spread(floor_two)),
        (spread(known_one), spread(known_two)),
        (_ratio(floor_one, known_one), _ratio(floor_two, known_two)),
        _ratio(floor_one, floor_two),
        _ratio(known_one, known_two),
        {name: each / len(size.paths) for name, each in clock.medians(len(floor_one)).items()},
        float(np.median(alone_s[1:])) / len(size.paths),
    )


def _ratio(seconds: Sequence[float], to: Sequence[float]) -> Spread:
    """One over the other, turn by turn."""
    return spread([a / b for a, b in zip(seconds, to, strict=True)])
