"""Everyday places, child-care facilities, public facilities and AEDs: listed, or the nearest ones, open at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo import hours, sites
from geo.hours import Opening
from geo.nearest import SiteIndex
from geo.point import Point
from geo.sites import Site, SiteKind
from geo.within import Box

KINDS = (SiteKind.CHILDCARE_FACILITY, SiteKind.PUBLIC_FACILITY, SiteKind.AED)
MOST_NEAREST = 100
# What staff may edit of a facility beside its list; a list that changes it later counts.
EDITED = ("available_days", "available_from", "available_until", "available_note", "phone", "url", "ages", "note")
_PAGE = 500
Keep = Callable[[Site], bool]


class Near(NamedTuple):
    """A facility and the way there, as the crow flies."""

    site: Site
    distance_m: float
    bearing_deg: float


def opening(site: Site, moment: dt.datetime, is_holiday: Callable[[dt.date], bool]) -> Opening:
    """Whether a facility is open at a moment of the city's clock; unknown whenever its list leaves a doubt."""
    try:
        read = hours.parse(site.available_days, site.available_from, site.available_until, site.available_note)
    except hours.HoursError:
        return Opening.UNKNOWN
    return read.at(moment, is_holiday) if read is not None else Opening.UNKNOWN


def body(site: Site) -> dict[str, str | None]:
    """What staff may edit of a facility, as it is."""
    return {name: getattr(site, name) for name in EDITED}


def put(session: Session, site: Site, said: Mapping[str, str | None], now: dt.datetime) -> None:
    """Brings a facility to a body of `body`. The caller holds the turn of the importers; nobody is notified."""
    for name in EDITED:
        setattr(site, name, said.get(name))
    site.version = site.version + 1
    session.flush()
    sites.bump_revision(session, now=now)


def listed(
    session: Session, box: Box | None, kinds: Collection[SiteKind], keep: Keep, after_id: int, limit: int
) -> list[Site]:
    """Present facilities in a box that `keep` keeps, ordered by id, behind `after_id`."""
    found: list[Site] = []
    for site in _all(session, box, kinds, after_id):
        if keep(site):
            found.append(site)
            if len(found) == limit:
                break
    return found


def nearest(
    session: Session, index: SiteIndex, point: Point, kinds: Collection[SiteKind], keep: Keep, limit: int
) -> list[Near]:
    """The nearest facilities that `keep` keeps, in the order of their exact distance."""
    asked = limit
    while True:
        ranked = index.nearest_of_kinds(point, kinds, limit=asked)
        ids = [one.site.id for one in ranked]
        rows: dict[int, Site] = {}
        for start in range(0, len(ids), _PAGE):
            some = ids[start : start + _PAGE]
            rows |= {site.id: site for site in session.scalars(sa.select(Site).where(Site.id.in_(some)))}
        found = [
            Near(rows[one.site.id], one.distance_m, one.bearing_deg)
            for one in ranked
            if one.site.id in rows and keep(rows[one.site.id])
        ]
        if len(found) >= limit or len(ranked) < asked:
            return found[:limit]
        asked *= 4


def _all(session: Session, box: Box | None, kinds: Collection[SiteKind], after_id: int) -> Iterator[Site]:
    while page := sites.in_bbox(session, box, kinds=kinds, after_id=after_id, limit=_PAGE):
        yield from page
        after_id = page[-1].id
