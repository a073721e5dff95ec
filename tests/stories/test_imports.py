"""A long list, taken in by the worker's duty: killed in the middle nothing of it is there, in the end all, and once."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from backend import importing
from content import editors, journal
from content.editors import Role
from content.opendata import intakes
from content.opendata.intakes import Intake, IntakeFile, State
from database import transaction
from geo.sites import Site
from tests.geo.opendata.lists import gsi, gsi_bytes
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

ROWS, STOPS_AT = 300, "E0410000150201"
KEY = 20_261_121  # of a lock that nobody else knows
STAYS = 40  # looks, 20 ms apart

# Whoever writes the row in the middle stays there for as long as the gate is shut.
SHUT = {
    "sqlite": (
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        f"CREATE TRIGGER gate AFTER INSERT ON sites WHEN NEW.source_id = '{STOPS_AT}'"
        " BEGIN SELECT count(*) FROM endless; END",
    ),
    "postgresql": (
        f"CREATE FUNCTION wait() RETURNS trigger AS 'BEGIN PERFORM pg_advisory_xact_lock({KEY}); RETURN NEW; END'"
        " LANGUAGE plpgsql",
        f"CREATE TRIGGER gate AFTER INSERT ON sites FOR EACH ROW WHEN (NEW.source_id = '{STOPS_AT}')"
        " EXECUTE FUNCTION wait()",
    ),
}
OPEN = {"sqlite": "DROP TRIGGER gate", "postgresql": "DROP TRIGGER gate ON sites"}
WAITING = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {KEY} AND NOT granted"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[RunningCity]:
    """No web server and no phones: only the worker works here."""
    running = RunningCity(tmp_path, database_url, FCM_CREDENTIALS="")
    yield running
    running.stop()


def test_a_worker_killed_in_the_middle_of_a_long_import_leaves_nothing_and_the_next_takes_it_in_once(
    office: RunningCity,
) -> None:
    engine = office.engine()
    number = confirmed(engine)
    with engine.connect() as keeper:
        shut(engine, keeper)
        office.start_worker()
        wait_for(Middle(engine).reached, "an import in the middle of its rows")
        office.kill()
        opened(engine, keeper)
    with transaction(engine) as session:
        left = session.get_one(Intake, number)
        assert (left.state, left.fence) == (State.APPLYING, 3)
        assert session.scalar(sa.select(sa.func.count()).select_from(Site)) == 0
        assert [one.action for one in journal.search(session)] == []
        left.held_until = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)  # as if its minute were over
    office.start_worker()
    wait_for(lambda: of(engine, number).state == State.APPLIED, f"the import to end\n{office.words('worker')}")
    with transaction(engine) as session:
        assert session.get_one(Intake, number).fence == 4
        names = session.scalars(sa.select(Site.name)).all()
        assert sorted(names) == sorted(f"見本第{row}小学校" for row in range(1, ROWS + 1))
        assert [one.action for one in journal.search(session)] == ["imports.applied"]
        assert session.scalar(sa.select(sa.func.count()).select_from(IntakeFile)) == 0
    engine.dispose()


def confirmed(engine: Engine) -> int:
    """A file whose report was read and found right: from here on it is the worker's."""
    now = dt.datetime.now(dt.UTC)
    data = gsi_bytes(*(gsi(row) for row in range(1, ROWS + 1)))
    with transaction(engine) as session:
        by = editors.add(session, "当直 花子", Role.DUTY_OFFICER, now)[0]
        said = {"source": "story"}
        intake = intakes.hand_in(session, now, kind="sites", files={"避難場所.csv": data}, options=said, by=by)
    assert importing.work(engine, lambda: now) == 1
    with transaction(engine) as session:
        read = session.get_one(Intake, intake.id)
        assert intakes.confirm(session, read, read.version, read.outcome or "", by)
    return intake.id


def shut(engine: Engine, keeper: Connection) -> None:
    with engine.begin() as connection:
        for statement in SHUT[engine.dialect.name]:
            connection.exec_driver_sql(statement)
    if engine.dialect.name == "postgresql":
        keeper.exec_driver_sql(f"SELECT pg_advisory_lock({KEY})")


def opened(engine: Engine, keeper: Connection) -> None:
    if engine.dialect.name == "postgresql":
        keeper.exec_driver_sql(f"SELECT pg_advisory_unlock({KEY})")
    with engine.begin() as connection:
        connection.exec_driver_sql(OPEN[engine.dialect.name])


class Middle:
    """Looks whether the import stands at the gate, the rows before it written and nothing committed."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.looks = engine, 0

    def reached(self) -> bool:
        """On SQLite: nobody but the import at the gate stays its writer for so many looks."""
        if self.engine.dialect.name == "postgresql":
            with self.engine.connect() as connection:
                return bool(connection.exec_driver_sql(WAITING).scalar_one())
        self.looks = self.looks + 1 if self._taken() else 0
        return self.looks > STAYS

    def _taken(self) -> bool:
        alone = sqlite3.connect(str(self.engine.url.database), timeout=0, isolation_level=None)
        try:
            alone.execute("BEGIN IMMEDIATE")
            alone.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            alone.close()
        return False


def of(engine: Engine, number: int) -> Intake:
    with transaction(engine, "read") as session:
        return session.get_one(Intake, number)
