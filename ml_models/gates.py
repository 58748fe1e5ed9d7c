"""What is measured of a photo to know whether it may be answered. Thresholds live in the artefact, never here.

Some scores are plain measurements of the pixels, the others are read off outputs of the network itself (`heads.py`).
Every score falls as the photo gets worse.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Modality, ReasonCode

PHOTO_SCORES = ("brightness", "contrast", "sharpness", "unclipped", "detail_px")
NETWORK_SCORES = ("lesion_photo", "lesion_share", "lesion_inside", "modality_certainty")
SCORES = PHOTO_SCORES + NETWORK_SCORES
MEASURED_SIDE_PX = 200
# What must be in order before the next makes sense: something to see, to see it well, a lesion, the whole of it.
TIERS: Mapping[ReasonCode, int] = {
    ReasonCode.NO_DETAIL: 0,
    ReasonCode.TOO_BLURRED: 1,
    ReasonCode.TOO_DARK: 1,
    ReasonCode.WASHED_OUT: 1,
    ReasonCode.NOT_A_LESION: 2,
    ReasonCode.LESION_TOO_SMALL: 3,
    ReasonCode.LESION_CUT_OFF: 3,
}
CLIPPED_FROM = 250  # grey level of a pixel that tells nothing any more


@dataclass(frozen=True, slots=True)
class Gate:
    """A photo whose `score` is under `minimum` is rejected with `reason`; `modality` None: whatever its kind."""

    score: str
    minimum: float
    reason: ReasonCode
    modality: Modality | None = None


def measure(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """The `PHOTO_SCORES` of an upright photo uint8 [h, w, 3], shrunk to a short side of 200 px so that cameras compare.

    `brightness` is the mean grey level and `contrast` its standard deviation (0-255), `sharpness` the variance of the
    Laplacian (Pech-Pacheco 2000), `unclipped` the share of pixels that are not burnt out, `detail_px` the short side
    of the photo as it came, at most 200.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    detail_px = min(MEASURED_SIDE_PX, *grey.shape)
    factor = min(1.0, MEASURED_SIDE_PX / min(grey.shape))
    grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    values = (
        grey.mean(),
        grey.std(),
        cv2.Laplacian(grey, cv2.CV_32F).var(),
        (grey < CLIPPED_FROM).mean(),
        detail_px,
    )
    return {name: float(value) for name, value in zip(PHOTO_SCORES, values, strict=True)}


def failed_gates(
    scores: Mapping[str, float], gates: Iterable[Gate], *, modality: Modality | None
) -> tuple[ReasonCode, ...]:
    """Reasons of the gates that the scores of a photo of that kind do not pass, each once, in the artefact's order.

    Of `TIERS` only the first with a reason: of a photo that shows nothing well, nobody can tell what it shows. A photo
    whose kind is not certain has to pass the gates of every kind.
    """
    asked = [gate for gate in gates if modality is None or gate.modality in (None, modality)]
    failed = dict.fromkeys(gate.reason for gate in asked if scores[gate.score] < gate.minimum)
    first = min((TIERS[reason] for reason in failed), default=0)
    return tuple(reason for reason in failed if TIERS[reason] == first)
