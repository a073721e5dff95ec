"""The fleet's driver on a real PostgreSQL: nudges in the transaction of their cause, several workers, dead ones."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from database import open_engine, transaction
from notifications import nudges
from notifications.audiences import Audience
from notifications.channels.promise import Outcome, Outlet
from notifications.dispatch import batches, worker
from notifications.dispatch.drivers import NotReady, fleet, loops, messenger, schema
from notifications.dispatch.drivers.fleet import Fleet
from notifications.dispatch.worker import Worker
from notifications.messages import Lane
from tests.notifications.builders import HOUR, NOW, make_message, make_phones
from tests.notifications.dispatch.scripted import LEASE, RETRY_BASE, ScriptedChannel

PATIENCE_S = 30.0
SOON, NEVER = dt.timedelta(milliseconds=20), HOUR


@pytest.fixture
def engine(postgresql_store):
    own = open_engine(postgresql_store.fresh_url())
    nudges.carry(own, fleet.nudge)
    yield own
    own.dispose()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(messenger, "BEAT_S", 0.05)
    monkeypatch.setattr(messenger, "AGAIN_S", 0.05)
    monkeypatch.setattr(loops, "AGAIN_S", 0.05)


class Member:
    """A worker of the fleet, in a thread of the test with an engine of its own, as its own process would have."""

    def __init__(self, engine, look_again=NEVER):
        self.engine = open_engine(engine.url.render_as_string(hide_password=False))
        self.channel, self.error = ScriptedChannel(), None
        self.worker = Worker(
            self.engine, {Outlet.FCM: self.channel}, clock=lambda: NOW, lease=LEASE, retry_base=RETRY_BASE
        )
        self.driver = Fleet(SOON, look_again)
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.driver.run(self.worker)
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        until(self.engine, lambda session: listening(session) and worker.alive(session, NOW))
        return self

    def __exit__(self, *_):
        self.worker.stop()
        self.leave()
        self.engine.dispose()

    def leave(self):
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


def until(engine, true):
    watch = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        with transaction(engine, "read") as session:
            if true(session):
                return
        watch.wait(0.02)
    raise AssertionError("in vain")


def jobs(session, columns="status, priority, task_name"):
    return session.execute(sa.text(f"SELECT {columns} FROM procrastinate.procrastinate_jobs ORDER BY id")).all()


def listening(session):
    words = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    return session.scalar(sa.text(words)) >= 2


def post(engine, phones=3, **more):
    with transaction(engine) as session:
        make_phones(session, phones)
        return make_message(session, Audience(everyone=True), **more)


def told(message, count):
    return lambda session: batches.outcomes_of(session, message.id) == {Outcome.ACCEPTED: count}


def test_a_message_gives_one_nudge_of_its_rank_in_its_own_transaction(engine):
    with transaction(engine) as session:
        first = make_message(session, Audience(everyone=True), lane=Lane.REMINDER)
        with transaction(engine, "read") as other:
            assert jobs(other) == []
        make_message(session, Audience(everyone=True), lane=Lane.EVACUATION, level=5)
    with transaction(engine, "read") as session:
        assert jobs(session) == [("todo", -first.rank, messenger.TASK), ("todo", 0, messenger.TASK)]


def test_what_is_rolled_back_gives_none(engine):
    with sa.orm.Session(engine) as session:
        session.begin()
        make_message(session, Audience(everyone=True))
        assert len(jobs(session)) == 1
        session.rollback()
        assert jobs(session) == []


def test_the_houses_own_tables_are_found_after_a_nudge(engine):
    with transaction(engine) as session:
        make_message(session, Audience(everyone=True))
        assert session.scalar(sa.text("SELECT count(*) FROM messages")) == 1
    with transaction(engine, "read") as session:
        assert session.scalar(sa.text("SELECT current_setting('search_path')")) == '"$user", public'


def test_without_its_schema_the_message_is_posted_all_the_same(engine, monkeypatch):
    said = []
    monkeypatch.setattr(fleet.log, "error", lambda event, **more: said.append((event, more["reason"])))
    with engine.begin() as connection:
        schema.remove(connection)
    message = post(engine)
    assert [event for event, _ in said] == ["nudge_failed"]
    with transaction(engine, "read") as session:
        assert session.get(type(message), message.id) is not None


def test_a_nudge_wakes_a_worker_that_would_not_look_and_the_job_is_gone_when_the_work_is_done(engine):
    with Member(engine) as member:
        message = post(engine)
        until(engine, told(message, 3))
        until(engine, lambda session: not jobs(session))
    assert member.error is None
    assert member.channel.closed


def test_a_lost_nudge_is_made_good_by_looking(engine):
    nudges.carry(engine, None)
    with Member(engine, look_again=SOON):
        until(engine, told(post(engine), 3))


def test_doubled_nudges_change_nothing(engine):
    with Member(engine):
        with transaction(engine) as session:
            make_phones(session, 3)
            message = make_message(session, Audience(everyone=True))
            for _ in range(5):
                nudges.there_is_work(session, message.rank)
        until(engine, told(message, 3))
        until(engine, lambda session: not jobs(session))


def test_one_plans_and_all_send(engine, monkeypatch):
    """Each worker would sleep for an hour: what wakes the others is the nudge of the one that planned."""
    monkeypatch.setattr(batches, "LARGEST", 5)
    both = threading.Barrier(2, timeout=PATIENCE_S)
    with Member(engine) as one, Member(engine) as two:
        for member in (one, two):
            member.channel.meanwhile = lambda call: both.wait() if call == 1 else None
        until(engine, told(post(engine, phones=100), 100))
    assert one.channel.calls
    assert two.channel.calls


def test_the_nudge_of_a_dead_worker_is_given_to_a_living_one(engine, monkeypatch):
    monkeypatch.setattr(messenger, "STALLED_S", 0.5)
    post(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL search_path = procrastinate"))
        dead = connection.scalar(sa.text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        connection.execute(sa.text("SELECT procrastinate_fetch_job_v2(NULL, :dead)"), {"dead": dead})
        connection.execute(sa.text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"))
    with transaction(engine, "read") as session:
        assert jobs(session, "status") == [("doing",)]
    with Member(engine, look_again=dt.timedelta(seconds=1)):
        until(engine, lambda session: not jobs(session))


def test_ids_of_the_engines_workers_are_never_used_again(engine):
    seen = []
    query = sa.text("SELECT max(id) FROM procrastinate.procrastinate_workers")
    for _ in range(2):
        with Member(engine), engine.connect() as connection:
            until(engine, lambda session: session.scalar(query) is not None)
            seen.append(connection.scalar(query))
    assert seen[0] < seen[1]


def test_cut_off_from_the_database_a_worker_comes_back_by_itself_and_hears_nudges_again(engine):
    with Member(engine) as member:
        until(engine, told(post(engine), 3))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
            admin.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        engine.dispose()
        until(engine, listening)
        with transaction(engine) as session:
            message = make_message(session, Audience(everyone=True))
        until(engine, told(message, 3))
    assert member.error is None


def test_a_worker_of_another_version_does_not_begin(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("COMMENT ON SCHEMA procrastinate IS 'procrastinate 2.9'")
    member = Member(engine)
    member.thread.start()
    member.leave()
    assert isinstance(member.error, NotReady)
    assert "yobikake db upgrade" in str(member.error)


def test_a_worker_waits_at_its_start_for_a_database_that_is_not_there_yet(engine, monkeypatch):
    real, calls = fleet._fault, []

    def late(engine):
        calls.append(engine)
        if len(calls) < 3:
            raise OperationalError("SELECT 1", {}, Exception("starting up"))
        return real(engine)

    monkeypatch.setattr(fleet, "_fault", late)
    with Member(engine) as member:
        until(engine, told(post(engine), 3))
    assert member.error is None


def test_the_schema_is_the_one_of_the_library_that_is_installed(engine):
    with engine.begin() as connection:
        assert schema.fault(connection) is None
        schema.remove(connection)
        assert "yobikake db upgrade" in str(schema.fault(connection))
        schema.install(connection)
        assert schema.fault(connection) is None
        assert connection.scalar(sa.text("SELECT current_schema()")) == "public"


def test_another_version_of_the_library_is_named(engine, monkeypatch):
    monkeypatch.setattr(schema, "version", lambda _name: "4.0.1")
    with engine.connect() as connection:
        assert schema.fault(connection) == "procrastinate 4.0 is installed, this version of Yobikake is made for 3.10"
