"""`python -m benchmarks.dedup`: what finding copies costs and what it finds, beside what must be and another tool.

Files are known (verified, digested, fingerprinted) beside the bare decoding of the same files; files to pairs beside
imagededup's PHash, for speed and for what is found of copies whose truth is known; the search for near keys beside
brute force, on random keys and on those of real photos; and the memory of the whole search for candidates. What is
compared runs in turns, and a ratio is the median of the turns' ratios.
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.dedup_peer import (
    EndToEnd,
    Found,
    Peer,
    install_peer,
    measure_end_to_end,
    measure_found,
)
from benchmarks.dedup_photos import (
    AS_GIVEN,
    DERMATOSCOPIC,
    SIZES,
    SizeClass,
    draw_photos,
    evenly,
    files_below,
    made_at,
    one_per_group,
)
from benchmarks.dedup_search import (
    CandidateSearch,
    Searched,
    SearchTask,
    equal_radii,
    search,
    search_candidates,
)
from benchmarks.dedup_tables import (
    aim_table,
    aims,
    candidates_table,
    end_to_end_table,
    found_table,
    known_table,
    search_table,
    stage_table,
)
from benchmarks.dedup_verify import Known, measure_known
from benchmarks.measuring import BenchmarkError, OtherWork
from benchmarks.serving import ROOT
from ml_models.errors import SkinModelError
from ml_pipeline.data import fingerprint
from ml_pipeline.data.survey import survey
from ml_pipeline.data.verify import FileStatus
from ml_pipeline.errors import PipelineError
from ml_pipeline.executor import available_cores
from ml_pipeline.progress import bars

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "xxhash")
_SEED = 0
_RADII_KEYS = 20_000
_MAX_BRUTE_FORCE = 200_000  # keys; ten seconds for the pairs of so many


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `files` are of each size class in a turn: as given, then `SIZES`."""

    drawn: int
    files: tuple[int, ...]
    rounds: int
    peer_images: tuple[int, int]
    peer_rounds: int
    pictures: int
    keys: tuple[int, ...]
    signatures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RealKeys:
    """Searches among the keys of real photos: what the keys are, and how it went."""

    what: str
    searched: Searched


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that one run found out. Without the other tool, `skipped` says why."""

    machine: str
    images: int
    usable: int
    known: list[Known]
    end_to_end: list[EndToEnd]
    found: Found
    skipped: str
    radii: dict[int, bool]
    random_keys: list[Searched]
    real_keys: list[RealKeys]
    candidates: list[CandidateSearch]
    other_work_cores: float


FULL = Plan(
    drawn=100,
    files=(64, 32, 24, 2),
    rounds=25,
    peer_images=(2000, 400),
    peer_rounds=15,
    pictures=100,
    keys=(25_000, 250_000, 1_000_000),
    signatures=(25_000, 50_000, 100_000),
)
QUICK = Plan(
    drawn=6,
    files=(4, 2, 2, 1),
    rounds=1,
    peer_images=(20, 10),
    peer_rounds=1,
    pictures=4,
    keys=(2_000, 4_000, 8_000),
    signatures=(500, 1_000, 2_000),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print everything; expected errors go to stderr as one line, exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dedup", description="What finding copies costs.")
    parser.add_argument(
        "--images", type=Path, nargs="+", metavar="DIR", help="folders of photos, instead of drawn ones"
    )
    parser.add_argument(
        "--records",
        type=Path,
        metavar="CSV",
        help="a build's table: the labelled pairs are made from a photo of each of its groups. Without it, from any "
        "of the images, and those that show one lesion twice count against every tool",
    )
    parser.add_argument("--quick", action="store_true", help="few and small: shows that it works, no figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument(
        "--peers",
        type=Path,
        default=ROOT / "var" / "peers",
        metavar="DIR",
        help="where imagededup's environment (400 MB) is made and kept (default %(default)s)",
    )
    parser.add_argument("--no-peer", action="store_true", help="leave imagededup out")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    try:
        with tempfile.TemporaryDirectory(prefix="skin-benchmark-") as folder:
            measured = _measure(plan, options, Path(folder))
    except (BenchmarkError, SkinModelError, PipelineError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if options.json:
        options.json.write_text(json.dumps(dataclasses.asdict(measured), indent=2, default=float) + "\n")
    return 0


def _measure(plan: Plan, options: argparse.Namespace, folder: Path) -> Measured:
    workers = available_cores()
    machine = _machine()
    _print(machine)
    if options.images:
        paths = files_below(options.images)
    else:
        _in(folder, "drawn")
        paths = draw_photos(folder / "drawn", plan.drawn, workers=workers)
    usable, signatures = _usable(paths, folder)
    peer, skipped = (None, "it was not asked for") if options.no_peer else _peer(options.peers)
    other_work = OtherWork()

    sizes = [SizeClass(AS_GIVEN, evenly(usable, plan.files[0]))]
    sizes += [
        made_at(size, evenly(usable, count), _in(folder, "sizes"))
        for size, count in zip(SIZES, plan.files[1:], strict=True)
    ]
    known = measure_known(sizes, rounds=plan.rounds)
    _print(known_table(known), stage_table(known))

    sizes = [
        SizeClass(AS_GIVEN, evenly(usable, plan.peer_images[0])),
        made_at(DERMATOSCOPIC, evenly(usable, plan.peer_images[1]), _in(folder, "peer")),
    ]
    end_to_end = measure_end_to_end(sizes, peer, rounds=plan.peer_rounds) if peer else []
    _print(end_to_end_table(end_to_end, skipped))
    pictures = evenly(one_per_group(options.records) if options.records else usable, plan.pictures)
    found = measure_found(pictures, peer, folder=_in(folder, "pairs"), seed=_SEED)
    _print(found_table(found))

    radii = equal_radii(min(_RADII_KEYS, plan.keys[0]))
    random_keys = [search(SearchTask(keys=keys, brute_force=keys == plan.keys[0])) for keys in plan.keys]
    real_keys = _search_real_keys(signatures, _in(folder, "keys"))
    _print(search_table(radii, random_keys, [(each.what, each.searched) for each in real_keys]))
    candidates = [search_candidates(count) for count in plan.signatures]
    _print(candidates_table(candidates))
    _print(aim_table(aims(known, end_to_end, found, random_keys, real_keys[0].searched, radii, candidates)))
    cores = other_work.cores()
    _print(f"Meanwhile other work took {cores:.1f} of {workers} cores; with more than 0.1, measure again.")
    return Measured(
        machine,
        len(paths),
        len(usable),
        known,
        end_to_end,
        found,
        skipped,
        radii,
        random_keys,
        real_keys,
        candidates,
        cores,
    )


def _usable(paths: Sequence[Path], folder: Path) -> tuple[list[Path], np.ndarray]:
    """The photos that can be used, one of each file, and their signatures, uint8 [n, views, 32]."""
    cache = folder / "cache.sqlite3"
    facts = survey([str(path) for path in paths], cache=cache, workers=available_cores(), progress=bars)
    first = {each.sha256: (Path(path), each.signature) for path, each in facts.items() if each.status is FileStatus.OK}
    if not first:
        raise BenchmarkError(f"None of {len(paths)} photos can be used. Name a folder with good ones.")
    usable, signatures = zip(*first.values(), strict=True)
    shape = (len(usable), len(fingerprint.VIEWS), fingerprint.SIGNATURE_BYTES)
    return list(usable), np.frombuffer(b"".join(signatures), np.uint8).reshape(shape)


def _search_real_keys(signatures: np.ndarray, folder: Path) -> list[RealKeys]:
    """Whole frames; those in all flips and turns; and all windows of them, to reach more."""
    everything = [
        fingerprint.oriented(signatures[:, view], turn) for view in range(signatures.shape[1]) for turn in range(8)
    ]
    frames = everything[: fingerprint.ORIENTATIONS]
    kinds = {
        "whole frames": frames[:1],
        "whole frames in 8 orientations": frames,
        f"{signatures.shape[1]} windows in 8 orientations": everything,
    }
    searches = []
    for number, (what, parts) in enumerate(kinds.items()):
        keys = np.concatenate([fingerprint.keys(part) for part in parts])
        file = folder / f"{number}.npy"
        np.save(file, keys)
        task = SearchTask(file=str(file), brute_force=len(keys) <= _MAX_BRUTE_FORCE)
        searches.append(RealKeys(what, search(task)))
    return searches


def _peer(folder: Path) -> tuple[Peer | None, str]:
    try:
        return install_peer(folder), ""
    except (BenchmarkError, OSError) as error:
        return None, str(error)


def _in(folder: Path, name: str) -> Path:
    (folder / name).mkdir(exist_ok=True)
    return folder / name


def _print(*sections: str) -> None:
    for section in sections:
        print(section, end="\n\n", flush=True)  # noqa: T201 - its output


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({platform.machine()}), Python {platform.python_version()}, {libraries}"


if __name__ == "__main__":
    sys.exit(main())
