"""Whether a position lies in a named area: for lists that are asked for by area."""

from __future__ import annotations

import math

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geo.areas import geometry_of
from geo.point import Point

Box = tuple[float, float, float, float]  # south, west, north, east in degrees


class Within:
    """The inside of an area with a boundary, its edge included."""

    def __init__(self, boundary: BaseGeometry) -> None:
        self._boundary = boundary
        shapely.prepare(boundary)
        west, south, east, north = boundary.bounds
        self.box: Box = (south, west, north, east)

    @classmethod
    def area(cls, session: Session, code: str) -> Within:
        """That of an area. Raises `geo.areas.AreaError` when it is unknown or has no boundary."""
        return cls(geometry_of(session, [code])[0])

    def __contains__(self, position: tuple[float, float]) -> bool:
        """Whether (latitude, longitude) lies inside."""
        lat, lon = position
        return bool(shapely.intersects_xy(self._boundary, lon, lat))


def overlap(one: Box | None, other: Box | None) -> Box | None:
    """The common part of two boxes (None: everywhere); a box without any extent where they do not meet."""
    if one is None or other is None:
        return one or other
    south, west = max(one[0], other[0]), max(one[1], other[1])
    north, east = min(one[2], other[2]), min(one[3], other[3])
    return (south, west, north, east) if south <= north and west <= east else (1.0, 1.0, 0.0, 0.0)


def around(point: Point, reach_m: float) -> Box:
    """A box that holds every position within so many metres of a point, and a little more."""
    up = reach_m / 110_500.0 * 1.001
    right = reach_m / (111_000.0 * math.cos(math.radians(min(point.lat + up, 89.0)))) * 1.001
    return point.lat - up, point.lon - right, point.lat + up, point.lon + right
