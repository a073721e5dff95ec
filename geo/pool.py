"""Places ranked by their distance from a point, exactly: latitude and chord find them, geodesic decides close ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.chords import Metres, doubt_m, earth_xyz, lengths, surface_m
from geo.point import Point, distance_m
from geo.snapshot import Snapshot

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]
Ranked = list[tuple[float, int]]  # metres and row, nearest first

_LEAST_DEGREE_M = 110_500.0  # a degree of latitude is nowhere shorter
_FIRST_REACH_M = 2_000.0
_EVERYWHERE_M = 25_000_000.0
_SMALL = 2_000  # places that are sooner measured all than looked for


class Pool:
    """Some rows of a snapshot, kept in the order of their latitude."""

    def __init__(self, snapshot: Snapshot, rows: Rows) -> None:
        self.rows: Rows = rows[np.argsort(snapshot.lat[rows], kind="stable")]
        self.lat, self.lon, self.xyz = snapshot.lat[self.rows], snapshot.lon[self.rows], snapshot.xyz[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, blocked: Flags | None) -> Pool:
        """The pool less the flagged rows of the snapshot."""
        if blocked is None:
            return self
        kept = ~blocked[self.rows]
        rest = Pool.__new__(Pool)
        rest.rows, rest.lat, rest.lon, rest.xyz = self.rows[kept], self.lat[kept], self.lon[kept], self.xyz[kept]
        return rest

    def within(self, lat: float, xyz: Metres, reach_m: float) -> tuple[Rows, Metres]:
        """Places (indices into the pool) whose chord from a position is at most so long, and the chords, unsorted."""
        margin = reach_m / _LEAST_DEGREE_M
        first = int(self.lat.searchsorted(lat - margin, "left"))
        last = int(self.lat.searchsorted(lat + margin, "right"))
        chords = lengths(self.xyz[first:last] - xyz)
        near = np.flatnonzero(chords <= reach_m)
        return near + first, chords[near]

    def top(self, point: Point, count: int, blocked: Flags | None = None, within_m: float = _EVERYWHERE_M) -> Ranked:
        """The `count` nearest places not further than `within_m` and not flagged, in the order of geopy's geodesic.

        Equal distances are ordered by row.
        """
        if not len(self):
            return []
        xyz = earth_xyz(point.lat, point.lon)
        furthest = within_m + doubt_m(within_m) if within_m < _EVERYWHERE_M else within_m
        reach = min(_FIRST_REACH_M, furthest) if len(self) > _SMALL else furthest
        while True:
            places, chords = self.within(point.lat, xyz, reach)
            if blocked is not None:
                free = ~blocked[self.rows[places]]
                places, chords = places[free], chords[free]
            if len(places) >= count:
                last = float(np.partition(chords, count - 1)[count - 1])
                enough = last + 3 * doubt_m(last)
                if enough <= reach or reach >= furthest:
                    break
                reach = enough
            elif reach >= furthest:
                enough = furthest
                break
            else:
                reach = min(reach * 4, furthest)
        near = np.flatnonzero(chords <= enough)
        near = near[np.argsort(chords[near], kind="stable")]
        ranked = self._decided(point, places[near].tolist(), chords[near])
        if within_m < _EVERYWHERE_M:
            ranked = [one for one in ranked if self._reaches(point, one, within_m)]
        return [(metres, int(self.rows[place])) for metres, place in ranked[:count]]

    def _decided(self, point: Point, places: list[int], chords: Metres) -> Ranked:
        """Metres and places in their true order: neighbours closer than the doubt are measured by geodesic."""
        metres, doubts = surface_m(chords).tolist(), doubt_m(chords).tolist()
        ranked: Ranked = []
        start = 0
        for end in range(1, len(places) + 1):
            if end < len(places) and metres[end] - metres[end - 1] <= doubts[end] + doubts[end - 1]:
                continue
            group = list(zip(metres[start:end], places[start:end], strict=True))
            if len({self._position(place) for _, place in group}) > 1:
                group = [(distance_m(point, Point(*self._position(place))), place) for _, place in group]
            ranked += sorted(group, key=lambda one: (one[0], self.rows[one[1]]))
            start = end
        return ranked

    def _reaches(self, point: Point, one: tuple[float, int], within_m: float) -> bool:
        metres, place = one
        if abs(metres - within_m) <= 2 * doubt_m(within_m):
            metres = distance_m(point, Point(*self._position(place)))
        return metres <= within_m

    def _position(self, place: int) -> tuple[float, float]:
        return float(self.lat[place]), float(self.lon[place])
