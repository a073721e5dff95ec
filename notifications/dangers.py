"""Danger areas: a drawn or composed shape, frozen with the cells it touches. Never changed, only replaced."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, insert_ignore
from geo import areas, geofence

HULL_CORNERS = 40


class AreaRefused(ValueError):
    """The area of an alert cannot be used; `field` names the part, `reason` says why, lat/lon where."""

    def __init__(self, field: str, reason: str, lat: float | None = None, lon: float | None = None) -> None:
        self.field, self.reason, self.lat, self.lon = field, reason, lat, lon
        super().__init__(f"{field}: {reason}")


class DangerArea(Base):
    """A shape and its cover. Two alerts over the same shape share one row."""

    __tablename__ = "danger_areas"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(sa.Text, unique=True)
    geometry: Mapped[dict[str, Any]] = mapped_column(Json)
    hull: Mapped[dict[str, Any]] = mapped_column(Json)
    inside: Mapped[bytes] = mapped_column(sa.LargeBinary)
    rim: Mapped[bytes] = mapped_column(sa.LargeBinary)
    area_km2: Mapped[float] = mapped_column(sa.Double)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a danger area: wholly inside it, or merely touched by it. Each sorted."""

    inside: NDArray[np.int64]
    rim: NDArray[np.int64]

    def contains(self, cell: int) -> bool:
        """The cell is one of these."""
        for cells in (self.inside, self.rim):
            at = int(np.searchsorted(cells, cell))
            if at < len(cells) and cells[at] == cell:
                return True
        return False

    def __len__(self) -> int:
        return len(self.inside) + len(self.rim)


def compose(
    session: Session,
    *,
    polygon: dict[str, Any] | None,
    area_codes: Sequence[str],
    minus_area_codes: Sequence[str],
    minus_polygon: dict[str, Any] | None,
) -> DangerArea:
    """The danger area of a polygon, named areas, or both, less what is subtracted. Raises AreaRefused.

    Subtraction is done on the geometry before cells are taken, so that nobody who stands in
    what remains is missed.
    """
    if polygon is None and not area_codes:
        raise AreaRefused("area", "draw a polygon or name at least one area")
    shapes = [*_drawn("area.polygon", polygon), *_named(session, "area.areas", area_codes)]
    minus = [*_drawn("area.minus_polygon", minus_polygon), *_named(session, "area.minus_areas", minus_area_codes)]
    try:
        shape = geofence.compose(shapes, minus)
        cover = geofence.cover(shape)
        hull = geofence.outward_hull(shape, HULL_CORNERS)
    except geofence.GeofenceError as refused:
        raise AreaRefused("area", refused.message, refused.lat, refused.lon) from refused
    geometry = geofence.to_geojson(shape)
    digest = _digest(geometry)
    insert_ignore(
        session,
        DangerArea,
        {
            "digest": digest,
            "geometry": geometry,
            "hull": geofence.to_geojson(hull),
            "inside": _pack(cover.inside),
            "rim": _pack(cover.rim),
            "area_km2": geofence.area_km2(shape),
        },
    )
    # Held until the caller commits: housekeeping deletes shapes that nobody uses.
    mine = sa.select(DangerArea).where(DangerArea.digest == digest).with_for_update(read=True, key_share=True)
    return session.scalars(mine).one()


def at_hand(session: Session, area_codes: Sequence[str]) -> int | None:
    """The id of the danger area that named areas make, if it is known; writes nothing. Raises AreaRefused."""
    try:
        shape = geofence.compose(_named(session, "area.areas", area_codes), [])
    except geofence.GeofenceError as refused:
        raise AreaRefused("area", refused.message, refused.lat, refused.lon) from refused
    digest = _digest(geofence.to_geojson(shape))
    return session.scalar(sa.select(DangerArea.id).where(DangerArea.digest == digest))


def _digest(geometry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(geometry, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def cells(session: Session, danger_area_id: int) -> Cells:
    """The cells of a danger area; kept in memory, since a danger area never changes."""
    digest = session.scalar(sa.select(DangerArea.digest).where(DangerArea.id == danger_area_id))
    if digest is None:
        raise LookupError(f"no danger area {danger_area_id}")
    known = _KNOWN.get(digest)
    if known is None:
        row = session.execute(sa.select(DangerArea.inside, DangerArea.rim).where(DangerArea.id == danger_area_id)).one()
        known = Cells(_unpack(row.inside), _unpack(row.rim))
        while len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[digest] = known
    return known


def shape(danger_area: DangerArea) -> BaseGeometry:
    """The geometry of a danger area, longitude before latitude."""
    return _shape(json.dumps(danger_area.geometry, sort_keys=True))


@lru_cache(maxsize=64)
def _shape(geojson: str) -> BaseGeometry:
    found = shapely.from_geojson(geojson)
    if not found.is_valid:
        # Written with six decimals a sliver may cross itself; united with another area it would stop every read.
        found = shapely.make_valid(found, method="structure", keep_collapsed=False)
    shapely.prepare(found)
    return found


# By the digest of the shape, so that another database's rows cannot be taken for ours.
_KNOWN: dict[str, Cells] = {}
_MOST_KNOWN = 64


def _drawn(field: str, polygon: dict[str, Any] | None) -> list[BaseGeometry]:
    if polygon is None:
        return []
    try:
        return [geofence.polygon_from_geojson(polygon)]
    except geofence.GeofenceError as refused:
        raise AreaRefused(field, refused.message, refused.lat, refused.lon) from refused


def _named(session: Session, field: str, codes: Sequence[str]) -> list[BaseGeometry]:
    if not codes:
        return []
    try:
        return list(areas.geometry_of(session, codes))
    except areas.AreaError as refused:
        raise AreaRefused(field, str(refused)) from refused


def _pack(found: NDArray[np.int64]) -> bytes:
    return zlib.compress(np.sort(found).astype("<i8").tobytes(), 6)


def _unpack(packed: bytes) -> NDArray[np.int64]:
    return np.frombuffer(zlib.decompress(packed), dtype="<i8").astype(np.int64)
