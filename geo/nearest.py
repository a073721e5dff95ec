"""The nearest suitable sites to a point or to many cells, exactly: in the order of geopy's geodesic distance.

Suitable is a designated emergency evacuation site, a tsunami refuge or a shelter that is designated for the hazard
(災害対策基本法 49条の4: per kind of hazard), not said to be shut, full or unusable, and outside every danger area.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geo import sites
from geo.chords import bearings, earth_xyz
from geo.geofence import GUARD_DEG
from geo.hazards import Hazard
from geo.mesh import Cells
from geo.nearest_cells import Answer, ranked_for_cells
from geo.point import Point
from geo.pool import Flags, Pool, Ranked
from geo.sites import Site, SiteKind, SiteStatus
from geo.snapshot import FIELDS, Snapshot
from geo.snapshot import SiteRecord as SiteRecord

WALKING_M_A_MINUTE = 80.0  # the Japanese rule for advertised walking times (fractions rounded up)
# A site known to be open goes before nearer ones of unknown state only while it is within reach of an evacuee;
# otherwise one city's opened sites would lead its neighbours' residents across the country.
OPEN_FIRST_WITHIN_M = 20_000.0
_MOST_RECORDS_KEPT = 20_000  # about 10 MB

_FIRST_CHOICE = (SiteKind.EMERGENCY_EVACUATION_SITE, SiteKind.TSUNAMI_REFUGE, SiteKind.SHELTER)
_USABLE = (SiteStatus.OPEN, SiteStatus.UNKNOWN, SiteStatus.PREPARING)


class Found(NamedTuple):
    """A suitable site and the way there, as the crow flies: streets, rivers and slopes make it longer."""

    site: SiteRecord
    distance_m: float
    bearing_deg: float  # clockwise from north
    walking_minutes: int  # 80 m a minute of the straight line, rounded up


class _Choice(NamedTuple):
    """The pools of one hazard: all of the first choice, the open ones among them, and welfare shelters."""

    all: Pool
    open: Pool
    welfare: Pool


class SiteIndex:
    """Every present site at one moment: immutable, safe to share between threads."""

    def __init__(self, snapshot: Snapshot, revision: int = 0) -> None:
        """`revision` is that of `geo.sites` when the rows were read; `status_as_of` becomes the newest `status_at`."""
        self.snapshot = snapshot
        self.revision = revision
        self.status_as_of = snapshot.latest_status_at()
        self._open = snapshot.having("status", (SiteStatus.OPEN,))
        usable = snapshot.having("status", _USABLE)
        self._first = snapshot.having("kind", _FIRST_CHOICE) & usable
        self._welfare = snapshot.having("kind", (SiteKind.WELFARE_SHELTER,)) & usable
        self._choices: dict[Hazard, _Choice] = {}
        self._kinds: dict[frozenset[SiteKind], Pool] = {}
        self._records: dict[int, SiteRecord] = {}
        self._last_blocked: tuple[BaseGeometry, Flags] | None = None

    @classmethod
    def from_rows(cls, rows: Iterable[Any], revision: int = 0) -> SiteIndex:
        """An index of objects with the attributes of `SiteRecord`; those with a `withdrawn_at` are left out."""
        return cls(Snapshot(rows), revision)

    def __len__(self) -> int:
        return len(self.snapshot)

    def nearest(
        self, point: Point, hazard: Hazard, *, limit: int = 3, outside: BaseGeometry | None = None
    ) -> list[Found]:
        """The nearest suitable sites for a hazard, none of them in or on the edge of the area `outside`.

        First those known to be open within `OPEN_FIRST_WITHIN_M`, then the others, each by distance; welfare
        shelters only after all of these and never alone. Empty when no site is suitable. Distances are within
        `geo.chords.doubt_m` of the geodesic (12 µm at 10 km). Raises ValueError for a limit below 1.
        """
        ranked = self._ranked(point, hazard, _positive(limit), self._blocked(outside))
        return self._found(ranked, point.lat, point.lon)

    def nearest_to_cells(
        self, cells: Cells, hazard: Hazard, *, limit: int = 3, outside: BaseGeometry | None = None
    ) -> dict[int, tuple[Found, ...]]:
        """What `nearest` answers at the centre of each cell, for many thousands of cells at once.

        Every cell is a key; its value is empty when no site is suitable.
        """
        wanted = np.unique(np.asarray(cells, np.int64))
        blocked = self._blocked(outside)
        answer: dict[int, tuple[Found, ...]] = {}
        for some, lats, lons, ranked in self._ranked_cells(wanted, hazard, limit, blocked):
            counts = [len(one) for one in ranked]
            every = [site for one in ranked for site in one]
            found = self._found(every, np.repeat(lats, counts), np.repeat(lons, counts))
            start = 0
            for cell, count in zip(some.tolist(), counts, strict=True):
                answer[cell] = tuple(found[start : start + count])
                start += count
        return answer

    def rows_nearest_to_cells(
        self, cells: Cells, hazard: Hazard, *, limit: int = 3
    ) -> tuple[Cells, NDArray[np.int64], NDArray[np.float64]]:
        """What `nearest_to_cells` answers, as columns: the cells rising, for each the rows of its sites in
        `snapshot` (-1 where there is none) and the metres to them.
        """
        wanted = np.unique(np.asarray(cells, np.int64))
        rows = np.full((len(wanted), limit), -1, np.int64)
        metres = np.full((len(wanted), limit), np.inf)
        for some, _, _, ranked in self._ranked_cells(wanted, hazard, limit, None):
            at = np.searchsorted(wanted, some)
            counts = np.array([len(one) for one in ranked])
            lines = np.repeat(at, counts)
            places = np.arange(len(lines)) - np.repeat(np.cumsum(counts) - counts, counts)
            flat = np.array([pair for one in ranked for pair in one], np.float64).reshape(-1, 2)
            metres[lines, places], rows[lines, places] = flat[:, 0], flat[:, 1]
        return wanted, rows, metres

    def _ranked_cells(self, wanted: Cells, hazard: Hazard, limit: int, blocked: Flags | None) -> Iterator[Answer]:
        return ranked_for_cells(
            wanted,
            self._choice(hazard).all.without(blocked),
            self._open,
            _positive(limit),
            OPEN_FIRST_WITHIN_M,
            lambda point: self._ranked(point, hazard, limit, blocked),
        )

    def nearest_unconfirmed(self, point: Point, hazard: Hazard, *, outside: BaseGeometry | None = None) -> Found | None:
        """The nearest suitable site of which nobody has said that it is open; welfare shelters left out."""
        blocked = self._blocked(outside)
        passed = self._open if blocked is None else blocked | self._open
        found = self._found(self._choice(hazard).all.top(point, 1, passed), point.lat, point.lon)
        return found[0] if found else None

    def nearest_of_kinds(self, point: Point, kinds: Iterable[SiteKind], *, limit: int = 10) -> list[Found]:
        """The nearest places of some kinds, whatever hazard they withstand: facilities, AEDs. Not for evacuation."""
        wanted = frozenset(kinds)
        pool = self._kinds.get(wanted)
        if pool is None:
            pool = self._kinds[wanted] = Pool(self.snapshot, np.flatnonzero(self.snapshot.having("kind", wanted)))
        return self._found(pool.top(point, _positive(limit)), point.lat, point.lon)

    def suitable(
        self,
        hazard: Hazard,
        *,
        outside: BaseGeometry | None = None,
        within: tuple[float, float, float, float] | None = None,
    ) -> list[SiteRecord]:
        """Every site that `nearest` could answer, in the order of ids; `within`: west, south, east, north degrees."""
        flags = (self._first | self._welfare) & ((self.snapshot.hazards & hazard.bit) != 0)
        blocked = self._blocked(outside)
        if blocked is not None:
            flags = flags & ~blocked
        if within is not None:
            west, south, east, north = within
            lat, lon = self.snapshot.lat, self.snapshot.lon
            flags = flags & (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
        return [self.snapshot.record(row) for row in np.flatnonzero(flags).tolist()]

    def _ranked(self, point: Point, hazard: Hazard, limit: int, blocked: Flags | None) -> Ranked:
        choice = self._choice(hazard)
        found = choice.open.top(point, limit, blocked, OPEN_FIRST_WITHIN_M)
        if len(found) < limit:
            chosen = {row for _, row in found}
            found += [one for one in choice.all.top(point, limit, blocked) if one[1] not in chosen]
        if 0 < len(found) < limit:
            found += choice.welfare.top(point, limit - len(found), blocked)
        return found[:limit]

    def _choice(self, hazard: Hazard) -> _Choice:
        made = self._choices.get(hazard)
        if made is None:
            suitable = (self.snapshot.hazards & hazard.bit) != 0
            flags = (self._first & suitable, self._first & suitable & self._open, self._welfare & suitable)
            made = _Choice(*(Pool(self.snapshot, np.flatnonzero(one)) for one in flags))
            self._choices[hazard] = made  # two threads may both make it: the same, and the last one stays
        return made

    def _blocked(self, outside: BaseGeometry | None) -> Flags | None:
        """Which rows lie in the area or within 11 cm of its edge; the last area asked for is remembered."""
        if outside is None or outside.is_empty:
            return None
        last = self._last_blocked
        if last is not None and last[0] is outside:  # shapely's geometries never change
            return last[1]
        west, south, east, north = outside.bounds
        lat, lon = self.snapshot.lat, self.snapshot.lon
        near = np.flatnonzero(
            (lat >= south - GUARD_DEG)
            & (lat <= north + GUARD_DEG)
            & (lon >= west - GUARD_DEG)
            & (lon <= east + GUARD_DEG)
        )
        shapely.prepare(outside)
        blocked = np.zeros(len(self), np.bool_)
        blocked[near] = shapely.dwithin(outside, shapely.points(lon[near], lat[near]), GUARD_DEG)
        self._last_blocked = (outside, blocked)
        return blocked

    def _found(self, ranked: Ranked, lats: Any, lons: Any) -> list[Found]:
        """Ranked rows with all that is told of them, seen from one position or from one for each."""
        rows = [row for _, row in ranked]
        turns = bearings(lats, lons, self.snapshot.xyz[rows] - earth_xyz(lats, lons)).tolist()
        return [
            Found(self._record(row), metres, turn, math.ceil(metres / WALKING_M_A_MINUTE))
            for (metres, row), turn in zip(ranked, turns, strict=True)
        ]

    def _record(self, row: int) -> SiteRecord:
        """A row put together, kept when it is one of the first to be asked for: a city's all, a country's some."""
        kept = self._records.get(row)
        if kept is None:
            kept = self.snapshot.record(row)
            if len(self._records) < _MOST_RECORDS_KEPT:
                self._records[row] = kept
        return kept


def load(session: Session) -> SiteIndex:
    """An index of all present sites, labelled with the revision read before them: never newer than its rows."""
    revision = sites.revision(session)
    columns = [getattr(Site, name) for name in FIELDS]
    return SiteIndex.from_rows(session.execute(sa.select(*columns).where(Site.withdrawn_at.is_(None))), revision)


class SiteIndexCache:
    """One index a process, loaded again whenever the sites' revision has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index: SiteIndex | None = None

    def get(self, session: Session) -> SiteIndex:
        """The index of the sites as this session sees them.

        Not for a transaction that has itself changed sites: what it may still roll back must not be kept.
        """
        revision = sites.revision(session)
        index = self._index
        if index is not None and index.revision == revision:
            return index
        with self._lock:
            index = self._index
            if index is None or index.revision != revision:
                index = self._index = load(session)
        return index


def _positive(limit: int) -> int:
    if limit < 1:
        raise ValueError(f"a limit must be at least 1, not {limit}")
    return limit
