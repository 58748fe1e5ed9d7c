"""Plain measurements of a photo, made before the network runs. Thresholds live in the artefact, never here."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.classification import ReasonCode

SCORES = ("brightness", "contrast", "sharpness")
MEASURED_SIDE_PX = 200


@dataclass(frozen=True, slots=True)
class Gate:
    """A photo whose `score` is under `minimum` is rejected with `reason`."""

    score: str
    minimum: float
    reason: ReasonCode


def measure(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """The `SCORES` of an upright photo uint8 [h, w, 3], shrunk to a short side of 200 px so that cameras compare.

    `brightness` is the mean grey level and `contrast` its standard deviation (0-255), `sharpness` the variance of the
    Laplacian (Pech-Pacheco 2000).
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    factor = min(1.0, MEASURED_SIDE_PX / min(grey.shape))
    grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    values = (grey.mean(), grey.std(), cv2.Laplacian(grey, cv2.CV_32F).var())
    return {name: float(value) for name, value in zip(SCORES, values, strict=True)}


def failed_gates(scores: Mapping[str, float], gates: tuple[Gate, ...]) -> tuple[ReasonCode, ...]:
    """Reasons of the gates that the scores do not pass, in the artefact's order."""
    return tuple(gate.reason for gate in gates if scores[gate.score] < gate.minimum)
