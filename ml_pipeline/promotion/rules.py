"""The rules of the gate: one typed table, every margin with its reason.

A new figure is a new row: `FigureRule` for one of `evaluation/metrics.py`, `ShareRule` for a share of what was served.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Modality
from ml_pipeline.promotion.served import Served

_MELANOMA = "mel"


class Kind(StrEnum):
    """The photos that a figure is about."""

    ALL = "all"
    MALIGNANT = "malignant"
    MELANOMA = "melanoma"

    @staticmethod
    def told_by(served: Served) -> "tuple[Kind, ...]":
        """The kinds that the labels of these answers can tell."""
        answers = served.answers
        if not (answers.malignancy_known and answers.malignant.any()):
            return (Kind.ALL,)
        return tuple(Kind) if _MELANOMA in answers.codes else (Kind.ALL, Kind.MALIGNANT)

    def of(self, served: Served) -> NDArray[np.bool_]:
        """Which of the photos are of this kind, [n]; none where the labels do not tell."""
        answers = served.answers
        if self is Kind.ALL:
            return np.ones(len(answers.labels), bool)
        if self is Kind.MELANOMA:
            return np.asarray(np.array([code == _MELANOMA for code in answers.codes])[answers.labels])
        return answers.is_malignant & answers.malignancy_known


@dataclass(frozen=True, slots=True)
class FigureRule:
    """The paired gain's lower 95 % bound must not be under `-margin` (`-clinical_margin` on clinical photos alone)."""

    figure: str
    kind: Kind
    margin: float
    clinical_margin: float
    reason: str

    def margin_in(self, domain: str) -> float:
        """The margin that holds in a domain."""
        return self.clinical_margin if domain == Modality.CLINICAL else self.margin


@dataclass(frozen=True, slots=True)
class ShareRule:
    """So much more of the photos of a kind may be served so: the upper 95 % bound of the paired difference."""

    name: str
    kind: Kind
    happens: Callable[[Served], NDArray[np.bool_]]
    margin: float
    reason: str


@dataclass(frozen=True, slots=True)
class FloorRule:
    """The candidate's own figure, wherever it has a threshold of its own, must not be under `floor`."""

    figure: str
    kind: Kind
    floor: float
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All of them; the single numbers have their reasons beside them in `RULES`."""

    figures: tuple[FigureRule, ...]
    shares: tuple[ShareRule, ...]
    floors: tuple[FloorRule, ...]
    fewest_lesions: int
    most_frozen_missing: float
    slowest_ratio: float
    largest_bytes: int


RULES = Rules(
    figures=(
        FigureRule(
            "balanced_accuracy",
            Kind.ALL,
            margin=0.05,
            clinical_margin=0.10,
            reason=(
                "Rare classes count as much as nevi. With a dozen lesions of the rarest, the interval of two equally "
                "good models reaches about as far; clinical photos are fewer still, so their margin is wider."
            ),
        ),
        FigureRule(
            "malignant_sensitivity_at_threshold",
            Kind.MALIGNANT,
            margin=0.03,
            clinical_margin=0.06,
            reason="A malignant lesion that is not flagged may be called safe: the worst mistake there is.",
        ),
        FigureRule(
            "melanoma_sensitivity_at_threshold",
            Kind.MELANOMA,
            margin=0.04,
            clinical_margin=0.08,
            reason=(
                "Melanomas kill, and a malignant figure could hide them behind basal cell carcinomas. They are fewer, "
                "so the margin is wider."
            ),
        ),
        FigureRule(
            "expected_calibration_error",
            Kind.ALL,
            margin=0.03,
            clinical_margin=0.08,
            reason="Thresholds, uncertainty and the confidence that people read all rest on calibrated probabilities.",
        ),
    ),
    shares=(
        ShareRule(
            "malignant_called_safe",
            Kind.MALIGNANT,
            lambda served: served.safe,
            margin=0.01,
            reason="What the person is told in the end, whatever threshold or gate led to it.",
        ),
        ShareRule(
            "rejected",
            Kind.ALL,
            lambda served: served.rejected,
            margin=0.02,
            reason="A photo of a lesion that is turned away is no answer.",
        ),
        ShareRule(
            "uncertain",
            Kind.ALL,
            lambda served: served.uncertain,
            margin=0.05,
            reason="Accuracy on what is left must not be bought by answering less.",
        ),
    ),
    floors=(
        FloorRule(
            "malignant_sensitivity_at_threshold",
            Kind.MALIGNANT,
            floor=0.93,
            reason=(
                "Thresholds are chosen so that .95 is the lower bound on validation; a test value .02 below is no "
                "chance any more."
            ),
        ),
        FloorRule(
            "melanoma_sensitivity_at_threshold",
            Kind.MELANOMA,
            floor=0.9,
            reason="Thresholds are chosen for .95 of the melanomas on validation, of which a test holds few.",
        ),
    ),
    fewest_lesions=20,  # with fewer, one missed lesion is more than 5 %: the same bound as that of the thresholds
    most_frozen_missing=0.01,  # a build, too, takes up to 1 % of a source's photos as lost
    slowest_ratio=2.0,  # of 4 ms beside 30 ms to decode a photo of 12 megapixels; twice that is hardly felt
    largest_bytes=15_000_000,  # phones download the same file
)
