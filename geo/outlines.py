"""Outlines for a screen: fewer corners, shorter numbers, borders still shared. Never for who lies inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from geo.hull import polygons_of

DECIMALS = 5  # about a metre
_FINEST = 2_000  # of a thousand dots across a map none shows less than the whole width through this


def for_screen(shapes: Sequence[BaseGeometry], corners: int) -> list[dict[str, Any]]:
    """Each shape as a GeoJSON MultiPolygon, longitude first; all of them together have about so many corners at most.

    Shapes that meet without overlapping, as wards do, are simplified as one, so that no gap opens between them.
    Parts too small to be seen are left out, but for the largest of each shape.
    """
    whole = [shapely.force_2d(shapely.make_valid(shape)) for shape in shapes]
    parts = [polygons_of(shape) for shape in whole]
    if not any(parts):
        return [_geojson(MultiPolygon()) for _ in shapes]
    west, south, east, north = shapely.total_bounds(whole).tolist()
    tolerance = max(east - west, north - south) / _FINEST
    drawn: list[BaseGeometry] = [MultiPolygon(own) for own in parts]
    together = len(drawn) > 1 and bool(shapely.coverage_is_valid(drawn))
    while sum(map(_corners, drawn)) > corners and tolerance < max(east - west, north - south) / 8:
        # From what is drawn so far: what was dropped at a finer step is not looked at again.
        drawn = _simplified([_seen(polygons_of(shape), tolerance) for shape in drawn], tolerance, together)
        tolerance *= 1.6
    return [_geojson(shape) for shape in drawn]


def label_point(shape: BaseGeometry) -> list[float]:
    """[latitude, longitude] of a point well inside the largest part, for a name."""
    parts = polygons_of(shapely.make_valid(shape))
    point = shapely.point_on_surface(max(parts, key=lambda part: float(part.area)) if parts else shape)
    return [round(float(point.y), DECIMALS), round(float(point.x), DECIMALS)]


def _seen(parts: Sequence[Any], tolerance: float) -> MultiPolygon:
    """The parts that are large enough to be seen, the largest in any case."""
    if not parts:
        return MultiPolygon()
    largest = max(parts, key=lambda part: float(part.area))
    return MultiPolygon([part for part in parts if part is largest or part.area > 4 * tolerance * tolerance])


def _simplified(shapes: list[MultiPolygon], tolerance: float, together: bool) -> list[BaseGeometry]:
    if together:
        return list(shapely.coverage_simplify(shapes, tolerance))
    return [shape.simplify(tolerance) for shape in shapes]


def _corners(shape: BaseGeometry) -> int:
    return int(shapely.get_num_coordinates(shape))


def _geojson(shape: BaseGeometry) -> dict[str, Any]:
    """A MultiPolygon with rounded numbers; rings that collapse when rounded fall away."""
    polygons = []
    for part in polygons_of(shape):
        rings = [_rounded(ring.coords) for ring in (part.exterior, *part.interiors)]
        if len(rings[0]) >= 4:
            polygons.append([ring for ring in rings if len(ring) >= 4])
    return {"type": "MultiPolygon", "coordinates": polygons}


def _rounded(coordinates: Any) -> list[list[float]]:
    ring: list[list[float]] = []
    for x, y, *_ in coordinates:
        corner = [round(float(x), DECIMALS), round(float(y), DECIMALS)]
        if not ring or ring[-1] != corner:
            ring.append(corner)
    return ring
