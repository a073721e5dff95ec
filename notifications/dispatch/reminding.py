"""What workers see to by the clock: the reminders of an hour, a family's dates, corrections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import transaction
from notifications.dispatch.duties import Duty
from notifications.reminders import clocks, corrections, dates, garbage
from notifications.reminders.clocks import Strike

EVERY = dt.timedelta(seconds=5)
CORRECTIONS_EVERY = dt.timedelta(seconds=10)

Post = Callable[[Session], int]

log = structlog.get_logger("reminders")


def of_city(zone: ZoneInfo) -> list[Duty]:
    """The duties of a city with this clock."""
    return [
        Duty("reminders.garbage", EVERY, lambda engine, now: remind_of_garbage(engine, now, zone)),
        Duty("reminders.children", EVERY, lambda engine, now: remind_of_dates(engine, now, zone)),
        Duty("reminders.correct", CORRECTIONS_EVERY, lambda engine, now: correct(engine, now, zone)),
    ]


def remind_of_garbage(engine: Engine, now: dt.datetime, zone: ZoneInfo) -> int:
    """Posts the reminders of every hour that has struck and was not seen to; returns how many messages.

    They are reckoned in a reading transaction and posted in one that first moves the clock: two workers, or one that
    was frozen in between, never post an hour twice. A calendar that changes in between is found by the corrections.
    """

    def reckoned(session: Session, strike: Strike) -> Post | None:
        as_of = garbage.version(session)
        found = [draft for hour in strike.hours for draft in garbage.drafts(session, hour, now, zone)]
        return (lambda writing: garbage.post(writing, found, as_of, now)) if found else None

    return _see_to(engine, "garbage", now, garbage.LATE, zone, reckoned)


def remind_of_dates(engine: Engine, now: dt.datetime, zone: ZoneInfo) -> int:
    """Posts what families are told at every hour that has struck and was not seen to; returns how many messages."""

    def reckoned(session: Session, strike: Strike) -> Post | None:
        found = [saying for hour in strike.hours for saying in dates.drafts(session, hour, now, zone)]
        return (lambda writing: dates.post(writing, found, now)) if found else None

    return _see_to(engine, "child", now, dates.LATE, zone, reckoned)


def _see_to(
    engine: Engine,
    name: str,
    now: dt.datetime,
    late: dt.timedelta,
    zone: ZoneInfo,
    reckoned: Callable[[Session, Strike], Post | None],
) -> int:
    """Strike by strike; hours that nobody asked for are passed over together."""
    posted = 0
    with transaction(engine, "read") as session:
        struck = clocks.due(session, name, now, late, zone)
    passed_over = None
    for strike in struck:
        with transaction(engine, "read") as session:
            post = reckoned(session, strike)
        if post is None:
            passed_over = strike.moment
            continue
        passed_over = None
        with transaction(engine) as session:
            if clocks.advance(session, name, strike.moment):
                number = post(session)
                posted += number
                log.info("reminders_posted", kind=name, hour=str(strike.hours[0]), messages=number)
    if passed_over is not None:
        with transaction(engine) as session:
            clocks.advance(session, name, passed_over)
    return posted


def correct(engine: Engine, now: dt.datetime, zone: ZoneInfo) -> int:
    """Posts corrections where a calendar changed since reminders were made; returns how many messages."""
    with transaction(engine, "read") as session:
        if not corrections.outdated(session, now):
            return 0
    with transaction(engine) as session:
        return corrections.correct(session, now, zone)
