"""The worker: what goes first, by turns, and when it must not send."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from database import transaction
from geo import mesh
from notifications import alerts, told
from notifications.alerts import Act, Alert
from notifications.audiences import Audience
from notifications.channels.promise import Fault, Outcome, Outlet, Result
from notifications.dispatch import batches, claims, incidents, planner, worker
from notifications.dispatch.batches import Batch
from notifications.dispatch.ledger import FAIR_AFTER
from notifications.dispatch.sender import STEP
from notifications.dispatch.worker import Worker, WorkerBeat
from notifications.messages import Lane, Message
from tests.notifications.builders import (
    HOUR,
    INSIDE,
    MINUTE,
    NOW,
    make_alert,
    make_device,
    make_message,
    make_people,
    make_phones,
    plan,
)
from tests.notifications.dispatch.clockwork import let_duties_come_due
from tests.notifications.dispatch.scripted import LEASE, RETRY_BASE, ScriptedChannel


class Shift:
    """A worker with clocks that stand still."""

    def __init__(self, engine):
        self.engine, self.channel = engine, ScriptedChannel()
        self.now = NOW
        self.worker = Worker(
            engine, {Outlet.FCM: self.channel}, clock=lambda: self.now, lease=LEASE, retry_base=RETRY_BASE,
            monotonic=lambda: self.now.timestamp(),
        )  # fmt: skip

    @property
    def said(self):
        """The messages in the order in which steps were handed over."""
        return [call[0][0]["message"] for call in self.channel.calls]

    def outcomes(self, message):
        with transaction(self.engine, "read") as session:
            return batches.outcomes_of(session, message.id)


@pytest.fixture
def shift(engine):
    return Shift(engine)


def _write(engine, call):
    with transaction(engine) as session:
        return call(session)


def test_an_order_overtakes_a_running_notice_within_one_batch(engine, shift, monkeypatch):
    monkeypatch.setattr(batches, "LARGEST", 2 * STEP)

    def begin(session):
        make_phones(session, 20 * STEP - 1)
        make_device(session, INSIDE)
        return make_message(session, Audience(everyone=True))

    def order(session):
        people = make_people(session)
        return make_alert(session, people)[1]

    notice = _write(engine, begin)
    alarm = []

    def meanwhile(call):
        if call == 2:
            alarm.append(_write(engine, order))
            while shift.worker.plan_once():  # as the thread beside does
                pass

    shift.channel.meanwhile = meanwhile
    shift.worker.drain()
    said = shift.said
    assert said.index(alarm[0].public_id) <= 4, "after the steps that were on their way, of two batches at most"
    assert said.count(notice.public_id) == 20
    assert shift.outcomes(notice) == {Outcome.ACCEPTED: 20 * STEP}


def test_planning_and_sending_of_one_message_take_turns(engine, shift, monkeypatch):
    """The first phones ring while the last are looked up."""
    monkeypatch.setattr(planner, "CHUNKS", dict.fromkeys(planner.CHUNKS, 10))
    monkeypatch.setattr(planner, "FIRST_CHUNK", 10)

    def begin(session):
        make_phones(session, 60)
        return make_message(session, Audience(everyone=True))

    message = _write(engine, begin)
    offsets = []

    def look(_call):
        with transaction(engine, "read") as session:
            offsets.append(session.get_one(Message, message.id).plan_offset)

    shift.channel.meanwhile = look
    shift.worker.drain()
    assert shift.outcomes(message) == {Outcome.ACCEPTED: 60}
    assert offsets[0] < 60, "sent before all was planned"
    assert offsets == sorted(offsets)


def test_planning_that_waited_long_gets_a_turn_before_what_is_more_urgent(engine, shift):
    """An endless stream of urgent batches does not keep a reminder from being planned for ever."""

    def begin(session):
        make_phones(session, 60)
        urgent = make_message(session, Audience(everyone=True))
        planner.plan_chunk(session, urgent, NOW)
        return make_message(session, Audience(everyone=True), lane=Lane.REMINDER)

    patient = _write(engine, begin)
    assert not shift.worker.plan_once(), "what is to be sent goes first"
    shift.now += FAIR_AFTER + MINUTE
    assert shift.worker.plan_once()
    with transaction(engine, "read") as session:
        assert told.count(session, patient.id) == 60
    assert not shift.worker.plan_once(), "one chunk, and then it waits again"


def test_a_cancel_ends_what_is_on_its_way_and_then_goes_to_those_told(engine, shift, monkeypatch):
    monkeypatch.setattr(batches, "LARGEST", STEP)

    def begin(session):
        people = make_people(session)
        make_phones(session, 3 * STEP, [mesh.cell_of(INSIDE)])
        return people, *make_alert(session, people)

    def stop_it(session):
        return make_alert(session, people, act=Act.CANCEL, follows=session.get_one(Alert, alert.id))[1]

    people, alert, order = _write(engine, begin)
    cancel = []

    def meanwhile(call):
        if call == 1:
            cancel.append(_write(engine, stop_it))

    shift.channel.meanwhile = meanwhile
    shift.worker.drain()
    assert shift.said == [order.public_id, cancel[0].public_id]
    first, last = ([token for _, token in call] for call in shift.channel.calls)
    assert sorted(first) == sorted(last)
    assert shift.outcomes(order) == {Outcome.ACCEPTED: STEP, Outcome.WITHDRAWN: 2 * STEP}
    assert shift.outcomes(cancel[0]) == {Outcome.ACCEPTED: STEP}


def test_what_waits_for_another_worker_keeps_nothing_else_waiting(engine, shift):
    """An update waits for a batch that somebody else holds; a notice is planned and sent meanwhile."""

    def begin(session):
        people = make_people(session)
        make_device(session, INSIDE)
        alert, _ = make_alert(session, people)
        plan(session)
        assert claims.claim(session, "somebody else", NOW, LEASE)
        return make_alert(session, people, act=Act.UPDATE, follows=alert)[1]

    update = _write(engine, begin)
    notice = _write(engine, lambda session: make_message(session, Audience(everyone=True)))
    shift.worker.drain()
    assert shift.said == [notice.public_id]
    shift.now += LEASE + dt.timedelta(seconds=1)
    shift.worker.drain()
    assert shift.said == [notice.public_id, update.public_id]


def test_the_quota_of_the_whole_project_holds_everything_but_planning(engine, shift):
    def begin(session):
        (first, _) = make_phones(session, 2)
        shift.channel.script[first] = [Result(Outcome.RETRY, retry_after_s=60.0, project_wide=True)]
        return make_message(session, Audience(everyone=True))

    _write(engine, begin)
    shift.worker.drain()
    order = _write(engine, lambda session: make_message(session, Audience(everyone=True), lane=0, level=5))
    shift.worker.drain()
    assert len(shift.channel.calls) == 1
    with transaction(engine, "read") as session:
        assert session.get_one(Message, order.id).planning == "done"
    shift.now += MINUTE
    shift.channel.script.clear()
    shift.worker.drain()
    assert shift.outcomes(order) == {Outcome.ACCEPTED: 2}


def test_a_worker_that_knows_it_is_alone_takes_over_what_was_left_behind(engine, shift):
    def begin(session):
        make_phones(session, 3)
        message = make_message(session, Audience(everyone=True))
        plan(session)
        assert claims.claim(session, "the one before", NOW, HOUR)
        return message

    message = _write(engine, begin)
    shift.worker.drain()
    assert shift.channel.calls == []
    shift.worker.begin(alone=True)
    shift.worker.drain()
    assert shift.outcomes(message) == {Outcome.ACCEPTED: 3}


def test_a_worker_with_neighbours_leaves_their_leases_alone(engine, shift):
    def begin(session):
        make_phones(session, 3)
        make_message(session, Audience(everyone=True))
        plan(session)
        assert claims.claim(session, "a neighbour", NOW, HOUR)

    _write(engine, begin)
    shift.worker.begin(alone=False)
    shift.worker.drain()
    assert shift.channel.calls == []


def test_a_worker_says_that_it_lives_and_signs_off(engine, shift):
    shift.worker.drain()
    with transaction(engine, "read") as session:
        (beat,) = worker.alive(session, NOW + worker.SILENT_AFTER)
        assert (beat.id, beat.started_at, beat.sender) == (shift.worker.id, NOW, "scripted")
        assert worker.alive(session, NOW + worker.SILENT_AFTER + dt.timedelta(seconds=1)) == []
    shift.now += worker.BEAT_EVERY
    shift.worker.drain()
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(WorkerBeat.beat_at)).one() == NOW + worker.BEAT_EVERY
    shift.worker.sign_off()
    assert shift.channel.closed
    with transaction(engine, "read") as session:
        assert worker.alive(session, shift.now) == []


def test_two_workers_have_two_names(engine):
    assert Shift(engine).worker.id != Shift(engine).worker.id


def test_what_is_over_is_written_down_as_over(engine, shift):
    alert = _write(engine, lambda session: make_alert(session, make_people(session))[0])
    shift.now += 6 * HOUR
    shift.worker.drain()
    with transaction(engine, "read") as session:
        found = session.get_one(Alert, alert.id)
        assert (found.state, found.ended_at) == ("expired", shift.now)
        assert alerts.live(session, shift.now) == []


def test_an_incident_calls_an_operator_once(engine, shift, monkeypatch):
    calls = []
    monkeypatch.setattr("notifications.dispatch.paging.log.critical", lambda event, **more: calls.append(more))

    def begin(session):
        make_phones(session, 1)
        make_message(session, Audience(everyone=True))

    _write(engine, begin)
    shift.channel.everybody = Result(Outcome.FAILED, fault=Fault.CREDENTIALS, detail="the key was revoked")
    shift.worker.drain()
    for _ in range(3):
        let_duties_come_due(engine)
        shift.worker.drain()
    assert [(one["kind"], one["detail"]) for one in calls] == [("credentials", "the key was revoked")]
    with transaction(engine, "read") as session:
        assert incidents.open_ones(session)[0].paged_at is not None
        assert session.scalars(sa.select(Batch.state)).all() == ["stopped"]
