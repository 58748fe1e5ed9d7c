"""One model on two copies of the same photos: whether sharpness or framing moves the answer where it should not."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import file_digest
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.source import canonical_id, photos_below
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Estimate, Gain, gains
from ml_pipeline.evaluation.metrics import photo_metrics


@dataclass(frozen=True, slots=True)
class ClassShift:
    """One class: photos that truly are of it, and the mean probability that it gets in each set of copies.

    `wrongly_*` are means over the photos of other classes: what a shortcut through sharpness would move.
    """

    code: str
    photos: int
    first: float
    second: float
    wrongly_first: float
    wrongly_second: float


@dataclass(frozen=True, slots=True)
class CopiesComparison:
    """The same photos twice: figures of both copies, what the second gains (paired), the shift of each class."""

    photos: int
    lesions: int
    same_answer: float
    figures: Mapping[str, tuple[float, float]]
    gains: Mapping[str, Gain]
    classes: tuple[ClassShift, ...]


def copies_in(records: Sequence[Record], folder: Path) -> dict[str, Record]:
    """The records whose photo also lies in a folder, by image id, pointing there. Raises PipelineError."""
    if not folder.is_dir():
        raise PipelineError(f"No folder {folder}. Give a folder that holds copies under the same ids.")
    found = {canonical_id(path.stem): path for path in photos_below(folder)}
    return {
        record.image_id: dataclasses.replace(record, path=str(path), sha256=file_digest(path))
        for record in records
        if (path := found.get(record.image_id))
    }


def compare_copies(first: Answers, second: Answers) -> CopiesComparison:
    """Set the answers to two copies of the same photos, in the same order, against each other."""
    named = photo_metrics(first)
    return CopiesComparison(
        photos=len(first.labels),
        lesions=first.lesions,
        same_answer=float((first.predicted == second.predicted).mean()),
        figures={name: (metric(first), metric(second)) for name, metric in named.items()},
        gains=gains(first, second, named),
        classes=tuple(_shift(first, second, index) for index in range(len(first.codes))),
    )


def printed_copies(comparison: CopiesComparison) -> str:
    """Markdown tables for a terminal or a document."""
    lines = [
        f"{comparison.photos} photos of {comparison.lesions} lesions, each in two copies",
        f"the most probable class is the same for {comparison.same_answer:.1%}",
        "",
        "| | first | second | second gains |",
        "| :-- | --: | --: | --: |",
    ]
    for name, gain in comparison.gains.items():
        one, other = comparison.figures[name]
        lines.append(f"| {name} | {one:.3f} | {other:.3f} | {_signed(gain.difference)} |")
    lines += [
        "",
        "| mean probability of | photos | true: first | second | other classes: first | second |",
        "| :-- | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {each.code} | {each.photos} | {each.first:.3f} | {each.second:.3f} "
        f"| {each.wrongly_first:.3f} | {each.wrongly_second:.3f} |"
        for each in comparison.classes
        if each.photos
    ]
    return "\n".join(lines)


def _shift(first: Answers, second: Answers, index: int) -> ClassShift:
    true = first.labels == index
    one, other = first.probabilities[:, index], second.probabilities[:, index]
    return ClassShift(
        code=first.codes[index],
        photos=int(true.sum()),
        first=_mean(one[true]),
        second=_mean(other[true]),
        wrongly_first=_mean(one[~true]),
        wrongly_second=_mean(other[~true]),
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _signed(estimate: Estimate) -> str:
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
