"""Plain skin: tone, low-frequency variation, fine texture. Draws no lesion."""

import numpy as np

from ml_pipeline.synthetic.fields import Colour, Picture, Plane, cells, shade, smooth_noise, stain

# Light to dark, chosen by eye; the light of a dermatoscope looks slightly pink.
_TONES = np.array([0.0, 0.35, 0.7, 1.0])
_COLOURS = np.array([[0.91, 0.76, 0.71], [0.83, 0.63, 0.53], [0.60, 0.42, 0.33], [0.38, 0.25, 0.20]])
_DEEP_SHARE = 0.5  # of the tone; the rest lies over the lesion


def draw_skin(rng: np.random.Generator, shape: tuple[int, int], *, tone: float) -> Picture:
    """Lesion-free skin of `tone`, 0 light to 1 dark, before `add_melanin` lays the rest over it."""
    short_side_px = min(shape)
    picture = np.broadcast_to(_colour(_DEEP_SHARE * tone), (*shape, 3)).astype(np.float32)
    picture = shade(picture, 0.03 * smooth_noise(rng, shape, scale_px=0.6 * short_side_px))
    redness = np.clip(0.35 + 0.35 * smooth_noise(rng, shape, scale_px=0.15 * short_side_px), 0, 1)
    picture = stain(picture, Colour(0.99, 0.92, 0.91), redness)
    return shade(picture, _texture(rng, shape))


def add_melanin(picture: Picture, *, tone: float) -> Picture:
    """The upper share of the skin's pigment: it darkens a lesion as much as the skin around it."""
    return np.asarray(picture * (_colour(tone) / _colour(_DEEP_SHARE * tone)), np.float32)


def _colour(tone: float) -> Plane:
    """Mean skin colour, float32 [3]."""
    return np.array([np.interp(tone, _TONES, _COLOURS[:, channel]) for channel in range(3)], np.float32)


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> Plane:
    """Furrows between small polygons, stronger in some places, and pores."""
    short_side_px = min(shape)
    furrows = np.exp(-((cells(rng, shape, spacing_px=max(0.026 * short_side_px, 3)).edge / 0.16) ** 2))
    strength = np.clip(0.5 + 0.4 * smooth_noise(rng, shape, scale_px=0.2 * short_side_px), 0, 1)
    grain = smooth_noise(rng, shape, scale_px=max(0.008 * short_side_px, 1.5), octaves=2)
    return np.asarray(0.012 * grain - 0.05 * furrows * strength, np.float32)
