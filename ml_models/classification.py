"""The types that cross the border of the inference core: what is asked of it and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Severity(StrEnum):
    """How urgently the person should be seen; the app knows exactly these three words."""

    LOW = "Low"
    MODERATE = "Moderate"
    HIGH = "High"

    @property
    def rank(self) -> int:
        """Position in the order Low < Moderate < High."""
        return tuple(Severity).index(self)


class Status(StrEnum):
    """Whether the photo could be answered."""

    OK = "ok"
    UNCERTAIN = "uncertain"
    REJECTED = "rejected"


class Modality(StrEnum):
    """How the photo was taken."""

    DERMATOSCOPIC = "dermatoscopic"
    CLINICAL = "clinical"


class ReasonCode(StrEnum):
    """Why an answer is not plain `ok` and safe."""

    NO_DETAIL = "no_detail"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    WASHED_OUT = "washed_out"
    NOT_A_LESION = "not_a_lesion"
    LESION_TOO_SMALL = "lesion_too_small"
    LESION_CUT_OFF = "lesion_cut_off"
    LOW_CONFIDENCE = "low_confidence"
    SUSPICIOUS = "suspicious"
    UNKNOWN_MALIGNANCY = "unknown_malignancy"
    NOT_VALIDATED = "not_validated"
    PHOTOS_DISAGREE = "photos_disagree"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, for machines (`code`) and for people (`text`)."""

    code: ReasonCode
    text: str


@dataclass(frozen=True, slots=True)
class RankedLabel:
    """One of the most probable classes, with the name that the answering model gives it."""

    code: str
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Malignancy:
    """Summed probability of the malignant classes against the threshold in force.

    `probability` is None for a rejected photo and where no class is known to be malignant but some might be,
    `threshold` None where none exists.
    """

    probability: float | None
    threshold: float | None
    suspicious: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person is told. `confidence_percent` is 0-100; `label` is None when rejected.

    `possible` is the conformal prediction set: every class that cannot be ruled out, most probable first.
    """

    status: Status
    label: str | None
    possible: tuple[str, ...]
    diagnosis: str
    confidence_percent: float
    severity: Severity
    advice: str
    is_safe: bool
    malignancy: Malignancy
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered; `digest` is the sha256 of its `model.json`, which in turn names every file's sha256."""

    name: str
    version: str
    digest: str
    preprocess_version: int


@dataclass(frozen=True, slots=True)
class Classification:
    """The whole answer for one photo, or for several photos of one lesion together.

    `probabilities` holds every label in the model's order and sums to 1, None when rejected; `top` the most probable
    ones, best first. `modality` is what the photos were found to be, None where that is not certain.
    """

    decision: Decision
    probabilities: Mapping[str, float] | None
    top: tuple[RankedLabel, ...]
    modality: Modality | None
    photos: tuple["SeenPhoto", ...]
    model: ModelIdentity


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """What the network and the gates say of one photo.

    `logits` are the network's own, float32 [classes]. `rejections` are the reasons of the gates that the photo does not
    pass; then `probabilities` is None. `embedding` is float32 [dimensions]; `activations` are what each cell adds to
    the logit of every label, float32 [grid, grid], only when asked, and never for a rejected photo.
    """

    logits: NDArray[np.float32]
    gate_scores: Mapping[str, float]
    rejections: tuple[ReasonCode, ...]
    modality: Modality | None
    probabilities: Mapping[str, float] | None
    embedding: NDArray[np.float32]
    activations: Mapping[str, NDArray[np.float32]] | None
