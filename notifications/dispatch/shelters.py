"""Each phone's own nearest suitable shelters: chosen once per cell, from one snapshot a message."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geo.hazards import Hazard
from geo.nearest import SiteIndex
from geo.sites import Site
from geo.snapshot import FIELDS, SiteRecord
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
    west, south, east, north = box = west - _REACH_DEG, south - _REACH_DEG, east + _REACH_DEG, north + _REACH_DEG
    columns = [getattr(Site, name) for name in FIELDS]
    # Not the whole country's for one city: the first phone rings sooner.
    near = sa.select(*columns).where(
        Site.withdrawn_at.is_(None), Site.lat.between(south, north), Site.lon.between(west, east)
    )
    found = SiteIndex.from_rows(session.execute(near)).suitable(hazard, outside=outside, within=box)
    return [{name: getattr(site, name) for name in _KEPT} for site in found]


class ShelterFinder:
    """The nearest of a message's candidates for any cell. What it found for a cell it keeps."""

    def __init__(self, hazard: Hazard, rows: Sequence[Mapping[str, Any]]) -> None:
        self._hazard = hazard
        self._index = SiteIndex.from_rows([SiteRecord(**row) for row in rows])
        self._cells = np.zeros(0, np.int64)  # rising; for each its position in `_written`
        self._sets = np.zeros(0, np.int64)
        self._written: list[str] = []
        self._known: dict[tuple[int, ...], int] = {}

    @staticmethod
    def of(message: Message) -> ShelterFinder | None:
        """The finder of a message, or None when it sends nobody anywhere (a notice, a cancel)."""
        if message.candidates is None or message.hazard is None:
            return None
        # By what it is made of, so that another database's message cannot be taken for this one.
        made_of = hashlib.sha256(json.dumps([message.hazard, message.candidates]).encode()).digest()
        with _FINDERS_LOCK:
            finder = _FINDERS.pop(made_of, None)
        if finder is None:
            finder = ShelterFinder(Hazard(message.hazard), message.candidates)
        with _FINDERS_LOCK:
            while len(_FINDERS) >= _MOST_FINDERS:
                _FINDERS.pop(next(iter(_FINDERS)))
            _FINDERS[made_of] = finder
        return finder

    def for_cells(self, cells: NDArray[np.int64]) -> dict[int, list[dict[str, Any]]]:
        """For each cell its nearest suitable shelters, as a group carries them; an empty list says: none."""
        wanted = np.unique(cells)
        sets = self.sets_of(wanted).tolist()
        return {cell: json.loads(self._written[at]) for cell, at in zip(wanted.tolist(), sets, strict=True)}

    def sets_of(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each cell the number of its list of shelters: neighbours have the same one."""
        with _FINDERS_LOCK:
            at = np.searchsorted(self._cells, cells)
            new = at == len(self._cells)
            new[~new] = self._cells[at[~new]] != cells[~new]
            if new.any():
                self._find(np.unique(cells[new]))
                at = np.searchsorted(self._cells, cells)
            found: NDArray[np.int64] = self._sets[at]
            return found

    def written(self, number: int) -> str:
        """A list of shelters as JSON, as a group carries it."""
        return self._written[number]

    def _find(self, cells: NDArray[np.int64]) -> None:
        cells, rows, metres = self._index.rows_nearest_to_cells(cells, self._hazard, limit=SHELTERS_A_MESSAGE)
        # Sites and rounded distance are all that two cells' lists can differ by.
        alike = np.column_stack([rows, _about(metres[:, 0])]).tolist()
        numbers = np.array([self._number(tuple(one)) for one in alike], np.int64)
        cells, sets = np.concatenate([self._cells, cells]), np.concatenate([self._sets, numbers])
        order = np.argsort(cells)
        self._cells, self._sets = cells[order], sets[order]

    def _number(self, alike: tuple[int, ...]) -> int:
        known = self._known.get(alike)
        if known is None:
            *rows, about_m = alike
            briefs = [self._brief(row, about_m if at == 0 else None) for at, row in enumerate(rows) if row >= 0]
            known = self._known[alike] = len(self._written)
            self._written.append(json.dumps(briefs, ensure_ascii=False, separators=(",", ":")))
        return known

    def _brief(self, row: int, about_m: int | None) -> dict[str, Any]:
        site = self._index.snapshot.record(row)
        brief: dict[str, Any] = {
            "id": site.id,
            "name": site.name,
            "lat": round(site.lat, 6),
            "lon": round(site.lon, 6),
            "status": site.status,
        }
        if site.note:
            brief["note"] = site.note if len(site.note) <= _NOTE_LONGEST else site.note[: _NOTE_LONGEST - 1] + "…"
        if about_m is not None:
            # Rounded up: neighbours in the same street share one message; the phone reckons its own metres.
            brief["about_m"] = about_m
        return brief


# A message is planned in many steps, several at once: what was found for a cell is not sought again.
_FINDERS: dict[bytes, ShelterFinder] = {}
_FINDERS_LOCK = threading.RLock()
_MOST_FINDERS = 8


def _about(metres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Distances as people say them: to 100 m below one kilometre, to 500 m above. 0 where there is none."""
    known = np.where(np.isfinite(metres), metres, 0.0)
    step = np.where(known <= 1000, 100, 500)
    about = np.maximum(step, np.ceil(known / step) * step)
    found: NDArray[np.int64] = np.where(np.isfinite(metres), about, 0).astype(np.int64)
    return found
