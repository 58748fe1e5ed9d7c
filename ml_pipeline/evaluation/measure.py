"""Everything that is measured of one model on one set of photos: each domain on its own, and all together."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Estimate, Gain, Metric, estimate, gains
from ml_pipeline.evaluation.metrics import class_metrics, metrics, photo_metrics
from ml_pipeline.evaluation.slices import Slice, slices

ALL = "all"
_COMPARED_TO_RIVALS = ("balanced_accuracy", "balanced_accuracy_seven_classes", "malignant_auc")


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against the rest."""

    code: str
    photos: int
    lesions: int
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Domain:
    """The figures of one modality, or of all photos; `left_out` says why a figure is not there."""

    name: str
    photos: int
    lesions: int
    figures: Mapping[str, Estimate]
    left_out: Mapping[str, str]
    classes: tuple[ClassFigures, ...]
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class Rival:
    """Other answers to the same photos, domain by domain, and what the model gains over them (paired)."""

    name: str
    figures: Mapping[str, Mapping[str, Estimate]]
    gains: Mapping[str, Mapping[str, Gain]]


def domain_rows(modalities: NDArray[np.str_]) -> dict[str, NDArray[np.intp]]:
    """Rows of each domain by name; with several modalities all photos come first."""
    names = sorted(set(modalities.tolist()))
    alone = {name: np.flatnonzero(modalities == name) for name in names}
    return alone if len(names) == 1 else {ALL: np.arange(len(modalities)), **alone}


def measure(answers: Answers, records: Sequence[Record]) -> tuple[Domain, ...]:
    """Measure every domain; `answers` and `records` are parallel."""
    modalities = np.array([str(record.modality) for record in records])
    return tuple(
        _domain(name, answers.take(rows), [records[row] for row in rows])
        for name, rows in domain_rows(modalities).items()
    )


def rival(name: str, other: Answers, answers: Answers, modalities: NDArray[np.str_]) -> Rival:
    """Set other answers to the same photos beside a model's."""
    other = dataclasses.replace(other, malignancy_known=answers.malignancy_known)
    figures, gained = {}, {}
    for domain, rows in domain_rows(modalities).items():
        theirs, ours = other.take(rows), answers.take(rows)
        named = photo_metrics(theirs)
        figures[domain] = estimate(theirs, named)
        gained[domain] = gains(theirs, ours, {each: named[each] for each in _COMPARED_TO_RIVALS if each in named})
    return Rival(name, figures, gained)


def _domain(name: str, answers: Answers, records: Sequence[Record]) -> Domain:
    headline = photo_metrics(answers)
    by_class = {
        f"{index}/{figure}": metric
        for index, code in enumerate(answers.codes)
        for figure, metric in class_metrics(code, index).items()
    }
    known = estimate(answers, headline | by_class)
    return Domain(
        name=name,
        photos=len(answers.labels),
        lesions=answers.lesions,
        figures={figure: known[figure] for figure in headline if figure in known},
        left_out=_left_out(answers, headline, known),
        classes=tuple(_class(index, answers, by_class, known) for index in range(len(answers.codes))),
        slices=slices(answers, records, by_modality=name == ALL),
    )


def _class(index: int, answers: Answers, named: Mapping[str, Metric], known: Mapping[str, Estimate]) -> ClassFigures:
    true = answers.labels == index
    prefix = f"{index}/"
    figures = {name.removeprefix(prefix): known[name] for name in named if name.startswith(prefix) and name in known}
    return ClassFigures(answers.codes[index], int(true.sum()), len(np.unique(answers.groups[true])), figures)


def _left_out(answers: Answers, named: Mapping[str, Metric], known: Mapping[str, Estimate]) -> dict[str, str]:
    """Why each figure that other models have is not there."""
    reasons = {name: f"needs {metric.needs}" for name, metric in named.items() if name not in known}
    for name in metrics(answers.codes, threshold=0.0):
        if name not in named:
            reasons[name] = (
                "the model has no warning threshold"
                if answers.malignancy_known
                else "the model does not know of all its classes whether they are malignant"
            )
    return reasons
