"""In which ward a place lies: by the wards' boundaries, which a process reads once for as long as they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from sqlalchemy.orm import Session

from geo import sites
from geo.areas import Area, AreaKind
from geo.sites import Site

NOWHERE = ""  # the code of places that lie in no ward that is known


class Wards:
    """The wards of a city at one moment: `names` by code, in the order of their codes."""

    def __init__(self, session: Session) -> None:
        wanted = sa.select(Area.code, Area.name, Area.geometry).where(
            Area.kind == AreaKind.WARD.value, Area.withdrawn_at.is_(None)
        )
        self.names: dict[str, str] = {}
        self._borders: dict[str, Any] = {}
        for code, name, geometry in session.execute(wanted.order_by(Area.code)):
            self.names[code] = name
            if geometry is not None:
                border = shapely.make_valid(shape(geometry))
                shapely.prepare(border)
                self._borders[code] = border

    def of(self, places: Sequence[Site]) -> dict[int, str]:
        """The ward's code of each place by the place's id; NOWHERE where it lies in none."""
        lat, lon = (np.array([getattr(site, axis) for site in places]) for axis in ("lat", "lon"))
        found = np.full(len(places), NOWHERE, object)
        for code, border in self._borders.items():
            # A place counts once, though boundaries overlap.
            found[(found == NOWHERE) & shapely.intersects_xy(border, lon, lat)] = code
        return {site.id: str(code) for site, code in zip(places, found, strict=True)}


class WardCache:
    """The wards as they are, read again when areas have changed."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[int, dt.datetime | None], Wards] | None = None

    def get(self, session: Session) -> Wards:
        """The wards at this transaction's moment."""
        version = sites.changed(session, "areas")
        kept = self._kept
        if kept is None or kept[0] != version:
            kept = self._kept = (version, Wards(session))
        return kept[1]
