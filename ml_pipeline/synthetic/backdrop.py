"""Photos that show no skin at all: a plain wall and a printed page."""

import cv2
import numpy as np
import numpy.typing as npt

from ml_pipeline.synthetic.fields import (
    Colour,
    Photo,
    Picture,
    Points,
    Stroke,
    blur,
    ink,
    paint,
    shade,
    smooth_noise,
    to_photo,
)

_PARAGRAPH_ROWS = 6


def draw_wall(*, width_px: int, height_px: int, seed: int) -> Photo:
    """A painted wall as uint8 RGB [H, W, 3]: nearly one colour, a trace of uneven light, sensor noise."""
    rng = np.random.default_rng(seed)
    shape = (height_px, width_px)
    colour = np.array([0.80, 0.79, 0.75], np.float32) + rng.uniform(-0.02, 0.02, 3).astype(np.float32)
    picture = np.broadcast_to(colour, (*shape, 3)).astype(np.float32)
    picture = shade(picture, 0.0035 * smooth_noise(rng, shape, scale_px=0.8 * min(shape), octaves=1))
    noise = 0.006 * rng.standard_normal(picture.shape, dtype=np.float32)
    return to_photo(picture + noise)


def draw_document(*, width_px: int, height_px: int, seed: int) -> Photo:
    """A printed page on a wooden table as uint8 RGB [H, W, 3]; the words are strokes without meaning."""
    rng = np.random.default_rng(seed)
    shape, unit_px = (height_px, width_px), min(width_px, height_px)
    picture = _table(rng, shape)
    turn = rng.uniform(-0.1, 0.1)
    page = np.array([[-0.42, -0.52], [0.42, -0.52], [0.42, 0.52], [-0.42, 0.52]])
    outline = np.round(_on_table(page, turn, shape)).astype(np.int32)
    mask = cv2.fillConvexPoly(np.zeros(shape, np.uint8), outline, 255, cv2.LINE_AA)
    sheet = np.asarray(mask / 255, np.float32)
    shadow = np.roll(blur(sheet, 0.012 * unit_px), round(0.012 * unit_px), (0, 1))
    picture = shade(picture, -0.45 * shadow)
    picture = paint(picture, Colour(0.93, 0.92, 0.89), sheet)
    words = [Stroke(_on_table(word, turn, shape), 0.004 * unit_px) for word in _words(rng)]
    picture = paint(picture, Colour(0.13, 0.13, 0.15), 0.9 * ink(shape, words))
    picture = shade(picture, 0.05 * smooth_noise(rng, shape, scale_px=0.9 * unit_px, octaves=1))
    return to_photo(picture + 0.006 * rng.standard_normal(picture.shape, dtype=np.float32))


def _table(rng: np.random.Generator, shape: tuple[int, int]) -> Picture:
    """Brown wood with its grain along the photo."""
    height, width = shape
    picture = np.broadcast_to(np.array([0.50, 0.34, 0.22], np.float32), (height, width, 3)).astype(np.float32)
    grain = smooth_noise(rng, (height, max(width // 12, 8)), scale_px=0.012 * min(shape) + 1)
    stretched = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
    return shade(picture, 0.09 * np.asarray(stretched, np.float32))


def _on_table(points: npt.NDArray[np.float64], turn: float, shape: tuple[int, int]) -> Points:
    """Page coordinates [N, 2], in short sides from the page's centre, turned (radians) into pixels."""
    height, width = shape
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ rotation * min(shape) + np.array([width / 2, height / 2]), np.float32)


def _words(rng: np.random.Generator) -> list[npt.NDArray[np.float64]]:
    """Zigzags [N, 2] in page coordinates: rows of words, the last row of each paragraph short."""
    words = []
    for row in range(19):
        x, y = -0.34, -0.43 + 0.047 * row
        end = 0.05 if row % _PARAGRAPH_ROWS == _PARAGRAPH_ROWS - 1 else 0.34
        while x < end:
            along = np.arange(x, min(x + rng.uniform(0.02, 0.11), 0.35), 0.006)
            words.append(np.stack([along, y + rng.uniform(-0.011, 0.011, len(along))], axis=1))
            x = float(along[-1]) + 0.02
    return words
