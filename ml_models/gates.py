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

    A photo whose kind is not certain has to pass the gates of every kind.
    """
    asked = [gate for gate in gates if modality is None or gate.modality in (None, modality)]
    return tuple(dict.fromkeys(gate.reason for gate in asked if scores[gate.score] < gate.minimum))
