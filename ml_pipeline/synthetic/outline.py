"""Where a lesion lies and how its border runs. Holds geometry only, no colour."""

from dataclasses import dataclass

import numpy as np

from ml_pipeline.synthetic.fields import Plane, Points, smooth_noise


@dataclass(frozen=True, slots=True)
class Border:
    """How far a border departs from a circle; all in shares of the radius."""

    elongation: float = 0.1
    lobes: float = 0.03
    roughness: float = 0.015


@dataclass(frozen=True, slots=True)
class Site:
    """One lesion's place on the photo.

    `depth` is 1 at the centre, 0 on the border and negative outside. `right` and `down` are the distances
    from the centre along the lesion's own axes, in radii.
    """

    depth: Plane
    right: Plane
    down: Plane
    centre_x_px: float
    centre_y_px: float
    radius_px: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.depth.shape[0], self.depth.shape[1]

    def scatter(self, rng: np.random.Generator, count: int, *, inner: float = 0.0, outer: float = 0.85) -> Points:
        """`count` places spread evenly over the ring between two shares of the radius."""
        distance = np.sqrt(rng.uniform(inner**2, outer**2, count)) * self.radius_px
        angle = rng.uniform(0, 2 * np.pi, count)
        x = self.centre_x_px + distance * np.cos(angle)
        y = self.centre_y_px + distance * np.sin(angle)
        return np.stack([x, y], axis=1).astype(np.float32)

    def border_points(self, rng: np.random.Generator, count: int) -> Points:
        """`count` places on the border itself, or none where the border lies outside the photo."""
        y, x = np.nonzero(np.abs(self.depth) < 2 / self.radius_px)
        chosen = rng.integers(0, len(y), count) if len(y) else np.zeros(0, np.intp)
        return np.stack([x[chosen], y[chosen]], axis=1).astype(np.float32)

    def inward(self, point: Points) -> Points:
        """Unit vector from the point towards the centre, float32 [2]."""
        way = np.array([self.centre_x_px, self.centre_y_px], np.float32) - point
        return np.asarray(way / max(float(np.linalg.norm(way)), 1e-6), np.float32)


def place(
    rng: np.random.Generator,
    shape: tuple[int, int],
    border: Border,
    *,
    centre_x_px: float,
    centre_y_px: float,
    radius_px: float,
) -> Site:
    """Lays an irregular, rotated ellipse on the photo."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - centre_x_px) / radius_px, (y - centre_y_px) / radius_px
    turn = rng.uniform(0, 2 * np.pi)
    right = (x * np.cos(turn) + y * np.sin(turn)).astype(np.float32)
    down = (y * np.cos(turn) - x * np.sin(turn)).astype(np.float32)
    angle = np.arctan2(down, right)
    reach = np.ones(shape, np.float32)
    for wave in range(2, 7):
        strength = border.lobes * rng.uniform(0.5, 1.0) * (2 / wave) ** 0.7
        reach += strength * np.cos(wave * angle + rng.uniform(0, 2 * np.pi)).astype(np.float32)
    stretch = 1 + border.elongation
    distance = np.hypot(right / stretch, down * stretch)
    rough = border.roughness * smooth_noise(rng, shape, scale_px=max(0.2 * radius_px, 2))
    depth = (1 - distance / np.clip(reach, 0.3, None) + rough).astype(np.float32)
    return Site(depth, right, down, centre_x_px, centre_y_px, radius_px)
