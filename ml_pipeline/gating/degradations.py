"""Photos as people fail to take them, in grades: what quality gates are chosen and judged on.

A grade of 0 is the photo as it is; higher grades are worse. Everything works on upright uint8 photos [h, w, 3].
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.classification import ReasonCode

Photo = NDArray[np.uint8]
_UNIT_PX = 200  # blur is said in pixels of a photo whose short side has so many
_SKIN_MARGIN = 0.06  # of each side: the rim that surroundings are made from
_HAZE_GREY = 200.0
# Mean grey of a photo. Dark skin in good light lies above it, and must not be refused for being dark.
_DARKEST = 60.0


@dataclass(frozen=True, slots=True)
class Degradation:
    """One way to fail: `strengths` by grade in the words of `unit`, the score that should notice, what is then said.

    A gate's minimum is at most `highest`, whatever accuracy does.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Photo, float], Photo]
    score: str
    reason: ReasonCode
    highest: float = math.inf


def blurred(photo: Photo, sigma_px: float) -> Photo:
    """Out of focus: Gaussian blur of so many pixels at a short side of 200."""
    sigma = sigma_px * min(photo.shape[:2]) / _UNIT_PX
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma), np.uint8)


def darkened(photo: Photo, gain: float) -> Photo:
    """Too little light, with the noise that a camera then adds."""
    noise = np.random.default_rng(0).normal(0, 2.0, photo.shape[:2])[..., np.newaxis]
    return _rounded(gain * photo.astype(np.float32) + noise)


def overexposed(photo: Photo, gain: float) -> Photo:
    """Too much light: what is bright burns out."""
    return _rounded(gain * photo.astype(np.float32))


def hazed(photo: Photo, share: float) -> Photo:
    """A greasy or covered lens: so much of the light is an even grey."""
    return _rounded((1 - share) * photo.astype(np.float32) + share * _HAZE_GREY)


def from_afar(photo: Photo, scale: float) -> Photo:
    """Too far away: the photo fills this share of each side, around it is skin of the colour of its rim."""
    height, width = photo.shape[:2]
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return _on_skin(np.asarray(small, np.uint8), photo, (height - size[1]) // 2, (width - size[0]) // 2)


def cut_off(photo: Photo, share: float) -> Photo:
    """Off the mark: so much of the photo's width and height lies outside, on the right and below."""
    height, width = photo.shape[:2]
    return np.ascontiguousarray(photo[round(share * height) :, round(share * width) :])


def shrunk(photo: Photo, side_px: float) -> Photo:
    """A thumbnail: the short side has so many pixels."""
    factor = min(1.0, side_px / min(photo.shape[:2]))
    return np.asarray(cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


DEGRADATIONS: tuple[Degradation, ...] = (
    Degradation(
        "blurred", "sigma in px at 200 px", (1, 1.5, 2, 3, 4, 6, 9), blurred, "sharpness", ReasonCode.TOO_BLURRED
    ),
    Degradation(
        "dark", "gain", (0.6, 0.4, 0.25, 0.15, 0.1, 0.06), darkened, "brightness", ReasonCode.TOO_DARK, _DARKEST
    ),
    Degradation("overexposed", "gain", (1.3, 1.6, 2, 2.5, 3.5, 5), overexposed, "unclipped", ReasonCode.WASHED_OUT),
    Degradation("hazed", "share of grey", (0.3, 0.5, 0.7, 0.8, 0.9, 0.95), hazed, "contrast", ReasonCode.NO_DETAIL),
    Degradation(
        "far away", "scale", (0.8, 0.65, 0.5, 0.35, 0.25, 0.15), from_afar, "lesion_share", ReasonCode.LESION_TOO_SMALL
    ),
    Degradation(
        "cut off", "share outside", (0.15, 0.25, 0.35, 0.45, 0.55), cut_off, "lesion_inside", ReasonCode.LESION_CUT_OFF
    ),
    Degradation("thumbnail", "short side in px", (120, 90, 64, 48, 32, 20), shrunk, "detail_px", ReasonCode.NO_DETAIL),
)


def _on_skin(small: NDArray[np.uint8], photo: Photo, top: int, left: int) -> Photo:
    """The small photo on the colour of the large one's rim, its own rim fading into it."""
    height, width = photo.shape[:2]
    rim = max(1, round(_SKIN_MARGIN * min(height, width)))
    edges = np.concatenate([photo[:rim].reshape(-1, 3), photo[-rim:].reshape(-1, 3)])
    canvas = np.broadcast_to(np.median(edges, axis=0).astype(np.float32), photo.shape).copy()
    noise = np.random.default_rng(0).normal(0, 2.0, photo.shape[:2])[..., np.newaxis]
    canvas += noise
    mask = np.zeros(small.shape[:2], np.float32)
    inner = max(1, round(_SKIN_MARGIN * min(small.shape[:2])))
    mask[inner:-inner, inner:-inner] = 1
    alpha = cv2.GaussianBlur(mask, (0, 0), inner / 2)[..., np.newaxis]
    region = (slice(top, top + small.shape[0]), slice(left, left + small.shape[1]))
    canvas[region] = alpha * small + (1 - alpha) * canvas[region]
    return _rounded(canvas)


def _rounded(values: NDArray[np.floating]) -> Photo:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
