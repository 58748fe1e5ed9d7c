"""The ladder of identity: same file, same pixels, same id, same photograph; and the table of all pairs."""

import csv
import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from ml_models.image_io import read_pixels
from ml_pipeline.data import fingerprint
from ml_pipeline.data.cache import Cache
from ml_pipeline.data.candidates import Candidates, Closeness, find_candidates
from ml_pipeline.data.fingerprint import SIGNATURE_BYTES, VIEWS, Pyramid
from ml_pipeline.data.match import Framed, correlation
from ml_pipeline.data.verify import FileFacts
from ml_pipeline.errors import SourceError
from ml_pipeline.executor import ordered_map
from ml_pipeline.files import write_table
from ml_pipeline.progress import Progress

DECODED_FOR_PX = 128  # pictures are compared at a short side of at least 1.5 times this
_PICTURES_KEPT = 512  # per process, 86 kB each


class Evidence(StrEnum):
    """The rung of the ladder on which a pair was judged."""

    SAME_FILE = "same file"
    SAME_PIXELS = "same pixels"
    SAME_ID = "same id"
    PIXELS_COMPARED = "pixels compared"


@dataclass(frozen=True, slots=True)
class Limits:
    """When two pictures are copies: `closeness` bounds what is compared, the `correlation` of fine structure decides.

    `python -m ml_pipeline dedup` measures recall and precision on labelled pairs of real images; docs/data.md has them.
    """

    closeness: Closeness = field(default_factory=Closeness)
    correlation: float = 0.65


@dataclass(frozen=True, slots=True)
class File:
    """One usable file: whose photo it is and what it holds."""

    image_id: str
    path: Path
    facts: FileFacts


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files, by position in the list of files, `left` < `right`, and why they count as copies or do not.

    `left` turned by `orientation` and seen through the first of `views` was compared with `right` through the second;
    bits are Hamming distances of 64 and of 256. All of these are None where no pixels needed comparing, or where the
    search did not propose the pair.
    """

    left: int
    right: int
    evidence: Evidence
    is_copy: bool
    correlation: float | None = None
    key_bits: int | None = None
    signature_bits: int | None = None
    orientation: int | None = None
    views: tuple[str, str] | None = None

    @property
    def files(self) -> tuple[int, int]:
        return self.left, self.right


def find_copies(
    files: Sequence[File], *, limits: Limits, workers: int, cache: Cache, progress: Progress
) -> tuple[Pair, ...]:
    """All pairs that share bytes, pixels or an id, and all that were compared on pixels, sorted.

    Identical pictures are paired with the first of them only, which stands for them in the search: a thousand equal
    placeholders are no million pairs.
    """
    everyone = range(len(files))
    same_file, one_per_file = _alike(everyone, lambda i: files[i].facts.sha256, Evidence.SAME_FILE)
    same_pixels, one_per_picture = _alike(one_per_file, lambda i: _pixels(files[i].facts), Evidence.SAME_PIXELS)
    same_id, _ = _alike(everyone, lambda i: files[i].image_id, Evidence.SAME_ID)
    pairs = {
        (pair.left, pair.right): pair for pair in _compared(files, one_per_picture, limits, workers, cache, progress)
    }
    for pair in same_id:  # the id decides; what the pixels say stays beside it
        pairs[pair.left, pair.right] = replace(
            pairs.get((pair.left, pair.right), pair), evidence=pair.evidence, is_copy=True
        )
    pairs |= {(pair.left, pair.right): pair for pair in (*same_pixels, *same_file)}
    return tuple(pairs[key] for key in sorted(pairs))


def clusters(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Image id to the first id of its cluster, for every id that is linked to another one as its copy."""
    first: dict[str, str] = {}

    def root(image_id: str) -> str:
        while image_id in first:
            image_id = first[image_id]
        return image_id

    for link in links:
        low, high = sorted(map(root, link))
        if low != high:
            first[high] = low
    roots = {image_id: root(image_id) for image_id in first}
    return roots | {image_id: image_id for image_id in roots.values()}


def write_duplicates(path: Path, files: Sequence[File], pairs: Sequence[Pair], lesion_of: Callable[[str], str]) -> None:
    """Write every pair with distance, evidence and decision; the same pairs give the same bytes."""
    write_table(path, _COLUMNS, (_row(files, pair, lesion_of) for pair in pairs))


_COLUMNS = (
    *("left_image", "right_image", "evidence", "decision", "correlation", "key_bits", "signature_bits", "orientation"),
    *("left_view", "right_view", "left_lesion", "right_lesion", "left_path", "right_path"),
)


def read_copies(path: Path) -> list[tuple[str, str]]:
    """Image ids of the pairs that `write_duplicates` wrote as copies. Raises SourceError."""
    if not path.is_file():
        raise SourceError(f"No file {path}. Name the duplicates.csv that lies beside the records.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise SourceError(f"{path}: columns {reader.fieldnames} are not {list(_COLUMNS)}. Build the table again.")
        rows = [(row["left_image"], row["right_image"]) for row in reader if row["decision"] == "copy"]
    return [(left, right) for left, right in rows if left != right]


def _row(files: Sequence[File], pair: Pair, lesion_of: Callable[[str], str]) -> Iterator[object]:
    left, right = files[pair.left], files[pair.right]
    yield from (left.image_id, right.image_id, pair.evidence, "copy" if pair.is_copy else "not a copy")
    yield "" if pair.correlation is None else f"{pair.correlation:.4f}"
    yield from ("" if value is None else value for value in (pair.key_bits, pair.signature_bits, pair.orientation))
    yield from pair.views or ("", "")
    yield from (lesion_of(left.image_id), lesion_of(right.image_id), left.path, right.path)


def _alike(
    indices: Sequence[int], key_of: Callable[[int], Hashable], evidence: Evidence
) -> tuple[list[Pair], list[int]]:
    """Pairs of the first with each further index of the same key, and the first of every key."""
    first: dict[Hashable, int] = {}
    pairs = []
    for index in indices:
        leader = first.setdefault(key_of(index), index)
        if leader != index:
            pairs.append(Pair(leader, index, evidence, is_copy=True))
    return pairs, list(first.values())


def _pixels(facts: FileFacts) -> Hashable:
    return facts.pixel_digest, facts.width_px, facts.height_px


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What a process needs to compare two files on pixels."""

    left: Path
    right: Path
    left_sha256: str
    right_sha256: str
    left_view: int
    right_view: int
    orientation: int

    @property
    def name(self) -> str:
        """What is compared, whatever the files are called."""
        return f"{self.left_sha256} {self.right_sha256} {self.left_view} {self.right_view} {self.orientation}"


def _compared(
    files: Sequence[File], among: Sequence[int], limits: Limits, workers: int, cache: Cache, progress: Progress
) -> Iterator[Pair]:
    """Candidates of the search, each judged on pixels."""
    if not among:
        return
    signatures = np.frombuffer(b"".join(files[i].facts.signature for i in among), np.uint8)
    found = find_candidates(signatures.reshape(len(among), len(VIEWS), SIGNATURE_BYTES), limits.closeness, progress)
    comparisons = [_comparison(files, among, found, row) for row in range(len(found))]
    unknown = [each for each in comparisons if cache.correlation(each.name) is None]
    results = ordered_map(_compare, unknown, workers=workers)
    shown = progress(results, what="Comparing pixels", total=len(unknown), unit="pairs")
    for comparison, correlated in zip(unknown, shown, strict=True):
        cache.keep_correlation(comparison.name, correlated)
    cache.save()
    for row, comparison in enumerate(comparisons):
        result = cache.correlation(comparison.name)
        yield Pair(
            among[found.left[row]],
            among[found.right[row]],
            Evidence.PIXELS_COMPARED,
            is_copy=result is not None and result >= limits.correlation,
            correlation=result,
            key_bits=int(found.key_bits[row]),
            signature_bits=int(found.signature_bits[row]),
            orientation=comparison.orientation,
            views=(VIEWS[comparison.left_view], VIEWS[comparison.right_view]),
        )


def _comparison(files: Sequence[File], among: Sequence[int], found: Candidates, row: int) -> _Comparison:
    left, right = files[among[found.left[row]]], files[among[found.right[row]]]
    return _Comparison(
        *(left.path, right.path, left.facts.sha256, right.facts.sha256),
        *(int(column[row]) for column in (found.left_view, found.right_view, found.orientation)),
    )


def _compare(comparison: _Comparison) -> float:
    left = _picture(comparison.left, comparison.left_sha256)
    right = _picture(comparison.right, comparison.right_sha256)
    return correlation(
        Framed(left, fingerprint.windows(left)[comparison.left_view]),
        Framed(right, fingerprint.windows(right)[comparison.right_view]),
        orientation=comparison.orientation,
    )


@functools.lru_cache(_PICTURES_KEPT)
def _picture(path: Path, _sha256: str) -> Pyramid:
    rgb = read_pixels(path.read_bytes(), model_input_px=DECODED_FOR_PX).rgb
    return fingerprint.pyramid(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8))
