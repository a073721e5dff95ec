"""The governor: never above the quota in any minute, up from nothing over the ramp, everybody held by one pause."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database import transaction
from notifications.channels.promise import Outlet
from notifications.dispatch import governor
from notifications.dispatch.governor import FIRST_SECOND, Pace
from tests.notifications.builders import MINUTE, NOW, SECOND

FCM = Pace(600_000)


def ask(engine, wanted, at, pace=FCM, outlet=Outlet.FCM):
    with transaction(engine) as session:
        return governor.reserve(session, outlet, wanted, at, pace)


def rush(engine, seconds, pace=FCM, start=NOW, every=0.25):
    """Somebody who always wants more: what was granted in each second."""
    granted = []
    for second in range(seconds):
        moments = [start + dt.timedelta(seconds=second + every * part) for part in range(round(1 / every))]
        granted.append(sum(ask(engine, 100_000, moment, pace).hand_overs for moment in moments))
    return granted


def test_a_fan_out_begins_small_and_rises_to_the_quota_over_the_ramp(engine):
    granted = rush(engine, 70, every=0.25)
    assert granted[0] <= FIRST_SECOND
    steps = [after - before for before, after in itertools.pairwise(granted)]
    assert max(steps) <= FCM.slope * 1.1 + 1, "no second asks for more than the ramp above the one before"
    assert granted[30] < granted[50] < granted[-1]
    assert granted[-1] == pytest.approx(FCM.a_second, rel=0.01)


def test_a_million_messages_leave_within_two_minutes_and_a_quarter():
    """The arithmetic of the ramp: 0 to 10,000 a second over 60 seconds, cut at 95 %."""
    left, second, rate = 1_000_000.0, 0, 0.0
    while left > 0:
        rate = min(FCM.a_second, max(FIRST_SECOND, rate + FCM.slope))
        left -= rate
        second += 1
    assert second <= 135


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.tuples(st.integers(0, 30_000), st.integers(1, 4_000)), min_size=5, max_size=60
    )
)  # fmt: skip
def test_no_minute_ever_exceeds_ninety_five_percent_of_the_quota(engine, asked):
    pace = Pace(6_000, ramp_s=0)
    with transaction(engine) as session:
        governor.forget(session, NOW + dt.timedelta(days=1))
    at, uses = NOW, []
    for wait_ms, wanted in asked:
        at += dt.timedelta(milliseconds=wait_ms)
        uses.append((at, ask(engine, wanted, at, pace).hand_overs))
    for begin, _ in uses:
        window = sum(count for moment, count in uses if dt.timedelta(0) <= moment - begin < 59 * SECOND)
        assert window <= 0.95 * 6_000


def test_a_share_of_the_quota_is_all_that_is_taken(engine):
    granted = rush(engine, 5, Pace(60_000, share=0.5, ramp_s=0))
    assert granted[1:] == [pytest.approx(475, abs=1)] * 4


def test_two_workers_share_one_quota(engine):
    pace = Pace(60_000, ramp_s=0)
    half = dt.timedelta(milliseconds=950)
    first, second = ask(engine, 600, NOW + half, pace), ask(engine, 600, NOW + half, pace)
    assert (first.hand_overs, second.hand_overs) == (600, 350)


def test_a_pause_holds_everybody_and_the_ramp_begins_anew(engine):
    before = rush(engine, 20)
    with transaction(engine) as session:
        governor.pause(session, Outlet.FCM, NOW + 21 * SECOND, "429 of the project")
        governor.pause(session, Outlet.FCM, NOW + 20.5 * SECOND, "a shorter one changes nothing")
    held = ask(engine, 100, NOW + 20.9 * SECOND)
    assert (held.hand_overs, held.paused_until) == (0, NOW + 21 * SECOND)
    assert ask(engine, 100, NOW + 20.9 * SECOND, outlet=Outlet.WEBPUSH).hand_overs == 100, "another outlet goes on"
    with transaction(engine, "read") as session:
        assert governor.paused(session, NOW + 20.9 * SECOND) == {Outlet.FCM: NOW + 21 * SECOND}
        standing = governor.standing(session, Outlet.FCM, NOW + 20.9 * SECOND)
        assert (standing.reserved, standing.reason) == (sum(before), "429 of the project")
        assert governor.paused(session, NOW + 21 * SECOND) == {}
    again = rush(engine, 2, start=NOW + 21 * SECOND)
    assert again[0] <= FIRST_SECOND < before[-1]


def test_what_is_long_past_is_forgotten(engine):
    rush(engine, 3)
    with transaction(engine) as session:
        assert governor.forget(session, NOW + 2 * SECOND) == 2
        assert governor.forget(session, NOW + MINUTE) == 1
