"""Fixtures for every test: both stores with an empty schema, a session, real published data."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import open_engine
from tests import migrations
from tests.postgresql import Server, Unavailable
from tests.tables import ROOT

# In continuous integration a test that cannot run is a failure, not a skip.
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
NO_SKIPS = bool(os.environ.get("TESTS_NO_SKIPS"))

# Nothing is asserted about how long something takes; in continuous integration every run tries the same examples.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI
)
hypothesis.settings.load_profile("house")


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

    def shared(self) -> Engine:
        if self._engine is None:
            engine = open_engine(self.fresh_url())
            # Tests commit often and no power cut is expected: waiting for the disk would be most of their time.
            event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous=OFF"))
            self._engine = engine
        return self._engine

    def sweep(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def fresh_url(self) -> str:
        path = self.folder / f"{uuid.uuid4().hex}.sqlite"
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"

    def empty_url(self) -> str:
        return f"sqlite:///{self.folder / uuid.uuid4().hex}.sqlite"

    def dispose(self) -> None:
        self.sweep()


class PostgresqlStore:
    """One server for the test process; databases copied from a template that has the tables."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.execute("CREATE DATABASE template_house")
        engine = open_engine(server.url("template_house"))
        migrations.upgrade(engine)
        engine.dispose()
        self._engine: Engine | None = None
        self._tables: list[str] = []

    def shared(self) -> Engine:
        if self._engine is None:
            self._engine = open_engine(self.fresh_url())
        else:
            self._restart_ids(self._engine)
        return self._engine

    def sweep(self) -> None:
        if self._engine is None:
            return
        if not self._tables:
            self._tables = [n for n in sa.inspect(self._engine).get_table_names() if n != "alembic_version"]
        # To truncate a table costs milliseconds, full or empty, and there are dozens: only those that have a row.
        look = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in self._tables)
        with self._engine.begin() as connection:
            full = connection.exec_driver_sql(look).scalars().all()
            if full:
                names = ", ".join(f'"{name}"' for name in full)
                connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")

    def fresh_url(self) -> str:
        return self._create("template_house")

    def empty_url(self) -> str:
        return self._create("template0")

    def _create(self, template: str) -> str:
        name = f"t{uuid.uuid4().hex}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self.server.url(name)

    def dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    @staticmethod
    def _restart_ids(engine: Engine) -> None:
        """A rolled back insert leaves its sequence advanced; ids must not depend on the tests that ran before."""
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, start_value, false)"
                " FROM pg_sequences WHERE last_value IS NOT NULL"
            )


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = SqliteStore(tmp_path_factory.mktemp("sqlite"))
    yield store
    store.dispose()


@pytest.fixture(scope="session")
def postgresql_store() -> Iterator[Store]:
    try:
        server = Server()
    except Unavailable as reason:
        if IN_CI or NO_SKIPS:
            pytest.fail(f"PostgreSQL must be tested here, but {reason}")
        pytest.skip(f"PostgreSQL is not tested: {reason}")
    try:
        store = PostgresqlStore(server)
        yield store
        store.dispose()
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """Every test that asks for a database runs on both stores."""
    chosen: Store = request.getfixturevalue(f"{request.param}_store")
    return chosen


@pytest.fixture
def database_url(store: Store) -> str:
    """The address of a fresh database of this test alone, for tests that start processes or build an app."""
    return store.fresh_url()


@pytest.fixture
def engine(request: pytest.FixtureRequest, store: Store) -> Iterator[Engine]:
    """An engine on an empty schema. With `database_url` in the same test it opens that very database."""
    if "database_url" in request.fixturenames:
        own = open_engine(request.getfixturevalue("database_url"))
        yield own
        own.dispose()
        return
    shared = store.shared()
    commits: list[sa.Connection] = []
    remember = commits.append
    event.listen(shared, "commit", remember)
    yield shared
    event.remove(shared, "commit", remember)
    if commits:
        store.sweep()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session in an open write transaction, rolled back at the end."""
    with Session(engine, expire_on_commit=False) as opened:
        opened.begin()
        opened.connection()
        yield opened
        opened.rollback()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real published files beside the project; absent outside its workshop, and then the test is skipped aloud."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no published data at {folder}")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m shared` selects by what a test uses, so that nobody has to remember the marker."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With TESTS_NO_SKIPS a skip fails, but for data that only the workshop has."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail") and "shared" not in item.keywords:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, pytest.CollectReport]:
    report: pytest.CollectReport = yield
    if NO_SKIPS and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report
