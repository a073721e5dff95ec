"""A drawn shape, checked and limited, as the 125 m cells it touches.

Shapes are shapely polygons in degrees, x = longitude and y = latitude, edges straight between corners.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.hull import outward_hull as outward_hull
from geo.hull import polygons_of
from geo.mesh import COLUMNS_A_DEGREE, FIRST_MERIDIAN, ROWS_A_DEGREE, Cells, from_row_col
from geo.point import Point, PointError

MAX_POLYGONS = 20
MAX_CORNERS = 10_000
MAX_AREA_KM2 = 50_000.0  # more than any prefecture but Hokkaido
# A position is stored rounded to a micro-degree; a shape grown by as much misses none that was inside.
GUARD_DEG = 1e-6


class GeofenceError(ValueError):
    """A shape cannot be used: what is wrong, in which words, and where when a place is known."""

    def __init__(self, code: str, message: str, lat: float | None = None, lon: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.lat = lat
        self.lon = lon


@dataclass(frozen=True, slots=True)
class Cover:
    """The cells a shape touches (sorted codes): `inside` lie wholly in it, `rim` only in part."""

    inside: Cells
    rim: Cells

    @property
    def cells(self) -> Cells:
        """All of them, sorted."""
        return np.sort(np.concatenate((self.inside, self.rim)))


def polygon_from_geojson(obj: object) -> BaseGeometry:
    """The shape a GeoJSON Polygon or MultiPolygon (RFC 7946) draws; overlapping parts are united.

    Rings left open are closed, heights are dropped. Raises `GeofenceError` with a code: `not_a_polygon`,
    `too_many_polygons`, `too_many_corners`, `bad_position`, `outside_japan`, `too_few_corners`, `empty`,
    `no_area`, `self_crossing`, `too_large`.
    """
    if not isinstance(obj, Mapping) or obj.get("type") not in ("Polygon", "MultiPolygon"):
        kind = obj.get("type") if isinstance(obj, Mapping) else type(obj).__name__
        raise GeofenceError("not_a_polygon", f"a GeoJSON Polygon or MultiPolygon is needed, not {str(kind)[:40]!r}")
    drawn = _items(obj.get("coordinates"), "coordinates")
    polygons = [drawn] if obj["type"] == "Polygon" else [_items(one, "a polygon") for one in drawn]
    if len(polygons) > MAX_POLYGONS:
        raise GeofenceError("too_many_polygons", f"{len(polygons)} polygons; at most {MAX_POLYGONS} are taken")
    listed = [[_items(ring, "a ring") for ring in polygon] for polygon in polygons]
    corners = sum(len(ring) for polygon in listed for ring in polygon)
    if corners > MAX_CORNERS:
        raise GeofenceError("too_many_corners", f"{corners} corners; at most {MAX_CORNERS} are taken")
    if not corners:
        raise GeofenceError("empty", "the shape has no corners")
    return _limited(shapely.union_all([_polygon([_ring(ring) for ring in polygon]) for polygon in listed]))


def compose(shapes: Iterable[BaseGeometry], minus: Iterable[BaseGeometry] = ()) -> BaseGeometry:
    """The union of shapes without the union of others, on geometry, before any cell is taken.

    Published boundaries with small faults are mended first. Raises `GeofenceError` when nothing remains
    (`empty`) or too much (`too_large`).
    """
    kept = shapely.union_all([_mended(shape) for shape in shapes])
    taken = shapely.union_all([_mended(shape) for shape in minus])
    return _limited(_surfaces(shapely.difference(kept, taken)))


def cover(geometry: BaseGeometry) -> Cover:
    """Every 125 m cell the shape touches: nobody inside is missed, whatever rounding did to positions and edges.

    The shape is grown by `GUARD_DEG` (11 cm), also for `inside`: a shape drawn along cell lines has the cells it
    encloses inside and one more ring of cells as its rim. Squares are taken large first and only those on the
    edge are divided, so that the cost follows the shape's outline and not its surface.
    """
    if geometry.is_empty:
        return Cover(np.empty(0, np.int64), np.empty(0, np.int64))
    grown = geometry.buffer(GUARD_DEG)
    shapely.prepare(grown)
    west, south, east, north = grown.bounds
    side = 64
    rows = np.arange(_floor(south * ROWS_A_DEGREE, side), _floor(north * ROWS_A_DEGREE, side) + 1, side)
    cols = np.arange(
        _floor((west - FIRST_MERIDIAN) * COLUMNS_A_DEGREE, side),
        _floor((east - FIRST_MERIDIAN) * COLUMNS_A_DEGREE, side) + 1,
        side,
    )
    row, col = (axis.ravel() for axis in np.meshgrid(rows, cols, indexing="ij"))
    inside: list[Cells] = []
    while True:
        squares = _squares(row, col, side)
        touched = shapely.intersects(grown, squares)
        row, col, squares = row[touched], col[touched], squares[touched]
        whole = shapely.contains_properly(grown, squares)
        inside.append(_codes(row[whole], col[whole], side))
        row, col = row[~whole], col[~whole]
        if side == 1:
            return Cover(np.sort(np.concatenate(inside)), np.sort(from_row_col(row, col)))
        row, col = _divided(row, col, side, side // 4)
        side //= 4


def to_geojson(geometry: BaseGeometry) -> dict[str, Any]:
    """The shape as a GeoJSON geometry: six decimals (11 cm), outer rings counter-clockwise (RFC 7946)."""
    polygons = [
        [np.round(shapely.get_coordinates(ring), 6).tolist() for ring in (part.exterior, *part.interiors)]
        for part in polygons_of(shapely.orient_polygons(geometry))
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def area_km2(geometry: BaseGeometry) -> float:
    """Square kilometres on the WGS 84 ellipsoid, by the equal-area cylindrical projection."""
    dense = shapely.segmentize(geometry, 0.05)  # an edge straight in degrees is bent in the projection
    return float(shapely.transform(dense, _equal_area).area) / 1e6


def _items(value: object, name: str) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise GeofenceError("bad_position", f"{name} must be a list, not {type(value).__name__}")
    return value


def _ring(drawn: Sequence[Any]) -> list[tuple[float, float]]:
    ring = [_position(one) for one in drawn]
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(set(ring)) < 3:
        lon, lat = ring[0] if ring else (None, None)
        raise GeofenceError("too_few_corners", "a ring needs at least three different corners", lat, lon)
    return ring


def _position(drawn: object) -> tuple[float, float]:
    numbers = _items(drawn, "a position")
    if len(numbers) not in (2, 3) or not all(type(number) in (int, float) for number in numbers):
        raise GeofenceError("bad_position", f"a position is [longitude, latitude] in degrees, not {str(drawn)[:60]}")
    try:
        point = Point.checked(numbers[1], numbers[0])
    except (PointError, OverflowError) as reason:
        finite = all(abs(number) <= 360 for number in numbers[:2])
        place = (float(numbers[1]), float(numbers[0])) if finite else (None, None)
        code = "outside_japan" if finite else "bad_position"
        raise GeofenceError(code, f"{reason}; GeoJSON writes longitude first", *place) from None
    return point.lon, point.lat


def _polygon(rings: list[list[tuple[float, float]]]) -> BaseGeometry:
    if not rings:
        raise GeofenceError("empty", "a polygon without rings")
    for ring in rings:
        if Polygon(ring).convex_hull.area < 1e-12:  # a hundredth of a square metre: all corners on one line
            raise GeofenceError("no_area", "the corners of a ring lie on one line", ring[0][1], ring[0][0])
    polygon = Polygon(rings[0], rings[1:])
    fault = shapely.is_valid_reason(polygon)
    if fault != "Valid Geometry":
        raise _crossing(fault)
    return polygon


def _crossing(fault: str) -> GeofenceError:
    """GEOS writes `Self-intersection[140.9 38.2]`: the kind of fault, and its place as x and y."""
    found = re.search(r"\[(\S+) (\S+)\]", fault)
    lon, lat = (float(found[1]), float(found[2])) if found else (None, None)
    place = f" at latitude {lat:.6f}, longitude {lon:.6f}" if found else ""
    if "Hole" in fault or "Nested" in fault:
        return GeofenceError(
            "self_crossing", f"a hole lies outside its polygon or inside another hole{place}", lat, lon
        )
    if "Interior is disconnected" in fault:
        return GeofenceError("self_crossing", f"holes cut the polygon apart{place}", lat, lon)
    return GeofenceError("self_crossing", f"the outline crosses or touches itself{place}", lat, lon)


def _limited(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.is_empty:
        raise GeofenceError("empty", "nothing remains of the shape")
    size = area_km2(geometry)
    if size > MAX_AREA_KM2:
        raise GeofenceError(
            "too_large", f"the shape is {size:,.0f} km² large; at most {MAX_AREA_KM2:,.0f} km² are taken"
        )
    return geometry


def _mended(shape: BaseGeometry) -> BaseGeometry:
    if not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return _surfaces(shape)


def _surfaces(geometry: BaseGeometry) -> BaseGeometry:
    """Only what has area: stray lines and points fall away."""
    return geometry if isinstance(geometry, Polygon | MultiPolygon) else shapely.union_all(polygons_of(geometry))


def _floor(value: float, side: int) -> int:
    return math.floor(value) // side * side


def _squares(row: Cells, col: Cells, side: int) -> Any:
    return shapely.box(
        FIRST_MERIDIAN + col / COLUMNS_A_DEGREE,
        row / ROWS_A_DEGREE,
        FIRST_MERIDIAN + (col + side) / COLUMNS_A_DEGREE,
        (row + side) / ROWS_A_DEGREE,
    )


def _divided(row: Cells, col: Cells, side: int, into: int) -> tuple[Cells, Cells]:
    """The smaller squares (south-west corners) that squares of one size are made of."""
    up, right = (axis.ravel() for axis in np.meshgrid(*(np.arange(0, side, into),) * 2, indexing="ij"))
    return (row[:, None] + up).ravel(), (col[:, None] + right).ravel()


def _codes(row: Cells, col: Cells, side: int) -> Cells:
    return from_row_col(*_divided(row, col, side, 1))


def _equal_area(degrees: Any) -> Any:
    """Metres east and north in which areas are true (the authalic cylinder of WGS 84)."""
    e = 0.0818191908426215
    sine = np.sin(np.radians(degrees[:, 1]))
    y = 6_378_137.0 / 2 * ((1 - e * e) * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e))
    return np.column_stack((6_378_137.0 * np.radians(degrees[:, 0]), y))
