"""Places for databases: each store makes its schema once a test process and then copies, sweeps or lends."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from database import open_engine
from tests import migrations
from tests.postgresql import Server

T = TypeVar("T")

# What a test may have left of a lent database: somebody at work in it, schemas beside ours, another shape of ours.
BUSY = """SELECT pid FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"""
SCHEMAS = """SELECT nspname FROM pg_namespace
             WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg!_%%' ESCAPE '!'"""
SHAPE = """SELECT (SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM alembic_version),
                  (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute),
                  (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O'),
                  (SELECT count(*) FROM pg_proc)"""


class Store(Protocol):
    """A place for databases: made once a test process, one empty schema for each test."""

    def shared(self) -> Engine:
        """An engine on a database with empty tables; what a test commits there is swept away after it."""

    def sweep(self) -> None:
        """Empties the shared database again."""

    def fresh_url(self) -> str:
        """The address of a new database with empty tables, for tests that start processes."""

    def empty_url(self) -> str:
        """The address of a new database without any table."""

    def lend(self) -> str:
        """The address of a database with empty tables that will be given back."""

    def take_back(self, url: str) -> None:
        """Of a lent database nothing is needed any more."""

    def filled(self, fill: Callable[[Engine], T]) -> tuple[str, T]:
        """The address of a new copy of a database that `fill` filled, once a test process; and what it returned."""

    def dispose(self) -> None:
        """Closes the connections of the shared database."""


class SqliteStore:
    """Files copied from a template that has the tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.sqlite"
        engine = open_engine(f"sqlite:///{self.template}")
        migrations.upgrade(engine)
        engine.dispose()
        with sqlite3.connect(self.template) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        self._engine: Engine | None = None
        self._filled: dict[object, tuple[Path, Any]] = {}

    def shared(self) -> Engine:
        if self._engine is None:
            self._engine = unhurried(open_engine(self.fresh_url()))
        return self._engine

    def sweep(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def fresh_url(self) -> str:
        return self._copy(self.template)

    def empty_url(self) -> str:
        return f"sqlite:///{self.folder / uuid.uuid4().hex}.sqlite"

    def lend(self) -> str:
        return self.fresh_url()

    def take_back(self, url: str) -> None:
        for end in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + end).unlink(missing_ok=True)

    def filled(self, fill: Callable[[Engine], T]) -> tuple[str, T]:
        if fill not in self._filled:
            url = self.fresh_url()
            made = _fill(url, fill)  # who closes the last connection writes the log into the file
            self._filled[fill] = (Path(url.removeprefix("sqlite:///")), made)
        path, made = self._filled[fill]
        return self._copy(path), made

    def _copy(self, template: Path) -> str:
        path = self.folder / f"{uuid.uuid4().hex}.sqlite"
        shutil.copyfile(template, path)
        return f"sqlite:///{path}"

    def dispose(self) -> None:
        self.sweep()


class PostgresqlStore:
    """One server for the test process; databases copied from a template that has the tables."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.execute("CREATE DATABASE template_house")
        engine = open_engine(server.url("template_house"))
        migrations.upgrade(engine)
        self._tables = [name for name in sa.inspect(engine).get_table_names() if name != "alembic_version"]
        with engine.connect() as connection:
            self._shape = connection.exec_driver_sql(SHAPE).one()
        engine.dispose()
        self._engine: Engine | None = None
        self._idle: list[str] = []
        self._filled: dict[object, tuple[str, Any]] = {}

    def shared(self) -> Engine:
        if self._engine is None:
            self._engine = open_engine(self.fresh_url())
        else:
            with self._engine.begin() as connection:
                self._restart_ids(connection)
        return self._engine

    def sweep(self) -> None:
        if self._engine is not None:
            with self._engine.begin() as connection:
                self._truncate(connection)

    def _truncate(self, connection: sa.Connection) -> None:
        # To truncate a table costs milliseconds, full or empty, and there are dozens: only those that have a row.
        look = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in self._tables)
        full = connection.exec_driver_sql(look).scalars().all()
        if full:
            names = ", ".join(f'"{name}"' for name in full)
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")

    def fresh_url(self) -> str:
        return self._create("template_house")

    def empty_url(self) -> str:
        return self._create("template0")

    def lend(self) -> str:
        return self._idle.pop() if self._idle else self.fresh_url()

    def take_back(self, url: str) -> None:
        """Swept, it is lent again: to copy the template takes ten times longer. What cannot be swept is left alone."""
        engine = open_engine(url)
        with engine.begin() as connection:
            if not connection.exec_driver_sql(BUSY).all():
                for schema in connection.exec_driver_sql(SCHEMAS).scalars().all():
                    connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')
                if connection.exec_driver_sql(SHAPE).one() == self._shape:
                    self._truncate(connection)
                    self._restart_ids(connection)
                    self._idle.append(url)
        engine.dispose()

    def filled(self, fill: Callable[[Engine], T]) -> tuple[str, T]:
        if fill not in self._filled:
            url = self.fresh_url()
            made = _fill(url, fill)
            self._filled[fill] = (str(sa.make_url(url).database), made)
        template, made = self._filled[fill]
        return self._create(template), made

    def _create(self, template: str) -> str:
        name = f"t{uuid.uuid4().hex}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self.server.url(name)

    def dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    @staticmethod
    def _restart_ids(connection: sa.Connection) -> None:
        """A rolled back insert leaves its sequence advanced; ids must not depend on the tests that ran before."""
        connection.exec_driver_sql(
            "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL"
        )


def unhurried(engine: Engine) -> Engine:
    """Commits of SQLite do not wait for the disk: tests commit often, and no power cut is expected."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous=OFF"))
    return engine


def _fill(url: str, fill: Callable[[Engine], T]) -> T:
    engine = unhurried(open_engine(url))
    try:
        return fill(engine)
    finally:
        engine.dispose()
