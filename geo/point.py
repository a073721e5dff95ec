"""A latitude and longitude, checked; metres and bearing between two."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geographiclib.geodesic import Geodesic
from geopy.distance import geodesic

# Where the country lies, its remote islands included (degrees, WGS 84).
SOUTH, NORTH = 20.0, 46.0
WEST, EAST = 122.0, 154.0


class PointError(ValueError):
    """A position cannot be used: the message gives the numbers and the reason."""


@dataclass(frozen=True, slots=True)
class Point:
    """A position in degrees, WGS 84. Made directly it is taken as it is; `checked` looks at it first."""

    lat: float
    lon: float

    @classmethod
    def checked(cls, lat: float, lon: float) -> Point:
        """A position in Japan.

        Raises `PointError` when a number is not finite, no latitude or longitude at all, outside
        20–46° N, 122–154° E, or when the two look swapped.
        """
        lat, lon = float(lat), float(lon)
        if not (math.isfinite(lat) and math.isfinite(lon)):
            raise PointError(f"not a position: latitude {lat}, longitude {lon}")
        if inside_japan(lat, lon):
            return cls(lat, lon)
        if inside_japan(lon, lat):
            raise PointError(f"latitude {lat} and longitude {lon} look swapped")
        if abs(lat) > 90:
            raise PointError(f"latitude {lat} is not between -90 and 90 degrees")
        if abs(lon) > 180:
            raise PointError(f"longitude {lon} is not between -180 and 180 degrees")
        raise PointError(
            f"latitude {lat}, longitude {lon} lies outside Japan ({SOUTH:g}–{NORTH:g}° N, {WEST:g}–{EAST:g}° E)"
        )


def inside_japan(lat: float, lon: float) -> bool:
    """True in the rectangle around the country, edges included."""
    return SOUTH <= lat <= NORTH and WEST <= lon <= EAST


def distance_m(a: Point, b: Point) -> float:
    """Metres between two points along the WGS 84 ellipsoid (geopy's geodesic: Karney's algorithm)."""
    return float(geodesic((a.lat, a.lon), (b.lat, b.lon)).m)


def bearing_deg(a: Point, b: Point) -> float:
    """The direction in which one leaves `a` for `b`: degrees clockwise from true north, 0 ≤ bearing < 360.

    Between a point and itself it is 0.
    """
    if a == b:
        return 0.0
    azimuth: float = Geodesic.WGS84.Inverse(a.lat, a.lon, b.lat, b.lon, Geodesic.AZIMUTH)["azi1"]
    return azimuth % 360.0 % 360.0  # twice: a tiny negative azimuth would round up to 360 itself
