"""Danger areas as closed rings without holes, which is all that CAP can draw."""

from __future__ import annotations

from collections.abc import Iterator

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

DECIMALS = 6  # of a degree: a tenth of a metre
_DEEPEST = 40

Ring = list[tuple[float, float]]  # (latitude, longitude), the first point again at the end


def rings(shape: BaseGeometry) -> list[Ring]:
    """The outer rings of pieces that together are the shape: what has a hole is cut through it, and nothing is lost.

    An area without its branch ("the ward less the hill") has a hole, and CAP 1.2 knows none: drawn without it the
    message would send people away from the place where they are safe.
    """
    found = []
    for piece in _pieces(_snapped(shape), 0):
        points = [(round(y, DECIMALS), round(x, DECIMALS)) for x, y, *_ in piece.exterior.coords]
        if len(points) >= 4:
            found.append(points)
    return found


def _snapped(shape: BaseGeometry) -> BaseGeometry:
    """On the grid that is written: rounded corner by corner a thin piece could cross itself."""
    return shapely.set_precision(shape, 10**-DECIMALS)


def _pieces(shape: BaseGeometry, depth: int) -> Iterator[Polygon]:
    for part in shapely.get_parts(shape):
        if not isinstance(part, Polygon):
            yield from _pieces(part, depth + 1) if depth < _DEEPEST and hasattr(part, "geoms") else ()
        elif part.interiors and depth < _DEEPEST:
            west, south, east, north = part.bounds
            middle = round(Polygon(part.interiors[0]).representative_point().x, DECIMALS)
            for left, right in ((west, middle), (middle, east)):
                half = part.intersection(shapely.box(left, south, right, north))
                yield from _pieces(_snapped(half), depth + 1)
        elif not part.is_empty:
            yield part
