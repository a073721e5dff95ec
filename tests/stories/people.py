"""The people and places of the stories, made by rule, and what must come of them, reckoned without our code."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import shapely
import sqlalchemy as sa
from geopy.distance import geodesic
from sqlalchemy.engine import Engine

from database import transaction
from geo import sites
from geo.hazards import Hazard
from geo.sites import Site
from notifications.devices import Device
from notifications.identifier import digest
from notifications.places import Place
from tests.stories.running import Phone

# A part of 若林区 between the Natori river and the coast, drawn by us.
DANGER = [
    [140.9050, 38.2120],
    [140.9520, 38.2060],
    [140.9690, 38.2330],
    [140.9480, 38.2520],
    [140.9160, 38.2470],
    [140.9050, 38.2120],
]
LANGUAGES = ("ja", "ja-x-easy", "en", "zh-Hans", "ko")
PLATFORMS = ("android", "ios", "web")


def polygon() -> dict[str, object]:
    """The danger area as an app or a map draws it."""
    return {"type": "Polygon", "coordinates": [DANGER]}


def flood_order(**changes: object) -> dict[str, object]:
    """A level 4 flood order over the area."""
    return {
        "hazard": "flood",
        "level": 4,
        "area": {"polygon": polygon()},
        "area_names": {"ja": "若林区沿岸部", "en": "Wakabayashi coast"},
        "expires_at": (dt.datetime.now(dt.UTC) + dt.timedelta(hours=12)).isoformat(),
        **changes,
    }


def cell_of(lat: float, lon: float) -> int:
    """The one-eighth grid square of JIS X 0410, by the standard's own division, in exact fractions."""
    latitude, longitude = Fraction(round(lat * 10**6), 10**6), Fraction(round(lon * 10**6), 10**6)
    p, rest = divmod(latitude * 60, 40)
    q, rest = divmod(rest, 5)
    r, rest = divmod(rest * 60, 30)
    u, east = divmod(longitude - 100, 1)
    v, east = divmod(east * 60, Fraction(15, 2))
    w, east = divmod(east * 60, 45)
    code = f"{p:02d}{u:02d}{q}{v}{r}{w}"
    high, wide = Fraction(30), Fraction(45)
    for _ in range(3):
        high, wide = high / 2, wide / 2
        north, rest = divmod(rest, high)
        easterly, east = divmod(east, wide)
        code += str(north * 2 + easterly + 1)
    return int(code)


def box_of(cell: int) -> shapely.Polygon:
    """The square of a cell, from its digits."""
    text = str(cell)
    lat = Fraction(int(text[0:2]) * 40, 60) + Fraction(int(text[4]) * 5, 60) + Fraction(int(text[6]) * 30, 3600)
    lon = 100 + int(text[2:4]) + Fraction(int(text[5]) * 15, 120) + Fraction(int(text[7]) * 45, 3600)
    high, wide = Fraction(30, 3600), Fraction(45, 3600)
    for digit in text[8:]:
        high, wide = high / 2, wide / 2
        lat += high * ((int(digit) - 1) // 2)
        lon += wide * ((int(digit) - 1) % 2)
    return shapely.box(float(lon), float(lat), float(lon + wide), float(lat + high))


def settle(engine: Engine, count: int, seed: int = 1) -> list[Phone]:
    """Puts that many phones into the city, behind the doors: registering each over HTTP is another story's."""
    rng = random.Random(seed)
    now = dt.datetime.now(dt.UTC)
    phones = []
    devices, places = [], []
    for number in range(1, count + 1):
        lat, lon = rng.uniform(38.17, 38.29), rng.uniform(140.86, 141.00)
        token = f"{number:06d}:phone-of-the-story-{rng.randrange(10**12):012d}"
        phone = Phone(token, rng.choice(LANGUAGES), rng.choice(PLATFORMS), cell=cell_of(lat, lon))
        phones.append(phone)
        devices.append(
            {
                "id": number,
                "public_id": f"story-{number:016d}",
                "secret_hash": digest(f"secret-{number}"),
                "platform": phone.platform,
                "language": phone.language,
                "app_version": "1",
                "token": token,
                "token_hash": digest(token),
                "token_state": "active",
                "token_at": now,
                "created_at": now,
                "seen_at": now,
            }
        )
        name = rng.choice(("current", "home", "work", "family"))
        places.append(
            {"cell": phone.cell, "device_id": number, "name": name, "origin_cell": phone.cell, "updated_at": now}
        )
    with transaction(engine) as session:
        session.execute(sa.insert(Device), devices)
        session.execute(sa.insert(Place), places)
        if engine.dialect.name == "postgresql":
            session.execute(sa.text("SELECT setval('devices_id_seq', (SELECT max(id) FROM devices))"))
    return phones


def build_shelters(engine: Engine, seed: int = 2) -> list[dict[str, object]]:
    """Sixty sites in and around the danger area; some are not for floods, some are shut, some are open."""
    rng = random.Random(seed)
    rows: list[dict[str, object]] = [
        {
            "source": "story",
            "source_id": str(number),
            "kind": "emergency_evacuation_site",
            "name": f"第{number}避難場所（見本）",
            "lat": round(rng.uniform(38.17, 38.29), 6),
            "lon": round(rng.uniform(140.86, 141.00), 6),
            "hazards": Hazard.FLOOD.bit if number % 3 else Hazard.EARTHQUAKE.bit,
            "status": rng.choice(("unknown", "unknown", "open", "full", "closed")),
            "note": "2階以上" if number % 4 == 0 else None,
        }
        for number in range(1, 61)
    ]
    with transaction(engine) as session:
        session.execute(sa.insert(Site), rows)
        sites.bump_revision(session)
    return rows


def inside(phones: Sequence[Phone], ring: Sequence[Sequence[float]] = DANGER) -> set[str]:
    """Tokens of everybody whose cell touches the area."""
    area = shapely.Polygon(ring)
    boxes = shapely.buffer(np.array([box_of(phone.cell or 0) for phone in phones]), 1e-6)
    return {phone.token for phone, hit in zip(phones, shapely.intersects(area, boxes), strict=True) if hit}


def nearest_names(cell: int, rows: Sequence[dict[str, object]]) -> list[str]:
    """The three suitable sites nearest to the middle of a cell: geopy over all of them, open ones first."""
    centre = shapely.centroid(box_of(cell))
    area = shapely.Polygon(DANGER)
    ranked = sorted(
        (
            row["status"] != "open",
            geodesic((centre.y, centre.x), (row["lat"], row["lon"])).meters,
            str(row["name"]),
        )
        for row in rows
        if row["hazards"] == Hazard.FLOOD.bit
        and row["status"] in ("unknown", "open")
        and not area.intersects(shapely.Point(float(str(row["lon"])), float(str(row["lat"]))))
    )
    return [name for *_, name in ranked[:3]]
