"""A simpler outline that contains a whole shape: for a push, where room is short."""

from __future__ import annotations

from collections.abc import Iterator

import shapely
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

# Wider than the rounding of corners to six decimals, so that a written hull still contains its shape.
_MARGIN_DEG = 2e-6


def outward_hull(geometry: BaseGeometry, corners: int = 40) -> BaseGeometry:
    """A simpler shape of at most so many corners that contains the whole geometry.

    Tried from fine to coarse: the shape grown a little and smoothed by less than it grew, which joins neighbouring
    parts and fills holes as it must; at last the rectangle around it. Raises ValueError for fewer than 8 corners.
    """
    if corners < 8:
        raise ValueError(f"a hull needs room for 8 corners, not {corners}")
    if _corners(geometry) <= corners:
        return geometry
    west, south, east, north = geometry.bounds
    widest = max(east - west, north - south)
    growth = max(widest / 4000, 5 * _MARGIN_DEG)
    rough, roughness = geometry, 0.0  # growing a detailed outline far is slow: start from one already smoothed
    while growth < widest:
        for hull in _grown(rough, growth):
            if _corners(hull) <= corners and hull.is_valid and hull.contains_properly(geometry):
                return hull
        if growth >= 5 * roughness and hull.contains_properly(geometry):
            rough, roughness = hull, growth
        growth *= 1.25
    return box(west, south, east, north).buffer(_MARGIN_DEG, join_style="mitre")


def polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    """The polygons a geometry is made of; lines and points fall away."""
    return [part for part in shapely.get_parts(geometry, return_index=False) if isinstance(part, Polygon)]


def _grown(outline: BaseGeometry, by: float) -> Iterator[BaseGeometry]:
    """The outline grown and then smoothed by less, so that it still contains what it did: with holes, and without."""
    # Corners rounded in eighths of a turn lie at least 0.923 of the distance away: no smoothing may go further.
    grown: BaseGeometry = outline.buffer(by, quad_segs=2)
    yield grown.simplify(by * 0.92)
    yield shapely.union_all([Polygon(part.exterior) for part in polygons_of(grown)]).simplify(by * 0.92)


def _corners(geometry: BaseGeometry) -> int:
    rings = [ring for part in polygons_of(geometry) for ring in (part.exterior, *part.interiors)]
    return sum(len(ring.coords) - 1 for ring in rings)
