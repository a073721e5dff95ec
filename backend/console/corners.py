"""A polygon as a list of corners that a person can type, read aloud and check: one corner a line, latitude first."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from backend.console.language import mark, say

MOST_LINES = 2_000
_CORNER = re.compile(r"(-?\d{1,3}(?:\.\d{1,12})?)\s*[,\s]\s*(-?\d{1,3}(?:\.\d{1,12})?)")
_UNREADABLE = mark("%(line)s行目を読めません。「38.2600, 140.8800」のように、緯度、経度の順に書いてください。")


class CornersError(ValueError):
    """A line that is no corner; the text names the line."""


def polygon_of(written: str) -> dict[str, Any] | None:
    """The GeoJSON of typed corners, None for none. An empty line begins another polygon.

    Whether it is a sound shape is decided where every shape is (geo.geofence). Raises CornersError.
    """
    rings: list[list[list[float]]] = [[]]
    plain = unicodedata.normalize("NFKC", written).replace("、", ",")
    for number, line in enumerate(plain.splitlines(), 1):
        if number > MOST_LINES:
            raise CornersError(say("角が多すぎます。%(most)s行までにしてください。", most=MOST_LINES))
        if not line.strip():
            rings.append([])
            continue
        found = _CORNER.fullmatch(line.strip().strip("()"))
        if found is None:
            raise CornersError(say(_UNREADABLE, line=number))
        rings[-1].append([float(found[2]), float(found[1])])
    drawn = [ring if ring[0] == ring[-1] else [*ring, ring[0]] for ring in rings if ring]
    if not drawn:
        return None
    if len(drawn) == 1:
        return {"type": "Polygon", "coordinates": drawn}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in drawn]}


def corners_of(polygon: dict[str, Any] | None) -> str | None:
    """The corners of a GeoJSON polygon as they are typed; None for one with holes, which such a list cannot say."""
    if polygon is None:
        return ""
    parts = [polygon["coordinates"]] if polygon["type"] == "Polygon" else polygon["coordinates"]
    if any(len(part) != 1 for part in parts):
        return None
    return "\n\n".join(_lines(part[0]) for part in parts)


def _lines(ring: list[list[float]]) -> str:
    corners = ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring
    return "\n".join(f"{corner[1]!r}, {corner[0]!r}" for corner in corners)
