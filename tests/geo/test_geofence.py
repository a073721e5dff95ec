"""A shape is refused with a place and a reason, or covered so that nobody inside it is missed."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

from geo import geofence, mesh
from geo.geofence import GeofenceError
from geo.point import Point

WAKABAYASHI = box(140.90, 38.22, 140.94, 38.25)


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


SQUARE = polygon((140.9, 38.2), (140.95, 38.2), (140.95, 38.25), (140.9, 38.25), (140.9, 38.2))


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


@st.composite
def on_lines(draw: st.DrawFn) -> Polygon:
    """Rectangles drawn exactly along cell lines, written with as many digits as a double has, or with six."""
    row, col = draw(st.integers(25 * 960, 45 * 960)), draw(st.integers(24 * 640, 45 * 640))
    high, wide = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    lats, lons = (row / 960, (row + high) / 960), (100 + col / 640, 100 + (col + wide) / 640)
    if draw(st.booleans()):
        lats, lons = (round(lats[0], 6), round(lats[1], 6)), (round(lons[0], 6), round(lons[1], 6))
    return box(lons[0], lats[0], lons[1], lats[1])


def inside_points(shape: BaseGeometry, seed: int, count: int = 60) -> list[tuple[float, float]]:
    """Latitudes and longitudes inside or on the edge: corners, places along edges, random ones."""
    rng = np.random.default_rng(seed)
    west, south, east, north = shape.bounds
    found = shapely.get_coordinates(shape).tolist()
    found += [shape.boundary.interpolate(t, normalized=True).coords[0] for t in rng.random(count)]
    random = np.column_stack((rng.uniform(west, east, 4 * count), rng.uniform(south, north, 4 * count)))
    found += random[shapely.intersects_xy(shape, random[:, 0], random[:, 1])].tolist()
    return [(lat, lon) for lon, lat in found]


@given(shape=st.one_of(stars(), on_lines()), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_nobody_inside_is_missed(shape: Polygon, seed: int) -> None:
    cells = set(geofence.cover(shape).cells.tolist())
    lats, lons = zip(*inside_points(shape, seed), strict=True)
    rounded = mesh.cells_of(np.round(lats, 6), np.round(lons, 6))
    assert set(mesh.cells_of(lats, lons).tolist()) <= cells
    assert set(rounded.tolist()) <= cells


@given(shape=st.one_of(stars(), on_lines()))
@settings(max_examples=40, deadline=None)
def test_large_squares_first_find_the_same_cells_as_looking_at_each(shape: Polygon) -> None:
    grown = shape.buffer(geofence.GUARD_DEG)
    west, south, east, north = grown.bounds
    low, high = mesh.row_col(mesh.cell_of(Point(south, west))), mesh.row_col(mesh.cell_of(Point(north, east)))
    touched, whole = set(), set()
    for row in range(low[0] - 1, high[0] + 2):
        for col in range(low[1] - 1, high[1] + 2):
            square = box(100 + col / 640, row / 960, 100 + (col + 1) / 640, (row + 1) / 960)
            if square.intersects(grown):
                touched.add(mesh.from_row_col(row, col))
                if grown.contains_properly(square):
                    whole.add(mesh.from_row_col(row, col))
    found = geofence.cover(shape)
    assert set(found.cells.tolist()) == touched
    assert set(found.inside.tolist()) == whole
    assert not set(found.inside.tolist()) & set(found.rim.tolist())


@given(shape=on_lines())
@settings(max_examples=40, deadline=None)
def test_a_rectangle_along_cell_lines_has_its_cells_inside_and_one_ring_around(shape: Polygon) -> None:
    west, south, east, north = shape.bounds
    high, wide = round((north - south) * 960), round((east - west) * 640)
    found = geofence.cover(shape)
    assert len(found.inside) == high * wide
    assert len(found.rim) == 2 * (high + wide) + 4


def test_cells_come_sorted_and_once() -> None:
    found = geofence.cover(WAKABAYASHI)
    assert (np.diff(found.cells) > 0).all()
    assert found.cells.dtype == np.int64
    assert len(found.cells) == len(found.inside) + len(found.rim)


def test_a_hole_is_not_covered_but_its_edge_is() -> None:
    ring = WAKABAYASHI.difference(box(140.91, 38.23, 140.93, 38.24))
    cells = set(geofence.cover(ring).cells.tolist())
    assert mesh.cell_of(Point(38.235, 140.92)) not in cells
    assert mesh.cell_of(Point(38.23, 140.91)) in cells


def test_an_empty_shape_covers_nothing() -> None:
    assert len(geofence.cover(Polygon()).cells) == 0


def test_a_square_drawn_as_geojson_is_taken_as_drawn() -> None:
    shape = geofence.polygon_from_geojson(SQUARE)
    assert shape.equals(box(140.9, 38.2, 140.95, 38.25))


def test_an_open_ring_is_closed_and_heights_are_dropped() -> None:
    drawn = {"type": "Polygon", "coordinates": [[[140.9, 38.2, 5.0], [140.95, 38.2, 5], [140.95, 38.25, 5]]]}
    assert geofence.polygon_from_geojson(drawn).equals(Polygon([(140.9, 38.2), (140.95, 38.2), (140.95, 38.25)]))


def test_overlapping_parts_are_united() -> None:
    parts = [
        [[[140.9, 38.2], [140.94, 38.2], [140.94, 38.24], [140.9, 38.24]]],
        [[[140.92, 38.2], [140.96, 38.2], [140.96, 38.24], [140.92, 38.24]]],
    ]
    shape = geofence.polygon_from_geojson({"type": "MultiPolygon", "coordinates": parts})
    assert shape.equals(box(140.9, 38.2, 140.96, 38.24))


@pytest.mark.parametrize(
    ("drawn", "code"),
    [
        (None, "not_a_polygon"),
        ([], "not_a_polygon"),
        ({"type": "Point", "coordinates": [140.9, 38.2]}, "not_a_polygon"),
        ({"type": "Feature", "geometry": SQUARE}, "not_a_polygon"),
        ({"type": "Polygon"}, "bad_position"),
        ({"type": "Polygon", "coordinates": "140.9,38.2"}, "bad_position"),
        ({"type": "Polygon", "coordinates": [140.9, 38.2]}, "bad_position"),
        ({"type": "Polygon", "coordinates": [[140.9, 38.2]]}, "bad_position"),
        (polygon((140.9, 38.2), (140.95, "38.2"), (140.95, 38.25)), "bad_position"),  # type: ignore[arg-type]
        (polygon((140.9, 38.2), (True, 38.2), (140.95, 38.25)), "bad_position"),
        (polygon((140.9, 38.2), (math.nan, 38.2), (140.95, 38.25)), "bad_position"),
        (polygon((140.9, 38.2), (140.9, math.inf), (140.95, 38.25)), "bad_position"),
        (polygon((140.9, 38.2), (10**400, 38.2), (140.95, 38.25)), "bad_position"),
        (polygon((38.2, 140.9), (38.2, 140.95), (38.25, 140.95)), "outside_japan"),
        (polygon((140.9, 38.2), (140.95, 38.2), (2.35, 48.85)), "outside_japan"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "MultiPolygon", "coordinates": []}, "empty"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "empty"),
        ({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], []]}, "empty"),
        ({"type": "Polygon", "coordinates": [[]]}, "empty"),
        (polygon((140.9, 38.2), (140.95, 38.2)), "too_few_corners"),
        (polygon((140.9, 38.2), (140.95, 38.2), (140.9, 38.2), (140.95, 38.2)), "too_few_corners"),
        (polygon((140.9, 38.2), (140.92, 38.2), (140.95, 38.2)), "no_area"),
        (polygon((130, 32), (142, 32), (142, 43), (130, 43)), "too_large"),
        ({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]] * 21}, "too_many_polygons"),
        (polygon(*[(140.9, 38.2)] * 10_001), "too_many_corners"),
    ],
)
def test_a_shape_that_cannot_be_used_is_refused_with_its_reason(drawn: object, code: str) -> None:
    with pytest.raises(GeofenceError) as refusal:
        geofence.polygon_from_geojson(drawn)
    assert refusal.value.code == code
    assert refusal.value.message


def test_a_crossing_outline_is_refused_where_it_crosses() -> None:
    bow = polygon((140.9, 38.2), (140.96, 38.26), (140.96, 38.2), (140.9, 38.26))
    with pytest.raises(GeofenceError, match="crosses or touches itself at latitude") as refusal:
        geofence.polygon_from_geojson(bow)
    assert refusal.value.code == "self_crossing"
    assert refusal.value.lat == pytest.approx(38.23)
    assert refusal.value.lon == pytest.approx(140.93)


def test_a_hole_outside_its_polygon_is_refused_where_it_lies() -> None:
    drawn = {"type": "Polygon", "coordinates": [*SQUARE["coordinates"], [[141, 38], [141.1, 38], [141.1, 38.1]]]}
    with pytest.raises(GeofenceError, match="a hole lies outside") as refusal:
        geofence.polygon_from_geojson(drawn)
    assert refusal.value.lat == pytest.approx(38, abs=0.2)


def test_holes_that_cut_a_polygon_apart_are_refused() -> None:
    diamond = [[140.925, 38.2], [140.95, 38.225], [140.925, 38.25], [140.9, 38.225]]
    drawn = {"type": "Polygon", "coordinates": [*SQUARE["coordinates"], diamond]}
    with pytest.raises(GeofenceError, match="cut the polygon apart") as refusal:
        geofence.polygon_from_geojson(drawn)
    assert refusal.value.code == "self_crossing"


def test_a_place_outside_japan_is_named() -> None:
    with pytest.raises(GeofenceError, match="look swapped; GeoJSON writes longitude first") as refusal:
        geofence.polygon_from_geojson(polygon((38.2, 140.9), (38.2, 140.95), (38.25, 140.95)))
    assert (refusal.value.lat, refusal.value.lon) == (140.9, 38.2)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from(["Polygon", "MultiPolygon"]),
)
def test_any_nonsense_is_refused_and_never_breaks(coordinates: object, kind: str) -> None:
    with pytest.raises(GeofenceError):
        geofence.polygon_from_geojson({"type": kind, "coordinates": coordinates})


def test_subtraction_is_done_on_the_shape_before_cells_are_taken() -> None:
    """A cell that the subtracted area only touches keeps those who live on its other side."""
    edge = 140.92 + 0.0003  # in the middle of a cell
    rest = geofence.compose([WAKABAYASHI], [box(140.80, 38.0, edge, 38.4)])
    cut = geofence.cover(rest)
    shared = mesh.cell_of(Point(38.235, edge))
    assert shared in cut.rim
    assert mesh.cell_of(Point(38.235, 140.91)) not in cut.cells
    assert rest.area == pytest.approx(WAKABAYASHI.area * (140.94 - edge) / 0.04)


def test_nothing_left_is_refused() -> None:
    for shapes, minus in (([], []), ([WAKABAYASHI], [WAKABAYASHI.buffer(0.01)])):
        with pytest.raises(GeofenceError) as refusal:
            geofence.compose(shapes, minus)
        assert refusal.value.code == "empty"


def test_too_much_together_is_refused() -> None:
    with pytest.raises(GeofenceError) as refusal:
        geofence.compose([box(139, 36, 142, 38), box(139, 38, 142, 40)])
    assert refusal.value.code == "too_large"


def test_a_published_boundary_with_a_fault_is_mended_and_not_hollowed() -> None:
    """An outline that runs twice around a place means it once, not a hole."""
    twice = Polygon([(140.9, 38.2), (140.95, 38.2), (140.95, 38.25), (140.9, 38.25)] * 2)
    assert not twice.is_valid
    assert geofence.compose([twice]).area == pytest.approx(0.05 * 0.05)


def test_stray_lines_fall_away() -> None:
    mixed = shapely.GeometryCollection([WAKABAYASHI, LineString([(140.0, 38.0), (140.5, 38.0)])])
    assert geofence.compose([mixed]).equals(WAKABAYASHI)


def test_a_written_shape_is_read_again() -> None:
    shape = geofence.compose([WAKABAYASHI, box(141.0, 38.2, 141.02, 38.22)], [box(140.91, 38.23, 140.93, 38.24)])
    written = geofence.to_geojson(shape)
    assert written["type"] == "MultiPolygon"
    assert geofence.polygon_from_geojson(json.loads(json.dumps(written))).equals(shape)
    outer = written["coordinates"][0][0]
    assert shapely.LinearRing(outer).is_ccw
    assert outer[0] == outer[-1]


@pytest.mark.parametrize(
    "shape",
    [
        WAKABAYASHI,
        box(141.2, 42.0, 143.0, 43.5),
        box(127.6, 26.1, 127.9, 26.5),
        Polygon([(140, 38), (140.5, 38.1), (140.2, 38.4)]),
    ],
)
def test_areas_are_those_of_the_ellipsoid(shape: Polygon) -> None:
    outline = shapely.segmentize(shape, 0.01).exterior.coords
    ring = Geodesic.WGS84.Polygon()
    for lon, lat in outline[:-1]:
        ring.AddPoint(lat, lon)
    _, _, expected = ring.Compute(False, True)
    assert geofence.area_km2(shape) == pytest.approx(abs(expected) / 1e6, rel=1e-5)


def test_a_hole_counts_off_the_area() -> None:
    hole = box(140.91, 38.23, 140.93, 38.24)
    whole, rest = geofence.area_km2(WAKABAYASHI), geofence.area_km2(WAKABAYASHI.difference(hole))
    assert whole - rest == pytest.approx(geofence.area_km2(hole))
