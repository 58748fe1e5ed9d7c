"""What happens to a photo on its way from one data set to another, to make copies whose truth is known."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8]
Change = Callable[[Photo, np.random.Generator], Photo]


def cropped(share: float, *, centred: bool = True) -> Change:
    """Keep so much of both sides, in the middle or anywhere."""

    def change(photo: Photo, rng: np.random.Generator) -> Photo:
        height, width = photo.shape[:2]
        kept_height, kept_width = round(height * share), round(width * share)
        at_y, at_x = (0.5, 0.5) if centred else rng.random(2)
        top, left = round((height - kept_height) * at_y), round((width - kept_width) * at_x)
        return photo[top : top + kept_height, left : left + kept_width]

    return change


def square(photo: Photo, _rng: np.random.Generator) -> Photo:
    """The central square."""
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return photo[top : top + side, left : left + side]


def resized(factor: float) -> Change:
    """Both sides times a factor."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return lambda photo, _rng: _uint8(cv2.resize(photo, None, fx=factor, fy=factor, interpolation=how))


def squashed(side_px: int) -> Change:
    """Pressed into a square, whatever the sides were."""
    return lambda photo, _rng: _uint8(cv2.resize(photo, (side_px, side_px), interpolation=cv2.INTER_AREA))


def recompressed(quality: int) -> Change:
    """Through a JPEG of that quality (OpenCV's scale of 0 to 100)."""

    def change(photo: Photo, _rng: np.random.Generator) -> Photo:
        _, encoded = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return _uint8(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)))

    return change


def gamma(exponent: float) -> Change:
    """Brighter below 1, darker above."""
    return lambda photo, _rng: _uint8(255 * (photo / 255.0) ** exponent)


def recoloured(photo: Photo, _rng: np.random.Generator) -> Photo:
    """Another white balance: one end of the spectrum up by 15 %, the other down."""
    return _uint8(photo * np.array([1.15, 1.0, 0.85]) + np.array([10, 0, -10]))


def blurred(photo: Photo, _rng: np.random.Generator) -> Photo:
    """Out of focus by 1/75 of the short side."""
    return _uint8(cv2.GaussianBlur(photo, (0, 0), min(photo.shape[:2]) / 75))


def turned_by(degrees: float) -> Change:
    """Turned, and cut to the largest rectangle of the same shape without empty corners."""

    def change(photo: Photo, _rng: np.random.Generator) -> Photo:
        height, width = photo.shape[:2]
        about_centre = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        whole = cv2.warpAffine(photo, about_centre, (width, height), borderMode=cv2.BORDER_REFLECT)
        angle = np.radians(degrees)
        kept = 1 / (abs(np.cos(angle)) + abs(np.sin(angle)) * max(width, height) / min(width, height))
        return cropped(float(kept))(_uint8(whole), np.random.default_rng(0))

    return change


def framed(photo: Photo, _rng: np.random.Generator) -> Photo:
    """A black border of a tenth of each side."""
    by_y, by_x = photo.shape[0] // 10, photo.shape[1] // 10
    return _uint8(cv2.copyMakeBorder(photo, by_y, by_y, by_x, by_x, cv2.BORDER_CONSTANT))


def captioned(photo: Photo, _rng: np.random.Generator) -> Photo:
    """White writing along the lower edge."""
    size = photo.shape[0] / 300
    return _uint8(cv2.putText(photo.copy(), "ABC 12.3.20", (5, photo.shape[0] - 10), 0, size, (255, 255, 255), 2))


def in_turn(*changes: Change) -> Change:
    """One after the other."""

    def change(photo: Photo, rng: np.random.Generator) -> Photo:
        for each in changes:
            photo = each(photo, rng)
        return photo

    return change


def mirrored_or_turned(photo: Photo, rng: np.random.Generator) -> Photo:
    """One of the seven other flips and quarter turns."""
    which = int(rng.integers(1, 8))
    photo = photo.swapaxes(0, 1) if which & 4 else photo
    return np.ascontiguousarray(photo[:: -1 if which & 2 else 1, :: -1 if which & 1 else 1])


CHANGES: dict[str, Change] = {
    "resized to half": resized(0.5),
    "enlarged by half": resized(1.5),
    "JPEG quality 30": recompressed(30),
    "JPEG quality 10": recompressed(10),
    "squashed to 256 x 256": squashed(256),
    "white balance": recoloured,
    "brighter (gamma 0.6)": gamma(0.6),
    "darker (gamma 1.6)": gamma(1.6),
    "blurred": blurred,
    "flip or quarter turn": mirrored_or_turned,
    "central square": square,
    "square, 224 px, JPEG 50": in_turn(square, squashed(224), recompressed(50)),
    "square, flip or turn, white balance": in_turn(square, mirrored_or_turned, recoloured),
    "crop 0.95, centred": cropped(0.95),
    "crop 0.9, centred": cropped(0.9),
    "crop 0.9, anywhere": cropped(0.9, centred=False),
    "crop 0.8, centred": cropped(0.8),
    "crop 0.8, anywhere": cropped(0.8, centred=False),
    "crop 0.7, centred": cropped(0.7),
    "crop 0.6, anywhere": cropped(0.6, centred=False),
    "caption": captioned,
    "black border 10 %": framed,
    "turned 3 degrees, cut": turned_by(3),
    "turned 10 degrees, cut": turned_by(10),
    "turned 30 degrees, cut": turned_by(30),
}


def _uint8(values: NDArray[np.generic]) -> Photo:
    return np.clip(np.asarray(values), 0, 255).astype(np.uint8)
