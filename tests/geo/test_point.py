"""A point is checked before it is used; metres and bearings are those of the ellipsoid."""

from __future__ import annotations

import math

import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from geo.point import EAST, NORTH, SOUTH, WEST, Point, PointError, bearing_deg, distance_m

SENDAI_STATION = Point(38.260297, 140.882049)
points = st.builds(Point, st.floats(SOUTH, NORTH), st.floats(WEST, EAST))


@pytest.mark.parametrize(("lat", "lon"), [(SOUTH, WEST), (NORTH, EAST), (38.26, 140.88), (24.05, 153.98)])
def test_a_position_in_japan_is_accepted_edges_included(lat: float, lon: float) -> None:
    assert Point.checked(lat, lon) == Point(lat, lon)


@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        (math.nan, 140.0, "not a position"),
        (38.0, math.inf, "not a position"),
        (140.88, 38.26, "look swapped"),
        (91.0, 10.0, "not between -90 and 90"),
        (38.0, 181.0, "not between -180 and 180"),
        (51.5, -0.12, "outside Japan"),
        (0.0, 0.0, "outside Japan"),
        (NORTH + 1e-9, 140.0, "outside Japan"),
    ],
)
def test_a_position_that_cannot_be_used_is_refused_with_its_reason(lat: float, lon: float, reason: str) -> None:
    with pytest.raises(PointError, match=reason):
        Point.checked(lat, lon)


@given(points, points)
def test_metres_are_geopys_geodesic(a: Point, b: Point) -> None:
    assert distance_m(a, b) == geodesic((a.lat, a.lon), (b.lat, b.lon)).m


@pytest.mark.parametrize(
    ("north", "east", "expected"),
    [(0.01, 0, 0.0), (0.01, 0.01, 38.3), (0, 0.01, 90.0), (-0.01, 0, 180.0), (0, -0.01, 270.0), (0.01, -0.01, 321.7)],
)
def test_a_bearing_is_degrees_clockwise_from_north(north: float, east: float, expected: float) -> None:
    there = Point(SENDAI_STATION.lat + north, SENDAI_STATION.lon + east)
    assert bearing_deg(SENDAI_STATION, there) == pytest.approx(expected, abs=0.1)


@given(points, points)
def test_a_bearing_stays_below_a_full_turn(a: Point, b: Point) -> None:
    assert 0 <= bearing_deg(a, b) < 360
    assert bearing_deg(a, a) == 0
