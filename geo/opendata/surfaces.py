"""The surfaces of areas: read from GeoJSON, mended, united by area."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from geo.opendata.faults import CellFault
from geo.opendata.features import Feature
from geo.opendata.report import Report
from geo.point import inside_japan


class Parts(dict[str, list[BaseGeometry]]):
    """The surfaces of each area. One refused part spoils its area: a boundary with a hole would miss people."""

    def __init__(self) -> None:
        super().__init__()
        self.spoilt: set[str] = set()

    def take(self, key: str, feature: Feature, report: Report) -> bool:
        """Adds a feature's surface, or refuses it and the area with it."""
        try:
            surface = _surface(feature.geometry)
        except CellFault as fault:
            self.spoilt.add(key)
            self.pop(key, None)
            report.refuse(feature.line, "geometry", None, fault.code, f"{key}: {fault}")
            report.refused_rows += 1
            return False
        if key not in self.spoilt:
            self.setdefault(key, []).append(surface)
        return key not in self.spoilt


def united(shapes: Sequence[BaseGeometry]) -> tuple[dict[str, Any], float, float]:
    """The union of surfaces as a GeoJSON geometry, with latitude and longitude of a point inside."""
    whole = shapely.union_all(list(shapes))
    polygons = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]
    whole = polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
    point = whole.representative_point()
    return json.loads(json.dumps(mapping(whole))), round(point.y, 6), round(point.x, 6)


def _surface(geometry: Any) -> BaseGeometry:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise CellFault("not_a_polygon", "面（Polygon、MultiPolygon）ではありません")
    try:
        # By structure: the way boundaries are meant; what collapses to a line or point is no surface.
        drawn = shapely.make_valid(shapely.force_2d(shape(geometry)), method="structure", keep_collapsed=False)
    except (ShapelyError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise CellFault("not_a_polygon", "座標を面として読めません") from error
    if drawn.area == 0 or not all(part == part for part in drawn.bounds):
        raise CellFault("empty", "面積のない形です")
    west, south, east, north = drawn.bounds
    if not (inside_japan(south, west) and inside_japan(north, east)):
        swapped = inside_japan(west, south) and inside_japan(east, north)
        reason = "緯度と経度が入れ替わっているようです（looks swapped）" if swapped else "日本の外に出ています"
        raise CellFault("looks_swapped" if swapped else "outside_japan", reason)
    return drawn
