"""The embedded driver: three threads, woken by their own process, stopped gently, dead when one of them dies."""

from __future__ import annotations

import datetime as dt
import threading

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from database import transaction
from notifications import nudges
from notifications.audiences import Audience
from notifications.channels.promise import Outcome, Outlet
from notifications.dispatch import batches, claims, worker
from notifications.dispatch.drivers import loops
from notifications.dispatch.drivers.embedded import Embedded
from notifications.dispatch.worker import Worker, WorkerBeat
from tests.notifications.builders import HOUR, NOW, make_message, make_phones, plan
from tests.notifications.dispatch.scripted import LEASE, RETRY_BASE, ScriptedChannel

PATIENCE_S = 30.0
NEVER_LOOKS = HOUR


class Shift:
    """A worker run by the driver in a thread of the test."""

    def __init__(self, engine, poll=dt.timedelta(milliseconds=5), alone=False):
        self.engine, self.channel, self.error = engine, ScriptedChannel(), None
        self.called = threading.Event()
        self.channel.meanwhile = lambda _call: self.called.set()
        self.worker = Worker(engine, {Outlet.FCM: self.channel}, clock=lambda: NOW, lease=LEASE, retry_base=RETRY_BASE)
        self.driver, self.alone = Embedded(poll), alone
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.driver.run(self.worker, alone=self.alone)
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.worker.stop()
        self.leave()

    def leave(self):
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()

    def until(self, true):
        """Looks at the ledger until something is true of it."""
        watch = threading.Event()
        for _ in range(int(PATIENCE_S / 0.01)):
            with transaction(self.engine, "read") as session:
                if true(session):
                    return
            watch.wait(0.01)
        raise AssertionError(f"in vain; the worker died of {self.error!r}")


def post(engine, phones=3):
    with transaction(engine) as session:
        make_phones(session, phones)
        return make_message(session, Audience(everyone=True))


def told(message, count):
    return lambda session: batches.outcomes_of(session, message.id) == {Outcome.ACCEPTED: count}


def test_it_finds_what_was_posted_by_looking(engine):
    with Shift(engine) as shift:
        message = post(engine)
        shift.until(told(message, 3))
    assert shift.error is None
    assert shift.channel.closed
    with transaction(engine, "read") as session:
        assert worker.alive(session, NOW) == [], "it signed off"


def test_what_its_own_process_posted_wakes_it_without_a_look(engine):
    with Shift(engine, poll=NEVER_LOOKS) as shift:
        shift.until(lambda session: worker.alive(session, NOW))
        message = post(engine)
        shift.until(told(message, 3))


def test_what_was_rolled_back_wakes_nobody(engine, monkeypatch):
    woken = []
    monkeypatch.setattr(loops.Crew, "wake", lambda crew: woken.append(crew) or [])
    with Shift(engine, poll=NEVER_LOOKS) as shift:
        shift.until(lambda session: worker.alive(session, NOW))
        with Session(engine) as session:
            session.begin()
            make_message(session, Audience(everyone=True))
            session.rollback()
        assert woken == []
        post(engine)
        assert len(woken) == 1


def test_after_it_has_left_posting_wakes_nobody(engine, monkeypatch):
    with Shift(engine):
        pass
    monkeypatch.setattr(loops.Crew, "wake", lambda crew: 1 / 0)
    post(engine)


def test_without_its_database_a_worker_does_not_send_and_goes_on_by_itself(engine, monkeypatch):
    monkeypatch.setattr(loops, "AGAIN_S", 0.005)
    refused, back = threading.Semaphore(0), threading.Event()

    def refuse(_connection):
        if not back.is_set():
            refused.release()
            raise OperationalError("SELECT 1", {}, Exception("gone"))

    message = post(engine)
    sa.event.listen(engine, "begin", refuse)
    try:
        with Shift(engine) as shift:
            for _ in range(20):
                assert refused.acquire(timeout=PATIENCE_S)
            assert shift.channel.calls == []
            back.set()
            shift.until(told(message, 3))
    finally:
        sa.event.remove(engine, "begin", refuse)


def test_a_worker_of_which_a_part_dies_ends_as_a_whole(engine, monkeypatch):
    def mistake(_worker):
        raise ZeroDivisionError

    monkeypatch.setattr(Worker, "duties", mistake)
    shift = Shift(engine)
    shift.thread.start()
    shift.leave()
    assert isinstance(shift.error, ZeroDivisionError)
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(WorkerBeat.id)).all() == []


def test_a_worker_that_knows_it_is_alone_takes_over_what_was_left_behind(engine):
    with transaction(engine) as session:
        make_phones(session, 3)
        message = make_message(session, Audience(everyone=True))
        plan(session)
    with transaction(engine) as session:
        assert claims.claim(session, "the one before", NOW, dt.timedelta(days=3650))
    with Shift(engine, alone=True) as shift:
        shift.until(told(message, 3))


def test_asked_to_stop_it_hands_back_what_it_holds(engine):
    post(engine, phones=120)
    shift = Shift(engine)
    shift.channel.meanwhile = lambda _call: shift.worker.stop()
    shift.thread.start()
    shift.leave()
    with transaction(engine, "read") as session:
        states = session.scalars(sa.select(batches.Batch.state)).all()
    assert states == ["ready"]


def test_a_nudge_on_an_engine_that_nobody_carries_is_nothing(session):
    nudges.there_is_work(session, 0)
