"""A hull is short enough for a push and leaves nobody of its shape outside."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from geo import geofence
from geo import hull as hull_module

WAKABAYASHI = box(140.90, 38.22, 140.94, 38.25)


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """Polygons of 3 to 40 corners around a middle: spiky ones, slivers, and sizes from metres to 20 km."""
    lat, lon = draw(st.floats(24.5, 45.0)), draw(st.floats(123.5, 146.0))
    size = draw(st.sampled_from([0.00002, 0.0005, 0.004, 0.02, 0.1]))
    reach = draw(st.lists(st.floats(0.05, 1.0), min_size=3, max_size=40))
    corners = [
        (
            lon + size * r * math.cos(2 * math.pi * i / len(reach)),
            lat + size * r * math.sin(2 * math.pi * i / len(reach)),
        )
        for i, r in enumerate(reach)
    ]
    return Polygon(corners)


def corners_of(shape: BaseGeometry) -> int:
    rings = [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
    return sum(len(ring.coords) - 1 for ring in rings)


def disc(lon: float, lat: float) -> Polygon:
    return shapely.Point(lon, lat).buffer(0.02)


@given(shape=stars(), corners=st.sampled_from([8, 16, 40]))
@settings(max_examples=40, deadline=None)
def test_a_hull_is_simple_and_contains_all_also_when_written(shape: Polygon, corners: int) -> None:
    hull = geofence.outward_hull(shape, corners)
    assert corners_of(hull) <= corners
    assert hull.covers(shape)
    if hull is not shape:
        assert shapely.from_geojson(json.dumps(geofence.to_geojson(hull))).covers(shape)


def test_a_hull_of_many_scattered_parts_stays_within_its_corners() -> None:
    parts = MultiPolygon([disc(lon, lat) for lon in np.arange(140, 141, 0.25) for lat in np.arange(38, 39, 0.25)])
    hull = geofence.outward_hull(parts, 40)
    assert corners_of(hull) <= 40
    assert hull.covers(parts)
    assert geofence.area_km2(hull) < 2 * geofence.area_km2(parts.convex_hull)


def test_what_cannot_be_smoothed_gets_the_rectangle_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hull_module, "_grown", lambda outline, by: iter([outline]))
    shape = disc(140.9, 38.2)
    hull = geofence.outward_hull(shape, 8)
    assert corners_of(hull) == 4
    assert hull.contains_properly(shape)


def test_a_hull_needs_room() -> None:
    with pytest.raises(ValueError, match="room for 8"):
        geofence.outward_hull(WAKABAYASHI, 7)
