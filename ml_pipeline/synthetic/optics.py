"""What lies between the skin and the sensor: hair, ruler, dark corners, blur, exposure, noise."""

import cv2
import numpy as np

from ml_pipeline.synthetic.fields import Colour, Picture, Plane, Stroke, blur, ink, paint, ramp

_SENSOR_NOISE = 0.007  # standard deviation, about 1.8 grey levels of 255


def add_hair(picture: Picture, rng: np.random.Generator, *, strands: int) -> Picture:
    """Dark bent strands across the photo, each with a faint shadow."""
    if strands == 0:
        return picture
    shape = picture.shape[0], picture.shape[1]
    direction = rng.uniform(0, np.pi)
    strokes = [_strand(rng, shape, direction) for _ in range(strands)]
    shadow = np.roll(ink(shape, strokes, soften_px=0.006 * min(shape)), 2, (0, 1))
    picture = paint(picture, Colour(0.25, 0.16, 0.14), 0.25 * shadow)
    return paint(picture, Colour(0.17, 0.12, 0.10), 0.9 * ink(shape, strokes, soften_px=0.4))


def add_ruler(picture: Picture, rng: np.random.Generator) -> Picture:
    """A white plastic millimetre ruler along the lower edge, slightly tilted."""
    height, width = picture.shape[:2]
    strip = _ruler_strip(width, round(0.16 * min(height, width)))
    strip_height = strip.shape[0]
    move = cv2.getRotationMatrix2D((width / 2, strip_height / 2), rng.uniform(-2.5, 2.5), 1)
    move[1, 2] += height - 0.85 * strip_height
    cover = cv2.warpAffine(np.ones_like(strip), move, (width, height), flags=cv2.INTER_LINEAR)
    grey = cv2.warpAffine(strip, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = 0.96 * np.asarray(cover, np.float32)[..., None]
    return np.asarray(picture + (np.asarray(grey, np.float32)[..., None] - picture) * alpha, np.float32)


def add_vignette(picture: Picture) -> Picture:
    """The round field of a dermatoscope: corners fall off to black."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(x - width / 2, y - height / 2) / np.hypot(width, height) * 2
    field = (1 - 0.12 * distance**2) * ramp(distance, 0.93, 0.84)
    return np.asarray(picture * field[..., None] + 0.02 * (1 - field[..., None]), np.float32)


def expose(picture: Picture, rng: np.random.Generator, *, gain: float, blur_sigma_px: float) -> Picture:
    """Defocus first, then gain, then sensor noise, as in a camera."""
    exposed = gain * blur(np.clip(picture, 0, 1), blur_sigma_px)
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(exposed + _SENSOR_NOISE * noise, np.float32)


def _strand(rng: np.random.Generator, shape: tuple[int, int], direction: float) -> Stroke:
    """One bent hair; hairs of one site grow in roughly one direction (radians)."""
    height, width = shape
    middle = rng.uniform(0, 1, 2) * np.array([width, height])
    angle = direction + rng.normal(0, 0.4)
    reach = rng.uniform(0.15, 0.55) * min(shape) * np.array([np.cos(angle), np.sin(angle)])
    bow = rng.normal(0, 0.10) * min(shape) * np.array([-np.sin(angle), np.cos(angle)])
    along = np.linspace(-1, 1, 24)[:, None]
    points = middle + along * reach + (1 - along**2) * bow + 0.3 * along**3 * bow
    return Stroke(points.astype(np.float32), rng.uniform(0.0025, 0.006) * min(shape))


def _ruler_strip(width: int, height: int) -> Plane:
    """Grey levels 0..1 [height, width]: ticks hang from the upper edge, every tenth is long and numbered."""
    strip = np.full((height, width), 237, np.uint8)
    step, thickness = 0.15 * height, max(round(0.022 * height), 1)
    for tick in range(int(width / step) + 1):
        x = round((tick + 0.3) * step)
        share = 0.42 if tick % 10 == 0 else 0.32 if tick % 5 == 0 else 0.2
        strip[: round(share * height), x : x + thickness] = 40
        if tick % 10 == 0:
            at = (x - round(0.08 * height), round(0.75 * height))
            cv2.putText(strip, str(tick // 10), at, cv2.FONT_HERSHEY_SIMPLEX, 0.009 * height, 40, 1, cv2.LINE_AA)
    return np.asarray(strip / 255, np.float32)
