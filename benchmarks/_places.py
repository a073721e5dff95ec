"""Sites to measure with: the published lists beside the project where they are, invented ones elsewhere."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

from geo.hazards import Hazard
from geo.point import Point
from geo.sites import SiteKind
from geo.snapshot import SiteRecord

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "data" / "shelters_gsi"
COLUMNS = ("洪水", "崖崩れ、土石流及び地滑り", "高潮", "地震", "津波", "大規模な火事", "内水氾濫", "火山現象")
CITY_BOX = (38.12, 38.45, 140.47, 141.04)  # Sendai: south, north, west, east
COUNTRY_BOX = (24.0, 45.5, 123.0, 146.0)


def city() -> list[SiteRecord]:
    """The emergency evacuation sites of one city."""
    path = PUBLISHED / "sendai_emergency.csv"
    return _read(path) if path.exists() else _invented(311, CITY_BOX, 1)


def country() -> list[SiteRecord]:
    """Those of all Japan."""
    path = PUBLISHED / "nationwide_mergeFromCity_2_rebuilt.csv.gz"
    return _read(path) if path.exists() else _invented(115_402, COUNTRY_BOX, 2)


def points(box: tuple[float, float, float, float], count: int, seed: int) -> list[Point]:
    """Random points in a box."""
    chance = random.Random(seed)
    south, north, west, east = box
    return [Point(chance.uniform(south, north), chance.uniform(west, east)) for _ in range(count)]


def near(rows: list[SiteRecord], count: int, seed: int) -> list[Point]:
    """Random points where people live: within some kilometres of a site."""
    chance = random.Random(seed)
    some = chance.choices(rows, k=count)
    return [Point(row.lat + chance.gauss(0, 0.02), row.lon + chance.gauss(0, 0.025)) for row in some]


def _read(path: Path) -> list[SiteRecord]:
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8-sig")
    rows = []
    for number, line in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=1):
        if line["緯度"] and line["経度"]:
            flags = sum(hazard.bit for hazard, name in zip(Hazard, COLUMNS, strict=True) if line[name] == "1")
            where = float(line["緯度"]), float(line["経度"])
            rows.append(SiteRecord(number, line["施設・場所名"], SiteKind.EMERGENCY_EVACUATION_SITE, *where, flags))
    print(f"{path.name}: {len(rows):,} sites")
    return rows


def _invented(count: int, box: tuple[float, float, float, float], seed: int) -> list[SiteRecord]:
    chance = random.Random(seed)
    south, north, west, east = box
    print(f"no published list here: {count:,} invented sites")
    return [
        SiteRecord(
            number,
            f"避難場所{number}",
            SiteKind.EMERGENCY_EVACUATION_SITE,
            round(chance.uniform(south, north), 6),
            round(chance.uniform(west, east), 6),
            chance.getrandbits(8),
        )
        for number in range(1, count + 1)
    ]
