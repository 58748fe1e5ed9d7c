"""Distances on the globe, from arrays of degrees. Pure."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088  # the mean radius of the International Union of Geodesy and Geophysics
_POLE = 90.0

Degrees = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees north and east."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees; `west` is greater than `east` where the box crosses the 180th meridian."""

    south: float
    north: float
    west: float
    east: float


def great_circle_km(origin: Point, latitudes: Degrees, longitudes: Degrees) -> Degrees:
    """Distances [n] from `origin` to points given as degrees [n] (haversine; Sinnott 1984)."""
    north, norths = math.radians(origin.latitude), np.radians(latitudes)
    half_chord_squared = (
        np.sin((norths - north) / 2) ** 2
        + math.cos(north) * np.cos(norths) * np.sin(np.radians(longitudes - origin.longitude) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half_chord_squared, 0, 1))), np.float64)


def bounding_box(origin: Point, radius_km: float) -> Box:
    """The smallest box of degrees that holds the whole circle; every longitude where the circle holds a pole."""
    angle = radius_km / EARTH_RADIUS_KM
    reach = math.degrees(angle)
    south, north = origin.latitude - reach, origin.latitude + reach
    if max(-south, north) >= _POLE:
        return Box(max(south, -_POLE), min(north, _POLE), -180, 180)
    side = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(origin.latitude))))
    return Box(south, north, _wrapped(origin.longitude - side), _wrapped(origin.longitude + side))


def centroid(latitudes: Degrees, longitudes: Degrees) -> Point:
    """The mean place of at least one point, taken on the sphere: so also where the 180th meridian runs through."""
    norths, easts = np.radians(latitudes), np.radians(longitudes)
    x = float(np.mean(np.cos(norths) * np.cos(easts)))
    y = float(np.mean(np.cos(norths) * np.sin(easts)))
    z = float(np.mean(np.sin(norths)))
    return Point(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def _wrapped(longitude: float) -> float:
    return (longitude + 180) % 360 - 180
