"""What a lookup of the three nearest suitable sites costs, beside geopy over all of them and numpy by brute force.

All ways run in turns in one process on the same points, so that the ratios hold whatever else the machine does.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable

import numpy as np
from _places import CITY_BOX, city, country, near
from geopy.distance import geodesic

from geo import mesh
from geo.hazards import Hazard
from geo.nearest import SiteIndex
from geo.point import Point
from geo.snapshot import SiteRecord

HAZARD = Hazard.EARTHQUAKE
ROUNDS = 5


def main() -> None:
    """Measures a city and the country, then many cells at once."""
    town, nation = city(), country()
    compare("city", town, geopy_points=6)
    compare("country", nation, geopy_points=0)
    south, north, west, east = CITY_BOX
    chance = np.random.default_rng(1)
    cells = np.unique(mesh.cells_of(chance.uniform(south, north, 80_000), chance.uniform(west, east, 80_000)))
    for name, rows in (("city", town), ("country", nation)):
        index = SiteIndex.from_rows(rows)
        began = time.perf_counter()
        index.nearest_to_cells(cells, HAZARD)
        spent = time.perf_counter() - began
        print(f"{name:8} {len(cells):,} cells at once: {spent:.2f} s, {spent / len(cells) * 1e6:.0f} µs a cell")


def compare(name: str, rows: list[SiteRecord], *, geopy_points: int) -> None:
    """Medians of some rounds in turns; `geopy_points` 0 leaves out what would take minutes a point."""
    began = time.perf_counter()
    index = SiteIndex.from_rows(rows)
    built = time.perf_counter() - began
    suitable = [row for row in rows if row.hazards & HAZARD.bit]
    ways: dict[str, tuple[Callable[[Point], object], int]] = {
        "ours": (lambda point: index.nearest(point, HAZARD), 500),
        "numpy brute force (sphere)": (brute_force(suitable), 500 if len(rows) < 10_000 else 50),
    }
    if geopy_points:
        ways["geopy over all"] = (lambda point: by_geopy(suitable, point), geopy_points)
    spent: dict[str, list[float]] = {way: [] for way in ways}
    gc.collect()
    gc.freeze()
    for turn in range(ROUNDS):
        for way, (ask, count) in ways.items():
            some = near(rows, count, seed=turn)
            ask(some[0])
            began = time.perf_counter()
            for point in some:
                ask(point)
            spent[way].append((time.perf_counter() - began) / count)
    ours = float(np.median(spent["ours"]))
    print(f"{name:8} {len(suitable):,} suitable of {len(rows):,} sites, index built in {built:.2f} s")
    for way, seconds in spent.items():
        median = float(np.median(seconds))
        print(f"         {way:28} {median * 1e6:10,.0f} µs a lookup   × {median / ours:8.2f} of ours")


def by_geopy(rows: list[SiteRecord], point: Point) -> list[tuple[float, int]]:
    """The plain way: geopy's distance to every site."""
    return sorted((geodesic((point.lat, point.lon), (row.lat, row.lon)).m, row.id) for row in rows)[:3]


def brute_force(rows: list[SiteRecord]) -> Callable[[Point], list[tuple[float, int]]]:
    """Haversine over all in numpy: quick, and 0.4 % wrong."""
    lat, lon = np.radians([row.lat for row in rows]), np.radians([row.lon for row in rows])
    cosine = np.cos(lat)

    def ask(point: Point) -> list[tuple[float, int]]:
        a, b = math.radians(point.lat), math.radians(point.lon)
        half = np.sin((lat - a) / 2) ** 2 + math.cos(a) * cosine * np.sin((lon - b) / 2) ** 2
        near = np.argpartition(half, 3)[:3]
        near = near[np.argsort(half[near])]
        return [(2 * 6_371_008.8 * math.asin(math.sqrt(half[i])), rows[i].id) for i in near.tolist()]

    return ask


if __name__ == "__main__":
    main()
