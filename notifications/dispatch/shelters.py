"""Each phone's own nearest suitable shelters: chosen once per cell, from one snapshot a message."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geo import nearest
from geo.hazards import Hazard
from geo.nearest import Found, SiteIndex
from geo.snapshot import SiteRecord
from notifications import alerts, dangers
from notifications.audiences import Audience
from notifications.dangers import DangerArea
from notifications.messages import Message

SHELTERS_A_MESSAGE = 3
# Sites farther from the danger area than this are nobody's nearest; degrees, some 55 km.
_REACH_DEG = 0.5
_NOTE_LONGEST = 60
_KEPT = ("id", "name", "kind", "lat", "lon", "hazards", "status", "crowding", "note")


def candidates(session: Session, message: Message, now: dt.datetime) -> list[dict[str, Any]]:
    """The sites a message may send people to: suitable for its hazard, not known to be shut, outside every danger.

    Frozen with the message, so that a worker that takes over after a crash plans the rest alike.
    """
    audience = Audience.from_json(message.audience)
    if message.hazard is None or audience.danger_area_id is None:
        return []
    return candidates_for(session, Hazard(message.hazard), session.get_one(DangerArea, audience.danger_area_id), now)


def candidates_for(session: Session, hazard: Hazard, area: DangerArea, now: dt.datetime) -> list[dict[str, Any]]:
    """The sites to which people inside an area can be sent, as plain rows."""
    own = dangers.shape(area)
    every = alerts.danger_area(session, now)
    outside = own if every is None else shapely.union(own, every)
    west, south, east, north = shapely.total_bounds(own)
    box = (west - _REACH_DEG, south - _REACH_DEG, east + _REACH_DEG, north + _REACH_DEG)
    found = nearest.load(session).suitable(hazard, outside=outside, within=box)
    return [{name: getattr(site, name) for name in _KEPT} for site in found]


class ShelterFinder:
    """The nearest of a message's candidates for any cell."""

    def __init__(self, hazard: Hazard, rows: Sequence[Mapping[str, Any]]) -> None:
        self._hazard = hazard
        self._index = SiteIndex.from_rows([SiteRecord(**row) for row in rows])

    @staticmethod
    def of(message: Message) -> ShelterFinder | None:
        """The finder of a message, or None when it sends nobody anywhere (a notice, a cancel)."""
        if message.candidates is None or message.hazard is None:
            return None
        return ShelterFinder(Hazard(message.hazard), message.candidates)

    def for_cells(self, cells: NDArray[np.int64]) -> dict[int, list[dict[str, Any]]]:
        """For each cell its nearest suitable shelters, as a group carries them; an empty list says: none."""
        found = self._index.nearest_to_cells(cells, self._hazard, limit=SHELTERS_A_MESSAGE)
        return {cell: [_brief(one, first=rank == 0) for rank, one in enumerate(near)] for cell, near in found.items()}


def _brief(found: Found, *, first: bool) -> dict[str, Any]:
    site = found.site
    brief: dict[str, Any] = {
        "id": site.id,
        "name": site.name,
        "lat": round(site.lat, 6),
        "lon": round(site.lon, 6),
        "status": site.status,
    }
    if site.note:
        brief["note"] = site.note if len(site.note) <= _NOTE_LONGEST else site.note[: _NOTE_LONGEST - 1] + "…"
    if first:
        # Rounded up: neighbours in the same street share one message; the phone reckons its own metres.
        brief["about_m"] = _about(found.distance_m)
    return brief


def _about(metres: float) -> int:
    """A distance as people say it: to 100 m below one kilometre, to 500 m above."""
    step = 100 if metres <= 1000 else 500
    return max(step, math.ceil(metres / step) * step)
