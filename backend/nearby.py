"""What nearest shelters are chosen from: one index of the sites and one danger area a process, while they hold."""

from __future__ import annotations

import datetime as dt

from flask import current_app
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geo.nearest import SiteIndex, SiteIndexCache
from notifications import alerts


class Nearby:
    """Kept by an application between requests; whatever has changed in the database is seen at the next one."""

    def __init__(self) -> None:
        self._sites = SiteIndexCache()
        self._danger: tuple[tuple[int, ...], BaseGeometry | None] = ((), None)

    def index(self, session: Session) -> SiteIndex:
        """All present sites. Not for a transaction that has itself changed sites."""
        return self._sites.get(session)

    def danger(self, session: Session, now: dt.datetime) -> BaseGeometry | None:
        """The union of all danger areas in force: the same object for as long as they are the same."""
        areas = tuple(sorted({alert.danger_area_id for alert in alerts.live(session, now)}))
        kept = self._danger
        if kept[0] != areas:
            kept = self._danger = (areas, alerts.danger_area(session, now))
        return kept[1]


def nearby() -> Nearby:
    """That of the current application."""
    kept: Nearby = current_app.extensions.setdefault("yobikake.nearby", Nearby())
    return kept
