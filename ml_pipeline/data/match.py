"""Whether two pictures show the same photograph, on pixels.

Low frequencies cannot tell: a dark blob on light skin resembles every other. So fine structure is compared (hairs,
pigment network, texture): both pictures are taken without everything coarser than a few percent of the window, and
divided by the local strength of what is left, so that skin and hairs count as much as the edge of the blob, which
would otherwise outweigh them: small dots on plain skin are all alike. Brightness, contrast and colour cast drop out.

Pictures come in through the windows by which the search paired them. Where they do not lie on each other at once
(a cut off the centre, a small turn), an affine map is fitted first (ECC, Evangelidis and Psarakis 2008).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_pipeline.data.fingerprint import Pyramid, Window, sampled, turned

VERSION = 1  # of everything that decides a correlation
_SIDE_PX = 96
_FINE_PX, _COARSE_PX = 1.0, 3.0  # blurs: noise and JPEG blocks below, everything that all lesions share above
_ALIGNED = 0.9  # correlations from here on need no fitting
_FITTING = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-4)
_MIN_OVERLAP = 0.4
_MAX_STRETCH = 2.0
_LOCAL_PX = 6.0  # blur over which strength is local
_MIDDLE = np.zeros((_SIDE_PX, _SIDE_PX), bool)
_MIDDLE[_SIDE_PX // 5 : -(_SIDE_PX // 5), _SIDE_PX // 5 : -(_SIDE_PX // 5)] = True
_MIN_EXTENT = 0.35  # of the picture: windows around tiny lesions are widened, for one blurred dot is like another
_NOISE = 1.0  # grey levels: structure weaker than this is not blown up


@dataclass(frozen=True, slots=True)
class Framed:
    """A picture as seen through one window."""

    picture: Pyramid
    window: Window


def correlation(left: Framed, right: Framed, *, orientation: int) -> float:
    """Correlation of the fine structure, -1 to 1, of `left` turned by `orientation` (see `turned`) with `right`."""
    smallest = min(left.window.extent, right.window.extent)
    wider = max(1.0, _MIN_EXTENT / smallest)
    first = turned(sampled(left.picture, left.window.scaled(wider), side_px=_SIDE_PX), orientation)
    second = sampled(right.picture, right.window.scaled(wider), side_px=_SIDE_PX)
    everywhere = np.ones(first.shape, bool)
    at_once = _fine_correlation(first, second, everywhere)
    return at_once if at_once >= _ALIGNED else max(at_once, _after_fitting(first, second))


def _after_fitting(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    start, everywhere = np.eye(2, 3, dtype=np.float32), np.ones(first.shape, np.uint8)
    try:
        _, fitted = cv2.findTransformECC(
            _blurred(first, _FINE_PX), _blurred(second, _FINE_PX), start, cv2.MOTION_AFFINE, _FITTING, everywhere, 1
        )
    except cv2.error:  # it says so where it finds no map
        return -1.0
    to_second = np.asarray(fitted, np.float32)
    stretches = np.linalg.svd(to_second[:, :2], compute_uv=False)
    if stretches[0] > _MAX_STRETCH or stretches[1] < 1 / _MAX_STRETCH:
        return -1.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(second, to_second, (_SIDE_PX, _SIDE_PX), flags=flags, borderValue=-1)
    common = cv2.erode((moved >= 0).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    if common.mean() < _MIN_OVERLAP:
        return -1.0
    return _fine_correlation(first, np.asarray(moved, np.float32), common)


def _fine_correlation(first: NDArray[np.float32], second: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    """The lower of two: over all of `where`, and over its middle, which alone counts for pictures in equal frames."""
    one, other = _fine(first), _fine(second)
    return min(_correlation(one[part], other[part]) for part in (where, where & _MIDDLE))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    if not one.size:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    strengths = float(np.sqrt((one**2).mean() * (other**2).mean()))
    return float((one * other).mean()) / strengths if strengths else 0.0


def _fine(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    fine = _blurred(picture, _FINE_PX) - _blurred(picture, _COARSE_PX)
    return np.asarray(fine / (np.sqrt(_blurred(fine**2, _LOCAL_PX)) + _NOISE), np.float32)


def _blurred(picture: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)
