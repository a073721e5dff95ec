"""Collection areas: ward, town and block as the city prints them, linked to named areas and postcodes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, UtcDateTime
from geo import areas as named
from geo import postcodes
from geo.areas import Area, search_key
from geo.chords import earth_xyz, lengths, surface_m
from geo.point import Point

Words = dict[str, str]
NEAR_M = 3000.0  # farther town centres are no answer to "which area am I in"
_AROUND = 0.15  # degrees, within which named areas are looked at
_CHUNK = 500


class GarbageArea(Base):
    """One area with a calendar of its own. Its number stays (feeds are addressed by it); withdrawn, never deleted."""

    __tablename__ = "garbage_areas"
    __table_args__ = (sa.UniqueConstraint("source", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    key: Mapped[str] = mapped_column(sa.Text)
    position: Mapped[int] = mapped_column(sa.Integer)
    ward: Mapped[str] = mapped_column(sa.Text)  # empty where the city has none
    town: Mapped[str] = mapped_column(sa.Text)
    block: Mapped[str] = mapped_column(sa.Text)  # 「2丁目」「（上記以外）」, empty for a whole town
    name: Mapped[str] = mapped_column(sa.Text)  # as printed, without the ward
    names: Mapped[Words] = mapped_column(Json)  # in other languages
    reading: Mapped[str] = mapped_column(sa.Text)  # katakana, perhaps only its beginning; empty when unknown
    centre: Mapped[str | None] = mapped_column(sa.Text)  # whose closures hold here
    note: Mapped[Words] = mapped_column(Json)  # such as: the sticker at the collection point counts
    contact: Mapped[dict[str, Any]] = mapped_column(Json)  # name, phone, url
    content_hash: Mapped[str] = mapped_column(sa.Text)  # of what the list states, rules included
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    @property
    def full_name(self) -> str:
        """With the ward before it."""
        return f"{self.ward}{self.name}"


class GarbageAreaLink(Base):
    """What an area lies in or covers: a code of `geo.areas`, or a postcode of seven digits."""

    __tablename__ = "garbage_area_links"
    __table_args__ = (sa.Index(None, "kind", "value"), {"sqlite_with_rowid": False})

    area_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("garbage_areas.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text, primary_key=True)  # area | postcode
    value: Mapped[str] = mapped_column(sa.Text, primary_key=True)


def get(session: Session, area_id: int) -> GarbageArea | None:
    """A present area by its number, or None."""
    found = session.get(GarbageArea, area_id) if abs(area_id) < 2**63 else None
    return found if found is not None and found.withdrawn_at is None else None


def present(session: Session, source: str | None = None, ids: Iterable[int] | None = None) -> list[GarbageArea]:
    """All present areas (of a source, or of these numbers), in the order of their lists."""
    wanted = sa.select(GarbageArea).where(GarbageArea.withdrawn_at.is_(None))
    if source is not None:
        wanted = wanted.where(GarbageArea.source == source)
    if ids is None:
        found = list(session.scalars(wanted))
    else:
        numbers, found = sorted(set(ids)), []
        for start in range(0, len(numbers), _CHUNK):
            found += session.scalars(wanted.where(GarbageArea.id.in_(numbers[start : start + _CHUNK])))
    return sorted(found, key=lambda area: (area.source, area.position, area.id))


def links_of(session: Session, area_id: int) -> dict[str, list[str]]:
    """{"area": codes, "postcode": postcodes} of one area."""
    wanted = sa.select(GarbageAreaLink.kind, GarbageAreaLink.value).where(GarbageAreaLink.area_id == area_id)
    found: dict[str, list[str]] = {"area": [], "postcode": []}
    for row in session.execute(wanted.order_by(GarbageAreaLink.value)):
        found.setdefault(row.kind, []).append(row.value)
    return found


def by_postcode(session: Session, postcode: str) -> list[GarbageArea]:
    """The areas in which a postcode may lie: several where a town is split. Empty for an unknown postcode."""
    seven = postcodes.digits(postcode)
    if seven is None:
        return []
    ids = set(_linked(session, "postcode", [seven]))
    ids |= set(_linked(session, "area", [area.code for area in named.by_postcode(session, seven)]))
    if ids:
        return present(session, ids=ids)
    # No link was made when the list came in: the town's name decides.
    towns = {
        (search_key(entry.town), above.name if above is not None else "")
        for entry in postcodes.entries(session, seven)
        if entry.town
        for above in [named.get(session, entry.municipality_code)]
    }
    return [
        area
        for area in present(session)
        if any(search_key(area.town) == key and area.ward in ("", ward) for key, ward in towns)
    ]


def by_position(session: Session, at: Point, limit: int) -> list[tuple[GarbageArea, float, bool]]:
    """(area, metres, inside a boundary) for a position, the likeliest first.

    An area in whose published boundary the point lies comes first, with 0 m; the others follow by the
    distance of their towns' published centres, up to `NEAR_M`.
    """
    ranked = _ranked(session, at)
    owners = sa.select(GarbageAreaLink.area_id, GarbageAreaLink.value).where(GarbageAreaLink.kind == "area")
    best: dict[int, tuple[bool, float]] = {}
    for row in session.execute(owners.where(GarbageAreaLink.value.in_(ranked))):
        place = ranked[row.value]
        best[row.area_id] = min(best.get(row.area_id, place), place)
    found = [(area, best[area.id][1], not best[area.id][0]) for area in present(session, ids=best)]
    return sorted(found, key=lambda one: (not one[2], one[1], one[0].position, one[0].id))[:limit]


def _ranked(session: Session, at: Point) -> dict[str, tuple[bool, float]]:
    """(outside, metres) of the linked named areas around a position."""
    codes = sa.select(GarbageAreaLink.value).where(GarbageAreaLink.kind == "area")
    around = sa.select(Area.code, Area.lat, Area.lon, Area.geometry.is_not(None).label("bounded")).where(
        Area.code.in_(codes),
        Area.withdrawn_at.is_(None),
        Area.lat.between(at.lat - _AROUND, at.lat + _AROUND),
        Area.lon.between(at.lon - _AROUND, at.lon + _AROUND),
    )
    rows = session.execute(around).all()
    away = earth_xyz([row.lat for row in rows], [row.lon for row in rows]) - earth_xyz([at.lat], [at.lon])
    metres = dict(zip((row.code for row in rows), map(float, surface_m(lengths(away))), strict=True)) if rows else {}
    near = sorted(metres, key=metres.__getitem__)[:_CHUNK]
    bounded = {row.code for row in rows if row.bounded} & set(near)
    shapes = session.execute(sa.select(Area.code, Area.geometry).where(Area.code.in_(bounded)))
    point = shapely.Point(at.lon, at.lat)
    inside = {row.code for row in shapes if shapely.make_valid(shape(row.geometry)).covers(point)}
    return {
        code: (code not in inside, 0.0 if code in inside else metres[code])
        for code in near
        if code in inside or metres[code] <= NEAR_M
    }


def _linked(session: Session, kind: str, values: Sequence[str]) -> list[int]:
    wanted = sa.select(GarbageAreaLink.area_id).where(GarbageAreaLink.kind == kind, GarbageAreaLink.value.in_(values))
    return list(session.scalars(wanted)) if values else []
