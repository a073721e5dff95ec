"""Where the people are whom an alert reaches, ward by ward, and which places of refuge lie inside and outside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from sqlalchemy.orm import Session

from geo import mesh
from geo.areas import Area, AreaKind
from geo.hazards import Hazard
from geo.sites import Site, SiteStatus
from notifications import dangers
from notifications.dangers import DangerArea
from notifications.dispatch import shelters
from notifications.recipients import NO_CELL


@dataclass(frozen=True, slots=True)
class WardCount:
    """So many devices have their place in a ward; code and name are "" where it is in none that is known."""

    code: str
    name: str
    devices: int


@dataclass(frozen=True, slots=True)
class Refuges:
    """Emergency evacuation sites for the hazard: those inside the area, which nobody is sent to, and those outside."""

    inside: list[str]
    outside: int  # suitable, within reach
    open_outside: int


@dataclass(frozen=True, slots=True)
class Refuge:
    """One emergency evacuation site for the hazard, as a map shows it."""

    id: int
    name: str
    lat: float
    lon: float
    status: str
    inside: bool  # nobody is sent there


def by_ward(session: Session, by_cell: Mapping[int, int]) -> list[WardCount]:
    """Devices by the ward in which the middle of their cell lies, most first; empty for a city without wards."""
    wanted = sa.select(Area.code, Area.name, Area.geometry).where(
        Area.kind == AreaKind.WARD.value, Area.withdrawn_at.is_(None)
    )
    wards = [ward for ward in session.execute(wanted.order_by(Area.code)) if ward.geometry is not None]
    if not wards or not by_cell:
        return []
    cells = np.array([cell for cell in by_cell if cell != NO_CELL], np.int64)
    many = np.array([by_cell[cell] for cell in cells.tolist()], np.int64)
    lat, lon = mesh.centres(cells)
    free = np.ones(len(cells), np.bool_)  # a cell counts once, though boundaries overlap
    found = []
    for ward in wards:
        border = shapely.make_valid(shape(ward.geometry))
        shapely.prepare(border)
        within = free & shapely.contains_xy(border, lon, lat)
        free &= ~within
        found.append(WardCount(ward.code, ward.name, int(many[within].sum())))
    rest = sum(by_cell.values()) - sum(ward.devices for ward in found)
    listed = sorted((ward for ward in found if ward.devices), key=lambda ward: -ward.devices)
    return [*listed, WardCount("", "", rest)] if rest else listed


def refuges(session: Session, hazard: Hazard, area: DangerArea, now: dt.datetime) -> Refuges:
    """Where people inside an area may go, from the very rows that each phone's own shelters are chosen from."""
    inside = [row.name for row in _inside(session, hazard, area)]
    candidates = shelters.candidates_for(session, hazard, area, now)
    known_open = sum(site["status"] == SiteStatus.OPEN.value for site in candidates)
    return Refuges(inside, len(candidates), known_open)


def refuge_places(
    session: Session, hazard: Hazard, area: DangerArea, now: dt.datetime, *, most: int = 300
) -> list[Refuge]:
    """The places that `refuges` counts: at most so many inside, and outside, open ones and then the nearest first."""
    border = dangers.shape(area)
    inside = [Refuge(one.id, one.name, one.lat, one.lon, one.status, True) for one in _inside(session, hazard, area)]
    found = [
        Refuge(one["id"], one["name"], one["lat"], one["lon"], one["status"], False)
        for one in shelters.candidates_for(session, hazard, area, now)
    ]
    places = shapely.points(np.array([(one.lon, one.lat) for one in found]).reshape(-1, 2))
    away = np.atleast_1d(shapely.distance(border, places)).tolist()
    order = sorted(range(len(found)), key=lambda at: (found[at].status != SiteStatus.OPEN.value, away[at]))
    return inside[:most] + [found[at] for at in order[:most]]


def _inside(session: Session, hazard: Hazard, area: DangerArea) -> list[Any]:
    """Sites for the hazard within the area, its edge included, in the order of their ids."""
    border = dangers.shape(area)
    west, south, east, north = shapely.total_bounds(border).tolist()
    near = sa.select(Site.id, Site.name, Site.lat, Site.lon, Site.status).where(
        Site.withdrawn_at.is_(None),
        Site.hazards.op("&")(hazard.bit) != 0,
        Site.lat.between(south, north),
        Site.lon.between(west, east),
    )
    rows = session.execute(near.order_by(Site.id)).all()
    return [row for row in rows if shapely.intersects_xy(border, row.lon, row.lat)]
