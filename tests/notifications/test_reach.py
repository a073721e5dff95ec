"""Whom an alert reaches is told ward by ward, and where people may go is what their phones will be told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from geo import mesh, sites
from geo.areas import Area
from geo.hazards import Hazard
from geo.point import Point
from geo.sites import SiteStatus
from notifications import dangers, reach
from tests.notifications.builders import AREA, make_site

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


def square(west: float, south: float, east: float, north: float) -> dict[str, object]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def ward(session: Session, code: str, name: str, shape: dict[str, object] | None) -> None:
    session.add(Area(code=code, kind="ward", name=name, search_name=name, geometry=shape, source="test"))
    session.flush()


def cell(lat: float, lon: float) -> int:
    return mesh.cell_of(Point(lat, lon))


def test_devices_are_counted_once_by_the_ward_of_their_cell(session: Session) -> None:
    assert reach.by_ward(session, {cell(38.2, 140.9): 3}) == []
    ward(session, "a", "西区", square(140.8, 38.1, 140.95, 38.3))
    ward(session, "b", "東区", square(140.94, 38.1, 141.1, 38.3))  # overlaps: who stands there is counted once
    ward(session, "c", "図のない区", None)
    counts = {cell(38.2, 140.9): 3, cell(38.2, 140.945): 4, cell(38.2, 141.0): 20, cell(39.0, 141.0): 1, 0: 5}
    found = reach.by_ward(session, counts)
    assert [(one.name, one.devices) for one in found] == [("東区", 20), ("西区", 7), ("", 6)]
    assert sum(one.devices for one in found) == sum(counts.values())


def test_refuges_inside_are_named_and_open_ones_outside_counted(session: Session) -> None:
    area = dangers.compose(session, polygon=AREA, area_codes=[], minus_area_codes=[], minus_polygon=None)
    south, west = AREA["coordinates"][0][0][1], AREA["coordinates"][0][0][0]
    make_site(session, south + 0.001, west + 0.001, name="中の学校")
    outside = make_site(session, south - 0.02, west - 0.02, name="外の高台")
    make_site(session, south - 0.03, west - 0.03, name="外の公園")
    assert reach.refuges(session, Hazard.FLOOD, area, NOW) == reach.Refuges(["中の学校"], 2, 0)
    sites.set_status(session, outside.id, status=SiteStatus.OPEN, crowding=None, note=None, by="当直", now=NOW)
    assert reach.refuges(session, Hazard.FLOOD, area, NOW).open_outside == 1
