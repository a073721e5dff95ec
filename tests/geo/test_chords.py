"""The fast metric is never further from the geodesic than it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.chords import bearings, chord_m, doubt_m, earth_xyz, lengths, surface_m
from geo.point import EAST, NORTH, SOUTH, WEST, Point, bearing_deg

lats, lons = st.floats(SOUTH, NORTH), st.floats(WEST, EAST)
# Distances from a metre to 2,000 km, each order of size as likely as the next.
distances = st.floats(0, math.log(2_000_000)).map(math.exp)
azimuths = st.one_of(st.sampled_from([0.0, 90.0, 180.0, 270.0]), st.floats(0, 360))


@given(lats, lons, azimuths, distances)
@settings(max_examples=400)
def test_the_error_stays_below_the_doubt_up_to_2000_km(lat: float, lon: float, azimuth: float, metres: float) -> None:
    end = geodesic(meters=metres).destination((lat, lon), azimuth)
    there = (end.latitude, end.longitude)
    assume(SOUTH <= there[0] <= NORTH and WEST <= there[1] <= EAST)
    chord = lengths(earth_xyz(*there) - earth_xyz(lat, lon))
    assert abs(float(surface_m(chord)) - geodesic((lat, lon), there).m) <= doubt_m(float(chord))


@pytest.mark.parametrize(("lat", "azimuth"), [(20.0, 0.0), (20.0, 45.0), (20.0, 90.0), (46.0, 180.0), (46.0, 225.0)])
@pytest.mark.parametrize("metres", [10.0, 1e4, 1e5, 1e6, 2e6])
def test_the_doubt_holds_where_the_earth_is_bent_most_and_least(lat: float, azimuth: float, metres: float) -> None:
    """From the country's southern and northern end, along the meridian and across it."""
    end = geodesic(meters=metres).destination((lat, 138.0), azimuth)
    chord = lengths(earth_xyz(end.latitude, end.longitude) - earth_xyz(lat, 138.0))
    assert abs(float(surface_m(chord)) - metres) <= doubt_m(float(chord))


def test_the_doubt_is_small_where_people_walk() -> None:
    assert doubt_m(4_000.0) < 2e-6
    assert doubt_m(10_000.0) < 14e-6
    assert doubt_m(100_000.0) < 0.0131


@given(st.floats(0, 3e6))
def test_chord_and_surface_undo_each_other(metres: float) -> None:
    assert float(surface_m(np.array(chord_m(metres)))) == pytest.approx(metres, abs=1e-6)


@given(lats, lons, azimuths, st.floats(50, 500_000))
def test_directions_are_those_of_the_geodesic(lat: float, lon: float, azimuth: float, metres: float) -> None:
    end = geodesic(meters=metres).destination((lat, lon), azimuth)
    turn = float(bearings(lat, lon, earth_xyz(end.latitude, end.longitude) - earth_xyz(lat, lon)))
    exact = bearing_deg(Point(lat, lon), Point(end.latitude, end.longitude))
    assert 0 <= turn < 360
    assert abs((turn - exact + 180) % 360 - 180) < 0.001
