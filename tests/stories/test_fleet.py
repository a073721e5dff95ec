"""Two workers over one PostgreSQL share a send: one is killed, one frozen, the database goes and comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from database import open_engine
from tests.conftest import PostgresqlStore
from tests.stories import people
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

PHONES = 6_000
LEASE_S = 3
# What one worker may have had under way when it died: a step of each batch in its hands. One at a time: of so few
# phones the first worker would otherwise hold every batch before the second looks.
STEP, AT_ONCE = 50, 1
PAIR = ("worker", "second")


@pytest.fixture
def city(postgresql_store: PostgresqlStore, tmp_path: Path) -> Iterator[RunningCity]:
    """Two workers at work in a city on PostgreSQL, and a provider that takes its time."""
    url = postgresql_store.fresh_url()
    # A worker that hears no nudge would look only after a minute.
    running = RunningCity(tmp_path, url, FLEET_POLL_SECONDS="60", BATCHES_AT_ONCE=str(AT_ONCE))
    try:
        running.start()
        running.fault(fault="SLOW", delay_s=0.2)
        yield running
    finally:
        running.stop()


def begin(city: RunningCity) -> tuple[set[str], dict[str, object], str]:
    """Both workers are up, an order is released and some phones have rung: who must ring, the alert, the message."""
    engine = city.engine()
    phones = people.settle(engine, PHONES, seed=5)
    people.build_shelters(engine)
    engine.dispose()
    for name in PAIR:
        city.start_worker(name)
    wait_for(lambda: city.ask("GET", "/readyz")["checks"]["worker"]["alive"] == len(PAIR), "both workers")
    wait_for(lambda: listeners(city) >= len(PAIR), "both to listen for nudges")
    alert = city.issue(people.flood_order())
    message_id = str(city.progress(alert)["message_id"])
    wait_for(lambda: sum(city.rung(message_id).values()) > 100, "the first phones")
    return people.inside(phones), alert, message_id


def listeners(city: RunningCity) -> int:
    """Workers that hear when there is work; each has procrastinate's ear and one of its own."""
    engine = city.engine()
    with engine.connect() as connection:
        ears = "query ILIKE 'listen %' OR query = 'SELECT 1'"  # so it asks now and then whether it still hears
        query = sa.text(f"SELECT count(*) / 2 FROM pg_stat_activity WHERE datname = current_database() AND ({ears})")
        found = int(connection.scalar(query) or 0)
    engine.dispose()
    return found


def holders(city: RunningCity) -> set[str]:
    """Workers that hold batches at this moment."""
    engine = city.engine()
    with engine.connect() as connection:
        query = sa.text("SELECT DISTINCT lease_owner FROM batches WHERE state = 'leased'")
        found = {str(owner) for owner in connection.scalars(query)}
    engine.dispose()
    return found


def test_two_share_a_send_and_the_one_that_is_left_ends_it(city: RunningCity) -> None:
    expected, alert, message_id = begin(city)
    wait_for(lambda: len(holders(city)) == 2, "both to send")
    city.kill("second")
    progress = city.sent(alert)
    rung = city.rung(message_id)
    assert set(rung) == expected
    assert sum(rung.values()) - len(rung) <= STEP * AT_ONCE
    assert sum(progress["outcomes"].values()) == len(expected)


def test_one_that_was_frozen_for_longer_than_its_lease_writes_nothing_afterwards(city: RunningCity) -> None:
    expected, alert, message_id = begin(city)
    process = city._processes["second"]
    wait_for(lambda: len(holders(city)) == 2, "both to send")
    os.kill(process.pid, signal.SIGSTOP)
    city.sent(alert)
    before = ledger(city)
    os.kill(process.pid, signal.SIGCONT)
    wait_for(lambda: "lease_lost" in city.words("second"), "the frozen one to notice")
    assert ledger(city) == before
    rung = city.rung(message_id)
    assert set(rung) == expected
    assert sum(rung.values()) - len(rung) <= STEP * AT_ONCE
    assert process.poll() is None, "it goes on working"


def ledger(city: RunningCity) -> list[tuple[object, ...]]:
    """What is written of every batch."""
    engine = city.engine()
    with engine.connect() as connection:
        query = sa.text("SELECT id, state, fence, outcomes, tries, answered FROM batches ORDER BY id")
        rows = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return rows


def test_when_the_database_goes_and_comes_back_all_go_on_by_themselves(city: RunningCity) -> None:
    expected, alert, message_id = begin(city)
    name = sa.make_url(city.database_url).database
    admin = open_engine(sa.make_url(city.database_url).set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(ended), {"name": name})
        for worker in PAIR:
            wait_for(lambda worker=worker: "database_unreachable" in city.words(worker), f"{worker} to notice")
        connection.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    admin.dispose()
    progress = city.sent(alert)
    assert set(city.rung(message_id)) == expected
    assert sum(progress["outcomes"].values()) == len(expected)
    assert all(city._processes[worker].poll() is None for worker in PAIR), "none was started again"
