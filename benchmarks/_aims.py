"""Kills that hit: a phase of the worker is made long enough to be met, and seen when it is met.

Triggers in the database make the transaction of the wanted phase last some tenths of a second; the worker itself is
as it ships. On PostgreSQL the sleep is seen in pg_stat_activity, on SQLite by the writer's lock being held for long.
"""

from __future__ import annotations

import sqlite3
import time
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

DELAY_S = 0.2


class Phase(StrEnum):
    """What a worker is doing when it is killed."""

    PLANNING = "planning"
    CLAIMING = "claiming"
    SENDING = "sending"
    RECORDING = "recording"
    ANYWHERE = "anywhere"


_PLANNING = "NEW.plan_part <> OLD.plan_part OR NEW.plan_offset <> OLD.plan_offset OR NEW.planning <> OLD.planning"
_CLAIMING = "NEW.fence <> OLD.fence"
_RECORDING = "NEW.fence = OLD.fence AND NEW.outcomes <> OLD.outcomes"
_TRIGGERS = (
    ("planning_message", Phase.PLANNING, "UPDATE ON messages", _PLANNING),
    ("planning_batch", Phase.PLANNING, "INSERT ON batches", ""),
    ("claiming", Phase.CLAIMING, "UPDATE ON batches", _CLAIMING),
    ("recording", Phase.RECORDING, "UPDATE ON batches", _RECORDING),
)


class Aim:
    """The one phase that is slow now, and whether somebody is in it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._watch: sqlite3.Connection | None = None
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE soak_aim (phase TEXT NOT NULL)")
            connection.exec_driver_sql("INSERT INTO soak_aim VALUES ('')")
            for statement in _sqlite_triggers() if self._sqlite else _postgresql_triggers():
                connection.exec_driver_sql(statement)
        if self._sqlite:
            self._watch = sqlite3.connect(Path(str(engine.url.database)), timeout=0, isolation_level=None)

    def at(self, phase: Phase | None) -> None:
        """Makes this phase slow and every other quick again."""
        slow = phase.value if phase in (Phase.PLANNING, Phase.CLAIMING, Phase.RECORDING) else ""
        with self._engine.begin() as connection:
            connection.execute(sa.text("UPDATE soak_aim SET phase = :phase"), {"phase": slow})

    def met(self) -> bool:
        """Somebody is inside the slow transaction now."""
        if self._watch is None:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            with self._engine.connect() as connection:
                return bool(connection.exec_driver_sql(query).scalar())
        # An ordinary transaction of a worker holds the lock for a few milliseconds only.
        for _ in range(3):
            try:
                self._watch.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                time.sleep(0.01)
                continue
            self._watch.execute("ROLLBACK")
            return False
        return True

    def close(self) -> None:
        """Takes the triggers away again."""
        if self._watch is not None:
            self._watch.close()
        with self._engine.begin() as connection:
            for name, _, event, _ in _TRIGGERS:
                table = "" if self._sqlite else f" ON {event.rsplit(' ', 1)[1]}"
                connection.exec_driver_sql(f"DROP TRIGGER soak_{name}{table}")
            connection.exec_driver_sql("DROP VIEW soak_wait" if self._sqlite else "DROP FUNCTION soak_wait")
            connection.exec_driver_sql("DROP TABLE soak_aim")


def _sqlite_triggers() -> list[str]:
    # SQLite has no sleep: a view that counts for about that long stands in. (No CTE is allowed in a trigger itself.)
    rounds = _rounds_for(DELAY_S)
    made = [
        "CREATE VIEW soak_wait AS WITH RECURSIVE c(n) AS "
        f"(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {rounds}) SELECT count(*) AS n FROM c"
    ]
    for name, phase, event, when in _TRIGGERS:
        aimed = f"(SELECT phase FROM soak_aim) = '{phase}'"
        condition = f"{aimed} AND ({when})" if when else aimed
        made.append(f"CREATE TRIGGER soak_{name} AFTER {event} WHEN {condition} BEGIN SELECT n FROM soak_wait; END")
    return made


def _rounds_for(seconds: float) -> int:
    connection = sqlite3.connect(":memory:")
    began = time.perf_counter()
    query = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000) SELECT count(*) FROM c"
    connection.execute(query).fetchone()
    took = max(1e-3, time.perf_counter() - began)
    connection.close()
    return int(200_000 * seconds / took)


def _postgresql_triggers() -> list[str]:
    # Once a transaction, however many rows it touches.
    made = [
        "CREATE FUNCTION soak_wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF (SELECT phase FROM soak_aim) = TG_ARGV[0] "
        "AND current_setting('soak.waited', true) IS DISTINCT FROM txid_current()::text THEN "
        "PERFORM set_config('soak.waited', txid_current()::text, false); "
        f"PERFORM pg_sleep({DELAY_S}); END IF; RETURN NULL; END $$"
    ]
    for name, phase, event, when in _TRIGGERS:
        condition = f" WHEN ({when})" if when else ""
        made.append(
            f"CREATE TRIGGER soak_{name} AFTER {event} FOR EACH ROW{condition} EXECUTE FUNCTION soak_wait('{phase}')"
        )
    return made
