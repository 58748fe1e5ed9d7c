"""How well copies are found: labelled pairs made from real pictures, one row per kind of change.

A true pair is a picture and a changed copy of it; a false one is any two pictures of different lesions. The matcher
sees pixels only, and judges all pairs of pictures and copies as a build would.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.image_io import read_pixels
from ml_pipeline.data import fingerprint
from ml_pipeline.data.candidates import Candidates, find_candidates
from ml_pipeline.data.changes import CHANGES
from ml_pipeline.data.deduplicate import DECODED_FOR_PX, Limits
from ml_pipeline.data.fingerprint import Pyramid
from ml_pipeline.data.match import Framed, correlation
from ml_pipeline.executor import ordered_map
from ml_pipeline.progress import Progress

RADII = (2, 4, 6, 8)
THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Recall:
    """One change: copies made, how many a search within each radius proposes, and how many are joined."""

    change: str
    copies: int
    proposed_within: dict[int, int]
    joined: int


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What a threshold trades: recall over all changes, pairs of different lesions joined, precision."""

    correlation: float
    recall: float
    wrongly_joined: int
    precision: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcome for `pictures` of different lesions, each with one copy per change.

    `wrongly_joined` are pairs of pictures of different lesions, or of a picture and a copy of another lesion's.
    """

    pictures: int
    recalls: tuple[Recall, ...]
    wrongly_joined: int
    thresholds: tuple[AtThreshold, ...]

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "pictures": self.pictures,
            "wrongly_joined": self.wrongly_joined,
            "changes": {
                each.change: {
                    "copies": each.copies,
                    **{f"proposed within {radius} bits": count for radius, count in each.proposed_within.items()},
                    "joined": each.joined,
                }
                for each in self.recalls
            },
            "thresholds": [asdict(each) for each in self.thresholds],
        }


@dataclass(frozen=True, slots=True)
class _Judged:
    """All candidates of one change, beside the correlations that their pixels have."""

    candidates: Candidates
    correlations: NDArray[np.float64]


def measure(paths: Sequence[Path], *, limits: Limits, seed: int, workers: int, progress: Progress) -> Measured:
    """Make copies of these pictures (of different lesions, one each) by every change, and look for them."""
    tasks = [partial(_judge, name, tuple(paths), limits, seed) for name in CHANGES]
    results = progress(
        ordered_map(_call, tasks, workers=workers, chunk=1), what="Labelled pairs", total=len(tasks), unit="changes"
    )
    judged = dict(zip(CHANGES, results, strict=True))
    recalls = tuple(_recall(name, each, len(paths), limits) for name, each in judged.items())
    return Measured(
        pictures=len(paths),
        recalls=recalls,
        wrongly_joined=_wrong(judged.values(), len(paths), limits.correlation),
        thresholds=tuple(_at(threshold, judged, len(paths)) for threshold in THRESHOLDS),
    )


def _call(task: "partial[_Judged]") -> _Judged:
    return task()


def _judge(name: str, paths: tuple[Path, ...], limits: Limits, seed: int) -> _Judged:
    """Pictures are 0 to n-1, their copies n to 2n-1."""
    photos = [_decoded(path) for path in paths]
    rng = np.random.default_rng(seed)
    pictures = [_pyramid(photo) for photo in photos] + [_pyramid(CHANGES[name](photo, rng)) for photo in photos]
    found = find_candidates(np.stack([fingerprint.signature(each) for each in pictures]), limits.closeness)
    return _Judged(found, np.array([_correlation(pictures, found, row) for row in range(len(found))]))


def _correlation(pictures: Sequence[Pyramid], found: Candidates, row: int) -> float:
    left, right = pictures[found.left[row]], pictures[found.right[row]]
    return correlation(
        Framed(left, fingerprint.windows(left)[found.left_view[row]]),
        Framed(right, fingerprint.windows(right)[found.right_view[row]]),
        orientation=int(found.orientation[row]),
    )


def _decoded(path: Path) -> NDArray[np.uint8]:
    return read_pixels(path.read_bytes(), model_input_px=DECODED_FOR_PX).rgb


def _pyramid(photo: NDArray[np.uint8]) -> Pyramid:
    return fingerprint.pyramid(np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.uint8))


def _recall(name: str, judged: _Judged, pictures: int, limits: Limits) -> Recall:
    found = judged.candidates
    true = _true(found, pictures)
    return Recall(
        name,
        copies=pictures,
        proposed_within={radius: int((true & (found.key_bits <= radius)).sum()) for radius in RADII},
        joined=int((true & (judged.correlations >= limits.correlation)).sum()),
    )


def _at(threshold: float, judged: dict[str, _Judged], pictures: int) -> AtThreshold:
    right = sum(int((_true(e.candidates, pictures) & (e.correlations >= threshold)).sum()) for e in judged.values())
    wrong = _wrong(judged.values(), pictures, threshold)
    precision = right / (right + wrong) if right + wrong else 1.0
    return AtThreshold(threshold, right / (pictures * len(judged)), wrong, precision)


def _wrong(judged: Iterable[_Judged], pictures: int, threshold: float) -> int:
    """Two pictures as they are meet in every change, but are one pair."""
    wrong = 0
    for turn, each in enumerate(judged):
        joined = ~_true(each.candidates, pictures) & (each.correlations >= threshold)
        unchanged = each.candidates.right < pictures
        wrong += int((joined & ~(unchanged & (turn > 0))).sum())
    return wrong


def _true(found: Candidates, pictures: int) -> NDArray[np.bool_]:
    return np.asarray(found.right - found.left == pictures)
