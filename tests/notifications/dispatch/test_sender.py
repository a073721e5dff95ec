"""Sending a batch: what every answer of a provider does to recipient, phone, batch and operator."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from database import transaction
from notifications import devices, messages, told
from notifications.audiences import Audience
from notifications.channels.promise import Fault, Outcome, Outlet, Result
from notifications.devices import Device
from notifications.dispatch import batches, governor, incidents, planner
from notifications.dispatch.batches import Batch
from notifications.dispatch.sender import STEP
from notifications.messages import Kind, Message
from tests.notifications.builders import HOUR, MINUTE, NOW, SECOND, make_device, make_message, make_token, plan
from tests.notifications.dispatch.scripted import ACCEPTED, LEASE, RETRY_BASE, Desk

UNKNOWN, RETRY = Result(Outcome.UNKNOWN), Result(Outcome.RETRY)
LONGEST = 5 * MINUTE


@pytest.fixture
def desk(engine):
    return Desk(engine)


def _withdraw(desk, message):
    with transaction(desk.engine) as session:
        batches.withdraw(session, [message.id])


def _told(desk, message):
    with transaction(desk.engine, "read") as session:
        return told.count(session, message.id)


def _incidents(desk):
    with transaction(desk.engine, "read") as session:
        return [(one.kind, one.times) for one in incidents.open_ones(session)]


# What every outcome does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "outcome", "token_state", "state"),
    [
        (ACCEPTED, Outcome.ACCEPTED, "active", "closed"),
        (UNKNOWN, Outcome.UNKNOWN, "active", "ready"),
        (RETRY, Outcome.RETRY, "active", "ready"),
        (Result(Outcome.UNREGISTERED), Outcome.UNREGISTERED, "unregistered", "closed"),
        (Result(Outcome.INVALID), Outcome.INVALID, "invalid", "closed"),
        (Result(Outcome.MISMATCH), Outcome.MISMATCH, "mismatch", "closed"),
        (Result(Outcome.FAILED), Outcome.FAILED, "active", "closed"),
        (Result(Outcome.NO_TOKEN), Outcome.NO_TOKEN, "active", "closed"),
        (Result(Outcome.RETRY, fault=Fault.CREDENTIALS, detail="x"), Outcome.RETRY, "active", "stopped"),
    ],
    ids=lambda value: value.name if isinstance(value, Outcome) else "",
)
def test_an_answer_decides_about_recipient_token_and_batch(desk, result, outcome, token_state, state):
    message, (first, second) = desk.message(2)
    desk.channel.script[second] = [result]
    desk.send()
    expected = {Outcome.ACCEPTED: 2} if outcome is Outcome.ACCEPTED else {Outcome.ACCEPTED: 1, outcome: 1}
    assert desk.outcomes(message) == expected
    assert (desk.token_state(first), desk.token_state(second)) == ("active", token_state)
    batch = desk.batch()
    assert (batch.state, batch.first_handed_at, bool(batch.closed_at)) == (state, NOW, state == "closed")
    assert bytes(batch.tries) == b"\x01\x01"
    assert (batch.lease_owner, batch.lease_until) == (None, None)
    assert _told(desk, message) == 2


def test_a_phone_that_left_is_gone_and_one_without_token_is_not_rung(desk):
    message, tokens = desk.message(4)
    with transaction(desk.engine) as session:
        gone, off, dead, _ = session.scalars(sa.select(Device).order_by(Device.id)).all()
        devices.erase(session, gone)
        devices.set_token(session, off, None, NOW)
        devices.deactivate_token(session, dead.token_hash, devices.TokenState.UNREGISTERED)
    desk.send()
    assert desk.channel.handed == [tokens[3]]
    assert desk.outcomes(message) == {Outcome.GONE: 1, Outcome.NO_TOKEN: 2, Outcome.ACCEPTED: 1}
    assert desk.states() == ["closed"]


def test_a_phone_that_cannot_be_rung_is_told_in_its_inbox_without_a_batch_in_the_queue(desk):
    with transaction(desk.engine) as session:
        make_device(session, token=None)
        message = make_message(session, Audience(everyone=True))
        plan(session)
    assert desk.states() == ["closed"]
    assert desk.outcomes(message) == {Outcome.NO_TOKEN: 1}
    assert _told(desk, message) == 1
    assert desk.claim() is None


def test_a_token_rotated_after_planning_is_the_one_that_rings_and_the_old_ones_end_spares_it(desk):
    _, (old,) = desk.message(1)
    new = make_token()
    desk.channel.script[old] = [Result(Outcome.UNREGISTERED)]

    def rotate(_call):
        with transaction(desk.engine) as session:
            devices.set_token(session, session.scalars(sa.select(Device)).one(), new, desk.now)

    desk.channel.meanwhile = rotate
    desk.send()
    assert desk.channel.handed == [old]
    assert desk.token_state(new) == "active"


def test_a_malformed_token_is_only_blamed_when_the_same_bytes_were_taken_for_somebody(desk):
    message, tokens = desk.message(3)
    desk.channel.everybody = Result(Outcome.INVALID)
    desk.send()
    assert desk.outcomes(message) == {Outcome.INVALID: 3}
    assert {desk.token_state(token) for token in tokens} == {"active"}


def test_bytes_taken_for_a_later_phone_of_the_step_convict_an_earlier_token(desk):
    _, (first, second) = desk.message(2)
    desk.channel.script[first] = [Result(Outcome.INVALID)]
    desk.send()
    assert (desk.token_state(first), desk.token_state(second)) == ("invalid", "active")


# Waiting ----------------------------------------------------------------------------------------------------------


def test_a_refusal_for_now_waits_twice_as_long_each_time_up_to_a_cap_until_it_is_taken(desk):
    message, (token,) = desk.message(1)
    desk.channel.script[token] = [RETRY] * 7 + [ACCEPTED]
    waits = []
    while desk.send() is not None:
        batch = desk.batch()
        if batch.state == "closed":
            break
        waits.append(batch.not_before - desk.now)
        assert desk.claim() is None
        desk.pass_(seconds=waits[-1].total_seconds())
    assert waits == [min(LONGEST, RETRY_BASE * 2**n) for n in range(7)]
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 1}


def test_what_was_refused_together_comes_back_spread(desk):
    desk.jitter = 0.5
    _, (token,) = desk.message(1)
    desk.channel.script[token] = [RETRY]
    desk.send()
    assert desk.batch().not_before == NOW + RETRY_BASE * 1.1


@pytest.mark.parametrize("asked_s", [3.0, 900.0])
def test_the_providers_own_word_about_when_is_honoured(desk, asked_s):
    _, (token, _) = desk.message(2)
    desk.channel.script[token] = [Result(Outcome.RETRY, retry_after_s=asked_s), ACCEPTED]
    desk.send()
    assert desk.batch().not_before == NOW + dt.timedelta(seconds=asked_s)
    desk.pass_(seconds=asked_s)
    desk.send()
    assert desk.channel.handed.count(token) == 2
    assert desk.states() == ["closed"]


def test_nobody_is_tried_after_the_messages_time(desk):
    message, (token, _) = desk.message(2, expires_at=NOW + 30 * SECOND)
    desk.channel.script[token] = [Result(Outcome.RETRY, retry_after_s=31.0)]
    desk.send()
    assert desk.outcomes(message) == {Outcome.EXPIRED: 1, Outcome.ACCEPTED: 1}
    assert desk.states() == ["closed"]


def test_a_batch_claimed_too_late_is_handed_to_nobody(desk):
    message, _ = desk.message(3, expires_at=NOW + MINUTE)
    desk.pass_(minutes=1)
    desk.send()
    assert desk.channel.calls == []
    assert desk.outcomes(message) == {Outcome.EXPIRED: 3}
    assert desk.states() == ["closed"]


def test_silence_is_tried_once_more_and_then_left_as_it_is(desk):
    message, (token,) = desk.message(1)
    desk.channel.script[token] = [UNKNOWN]
    desk.send()
    assert desk.batch().not_before == NOW + 10 * SECOND
    desk.pass_(seconds=10)
    desk.send()
    assert desk.states() == ["closed"]
    assert desk.channel.handed == [token, token]
    assert desk.outcomes(message) == {Outcome.UNKNOWN: 1}


def test_silence_that_outlives_the_message_counts_as_told(desk):
    message, (token,) = desk.message(1, expires_at=NOW + 5 * SECOND)
    desk.channel.script[token] = [UNKNOWN]
    desk.send()
    assert desk.states() == ["closed"]
    assert desk.outcomes(message) == {Outcome.UNKNOWN: 1}


def test_the_quota_of_the_whole_project_holds_everybody(desk):
    message, tokens = desk.message(2 * STEP)
    desk.channel.script[tokens[0]] = [Result(Outcome.RETRY, retry_after_s=40.0, project_wide=True), ACCEPTED]
    desk.send()
    assert len(desk.channel.handed) == STEP
    assert desk.batch().not_before == NOW + 40 * SECOND
    assert desk.paused_until() == NOW + 40 * SECOND
    desk.pass_(seconds=39)
    assert desk.another_sender().run() == 0, "another process waits as well"
    desk.pass_(seconds=1)
    assert desk.another_sender().run() == 1
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 2 * STEP}


def test_a_quota_of_one_phone_holds_nobody_else(desk):
    message, tokens = desk.message(2 * STEP)
    desk.channel.script[tokens[0]] = [Result(Outcome.RETRY, retry_after_s=40.0), ACCEPTED]
    desk.send()
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 2 * STEP - 1, Outcome.RETRY: 1}
    assert desk.paused_until() is None


def test_a_pause_that_another_worker_met_hands_the_rest_back_untouched(desk):
    message, _ = desk.message(2 * STEP)

    def pause(_call):
        with transaction(desk.engine) as session:
            governor.pause(session, Outlet.FCM, NOW + MINUTE, "why")

    desk.channel.meanwhile = pause
    desk.send()
    assert desk.outcomes(message) == {Outcome.ACCEPTED: STEP, Outcome.PENDING: STEP}
    assert (desk.batch().state, desk.batch().not_before) == ("ready", NOW + MINUTE)


def test_each_waits_for_his_own_time_and_not_for_the_longest(desk):
    message, (first, second, third) = desk.message(3)
    desk.channel.script[first] = [Result(Outcome.RETRY, retry_after_s=900.0), ACCEPTED]
    desk.channel.script[second] = [Result(Outcome.RETRY, retry_after_s=20.0), ACCEPTED]
    desk.send()
    assert desk.batch().not_before == NOW + 20 * SECOND
    desk.pass_(seconds=20)
    desk.send()
    assert desk.channel.handed == [first, second, third, second]
    assert desk.batch().not_before == NOW + 900 * SECOND
    desk.pass_(seconds=880)
    desk.send()
    assert desk.channel.handed == [first, second, third, second, first]
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 3}


def test_a_phone_told_late_is_rung_as_long_as_the_message_lasts(desk):
    """A drill lives an hour on a phone, an order a day: who moves in later must be rung and is no fault of ours."""
    message, (token,) = desk.message(1, drill=True, kind=Kind.ALERT, level=4, hazard="flood", expires_at=NOW + 6 * HOUR)
    desk.pass_(hours=5)
    desk.send()
    assert desk.channel.handed == [token]
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 1}
    assert _incidents(desk) == []


# Steps, leases, stopping ------------------------------------------------------------------------------------------


def test_at_most_fifty_are_handed_over_between_two_writes(desk):
    _, tokens = desk.message(STEP * 2 + 7)
    written = []

    def look(_call):
        stored = desk.batch().outcomes
        written.append(sum(byte == Outcome.ACCEPTED for byte in stored))

    desk.channel.meanwhile = look
    desk.send()
    assert [len(call) for call in desk.channel.calls] == [STEP, STEP, 7]
    assert written == [0, STEP, 2 * STEP]
    assert desk.channel.handed == tokens


def test_no_transaction_is_open_while_the_provider_answers(desk):
    """Another process can write then: on SQLite there is one writer, and here it would wait for us in vain."""
    desk.message(STEP + 1)
    wrote = []

    def write(_call):
        with desk.engine.connect() as connection:
            if desk.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA busy_timeout=0")
            else:
                connection.exec_driver_sql("SET lock_timeout='1s'")
            connection.exec_driver_sql("UPDATE devices SET app_version='2'")
            connection.exec_driver_sql("UPDATE batches SET rank=rank")
            connection.commit()
            wrote.append(True)

    desk.channel.meanwhile = write
    desk.send()
    assert wrote == [True, True]


def test_a_request_to_stop_hands_back_what_is_left_at_once(desk):
    message, tokens = desk.message(STEP * 3)
    desk.channel.script[tokens[0]] = [Result(Outcome.RETRY, retry_after_s=900.0), ACCEPTED]

    def stop(call):
        desk.stopping = call == 2

    desk.channel.meanwhile = stop
    desk.send()
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 2 * STEP - 1, Outcome.RETRY: 1, Outcome.PENDING: STEP}
    assert (desk.batch().state, desk.batch().lease_owner) == ("ready", None)
    desk.stopping = False
    held = desk.send(desk.another_sender())
    assert held is not None, "whoever was not tried yet need not wait for the one who was refused"
    assert not held.reclaimed
    assert set(desk.channel.handed) == set(tokens)


def test_a_killed_worker_repeats_at_most_one_step(desk):
    message, tokens = desk.message(STEP * 3)

    class Killed(BaseException):
        pass

    def kill(call):
        if call == 2:
            raise Killed

    desk.channel.meanwhile = kill
    with pytest.raises(Killed):
        desk.send()
    assert desk.claim("two") is None
    desk.pass_(seconds=LEASE.total_seconds() + 1)
    desk.channel.meanwhile = lambda call: None
    held = desk.claim("two")
    assert held.reclaimed
    desk.another_sender().send(held, desk.seconds)
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 3 * STEP}
    doubled = [token for token in tokens if desk.channel.handed.count(token) > 1]
    assert doubled == tokens[STEP : 2 * STEP]


def test_a_worker_that_lost_its_lease_writes_nothing_and_stops(desk):
    message, tokens = desk.message(STEP * 3)
    other = desk.another_sender()

    def overtaken(call):
        if call == 1:
            desk.pass_(seconds=LEASE.total_seconds() + 1)
            held = desk.claim("two")
            assert held.reclaimed
            other.send(held, desk.seconds)

    desk.channel.meanwhile = overtaken
    desk.channel.script[tokens[0]] = [ACCEPTED, Result(Outcome.UNREGISTERED)]
    desk.send()
    assert len(desk.channel.calls) == 4  # one of the loser, three of the winner
    assert desk.states() == ["closed"]
    assert desk.batch().fence == 2
    assert sum(desk.outcomes(message).values()) == 3 * STEP


def test_a_process_that_stood_still_asks_before_it_goes_on(desk):
    _, tokens = desk.message(2)
    held = desk.claim("sleeper")
    claimed = desk.seconds
    desk.pass_(seconds=LEASE.total_seconds() + 1)
    desk.send()
    desk.sender.send(held, claimed)
    assert desk.channel.handed == tokens


def test_a_process_that_stood_still_but_kept_its_lease_goes_on(desk):
    message, tokens = desk.message(2)
    held = desk.claim("sleeper")
    claimed = desk.seconds
    desk.pass_(seconds=LEASE.total_seconds() * 0.75)
    desk.sender.send(held, claimed)
    assert desk.channel.handed == tokens
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 2}


# Faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", list(Fault))
def test_a_fault_of_ours_stops_every_batch_and_opens_one_incident_until_somebody_mends_it(desk, fault):
    message, tokens = desk.message(batches.LARGEST + 10)
    desk.channel.everybody = Result(Outcome.FAILED, fault=fault, detail="why")
    desk.send()
    desk.send()
    assert desk.send() is None
    assert desk.states() == ["stopped", "stopped"]
    assert len(desk.channel.calls) == 2
    assert _incidents(desk) == [(fault.value, 2)]
    assert set(desk.outcomes(message)) == {Outcome.PENDING, Outcome.RETRY}
    assert all(desk.token_state(token) == "active" for token in tokens[:2])
    with transaction(desk.engine) as session:
        incident = incidents.open_ones(session)[0]
        assert incidents.resolve(session, incident.id, "duty", desk.now) == 2
        assert incidents.resolve(session, incident.id, "duty", desk.now) is None
    desk.channel.everybody = ACCEPTED
    while desk.send() is not None:
        pass
    assert desk.outcomes(message) == {Outcome.ACCEPTED: batches.LARGEST + 10}
    assert _incidents(desk) == []


def test_the_end_of_an_incident_that_stopped_nothing_starts_nothing(desk):
    desk.message(1)
    desk.channel.everybody = Result(Outcome.FAILED, fault=Fault.CREDENTIALS, detail="why")
    desk.send()
    with transaction(desk.engine) as session:
        other = incidents.report(session, "review", "nobody signed", desk.now, "an alert")
        assert incidents.resolve(session, other.id, "duty", desk.now) == 0
    assert desk.states() == ["stopped"]
    assert _incidents(desk) == [("credentials", 1)]


def test_the_same_fault_after_it_was_mended_is_a_new_incident(desk):
    desk.message(1)
    desk.channel.everybody = Result(Outcome.FAILED, fault=Fault.SENDER, detail="why")
    for turn in (1, 2):
        desk.send()
        with transaction(desk.engine) as session:
            (incident,) = incidents.open_ones(session)
            assert (incident.id, incident.times) == (turn, 1)
            incidents.resolve(session, incident.id, "duty", desk.now)


def test_strangers_tokens_in_a_whole_step_are_our_fault_and_cost_nobody_his_token(desk):
    message, tokens = desk.message(12)
    desk.channel.everybody = Result(Outcome.MISMATCH)
    desk.send()
    assert desk.states() == ["stopped"]
    assert _incidents(desk) == [("sender", 1)]
    assert {desk.token_state(token) for token in tokens} == {"active"}
    assert desk.outcomes(message) == {Outcome.PENDING: 12}


def test_a_message_too_large_for_the_channel_is_a_fault_and_reaches_nobody(desk):
    message, _ = desk.message(2)
    desk.channel.too_large = {"ja"}
    desk.send()
    assert desk.channel.calls == []
    assert _incidents(desk) == [("payload", 1)]
    assert desk.outcomes(message) == {Outcome.PENDING: 2}


def test_a_phone_that_may_have_been_rung_stays_so_when_a_fault_follows(desk):
    message, (token,) = desk.message(1)
    desk.channel.script[token] = [UNKNOWN, Result(Outcome.FAILED, fault=Fault.CREDENTIALS, detail="why")]
    desk.send()
    desk.pass_(seconds=10)
    desk.send()
    assert desk.states() == ["stopped"]
    assert desk.outcomes(message) == {Outcome.UNKNOWN: 1}


# Withdrawal -------------------------------------------------------------------------------------------------------


def test_a_withdrawn_batch_is_closed_and_those_not_handed_over_are_not_told(desk):
    message, tokens = desk.message(STEP * 2)
    desk.channel.script[tokens[0]] = [UNKNOWN]
    desk.channel.script[tokens[1]] = [RETRY]
    desk.channel.script[tokens[2]] = [Result(Outcome.UNREGISTERED)]
    desk.channel.meanwhile = lambda call: _withdraw(desk, message)
    desk.send()
    assert len(desk.channel.handed) == STEP
    assert desk.outcomes(message) == {
        Outcome.ACCEPTED: STEP - 3, Outcome.UNKNOWN: 1, Outcome.UNREGISTERED: 1, Outcome.WITHDRAWN: STEP + 1,
    }  # fmt: skip
    assert desk.states() == ["closed"]
    assert _told(desk, message) == STEP - 1
    with transaction(desk.engine, "read") as session:
        ids = list(session.scalars(sa.select(Device.id).order_by(Device.id)))
        assert list(told.everybody(session, message.id)) == [ids[0], *ids[2:STEP]]


@pytest.mark.parametrize("answer", [Result(Outcome.RETRY, retry_after_s=900.0), UNKNOWN])
def test_a_withdrawal_during_the_last_step_does_not_wait_for_the_next_try(desk, answer):
    """What follows waits for this batch: a cancel must not wait for the Retry-After of what it cancels."""
    message, tokens = desk.message(2)
    desk.channel.script[tokens[0]] = [answer]
    desk.channel.meanwhile = lambda call: _withdraw(desk, message)
    desk.send()
    desk.send()
    assert desk.states() == ["closed"]
    assert len(desk.channel.calls) == 1


def test_a_withdrawal_during_a_fault_does_not_wait_for_the_operator(desk):
    message, _ = desk.message(2)
    desk.channel.everybody = Result(Outcome.FAILED, fault=Fault.SENDER, detail="why")
    desk.channel.meanwhile = lambda call: _withdraw(desk, message)
    desk.send()
    desk.send()
    assert desk.states() == ["closed"]
    assert desk.outcomes(message) == {Outcome.WITHDRAWN: 2}
    assert _told(desk, message) == 0


@pytest.mark.parametrize("state", ["ready later", "stopped"])
def test_what_waits_for_later_or_for_an_operator_is_withdrawn_at_once(desk, state):
    message, _ = desk.message(2)
    if state == "stopped":
        desk.channel.everybody = Result(Outcome.FAILED, fault=Fault.SENDER, detail="why")
    else:
        desk.channel.everybody = Result(Outcome.RETRY, retry_after_s=900.0)
    desk.send()
    assert desk.claim() is None
    _withdraw(desk, message)
    desk.send()
    assert desk.states() == ["closed"]
    assert len(desk.channel.calls) == 1
    assert _told(desk, message) == 0


def test_a_phone_that_may_have_been_rung_is_told_although_a_refusal_followed(desk):
    """Silence, then a refusal, then withdrawn: it may have rung the first time, so the cancel must reach it."""
    message, (token,) = desk.message(1)
    desk.channel.script[token] = [UNKNOWN, RETRY]
    desk.send()
    desk.pass_(seconds=10)
    desk.send()
    assert desk.states() == ["ready"]
    _withdraw(desk, message)
    desk.send()
    assert desk.states() == ["closed"]
    assert _told(desk, message) == 1


def test_after_silence_and_a_refusal_it_is_tried_until_it_is_taken(desk):
    message, (token,) = desk.message(1)
    desk.channel.script[token] = [UNKNOWN, RETRY, RETRY, ACCEPTED]
    for _ in range(4):
        assert desk.send() is not None
        desk.pass_(minutes=5)
    assert desk.outcomes(message) == {Outcome.ACCEPTED: 1}
    assert desk.states() == ["closed"]


def _die_in_step(desk, number):
    class Killed(BaseException):
        pass

    def kill(call):
        if call == number:
            raise Killed

    desk.channel.meanwhile = kill
    with pytest.raises(Killed):
        desk.send()
    desk.channel.meanwhile = lambda call: None
    desk.pass_(seconds=LEASE.total_seconds() + 1)


def test_whoever_the_killed_worker_may_have_rung_counts_as_told_when_it_is_withdrawn(desk):
    message, _ = desk.message(STEP * 3)
    _die_in_step(desk, 2)
    _withdraw(desk, message)
    desk.send(desk.another_sender())
    assert desk.outcomes(message) == {Outcome.ACCEPTED: STEP, Outcome.UNKNOWN: STEP, Outcome.WITHDRAWN: STEP}
    assert _told(desk, message) == 2 * STEP


def test_a_killed_workers_second_try_counts_as_told_when_it_is_withdrawn(desk):
    """Refused at first, killed while it was tried again: it may have rung."""
    message, tokens = desk.message(STEP)
    desk.channel.script[tokens[0]] = [RETRY, ACCEPTED]
    desk.send()
    desk.pass_(minutes=1)
    _die_in_step(desk, 2)
    _withdraw(desk, message)
    desk.send(desk.another_sender())
    assert desk.outcomes(message) == {Outcome.ACCEPTED: STEP - 1, Outcome.UNKNOWN: 1}
    assert _told(desk, message) == STEP


def test_one_who_took_over_knows_whom_he_has_not_rung(desk):
    """After his own first step the doubt about his predecessor is over."""
    message, _ = desk.message(STEP * 3)
    _die_in_step(desk, 1)
    desk.channel.meanwhile = lambda call: _withdraw(desk, message)
    desk.send(desk.another_sender())
    assert desk.outcomes(message) == {Outcome.ACCEPTED: STEP, Outcome.WITHDRAWN: 2 * STEP}
    assert _told(desk, message) == STEP


def test_a_withdrawn_message_is_planned_no_further(desk):
    with transaction(desk.engine) as session:
        make_device(session)
        message = make_message(session, Audience(everyone=True))
        messages.withdraw(session, [message.id])
        assert planner.claim(session, desk.now, 1000) is None
        assert plan(session, desk.now + HOUR) == 0
        assert session.scalars(sa.select(Batch)).all() == []
        assert session.get_one(Message, message.id).planning == "withdrawn"
