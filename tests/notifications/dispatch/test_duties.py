"""Duties: due by the clock, once in the fleet, one that fails keeps no other waiting."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from database import transaction
from notifications.dispatch import duties
from notifications.dispatch.duties import Duty, DutyTime, in_one_transaction
from tests.notifications.builders import HOUR, NOW
from tests.notifications.dispatch.clockwork import let_duties_come_due, let_hands_tire


@pytest.fixture
def done():
    return []


def remembering(done, name="sweep", **more):
    return Duty(name, HOUR, lambda _engine, now: done.append((name, now)), **more)


def test_a_new_duty_is_due_at_once_and_then_after_its_interval(engine, done):
    duty = remembering(done)
    assert duties.see_to(engine, [duty], NOW) == ["sweep"]
    assert duties.see_to(engine, [duty], NOW) == []
    let_duties_come_due(engine)
    assert duties.see_to(engine, [duty], NOW + HOUR) == ["sweep"]
    assert done == [("sweep", NOW), ("sweep", NOW + HOUR)]


def test_while_one_worker_has_it_in_hand_no_other_takes_it_up(engine, done):
    inner = remembering(done)

    def long(engine, now):
        assert duties.see_to(engine, [inner], now) == []

    assert duties.see_to(engine, [Duty("sweep", HOUR, long)], NOW) == ["sweep"]
    assert done == []


def test_of_two_that_saw_it_due_one_does_it(engine, done):
    duties.see_to(engine, [remembering(done)], NOW)
    let_duties_come_due(engine)
    done.clear()
    with transaction(engine, "read") as session:
        assert session.scalar(sa.select(DutyTime.name).where(duties._open(session, NOW))) == "sweep"
    taken = []
    for _ in range(2):
        with transaction(engine) as session:
            taken.append(duties._take(session, remembering(done), NOW))
    assert [fence is not None for fence in taken] == [True, False]


def test_what_a_dead_worker_had_in_hand_is_taken_up_again(engine, done):
    class Killed(BaseException):
        pass

    def die(_engine, _now):
        raise Killed

    with pytest.raises(Killed):
        duties.see_to(engine, [Duty("sweep", HOUR, die)], NOW)
    assert duties.see_to(engine, [remembering(done)], NOW) == []
    let_hands_tire(engine)
    assert duties.see_to(engine, [remembering(done)], NOW) == ["sweep"]


def test_a_worker_that_comes_back_too_late_does_not_end_what_another_has_in_hand(engine, done):
    def slow(engine, now):
        let_hands_tire(engine)
        with transaction(engine) as session:
            assert duties._take(session, remembering(done), now) is not None

    duties.see_to(engine, [Duty("sweep", HOUR, slow)], NOW)
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(DutyTime.held_until)).one() is not None


def test_one_that_fails_keeps_no_other_waiting_and_is_tried_again(engine, done, monkeypatch):
    said = []
    monkeypatch.setattr(duties.log, "exception", lambda event, **more: said.append((event, more)))

    def fail(_engine, _now):
        raise ValueError("of ours")

    both = [Duty("broken", HOUR, fail), remembering(done)]
    assert duties.see_to(engine, both, NOW) == ["sweep"]
    assert said == [("duty_failed", {"duty": "broken"})]
    with transaction(engine, "read") as session:
        due = dict(session.execute(sa.select(DutyTime.name, DutyTime.due_at)).all())
    assert due["sweep"] - due["broken"] > HOUR - 2 * duties.AGAIN_AFTER_A_FAULT


def test_without_the_database_the_duty_stays_in_hand_and_the_caller_learns_of_it(engine):
    def unreachable(_engine, _now):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        duties.see_to(engine, [Duty("sweep", HOUR, unreachable)], NOW)


def test_a_duty_of_one_transaction_is_rolled_back_when_it_fails(engine):
    def write_and_fail(session, _now):
        session.execute(sa.update(DutyTime).values(fence=99))
        raise ValueError

    duties.see_to(engine, [Duty("sweep", HOUR, in_one_transaction(write_and_fail))], NOW)
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(DutyTime.fence)).one() == 1


def test_a_duty_of_one_transaction_is_committed(engine):
    def write(session, now):
        session.add(DutyTime(name="another", due_at=now, held_until=None, fence=7))

    duties.see_to(engine, [Duty("sweep", HOUR, in_one_transaction(write), lasts=dt.timedelta(seconds=30))], NOW)
    with transaction(engine, "read") as session:
        assert session.get_one(DutyTime, "another").fence == 7
