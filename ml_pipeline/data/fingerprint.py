"""What a picture looks like, in 256 bits for each of nine windows of it.

Perceptual hash by the signs of low DCT coefficients (after Zauner 2010, "Implementation and benchmarking of perceptual
image hash functions"), without the row and the column of frequency 0: a dark blob on light skin fixes those, so that
unlike lesions would collide. Signs make the eight flips and quarter turns exact: a flip inverts the odd frequencies, a
transposition transposes the table. The lowest 8 x 8 of the 16 x 16 signs are the 64-bit key that is searched.

Copies differ in framing, so a picture is hashed in several windows: the frame squashed to a square, its central
square, both cropped, and three windows around the lesion, which stay on it wherever the copy was cut.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", bound=np.generic)

VERSION = 1  # of everything that decides the bits; caches of other versions are not used
ORIENTATIONS = 8
FREQUENCIES = 16
SIGNATURE_BYTES = FREQUENCIES * FREQUENCIES // 8
_KEY_FREQUENCIES = 8
_HASHED_SIDE_PX = 32
_PART = 4096  # signatures unpacked at a time
_LEVELS_PX = (256, 128, 64)
_LESION_LEVEL = 2
_LESION_BLUR_PX = 1.0
_OTSU_DARK = cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU
_MIN_AREA = 0.003  # of the picture
_FINEST = 2.5  # pixels of a level for one of a window: linear sampling skips detail beyond that


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle in a picture, as shares of its width and height: centre and half extents."""

    x: float
    y: float
    half_width: float
    half_height: float

    @property
    def extent(self) -> float:
        """The longer side, as a share of the picture's."""
        return 2 * max(self.half_width, self.half_height)

    def scaled(self, factor: float) -> "Window":
        return Window(self.x, self.y, self.half_width * factor, self.half_height * factor)


VIEWS = ("frame", "square", "frame 0.9", "square 0.9", "frame 0.8", "square 0.8", "lesion", "lesion 1.2", "lesion 1.5")
FRAME, SQUARE, *_, LESION, LESION_WIDER, LESION_WIDEST = range(len(VIEWS))
# Which window of one picture is looked for among which windows of the others. A copy that was cut shows, as its whole
# frame, a smaller window of the original; copies cut off the centre meet in the windows around the lesion.
SEARCHED: tuple[tuple[int, tuple[int, ...]], ...] = (
    (FRAME, tuple(range(LESION))),
    (SQUARE, (SQUARE,)),
    (LESION, (LESION,)),
    (LESION_WIDER, (LESION_WIDER,)),
    (LESION_WIDEST, (LESION_WIDEST,)),
)

_STEPS = np.outer(np.arange(1, FREQUENCIES + 1), 2 * np.arange(_HASHED_SIDE_PX) + 1) / (2 * _HASHED_SIDE_PX)
_COSINES = np.cos(np.pi * _STEPS).astype(np.float32)
_ODD = np.arange(1, FREQUENCIES + 1) % 2 == 1


@dataclass(frozen=True, slots=True)
class Pyramid:
    """A grey picture squashed to squares of 256, 128 and 64 px, and the size that it had.

    Every window can be sampled from one of the levels without aliasing.
    """

    levels: tuple[NDArray[np.uint8], ...]
    width_px: int
    height_px: int


def pyramid(grey: NDArray[np.uint8]) -> Pyramid:
    """The pyramid of a picture uint8 [h, w]."""
    height_px, width_px = grey.shape
    by_x, by_y = (max(1, side // _LEVELS_PX[0]) for side in (width_px, height_px))
    whole = (width_px // by_x, height_px // by_y)  # whole factors are ten times faster; what they leave is under 2
    top, left = height_px % by_y // 2, width_px % by_x // 2
    divisible = grey[top : top + whole[1] * by_y, left : left + whole[0] * by_x]
    level = cv2.resize(divisible, whole, interpolation=cv2.INTER_AREA)
    level = cv2.resize(level, (_LEVELS_PX[0], _LEVELS_PX[0]), interpolation=cv2.INTER_LINEAR)
    levels = [np.asarray(level, np.uint8)]
    for side_px in _LEVELS_PX[1:]:
        levels.append(np.asarray(cv2.resize(levels[-1], (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8))
    return Pyramid(tuple(levels), width_px, height_px)


def signature(picture: Pyramid) -> NDArray[np.uint8]:
    """The packed signs of all windows, uint8 [len(VIEWS), 32]."""
    samples = np.stack([sampled(picture, window, side_px=_HASHED_SIDE_PX) for window in windows(picture)])
    return packed(_COSINES @ samples @ _COSINES.T > 0)


def windows(picture: Pyramid) -> tuple[Window, ...]:
    """The windows of `VIEWS` in this picture."""
    width, height = picture.width_px, picture.height_px
    short = min(height, width)
    frame = Window(0.5, 0.5, 0.5, 0.5)
    square = Window(0.5, 0.5, short / width / 2, short / height / 2)
    lesion = _lesion(picture)
    return (
        *(window.scaled(factor) for factor in (1, 0.9, 0.8) for window in (frame, square)),
        *(lesion.scaled(factor) if lesion else frame for factor in (1, 1.2, 1.5)),
    )


def sampled(picture: Pyramid, window: Window, *, side_px: int) -> NDArray[np.float32]:
    """The window as float32 [side_px, side_px]; beyond the edge the picture is mirrored."""
    fine_enough = (level for level in picture.levels if window.extent * len(level) <= _FINEST * side_px)
    level = next(fine_enough, picture.levels[-1])
    scale_x, scale_y = (2 * half * len(level) / side_px for half in (window.half_width, window.half_height))
    to_level = np.array(
        [
            [scale_x, 0, (window.x - window.half_width) * len(level) + (scale_x - 1) / 2],
            [0, scale_y, (window.y - window.half_height) * len(level) + (scale_y - 1) / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sample = cv2.warpAffine(level, to_level, (side_px, side_px), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(sample, np.float32)


def packed(signs: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Bool [n, 16, 16] to uint8 [n, 32]."""
    return np.packbits(signs.reshape(len(signs), -1), axis=1)


def keys(signatures: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The 64-bit search keys, uint64 [n], of packed signatures uint8 [n, 32]: of the first 8 rows the first byte."""
    return np.ascontiguousarray(signatures[:, : 2 * _KEY_FREQUENCIES : 2]).view(np.uint64).ravel()


def oriented(signatures: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Signatures uint8 [n, 32] of the pictures after `turned(picture, orientation)`."""
    rows, columns = bool(orientation & 2) & _ODD, bool(orientation & 1) & _ODD
    flips = packed((rows[:, np.newaxis] ^ columns)[np.newaxis])
    return (_transposed(signatures) if orientation & 4 else signatures) ^ flips


def turned(picture: NDArray[Pixel], orientation: int) -> NDArray[Pixel]:
    """One of the eight flips and quarter turns: transposed (4), then upside down (2), then mirrored (1)."""
    picture = picture.swapaxes(0, 1) if orientation & 4 else picture
    return picture[:: -1 if orientation & 2 else 1, :: -1 if orientation & 1 else 1]


def _unpacked(signatures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.unpackbits(signatures, axis=1).reshape(-1, FREQUENCIES, FREQUENCIES).astype(bool)


def _transposed(signatures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Part by part: unpacked they are eight times as large."""
    transposed = np.empty(signatures.shape, np.uint8)
    for start in range(0, len(signatures), _PART):
        part = slice(start, start + _PART)
        transposed[part] = packed(_unpacked(signatures[part]).transpose(0, 2, 1))
    return transposed


def _lesion(picture: Pyramid) -> Window | None:
    """A window around the largest dark blob (threshold by Otsu 1979), None where there is none.

    Blobs in a corner are a dermatoscope's rim or a frame, which unlike photos share; specks are dust.

    Its extents are twice the blob's standard deviations along both axes, which are a disc's radius: so the window of a
    squashed copy is squashed with it.
    """
    level = picture.levels[_LESION_LEVEL]
    _, dark = cv2.threshold(cv2.GaussianBlur(level, (0, 0), _LESION_BLUR_PX), 0, 1, _OTSU_DARK)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(dark)
    if count == 1:
        return None
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[labels[:: len(labels) - 1, :: len(labels) - 1]] = 0
    best = 1 + int(np.argmax(areas[1:]))
    if areas[best] < _MIN_AREA * level.size:
        return None
    rows, columns = np.nonzero(labels == best)
    side_px = len(level)
    return Window(
        float(columns.mean() + 0.5) / side_px,
        float(rows.mean() + 0.5) / side_px,
        max(1.0, 2 * float(columns.std())) / side_px,
        max(1.0, 2 * float(rows.std())) / side_px,
    )
