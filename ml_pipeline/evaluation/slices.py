"""The same model on parts of the data: by sex, age, site, source, resolution and skin type.

A slice of fewer than 20 lesions has no figures. Balanced accuracy is over the classes with at least 5 lesions in the
slice, so slices may stand on different classes; `classes` says on how many. Malignant figures need 5 malignant lesions
and, for the AUC, 5 benign ones.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Estimate, Metric, estimate
from ml_pipeline.evaluation.metrics import photo_metrics

FEWEST_LESIONS = 20
FEWEST_OF_A_KIND = 5
UNKNOWN = "unknown"
SLICED = (
    "balanced_accuracy",
    "malignant_auc",
    "malignant_sensitivity_at_threshold",
    "expected_calibration_error",
)
_AGES = ((30, "under 30"), (45, "30 to 44"), (60, "45 to 59"), (75, "60 to 74"))
_OLDEST = "75 and older"
_SHORT_SIDES_PX = ((300, "under 300 px"), (600, "300 to 599 px"), (1200, "600 to 1199 px"))
_LARGEST = "1200 px and more"


@dataclass(frozen=True, slots=True)
class Slice:
    """The photos that share one value of a fact.

    A figure is None where they are too few; `classes` is how many balanced accuracy is over.
    """

    fact: str
    value: str
    photos: int
    lesions: int
    classes: int
    figures: Mapping[str, Estimate | None]


def slices(answers: Answers, records: Sequence[Record], *, by_modality: bool) -> tuple[Slice, ...]:
    """All slices, fact by fact; values in order, the unknown last. `answers` and `records` are parallel."""
    facts = {**({"modality": lambda record: str(record.modality)} if by_modality else {}), **_FACTS}
    found = []
    for fact, value_of in facts.items():
        rows: dict[str, list[int]] = defaultdict(list)
        for row, record in enumerate(records):
            rows[value_of(record) or UNKNOWN].append(row)
        order = [value for value in _ORDER.get(fact, ()) if value in rows]
        others = sorted(set(rows) - {*order, UNKNOWN})
        found += [
            _slice(fact, value, answers.take(np.array(rows[value])))
            for value in (*order, *others, *({UNKNOWN} & set(rows)))
        ]
    return tuple(found)


def _slice(fact: str, value: str, answers: Answers) -> Slice:
    named = {name: metric for name, metric in photo_metrics(answers).items() if name in SLICED}
    common = np.array([code for code in range(len(answers.codes)) if _enough(answers, answers.labels == code)])
    judged = answers.take(np.flatnonzero(np.isin(answers.labels, common)))
    figures: dict[str, Estimate | None] = dict.fromkeys(named)
    if answers.lesions >= FEWEST_LESIONS:
        figures |= estimate(answers, _supported(answers, named))
        if len(common) > 1:
            figures |= estimate(judged, {"balanced_accuracy": named["balanced_accuracy"]})
    return Slice(fact, value, len(answers.labels), answers.lesions, len(common), figures)


def _supported(answers: Answers, named: Mapping[str, Metric]) -> dict[str, Metric]:
    """The figures other than balanced accuracy for which there are enough lesions."""
    malignant, benign = _enough(answers, answers.is_malignant), _enough(answers, ~answers.is_malignant)
    enough = {
        "malignant_auc": malignant and benign,
        "malignant_sensitivity_at_threshold": malignant,
        "expected_calibration_error": True,
    }
    return {name: metric for name, metric in named.items() if enough.get(name)}


def _enough(answers: Answers, photos: NDArray[np.bool_]) -> bool:
    return len(np.unique(answers.groups[photos])) >= FEWEST_OF_A_KIND


def _band(value: float, bands: Sequence[tuple[float, str]], last: str) -> str:
    return next((name for end, name in bands if value < end), last)


def _age(record: Record) -> str:
    return "" if record.age_years is None else _band(record.age_years, _AGES, _OLDEST)


def _resolution(record: Record) -> str:
    short_side_px = min(record.width_px, record.height_px)
    return _band(short_side_px, _SHORT_SIDES_PX, _LARGEST) if short_side_px else ""


_FACTS: dict[str, Callable[[Record], str]] = {
    "sex": lambda record: record.sex,
    "age": _age,
    "site": lambda record: record.site,
    "source": lambda record: record.source,
    "short side": _resolution,
    "Fitzpatrick type": lambda record: "" if record.fitzpatrick_type is None else str(record.fitzpatrick_type),
}
_ORDER = {
    "age": (*(name for _, name in _AGES), _OLDEST),
    "short side": (*(name for _, name in _SHORT_SIDES_PX), _LARGEST),
}
