"""Fixtures for every test: both stores with an empty schema, a session, real published data."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import open_engine
from tests.postgresql import Server, Unavailable
from tests.stores import PostgresqlStore, SqliteStore, Store, unhurried
from tests.tables import ROOT

# In continuous integration a test that cannot run is a failure, not a skip.
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
NO_SKIPS = bool(os.environ.get("TESTS_NO_SKIPS"))

# Nothing is asserted about how long something takes; in continuous integration every run tries the same examples.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI
)
hypothesis.settings.load_profile("house")


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
def database_url(request: pytest.FixtureRequest, store: Store) -> Iterator[str]:
    """The address of a database of this test alone, for tests that start processes or build an app."""
    if request.node.get_closest_marker("story"):
        yield store.fresh_url()  # its processes are killed, and nobody knows when they let go
        return
    url = store.lend()
    yield url
    store.take_back(url)


@pytest.fixture
def engine(request: pytest.FixtureRequest, store: Store) -> Iterator[Engine]:
    """An engine on an empty schema. With `database_url` in the same test it opens that very database."""
    if "database_url" in request.fixturenames:
        own = unhurried(open_engine(request.getfixturevalue("database_url")))
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
    """`-m shared` selects by what a test uses, so that nobody has to remember the marker.

    Stories come first: they wait a lot, and side by side with the others that costs nobody anything.
    """
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")
    items.sort(key=lambda item: item.get_closest_marker("story") is None)


def pytest_sessionstart() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


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
