"""The nearest sites to the centres of thousands of cells at once, in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from geo.chords import Metres, chord_m, doubt_m, earth_xyz, lengths, surface_m
from geo.mesh import Cells, Degrees, centres
from geo.point import Point
from geo.pool import Flags, Pool, Ranked, Rows

_CELLS_A_CHUNK = 1024
_LARGEST_MATRIX = 50_000  # distances held at once: 0.4 MB for each of a handful of arrays
_LATER_M = 1e9  # added to what is ranked after all open sites

Answer = tuple[Cells, Degrees, Degrees, list[Ranked]]


def ranked_for_cells(
    cells: Cells, pool: Pool, first: Flags, limit: int, first_within_m: float, exact: Callable[[Point], Ranked]
) -> Iterator[Answer]:
    """Sorted cells in chunks: codes, latitudes and longitudes of their centres, ranked rows of each.

    Rows flagged as `first` are ranked first while within `first_within_m`. Wherever chords cannot decide the
    order, and when the pool has no more than `limit` places, the slower `exact` answers for that cell.
    """
    waiting = [cells[start : start + _CELLS_A_CHUNK] for start in range(0, len(cells), _CELLS_A_CHUNK)][::-1]
    while waiting:
        some = waiting.pop()
        lat, lon = centres(some)
        if len(pool) <= limit:
            yield some, lat, lon, [exact(Point(*at)) for at in zip(lat.tolist(), lon.tolist(), strict=True)]
            continue
        xyz = earth_xyz(lat, lon)
        candidates = _candidates(pool, first, limit, first_within_m, lat, xyz)
        if len(some) * len(candidates) > _LARGEST_MATRIX and len(some) > 16:
            middle = len(some) // 2  # codes in order are neighbours: each half has fewer candidates
            waiting += [some[middle:], some[:middle]]
            continue
        yield some, lat, lon, _ranked(pool, candidates, first, limit, first_within_m, lat, lon, xyz, exact)


def _candidates(pool: Pool, first: Flags, limit: int, first_within_m: float, lat: Degrees, xyz: Metres) -> Rows:
    """Places of the pool that can be among the first `limit` of any cell, by the triangle inequality of chords.

    A cell's answer consists of places flagged first and of places among the `limit` nearest of all. One more is kept
    to see whether the last one of an answer is close to the next.
    """
    middle = len(lat) // 2
    spread = float(lengths(xyz - xyz[middle]).max())
    slack = 2 * spread + 1.0
    reach = 2_000.0
    while True:
        places, chords = pool.within(float(lat[middle]), xyz[middle], reach)
        if len(places) > limit:
            break
        reach *= 4
    furthest = float(np.partition(chords, limit)[limit]) + slack
    places, chords = pool.within(float(lat[middle]), xyz[middle], max(furthest, first_within_m + spread))
    flagged = first[pool.rows[places]]
    near_first = np.sort(chords[flagged])[:limit]
    first_furthest = first_within_m + spread if len(near_first) < limit else float(near_first[-1]) + slack
    return places[(chords <= furthest) | (flagged & (chords <= first_furthest))]


def _ranked(
    pool: Pool,
    candidates: Rows,
    first: Flags,
    limit: int,
    first_within_m: float,
    lat: Degrees,
    lon: Degrees,
    xyz: Metres,
    exact: Callable[[Point], Ranked],
) -> list[Ranked]:
    rows = pool.rows[candidates]
    order = np.argsort(rows)
    rows, candidates = rows[order], candidates[order]  # equal keys then follow the row after a stable sort
    chords = lengths(xyz[:, None, :] - pool.xyz[candidates][None, :, :])
    flagged = np.flatnonzero(first[rows])
    keys = chords
    unsure: Flags = np.zeros(len(lat), np.bool_)
    if len(flagged):
        boundary = chord_m(first_within_m)
        keys = chords + _LATER_M
        keys[:, flagged] = np.where(chords[:, flagged] <= boundary, chords[:, flagged], keys[:, flagged])
        unsure |= np.any(np.abs(chords[:, flagged] - boundary) <= 2 * doubt_m(first_within_m), axis=1)
    taken = np.argpartition(keys, limit, axis=1)[:, : limit + 1]
    taken = np.take_along_axis(taken, np.lexsort((taken, np.take_along_axis(keys, taken, 1)), axis=1), 1)
    taken_keys, taken_chords = np.take_along_axis(keys, taken, 1), np.take_along_axis(chords, taken, 1)
    close = np.diff(taken_keys, axis=1) <= 2 * doubt_m(taken_chords[:, 1:]) + 1e-6  # keys with _LATER_M round at 1e-7
    at = pool.xyz[candidates[taken]]
    same = (at[:, 1:] == at[:, :-1]).all(axis=2)
    same[:, -1] = False  # more of the same place may follow behind the last one taken
    unsure |= np.any(close & ~same, axis=1)
    metres = surface_m(taken_chords[:, :limit]).tolist()
    found = rows[taken[:, :limit]].tolist()
    answers: list[Ranked] = []
    for cell, doubtful in enumerate(unsure.tolist()):
        if doubtful:
            answers.append(exact(Point(float(lat[cell]), float(lon[cell]))))
        else:
            answers.append(list(zip(metres[cell], found[cell], strict=True)))
    return answers
