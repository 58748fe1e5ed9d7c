"""Random fields and soft drawing on float pictures: the paint box of the synthetic photos.

Owns noise, cells, ink and colour mixing. Knows nothing of skin or lesions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.float32]
"""float32 [H, W]."""
Picture: TypeAlias = npt.NDArray[np.float32]
"""float32 RGB [H, W, 3], 0 black to 1 white, display-referred (no gamma is applied later)."""
Photo: TypeAlias = npt.NDArray[np.uint8]
"""uint8 RGB [H, W, 3]."""
Points: TypeAlias = npt.NDArray[np.float32]
"""float32 [N, 2], x and y in pixels."""

_SUPERSAMPLING = 3  # cv2 draws whole-pixel widths only; ink is drawn larger and shrunk
_SHIFT = 4  # cv2's fixed point: positions in 1/16 pixel


@dataclass(frozen=True, slots=True)
class Colour:
    """RGB, each 0..1."""

    red: float
    green: float
    blue: float

    def array(self) -> Plane:
        """float32 [3]."""
        return np.array([self.red, self.green, self.blue], np.float32)


@dataclass(frozen=True, slots=True)
class Cells:
    """Cellular noise (Worley 1996): a plane of irregular cells.

    `edge` is 0 on the border between two cells and grows inwards, in units of the spacing; `value` is one
    uniform random number in 0..1 per cell.
    """

    edge: Plane
    value: Plane


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line of ink; a single point is a disc of diameter `width_px`."""

    points: Points
    width_px: float


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], *, scale_px: float, octaves: int = 3) -> Plane:
    """Clouds of about `scale_px`, each octave half as large and as strong; mean 0, deviation 1."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        scale = max(scale_px / 2**octave, 1.0)
        total += _isotropic_noise(rng, shape, scale) / 2**octave
    return np.asarray((total - total.mean()) / max(float(total.std()), 1e-6), np.float32)


def cells(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    spacing_px: float,
    jitter: float = 0.8,
    warp: float = 0.25,
) -> Cells:
    """Irregular cells about `spacing_px` wide; `warp` bends their rows, in units of the spacing."""
    height, width = shape
    grid_y, grid_x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(spacing_px)
    grid_x += 2 + warp * smooth_noise(rng, shape, scale_px=3 * spacing_px, octaves=1)
    grid_y += 2 + warp * smooth_noise(rng, shape, scale_px=3 * spacing_px, octaves=1)
    rows, columns = int(height / spacing_px) + 6, int(width / spacing_px) + 6
    seeds = 0.5 + jitter * (rng.random((rows, columns, 2), dtype=np.float32) - 0.5)
    colours = rng.random((rows, columns), dtype=np.float32)
    row, column = np.floor(grid_y).astype(np.intp), np.floor(grid_x).astype(np.intp)
    nearest = np.full(shape, np.inf, np.float32)
    second, value = nearest.copy(), np.zeros(shape, np.float32)
    for step_y, step_x in np.ndindex(3, 3):
        at_row = np.clip(row + step_y - 1, 0, rows - 1)
        at_column = np.clip(column + step_x - 1, 0, columns - 1)
        offset = seeds[at_row, at_column]
        distance = np.hypot(at_column + offset[..., 0] - grid_x, at_row + offset[..., 1] - grid_y).astype(np.float32)
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        value = np.where(closer, colours[at_row, at_column], value)
        nearest = np.minimum(nearest, distance)
    return Cells(edge=second - nearest, value=value)


def ink(shape: tuple[int, int], strokes: Sequence[Stroke], *, soften_px: float = 0.0) -> Plane:
    """Coverage 0..1 of all strokes together, anti-aliased, then blurred by `soften_px`."""
    height, width = shape
    mask = np.zeros((height * _SUPERSAMPLING, width * _SUPERSAMPLING), np.uint8)
    for stroke in strokes:
        points = np.round(stroke.points * (_SUPERSAMPLING << _SHIFT)).astype(np.int32)
        if len(points) == 1:
            radius = round(stroke.width_px * _SUPERSAMPLING * (1 << _SHIFT) / 2)
            cv2.circle(mask, (int(points[0, 0]), int(points[0, 1])), radius, 255, -1, cv2.LINE_AA, _SHIFT)
        else:
            thickness = max(round(stroke.width_px * _SUPERSAMPLING), 1)
            cv2.polylines(mask, [points.reshape(-1, 1, 2)], False, 255, thickness, cv2.LINE_AA, _SHIFT)
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return blur(np.asarray(small / 255, np.float32), soften_px)


def ramp(values: Plane, start: float, end: float) -> Plane:
    """Smooth step: 0 at `start`, 1 at `end`, flat outside; `start` may be the larger one."""
    share = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def paint(picture: Picture, colour: Colour, cover: Plane) -> Picture:
    """Opaque colour laid over the picture where `cover` (0..1) says so."""
    return np.asarray(picture + (colour.array() - picture) * cover[..., None], np.float32)


def stain(picture: Picture, tint: Colour, cover: Plane) -> Picture:
    """Transparent pigment: multiplies by `tint`, so the texture and tone of the skin stay visible."""
    return np.asarray(picture * (1 - cover[..., None] * (1 - tint.array())), np.float32)


def shade(picture: Picture, light: Plane) -> Picture:
    """Brightens where `light` is positive, darkens where it is negative, as a share of the colour."""
    return np.asarray(picture * (1 + light[..., None]), np.float32)


def relief(height: Plane) -> Plane:
    """Light falling from the upper left on a surface of the given height; about -1..1 for steep slopes."""
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    return np.tanh(np.asarray(slope_x + slope_y, np.float32))


def blur(values: Picture, sigma_px: float) -> Picture:
    """Gaussian blur of a plane or a picture; a sigma of 0 returns the values untouched."""
    if sigma_px <= 0:
        return values
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px), np.float32)


def to_photo(picture: Picture) -> Photo:
    """Clips and rounds to uint8."""
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _isotropic_noise(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Plane:
    """Blurred white noise of standard deviation about 1, made on a coarse lattice for speed.

    Interpolating an unblurred lattice is faster still, but bends every border towards right angles.
    """
    step = max(scale_px / 4, 1.0)
    sigma, margin = 0.42 * scale_px / step, 6
    height, width = (int(side / step) + 2 * margin + 2 for side in shape)
    lattice = blur(rng.standard_normal((height, width), dtype=np.float32), sigma) * (2 * np.sqrt(np.pi) * sigma)
    size = (int(np.ceil(width * step)), int(np.ceil(height * step)))
    large = cv2.resize(np.asarray(lattice, np.float32), size, interpolation=cv2.INTER_CUBIC)
    start = int(margin * step)
    return np.asarray(large[start : start + shape[0], start : start + shape[1]], np.float32)
