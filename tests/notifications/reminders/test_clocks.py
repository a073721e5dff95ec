"""Hours strike once each, on every wall and however late a worker looks."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.reminders import clocks
from notifications.reminders.clocks import Hour
from tests.notifications.builders import overlapping
from tests.notifications.reminders.streets import TOKYO, at

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Asia/Tokyo", "America/New_York", "Europe/Berlin", "UTC")])
MOMENTS = st.integers(0, 365 * 24 * 60).map(lambda n: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=n))
ONCE = dt.timedelta(hours=3)


@settings(max_examples=60)
@given(MOMENTS, st.lists(st.integers(1, 900), min_size=1, max_size=6), ZONES)
def test_however_a_span_is_cut_every_hour_strikes_once(since, gaps, zone):
    moments = [since]
    for gap in gaps:
        moments.append(moments[-1] + dt.timedelta(minutes=gap))
    pieces = [strike for a, b in itertools.pairwise(moments) for strike in clocks.strikes(a, b, zone)]
    assert pieces == clocks.strikes(moments[0], moments[-1], zone)
    hours = [hour for strike in pieces for hour in strike.hours]
    assert len(hours) == len(set(hours))
    for strike in pieces:
        assert moments[0] < strike.moment <= moments[-1]
        assert strike.moment.minute % 30 == 0


@settings(max_examples=30)
@given(st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 30)), ZONES)
def test_every_hour_of_every_day_strikes_also_when_the_clock_is_changed(day, zone):
    begin = dt.datetime.combine(day, dt.time(12), zone).astimezone(dt.UTC)
    hours = [h for strike in clocks.strikes(begin - dt.timedelta(days=2), begin + dt.timedelta(days=2), zone)
             for h in strike.hours]  # fmt: skip
    assert [hour for hour in hours if hour.day == day] == [Hour(day, minute) for minute in range(0, 1440, 30)] or (
        sorted((hour for hour in hours if hour.day == day), key=lambda h: h.minute)
        == [Hour(day, minute) for minute in range(0, 1440, 30)]
    )


def test_a_skipped_hour_strikes_when_it_would_have_been_and_a_doubled_one_the_first_time():
    zone = ZoneInfo("America/New_York")
    skipped = clocks.moment_of(dt.date(2026, 3, 8), 150, zone)
    assert skipped.astimezone(zone).strftime("%H:%M") == "03:30"
    both = clocks.strikes(skipped - dt.timedelta(minutes=1), skipped, zone)
    assert [str(hour) for hour in both[0].hours] == ["2026-03-08T02:30", "2026-03-08T03:30"]
    doubled = clocks.moment_of(dt.date(2026, 11, 1), 90, zone)
    later = doubled + dt.timedelta(hours=1)
    assert later.astimezone(zone).strftime("%H:%M") == "01:30"
    assert clocks.strikes(later - dt.timedelta(minutes=1), later, zone) == []


def test_a_late_worker_sees_to_what_is_not_stale_and_nothing_twice(session):
    now = at("2026-11-21T19:20:00")
    assert [str(s.hours[0])[-5:] for s in clocks.due(session, "garbage", now, ONCE, TOKYO)] == [
        "16:30", "17:00", "17:30", "18:00", "18:30", "19:00",
    ]  # fmt: skip
    assert clocks.advance(session, "garbage", at("2026-11-21T19:00:00"))
    assert clocks.due(session, "garbage", now, ONCE, TOKYO) == []
    assert not clocks.advance(session, "garbage", at("2026-11-21T19:00:00"))
    assert not clocks.advance(session, "garbage", at("2026-11-21T18:30:00"))
    late = at("2026-11-21T23:50:00")
    assert [str(s.hours[0])[-5:] for s in clocks.due(session, "garbage", late, ONCE, TOKYO)] == [
        "21:00", "21:30", "22:00", "22:30", "23:00", "23:30",
    ]  # fmt: skip
    assert clocks.due(session, "garbage", at("2026-11-21T12:00:00"), ONCE, TOKYO) == [], "a clock put back"


@pytest.mark.parametrize("first", [True, False])
def test_two_workers_at_once_one_of_them_moves_the_clock(engine, first):
    if not first:
        overlapping(engine, lambda s: clocks.advance(s, "g", at("2026-11-21T18:00:00")), lambda _: None)
    moment = at("2026-11-21T19:00:00")
    won = overlapping(engine, lambda s: clocks.advance(s, "g", moment), lambda s: clocks.advance(s, "g", moment))
    assert won == (True, False)
