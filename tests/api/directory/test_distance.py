"""Distances and boxes on the globe."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.directory.distance import EARTH_RADIUS_KM, Point, bounding_box, centroid, great_circle_km

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


def distance(one: Point, other: Point) -> float:
    return float(great_circle_km(one, np.array([other.latitude]), np.array([other.longitude]))[0])


@pytest.mark.parametrize(
    ("one", "other", "expected_km"),
    [
        # Published great-circle distances: Vienna to Graz, London to New York, and exact arcs of the sphere.
        pytest.param(Point(48.2082, 16.3738), Point(47.0707, 15.4395), 145, id="vienna-graz"),
        pytest.param(Point(51.5074, -0.1278), Point(40.7128, -74.0060), 5570, id="london-new-york"),
        pytest.param(Point(0, 0), Point(0, 180), math.pi * EARTH_RADIUS_KM, id="antipodes"),
        pytest.param(Point(90, 0), Point(-90, 77), math.pi * EARTH_RADIUS_KM, id="poles"),
        pytest.param(Point(0, 179.5), Point(0, -179.5), math.radians(1) * EARTH_RADIUS_KM, id="date-line"),
        pytest.param(Point(12, 34), Point(12, 34), 0, id="here"),
    ],
)
def test_great_circle_known_pairs_are_right(one: Point, other: Point, expected_km: float):
    assert distance(one, other) == pytest.approx(expected_km, abs=1)


@given(points, points)
def test_great_circle_is_symmetric_and_never_longer_than_half_the_globe(one: Point, other: Point):
    assert distance(one, other) == pytest.approx(distance(other, one), abs=1e-3)
    assert 0 <= distance(one, other) <= math.pi * EARTH_RADIUS_KM + 1e-6


@given(points, points, st.floats(1, 19_000))
def test_bounding_box_leaves_out_nothing_within_the_radius(origin: Point, other: Point, radius_km: float):
    assume(distance(origin, other) <= radius_km * (1 - 1e-9))
    box = bounding_box(origin, radius_km)
    assert box.south - 1e-9 <= other.latitude <= box.north + 1e-9
    inside = (box.west - 1e-9 <= other.longitude <= box.east + 1e-9) if box.west <= box.east else None
    assert inside or (inside is None and not box.east + 1e-9 < other.longitude < box.west - 1e-9)


def test_bounding_box_of_a_small_circle_is_small():
    box = bounding_box(Point(48, 16), 50)
    assert (box.north - box.south, box.east - box.west) == pytest.approx((0.9, 1.34), abs=0.01)


def test_centroid_across_the_180th_meridian_is_between_its_points():
    assert centroid(np.array([10.0, 10.0]), np.array([179.0, -179.0])).longitude == pytest.approx(180)


def test_centroid_of_one_point_is_that_point():
    middle = centroid(np.array([48.2]), np.array([16.4]))
    assert (middle.latitude, middle.longitude) == pytest.approx((48.2, 16.4))
