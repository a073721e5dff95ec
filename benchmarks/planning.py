"""How long the audience of a danger area takes to plan, beside PostGIS: every phone with its three nearest shelters.

Twice: listed in memory, as the peers do, which write nothing; and as the worker does it, with marks, groups and
batches written and committed, chunk by chunk. On SQLite and on PostgreSQL, all in turns, on the same places; PostgreSQL
and PostGIS are Debian's (`apt-get install postgresql-15-postgis-3`), in a cluster of their own that is gone afterwards.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import shapely
import sqlalchemy as sa
from sqlalchemy.engine import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _population
from benchmarks._machine import describe, median, say, table
from benchmarks._places import city
from database import open_engine, transaction
from geo.hazards import Hazard
from geo.nearest import SiteIndex
from geo.snapshot import SiteRecord
from notifications import audiences, dangers, messages
from notifications.audiences import Audience
from notifications.dispatch import planner
from notifications.dispatch.shelters import ShelterFinder
from notifications.messages import Kind, Lane, Message, Saying

BINARIES = Path("/usr/lib/postgresql/15/bin")
EXTENSION = Path("/usr/share/postgresql/15/extension/postgis.control")
NOBODY = 65534
HAZARD = Hazard.EARTHQUAKE
TEXTS = {"ja": {"title": "題", "body": "文"}, "en": {"title": "Title", "body": "Body"}}

_ANGLES = np.linspace(0, 2 * np.pi, 50, endpoint=False)
_RADII = 4.5 * (1 + 0.25 * np.sin(3 * _ANGLES))
SHAPES = {
    "24 km²": shapely.Polygon(
        [(140.885, 38.215), (140.925, 38.210), (140.945, 38.238),
         (140.930, 38.262), (140.895, 38.258), (140.880, 38.238)]
    ),
    "61 km²": shapely.Polygon(
        np.column_stack([140.875 + _RADII * np.cos(_ANGLES) / 87.4, 38.262 + _RADII * np.sin(_ANGLES) / 111.0])
    ),
    "whole city": shapely.box(140.4701, 38.0601, 141.0399, 38.4399),
}  # fmt: skip


@dataclass
class Run:
    """One planning: seconds to the first batch and to the last, and how many devices."""

    first_s: float
    all_s: float
    devices: int


def listed(engine: Engine, shape: shapely.Polygon, sites: list[dict[str, Any]]) -> Run:
    """Everybody once with language, platform and shelters, in batches of 500 in memory: what the peers do, too."""
    now = dt.datetime.now(dt.UTC)
    with _asked(engine, shape, sites, now) as number, transaction(engine, "read") as session:
        message = session.get_one(Message, number)
        audience = Audience.from_json(message.audience)
        began, first, waiting, devices = time.perf_counter(), 0.0, 0, 0
        finder = ShelterFinder.of(message)
        assert finder is not None
        for known in audiences.recipients(session, audience, now):
            order = np.lexsort((finder.sets_of(known.found.cells), known.sort_of))
            batches = [order[start : start + 500] for start in range(0, len(order), 500)]
            waiting, devices = len(batches), devices + len(known)
            first = first or time.perf_counter() - began
        spent = time.perf_counter() - began
        assert waiting
    return Run(first, spent, devices)


def ours(engine: Engine, shape: shapely.Polygon, sites: list[dict[str, Any]]) -> Run:
    """What the worker does, until everybody who was there is in a batch; the later looks for movers are not counted."""
    with _asked(engine, shape, sites, dt.datetime.now(dt.UTC)) as number:
        began, first, devices = time.perf_counter(), 0.0, 0
        while True:
            with transaction(engine) as session:
                message = planner.claim(session, dt.datetime.now(dt.UTC))
                if message is None or message.id != number or message.plan_sweeps:
                    break
                devices += planner.plan_chunk(session, message, dt.datetime.now(dt.UTC))
            first = first or time.perf_counter() - began if devices else 0.0
        return Run(first, time.perf_counter() - began, devices)


@contextmanager
def _asked(engine: Engine, shape: shapely.Polygon, sites: list[dict[str, Any]], now: dt.datetime) -> Iterator[int]:
    """A message to whoever is in the shape; its number."""
    drawn = {"type": "Polygon", "coordinates": [[list(at) for at in shape.exterior.coords]]}
    with transaction(engine) as session:
        area = dangers.compose(session, polygon=drawn, area_codes=(), minus_area_codes=(), minus_polygon=None).id
        saying = Saying(
            origin=f"planning:{time.time_ns()}", thread="t" * 22, kind=Kind.ALERT, lane=Lane.EVACUATION, level=4,
            hazard=HAZARD.value, texts=TEXTS, link="https://push.mihon.example/x", reason="area:x",
            audience=Audience(danger_area_id=area), expires_at=now + dt.timedelta(hours=6),
        )  # fmt: skip
        number = messages.post(session, saying, now).id
        # The same for all ways, the whole city's included, which leaves no shelter outside.
        session.execute(sa.update(Message).where(Message.id == number).values(candidates=sites))
    yield number
    with transaction(engine) as session:
        messages.withdraw(session, [number])
        for name in ("batches", "recipient_groups", "told"):
            table_ = sa.table(name, sa.column("message_id"))
            session.execute(sa.delete(table_).where(table_.c.message_id == number))


def covers(link: psycopg.Connection[Any], shape: shapely.Polygon, sites: list[dict[str, Any]]) -> Run:
    """PostGIS finds the places by ST_Covers; shelters are attached once a cell, by the same index as ours."""
    index = SiteIndex.from_rows([SiteRecord(**row) for row in sites])
    near: dict[int, tuple[int, ...]] = {}
    seen: set[int] = set()
    began, first, waiting = time.perf_counter(), 0.0, []
    with link.cursor("places") as rows:
        rows.itersize = 20_000
        rows.execute(
            "SELECT p.device_id, p.cell, d.language, d.platform, d.token_state FROM positions p"
            " JOIN devices d ON d.id = p.device_id WHERE ST_Covers(%s::geometry, p.geom)",
            [_hex(shape)],
        )
        while some := rows.fetchmany(20_000):
            new = np.array(sorted({row[1] for row in some} - near.keys()), np.int64)
            if len(new):
                cells, found, _ = index.rows_nearest_to_cells(new, HAZARD)
                near.update(zip(cells.tolist(), map(tuple, found.tolist()), strict=True))
            for row in some:
                if row[0] not in seen:
                    seen.add(row[0])
                    waiting.append((row, near[row[1]]))
            waiting = waiting[len(waiting) // 500 * 500 :]
            first = first or time.perf_counter() - began
    link.rollback()
    return Run(first, time.perf_counter() - began, len(seen))


def lateral(link: psycopg.Connection[Any], shape: shapely.Polygon, sites: list[dict[str, Any]]) -> Run:
    """All in SQL: ST_Covers, and for each place the three nearest sites by the index of PostGIS."""
    link.execute("CREATE TEMP TABLE ok (id int PRIMARY KEY, at geography(Point, 4326)) ON COMMIT DROP")
    with link.cursor() as put:
        put.executemany(
            "INSERT INTO ok VALUES (%s, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography)",
            [(row["id"], row["lon"], row["lat"]) for row in sites if row["hazards"] & HAZARD.bit],
        )
    link.execute("CREATE INDEX ON ok USING gist (at)")
    link.execute("ANALYZE ok")
    seen: set[int] = set()
    began, first = time.perf_counter(), 0.0
    with link.cursor("places") as rows:
        rows.itersize = 20_000
        rows.execute(
            "SELECT p.device_id, d.language, d.platform, d.token_state, s.ids FROM positions p"
            " JOIN devices d ON d.id = p.device_id CROSS JOIN LATERAL (SELECT array_agg(id) ids FROM"
            " (SELECT id FROM ok ORDER BY ok.at <-> p.geom::geography LIMIT 3) n) s"
            " WHERE ST_Covers(%s::geometry, p.geom)",
            [_hex(shape)],
        )
        while some := rows.fetchmany(20_000):
            seen.update(row[0] for row in some)
            first = first or time.perf_counter() - began
    spent = time.perf_counter() - began
    link.rollback()
    return Run(first, spent, len(seen))


def main() -> None:
    """Measures in turns and prints medians and ratios."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--devices", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stores", default="sqlite,postgresql")
    parser.add_argument("--lateral-for", default="24 km²", help="shapes of the slowest peer; it takes a minute each")
    asked = parser.parse_args()
    say(describe())
    rows = [site for site in city() if site.hazards & HAZARD.bit]
    names = ("id", "name", "kind", "lat", "lon", "hazards", "status", "crowding", "note")
    sites = [{name: getattr(site, name) for name in names} for site in rows]
    with tempfile.TemporaryDirectory(prefix="planning-") as folder, cluster() as address:
        engines: dict[str, Engine] = {}
        for store in asked.stores.split(","):
            url = f"sqlite:///{folder}/p.sqlite" if store == "sqlite" else f"postgresql+psycopg://{address}"
            engines[store] = open_engine(url)
            _population.migrate(engines[store])
            began = time.perf_counter()
            made = _population.fill(engines[store], asked.devices)
            say(f"{store}: {made.devices:,} devices, {made.places:,} places in {time.perf_counter() - began:.0f} s")
        link = psycopg.connect(f"postgresql://{address}") if "postgresql" in engines else None
        peers = link is not None and EXTENSION.exists()
        if link is not None and peers:
            _positions(link, asked.devices)
            say(*link.execute("SELECT postgis_full_version()").fetchone() or ())
        else:
            say("No PostGIS here (apt-get install postgresql-15-postgis-3): the peers are left out.")
        for name, shape in SHAPES.items():
            ways: dict[str, Callable[[], Run]] = {
                f"{word}, {store}": partial(way, engine, shape, sites)
                for word, way in (("ours", listed), ("ours, all written", ours))
                for store, engine in engines.items()
            }
            if link is not None and peers:
                ways["ST_Covers, shelter per cell"] = partial(covers, link, shape, sites)
                if name in asked.lateral_for.split(","):
                    ways["ST_Covers + lateral KNN"] = partial(lateral, link, shape, sites)
            _compare(name, ways, asked.rounds)
        for store, engine in engines.items():
            began = time.perf_counter()
            with transaction(engine, "read") as session:
                counted = audiences.count(session, Audience(everyone=True), dt.datetime.now(dt.UTC))
            say(f"{store}: counting {counted.devices:,} devices for a preview {time.perf_counter() - began:.2f} s")
            engine.dispose()
        say(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


def _compare(name: str, ways: dict[str, Callable[[], Run]], rounds: int) -> None:
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way, go in ways.items():
            if way != "ST_Covers + lateral KNN" or turn == 0:
                runs[way].append(go())
    seconds = {way: median(run.all_s for run in some) for way, some in runs.items()}
    mine = [way for way in ways if way.startswith("ours, ") and "written" not in way]
    say(f"\n{name}: {runs[mine[0]][0].devices:,} devices")
    say(
        table(
            ["way", "devices", "first batch s", "all s", *(f"× {one}" for one in mine)],
            [
                [
                    way, f"{some[0].devices:,}", f"{median(run.first_s for run in some):.3f}", f"{seconds[way]:.2f}",
                    *(f"{seconds[way] / seconds[one]:.1f}" for one in mine),
                ]
                for way, some in runs.items()
            ],
        )
    )  # fmt: skip


def _positions(link: psycopg.Connection[Any], devices: int) -> None:
    link.execute("CREATE EXTENSION postgis")
    link.execute("CREATE TABLE positions (device_id bigint, cell bigint, geom geometry(Point, 4326))")
    for step in _population.people(devices):
        with link.cursor().copy("COPY positions (device_id, cell, geom) FROM STDIN") as copy:
            points = shapely.set_srid(shapely.points(step.lons, step.lats), 4326)
            hexes = shapely.to_wkb(points, hex=True, include_srid=True)
            ids, cells = step.place_ids.tolist(), step.cells.tolist()
            copy.write("".join(f"{one}\t{cell}\t{at}\n" for one, cell, at in zip(ids, cells, hexes, strict=True)))
    link.execute("CREATE INDEX positions_geom ON positions USING gist (geom)")
    link.execute("CLUSTER positions USING positions_geom")  # the peers' best case
    link.commit()
    link.autocommit = True
    link.execute("VACUUM ANALYZE positions")
    link.autocommit = False


def _hex(shape: shapely.Polygon) -> str:
    return str(shapely.to_wkb(shapely.set_srid(shape, 4326), hex=True, include_srid=True))


@contextmanager
def cluster() -> Iterator[str]:
    """A PostgreSQL of Debian's in a temporary folder, run by nobody where we are root; yields user@/database?host."""
    with tempfile.TemporaryDirectory(prefix="planning-pg-") as folder:
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        data = f"{folder}/data"
        words = ["-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "-N"]
        subprocess.run(
            [BINARIES / "initdb", "-D", data, *words], check=True, capture_output=True, cwd=folder, **as_user
        )
        options = (
            f"-c listen_addresses= -c unix_socket_directories={folder} -c shared_buffers=512MB -c max_wal_size=4GB"
        )
        control = [str(BINARIES / "pg_ctl"), "-D", data, "-w", "-l", f"{folder}/log"]
        subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=folder, **as_user)
        try:
            yield f"postgres@/postgres?host={folder}"
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder, **as_user
            )


if __name__ == "__main__":
    main()
