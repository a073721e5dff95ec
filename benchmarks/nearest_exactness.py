"""Is our order geopy's geodesic order? 1,000 random points in a city and 1,000 in all Japan, for each hazard.

The reference is found apart from our code: a sphere (1 % off at most) rules out what is surely farther, geopy's
geodesic orders the rest. Exits with 1 when a single order differs.
"""

from __future__ import annotations

import math
import sys
import time

import numpy as np
from _places import CITY_BOX, COUNTRY_BOX, city, country, points
from geopy.distance import geodesic

from geo.hazards import Hazard
from geo.nearest import SiteIndex
from geo.point import Point
from geo.snapshot import SiteRecord

POINTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
DEPTH = 10


def main() -> int:
    """Compares and prints; 0 when every order is the same."""
    differing = 0
    for name, rows, box in (("city", city(), CITY_BOX), ("country", country(), COUNTRY_BOX)):
        index = SiteIndex.from_rows(rows)
        for hazard in Hazard:
            began = time.perf_counter()
            suitable = [row for row in rows if row.hazards & hazard.bit]
            lat, lon = np.radians([row.lat for row in suitable]), np.radians([row.lon for row in suitable])
            equal = {3: 0, DEPTH: 0}
            farthest = 0.0
            for point in points(box, POINTS, seed=hazard.bit):
                expected = by_geopy(suitable, lat, lon, point)
                for depth in equal:
                    found = index.nearest(point, hazard, limit=depth)
                    equal[depth] += [one.site.id for one in found] == [number for _, number in expected[:depth]]
                    farthest = max([farthest, *(one.distance_m for one in found)])
            differing += sum(POINTS - same for same in equal.values())
            shares = ", ".join(f"first {depth} {same}/{POINTS} ({same / POINTS:.2%})" for depth, same in equal.items())
            print(
                f"{name:8} {hazard:13} {len(suitable):7,} sites: {shares}; "
                f"farthest {farthest / 1000:.0f} km; {time.perf_counter() - began:.0f} s",
                flush=True,
            )
    print("every order is geopy's" if not differing else f"{differing} ORDERS DIFFER")
    return bool(differing)


def by_geopy(rows: list[SiteRecord], lat: np.ndarray, lon: np.ndarray, point: Point) -> list[tuple[float, int]]:
    """Metres and ids of the first `DEPTH` in geopy's order."""
    if not rows:
        return []
    a, b = math.radians(point.lat), math.radians(point.lon)
    half = np.sin((lat - a) / 2) ** 2 + math.cos(a) * np.cos(lat) * np.sin((lon - b) / 2) ** 2
    sphere = 2 * 6_371_000 * np.arcsin(np.sqrt(half))
    depth = min(DEPTH, len(rows))
    near = np.flatnonzero(sphere <= np.partition(sphere, depth - 1)[depth - 1] * 1.02 + 1.0)
    measured = [(geodesic((point.lat, point.lon), (rows[i].lat, rows[i].lon)).m, rows[i].id) for i in near.tolist()]
    return sorted(measured)[:depth]


if __name__ == "__main__":
    sys.exit(main())
