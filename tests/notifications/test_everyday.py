"""Everyday pushes give way to a phone's wishes, alerts never; whoever is not rung reads it all the same."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from notifications import everyday, preferences, told, topics
from notifications.audiences import Audience
from notifications.channels.promise import Outcome, Outlet
from notifications.dispatch import batches, claims, hush
from notifications.dispatch.batches import Batch
from notifications.everyday import Why
from notifications.garbage_days import WishRefused
from notifications.messages import Kind, Lane
from notifications.preferences import Preferences
from tests.notifications.builders import HOUR, INSIDE, NOW, make_alert, make_device, make_message, make_phones, plan

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
TEN_AT_NIGHT, SIX = 22 * 60, 6 * 60
NIGHT = dt.datetime(2026, 9, 1, 14, 0, tzinfo=dt.UTC)  # 23:00 in Tokyo
MORNING = dt.datetime(2026, 9, 1, 21, 0, tzinfo=dt.UTC)
EVERYBODY = Audience(everyone=True)


def _wish(session, device, **wishes):
    preferences.put(session, device, replace(Preferences(), **wishes))


def _batches(session, message):
    rows = session.scalars(sa.select(Batch).where(Batch.message_id == message.id).order_by(Batch.id))
    return [(row.not_before, list(row.outcomes)) for row in rows]


halves = st.integers(0, 47).map(lambda n: n * 30)


@given(
    st.one_of(st.none(), st.tuples(halves, halves).filter(lambda pair: pair[0] != pair[1])),
    st.integers(1, 50),
    st.frozensets(st.sampled_from(preferences.SORTS)),
)
def test_what_is_stored_of_preferences_reads_the_same(quiet, a_day, inbox_only):
    wanted = Preferences(quiet, a_day, inbox_only)
    assert preferences.read(wanted.written()) == wanted
    assert (wanted.written() == "") == (wanted == Preferences())


@given(
    st.tuples(halves, halves).filter(lambda pair: pair[0] != pair[1]),
    st.integers(0, 365 * 48 * 6).map(lambda n: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + n * dt.timedelta(minutes=5)),
    st.sampled_from([TOKYO, NEW_YORK]),
)
def test_quiet_hours_end_later_than_now_at_their_hour_and_within_a_day(quiet, now, zone):
    """Also on the two nights on which New York's clock changes."""
    until = Preferences(quiet).quiet_until(now, zone)
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    begin, end = quiet
    assert (until is not None) == (begin <= minute < end if begin < end else not end <= minute < begin)
    if until is not None:
        assert now < until <= now + dt.timedelta(hours=25)
        wall = until.astimezone(zone)
        assert wall.hour * 60 + wall.minute in (end, end + 60), "an hour that is skipped comes an hour later"


def test_a_notice_waits_for_the_end_of_the_quiet_hours_or_is_only_read(session):
    sleeper, waker = make_device(session), make_device(session)
    _wish(session, sleeper, quiet=(TEN_AT_NIGHT, SIX))
    long = make_message(session, EVERYBODY, NIGHT, expires_at=NIGHT + 24 * HOUR)
    short = make_message(session, EVERYBODY, NIGHT, expires_at=MORNING)
    assert plan(session, NIGHT) == 4
    assert _batches(session, long) == [(NIGHT, [Outcome.PENDING]), (MORNING, [Outcome.PENDING])]
    assert sorted(batches.outcomes_of(session, short.id).items()) == [(Outcome.PENDING, 1), (Outcome.HELD, 1)]
    assert everyday.why_not(session, sleeper.id, [long.id, short.id]) == {short.id: Why.QUIET}
    assert everyday.why_not(session, waker.id, [long.id, short.id]) == {}
    assert set(told.everybody(session, short.id)) == {sleeper.id, waker.id}


def test_what_is_late_when_the_quiet_hours_begin_waits_for_the_morning_or_is_over_by_then(session):
    """As after an outage: nothing is claimed from ten o'clock on, and in the morning what is not over."""
    sleeper, waker = make_device(session), make_device(session)
    _wish(session, sleeper, quiet=(TEN_AT_NIGHT, SIX))
    evening = NIGHT - 2 * HOUR  # nine o'clock
    long = make_message(session, EVERYBODY, evening, expires_at=NIGHT + 24 * HOUR)
    plan(session, evening)
    mine = session.scalars(sa.select(Batch).where(Batch.quiet_at.is_not(None))).one()
    assert (mine.quiet_at, mine.resume_at) == (NIGHT - HOUR, MORNING)
    assert np.frombuffer(mine.device_ids, "<i8").tolist() == [sleeper.id]
    assert hush.put_off(session, evening) == 0
    lease = dt.timedelta(seconds=30)
    held = claims.claim_some(session, "w", NIGHT, lease, 10)
    assert [one.device_ids.tolist() for one in held] == [[waker.id]]
    assert claims.most_urgent(session, NIGHT) is None
    assert hush.put_off(session, NIGHT) == 1
    assert claims.claim_some(session, "w", MORNING - lease, lease, 10, [Outlet.FCM])[0].device_ids.tolist() == [
        waker.id
    ]
    session.refresh(mine)
    assert (mine.state, mine.not_before, mine.quiet_at) == ("ready", MORNING, NIGHT + 23 * HOUR)
    claimed = claims.claim_some(session, "w", MORNING + lease, lease, 10)
    assert sleeper.id in [one.device_ids.tolist()[0] for one in claimed]
    assert long.expires_at > MORNING


def test_what_a_dead_worker_held_is_not_taken_over_in_quiet_hours(session):
    sleeper = make_device(session)
    _wish(session, sleeper, quiet=(TEN_AT_NIGHT, SIX))
    evening, lease = NIGHT - HOUR - dt.timedelta(minutes=1), dt.timedelta(seconds=90)
    make_message(session, EVERYBODY, evening, expires_at=NIGHT + 24 * HOUR)
    plan(session, evening)
    assert len(claims.claim_some(session, "dies", evening, lease, 10)) == 1
    assert hush.put_off(session, NIGHT - HOUR) == 0, "it still has its lease"
    assert claims.claim_some(session, "w", NIGHT, lease, 10) == []
    assert hush.put_off(session, NIGHT) == 1
    assert claims.claim_some(session, "w", NIGHT, lease, 10) == []
    assert [one.reclaimed for one in claims.claim_some(session, "w", MORNING + lease, lease, 10)] == [True]


def test_what_was_withdrawn_is_closed_also_in_quiet_hours(session):
    sleeper = make_device(session)
    _wish(session, sleeper, quiet=(TEN_AT_NIGHT, SIX))
    message = make_message(session, EVERYBODY, NIGHT - 2 * HOUR, expires_at=NIGHT + 24 * HOUR)
    plan(session, NIGHT - 2 * HOUR)
    batches.withdraw(session, [message.id])
    assert hush.put_off(session, NIGHT) == 0
    assert len(claims.claim_some(session, "w", NIGHT, dt.timedelta(seconds=30), 10)) == 1


def test_an_alert_rings_at_any_hour_however_a_phone_wishes(session, people):
    home = make_device(session, at=INSIDE)
    _wish(session, home, quiet=(TEN_AT_NIGHT, SIX), a_day=1, inbox_only=frozenset(preferences.SORTS))
    for level in (3, 4, 5):
        _, message = make_alert(session, people, NIGHT, level=level)
        plan(session, NIGHT)
        assert _batches(session, message) == [(NIGHT, [Outcome.PENDING])]
    _, drill = make_alert(session, people, NIGHT, drill=True)
    plan(session, NIGHT)
    assert everyday.why_not(session, home.id, [drill.id]) == {drill.id: Why.INBOX}


def test_a_days_notices_ring_up_to_the_most_and_the_later_ones_are_read(session):
    few, many = make_device(session), make_device(session)
    silent = make_device(session, token=None)
    _wish(session, few, a_day=2)
    said = [make_message(session, EVERYBODY, NOW + n * dt.timedelta(seconds=1)) for n in range(7)]
    reminder = make_message(session, EVERYBODY, kind=Kind.GARBAGE, lane=Lane.REMINDER, reason="reminder:garbage")
    plan(session, NOW + dt.timedelta(minutes=1))
    numbers = [message.id for message in said]
    assert everyday.why_not(session, few.id, [*numbers, reminder.id]) == dict.fromkeys(numbers[2:], Why.ENOUGH)
    assert everyday.why_not(session, many.id, [*numbers, reminder.id]) == dict.fromkeys(numbers[5:], Why.ENOUGH)
    assert everyday.why_not(session, silent.id, numbers) == {}
    tomorrow = NOW + 24 * HOUR
    next_day = make_message(session, EVERYBODY, tomorrow)
    plan(session, tomorrow)
    assert everyday.why_not(session, few.id, [next_day.id]) == {}


def test_what_waits_for_the_morning_counts_for_the_morning(session):
    sleeper = make_device(session)
    _wish(session, sleeper, quiet=(TEN_AT_NIGHT, SIX), a_day=1)
    night = make_message(session, EVERYBODY, NIGHT, expires_at=NIGHT + 48 * HOUR)
    plan(session, NIGHT)
    at_noon = make_message(session, EVERYBODY, MORNING + 6 * HOUR)
    plan(session, MORNING + 6 * HOUR)
    assert everyday.why_not(session, sleeper.id, [night.id, at_noon.id]) == {at_noon.id: Why.ENOUGH}


def test_a_topic_or_a_sort_may_be_read_without_being_rung(session):
    for slug, parent in (("garbage", None), ("garbage.kita", "garbage"), ("child", None)):
        topics.put(session, slug, {"ja": slug}, parent=parent)
    reader, other = make_device(session), make_device(session)
    for device in (reader, other):
        topics.follow(session, device.id, ["garbage.kita", "child"])
    preferences.put(session, reader, Preferences(inbox_only=frozenset({"child"})), ["garbage"])
    below = make_message(session, Audience(topic="garbage.kita"), reason="topic:garbage.kita")
    child = make_message(session, Audience(topic="child"), reason="topic:child")
    dates = make_message(session, EVERYBODY, kind=Kind.CHILD, lane=Lane.REMINDER, reason="reminder:child:2026-03")
    plan(session)
    found = everyday.why_not(session, reader.id, [below.id, child.id, dates.id])
    assert found == {below.id: Why.INBOX, dates.id: Why.INBOX}
    assert everyday.why_not(session, other.id, [below.id, child.id, dates.id]) == {}
    assert preferences.of_device(session, reader) == (Preferences(inbox_only=frozenset({"child"})), ["garbage"])


def test_wishes_of_many_blocks_are_kept_apart(session):
    make_phones(session, 5_000)
    one = make_device(session)
    _wish(session, one, inbox_only=frozenset({"notice"}))
    message = make_message(session, EVERYBODY)
    assert plan(session) == 5_001
    assert batches.outcomes_of(session, message.id) == {Outcome.PENDING: 5_000, Outcome.HELD: 1}
    assert everyday.why_not(session, one.id, [message.id]) == {message.id: Why.INBOX}


@pytest.mark.parametrize(
    ("wishes", "place"),
    [
        ({"quiet": (15, 60)}, "quiet.from"), ({"quiet": (0, 1440)}, "quiet.until"),
        ({"quiet": (60, 60)}, "quiet.until"),
        ({"a_day": 0}, "a_day"), ({"a_day": 51}, "a_day"), ({"inbox_only": frozenset({"alert"})}, "inbox_only"),
    ],
)  # fmt: skip
def test_what_cannot_be_wished_is_refused_by_its_name(session, wishes, place):
    device = make_device(session)
    with pytest.raises(WishRefused) as refused:
        _wish(session, device, **wishes)
    assert refused.value.place == place
    assert device.wishes == ""
