"""A city's phones made quickly: devices with 2.5 places each on average, where people live, the same every time.

Positions are invented: three thousand neighbourhoods scattered about Sendai's centres and some phones anywhere.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from numpy.typing import NDArray
from sqlalchemy.engine import Engine

from database import open_engine, transaction
from geo import mesh
from geo.sites import Site, SiteStatus

ROOT = Path(__file__).resolve().parents[1]
SINCE = dt.datetime(2026, 11, 1, 3, 0, tzinfo=dt.UTC)  # when phones registered and homes were told
DEVICES_A_STEP = 100_000

Degrees = NDArray[np.float64]

# South, west, north, east of everybody; centres with their spread in kilometres and their share of people.
BOX = (38.06, 140.47, 38.44, 141.04)
CENTRES = (
    (38.268, 140.870, 2.5, 0.33), (38.323, 140.881, 2.5, 0.18), (38.226, 140.885, 2.0, 0.18),
    (38.244, 140.905, 2.5, 0.12), (38.265, 140.940, 3.0, 0.10), (38.272, 140.760, 2.0, 0.05),
    (38.220, 140.700, 2.5, 0.01), (38.250, 140.880, 9.0, 0.03),
)  # fmt: skip
NEIGHBOURHOODS = 3000
KM_A_DEGREE_LAT, KM_A_DEGREE_LON = 111.0, 87.6

# How many phones have which place: 2.5 together.
PLACES = (("current", 0.80), ("home", 0.95), ("work", 0.45), ("family", 0.30))
AT_HOME_NOW = 0.7
LANGUAGES = (("ja", 0.93), ("en", 0.025), ("zh-Hans", 0.02), ("ko", 0.015), ("ja-x-easy", 0.01))
PLATFORMS = (("android", 0.5), ("ios", 0.5))
WITHOUT_TOKEN = 0.02


@dataclass(frozen=True)
class Population:
    """What was made."""

    devices: int
    places: int


@dataclass(frozen=True)
class Step:
    """Some devices with consecutive ids, and their places."""

    ids: NDArray[np.int64]
    languages: list[str]
    platforms: list[str]
    has_token: list[bool]
    seed: bytes
    place_ids: NDArray[np.int64]
    place_names: NDArray[np.int64]  # positions in PLACES
    cells: NDArray[np.int64]
    lats: Degrees
    lons: Degrees


def people(devices: int, seed: int = 1) -> Iterator[Step]:
    """Phones and their places, step by step. `lats` and `lons` are what a database of positions would keep."""
    chance = np.random.default_rng(seed)
    hoods = _neighbourhoods(np.random.default_rng(11))
    weights = chance.pareto(1.5, NEIGHBOURHOODS) + 0.3
    weights /= weights.sum()
    for start in range(0, devices, DEVICES_A_STEP):
        count = min(DEVICES_A_STEP, devices - start)
        ids = np.arange(start + 1, start + count + 1, dtype=np.int64)
        homes = _scatter(chance, hoods, weights, count)
        here = np.where(chance.random(count) < AT_HOME_NOW, homes, _scatter(chance, hoods, weights, count))
        others = [_scatter(chance, hoods, weights, count) for _ in range(2)]
        kept = [chance.random(count) < share for _, share in PLACES]
        lats, lons = (
            np.concatenate([at[axis][have] for at, have in zip((here, homes, *others), kept, strict=True)])
            for axis in (0, 1)
        )
        yield Step(
            ids=ids,
            languages=_drawn(chance, LANGUAGES, count),
            platforms=_drawn(chance, PLATFORMS, count),
            has_token=(chance.random(count) >= WITHOUT_TOKEN).tolist(),
            seed=chance.bytes(32),
            place_ids=np.concatenate([ids[have] for have in kept]),
            place_names=np.repeat(np.arange(len(PLACES)), [int(have.sum()) for have in kept]),
            cells=mesh.cells_of(lats, lons),
            lats=lats,
            lons=lons,
        )


def fill(engine: Engine, devices: int, seed: int = 1) -> Population:
    """Puts the phones and their places into an empty, migrated database: ids 1 to `devices`."""
    return (_fill_sqlite if engine.dialect.name == "sqlite" else _fill_postgresql)(engine, people(devices, seed))


def migrate(engine: Engine) -> None:
    """Gives an empty database its tables."""
    config = Config(ROOT / "migrations" / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def put_sites(engine: Engine, rows: Iterable[Any]) -> None:
    """Puts evacuation sites (as of `_places`) into an empty table; two in three are open, of the rest nobody knows."""
    with transaction(engine) as session:
        session.execute(
            sa.insert(Site),
            [
                {
                    "source": "benchmark", "source_id": str(row.id), "kind": row.kind.value, "name": row.name,
                    "lat": row.lat, "lon": row.lon, "hazards": row.hazards,
                    "status": (SiteStatus.UNKNOWN if row.id % 3 == 0 else SiteStatus.OPEN).value,
                }
                for row in rows
            ],
        )  # fmt: skip


def device_rows(step: Step) -> Iterator[tuple[Any, ...]]:
    """Rows of devices: id, public_id, secret, its hash, platform, language, token (FCM's length), its hash, state."""
    count = len(step.ids)
    random = base64.urlsafe_b64encode(np.random.default_rng(list(step.seed)).bytes(count * 126)).decode()
    sha = hashlib.sha256
    for at, (number, platform, language, has_token) in enumerate(
        zip(step.ids.tolist(), step.platforms, step.languages, step.has_token, strict=True)
    ):
        letters = random[at * 168 : at * 168 + 168]
        secret_hash = sha(f"ykd_{number:064x}".encode()).digest()
        if has_token:
            token = f"{letters[:22]}:APA91b{letters[22:156]}"
            yield number, letters[146:], secret_hash, platform, language, token, sha(token.encode()).digest(), "active"
        else:
            yield number, letters[146:], secret_hash, platform, language, None, None, "none"


def _fill_sqlite(engine: Engine, steps: Iterator[Step]) -> Population:
    devices = 0
    kept: list[tuple[NDArray[np.int64], ...]] = []
    with closing(engine.raw_connection()) as raw:
        put: Any = raw.driver_connection
        put.execute("PRAGMA synchronous=OFF")
        put.execute("PRAGMA foreign_keys=OFF")
        put.execute("PRAGMA cache_size=-1000000")
        indexes = put.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('places', 'devices')"
            " AND sql IS NOT NULL"
        ).fetchall()
        put.execute("BEGIN IMMEDIATE")
        for name, _ in indexes:
            put.execute(f"DROP INDEX {name}")
        at = f"{SINCE:%Y-%m-%d %H:%M:%S.%f}"
        for step in steps:
            put.executemany(
                "INSERT INTO devices (id, public_id, secret_hash, platform, language, token, token_hash, token_state,"
                f" app_version, token_at, created_at, seen_at) VALUES (?,?,?,?,?,?,?,?,'1.0','{at}','{at}','{at}')",
                device_rows(step),
            )
            devices += len(step.ids)
            kept.append((step.place_names, step.cells, step.place_ids))
        names, cells, ids = (np.concatenate(column) for column in zip(*kept, strict=True))
        kept.clear()
        key = put.execute("SELECT name FROM pragma_table_info('places') WHERE pk ORDER BY pk").fetchall()
        by_name = {"name": names, "cell": cells, "device_id": ids}
        # Names compare as words in the key, as positions here: close enough to be written nearly in order.
        order = np.lexsort([by_name[name] for (name,) in reversed(key)])
        words, now = [name for name, _ in PLACES], f"{_now():%Y-%m-%d %H:%M:%S.%f}"
        put.executemany(
            "INSERT INTO places (cell, device_id, name, origin_cell, updated_at) VALUES (?1, ?2, ?3, ?1, ?4)",
            (
                (cell, number, words[name], at if name else now)
                for some in np.array_split(order, max(1, len(order) // 100_000))
                for cell, number, name in zip(
                    cells[some].tolist(), ids[some].tolist(), names[some].tolist(), strict=True
                )
            ),
        )
        for _, made in indexes:
            put.execute(made)
        put.execute("COMMIT")
        put.execute("ANALYZE")
        put.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return Population(devices, len(cells))


def _fill_postgresql(engine: Engine, steps: Iterator[Step]) -> Population:
    """Indexes are made afterwards, as pg_restore does it; rows lie in the order of registration, as in life."""
    devices = places = 0
    words, at, now = [name for name, _ in PLACES], SINCE.isoformat(), _now().isoformat()
    with closing(engine.raw_connection()) as raw:
        put: Any = raw.driver_connection
        cursor = put.cursor()
        cursor.execute("SET maintenance_work_mem = '512MB'")
        again = _without_indexes(cursor)
        for step in steps:
            with cursor.copy(
                "COPY devices (id, public_id, secret_hash, platform, language, token, token_hash, token_state,"
                " app_version, token_at, created_at, seen_at) FROM STDIN"
            ) as copy:
                copy.write(
                    "".join(
                        f"{number}\t{public}\t\\\\x{secret.hex()}\t{platform}\t{language}\t"
                        f"{token or chr(92) + 'N'}\t{chr(92) * 2 + 'x' + hashed.hex() if hashed else chr(92) + 'N'}\t"
                        f"{state}\t1.0\t{at}\t{at}\t{at}\n"
                        for number, public, secret, platform, language, token, hashed, state in device_rows(step)
                    )
                )
            order = np.argsort(step.place_ids, kind="stable")
            with cursor.copy("COPY places (cell, device_id, name, origin_cell, updated_at) FROM STDIN") as copy:
                columns = (step.cells[order].tolist(), step.place_ids[order].tolist(), step.place_names[order].tolist())
                copy.write(
                    "".join(
                        f"{cell}\t{number}\t{words[name]}\t{cell}\t{at if name else now}\n"
                        for cell, number, name in zip(*columns, strict=True)
                    )
                )
            devices, places = devices + len(step.ids), places + len(step.place_ids)
        for statement in again:
            cursor.execute(statement)
        cursor.execute("SELECT setval(pg_get_serial_sequence('devices', 'id'), %s)", (devices,))
        put.commit()
        put.autocommit = True
        cursor.execute("VACUUM ANALYZE devices, places")
        put.autocommit = False
    engine.dispose()
    return Population(devices, places)


def _without_indexes(cursor: Any) -> list[str]:
    """Drops what makes loading slow; returns the statements that bring it back. Other tables' keys stay."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE (conrelid = 'places'::regclass AND contype IN ('p', 'u', 'f'))"
        " OR (conrelid = 'devices'::regclass AND contype = 'u')"
    )
    constraints = cursor.fetchall()
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i"
        " WHERE indrelid IN ('places'::regclass, 'devices'::regclass)"
        " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"
    )
    indexes = cursor.fetchall()
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    return [
        *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}" for table, name, made in constraints),
        *(made for _, made in indexes),
    ]


def _now() -> dt.datetime:
    """Current positions are fresh on the day of the measurement."""
    return dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)


def _neighbourhoods(chance: np.random.Generator) -> tuple[Degrees, Degrees]:
    shares = np.array([share for *_, share in CENTRES])
    at = np.array([centre[:3] for centre in CENTRES])[chance.choice(len(CENTRES), NEIGHBOURHOODS, p=shares)]
    lat = at[:, 0] + chance.normal(0, 1, NEIGHBOURHOODS) * at[:, 2] / KM_A_DEGREE_LAT
    return lat, at[:, 1] + chance.normal(0, 1, NEIGHBOURHOODS) * at[:, 2] / KM_A_DEGREE_LON


def _scatter(
    chance: np.random.Generator, hoods: tuple[Degrees, Degrees], weights: Degrees, count: int
) -> NDArray[np.float64]:
    """Positions (2 × count, micro-degrees rounded): 250 m about a neighbourhood, two in a hundred anywhere."""
    south, west, north, east = BOX
    chosen = chance.choice(NEIGHBOURHOODS, count, p=weights)
    lat = hoods[0][chosen] + chance.normal(0, 0.25, count) / KM_A_DEGREE_LAT
    lon = hoods[1][chosen] + chance.normal(0, 0.25, count) / KM_A_DEGREE_LON
    anywhere = chance.random(count) < 0.02
    lat[anywhere] = chance.uniform(south, north, int(anywhere.sum()))
    lon[anywhere] = chance.uniform(west, east, int(anywhere.sum()))
    inner = 1e-5
    return np.round(np.array([np.clip(lat, south + inner, north - inner), np.clip(lon, west + inner, east - inner)]), 6)


def _drawn(chance: np.random.Generator, shares: tuple[tuple[str, float], ...], count: int) -> list[str]:
    words = np.array([word for word, _ in shares], dtype=object)
    found: list[str] = words[chance.choice(len(words), count, p=[share for _, share in shares])].tolist()
    return found


def main() -> None:
    """Fills the empty database at an address."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("url")
    parser.add_argument("--devices", type=int, default=1_000_000)
    asked = parser.parse_args()
    engine = open_engine(asked.url)
    migrate(engine)
    began = time.perf_counter()
    made = fill(engine, asked.devices)
    print(f"{made.devices:,} devices, {made.places:,} places in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
