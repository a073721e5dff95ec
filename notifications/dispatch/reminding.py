"""What workers see to by the clock: the reminders of an hour, a family's dates, corrections."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Engine

from database import transaction
from notifications.dispatch.duties import Duty
from notifications.reminders import clocks, corrections, dates, garbage

EVERY = dt.timedelta(seconds=5)
CORRECTIONS_EVERY = dt.timedelta(seconds=30)

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
    posted = 0
    with transaction(engine, "read") as session:
        struck = clocks.due(session, "garbage", now, garbage.LATE, zone)
    for strike in struck:
        with transaction(engine, "read") as session:
            as_of = garbage.version(session)
            drafted = [draft for hour in strike.hours for draft in garbage.drafts(session, hour, now, zone)]
        with transaction(engine) as session:
            if clocks.advance(session, "garbage", strike.moment):
                number = garbage.post(session, drafted, as_of, now)
                posted += number
                if number:
                    log.info("reminders_posted", kind="garbage", hour=str(strike.hours[0]), messages=number)
    return posted


def remind_of_dates(engine: Engine, now: dt.datetime, zone: ZoneInfo) -> int:
    """Posts what families are told at every hour that has struck and was not seen to; returns how many messages."""
    posted = 0
    with transaction(engine, "read") as session:
        struck = clocks.due(session, "child", now, dates.LATE, zone)
    for strike in struck:
        with transaction(engine, "read") as session:
            drafted = [saying for hour in strike.hours for saying in dates.drafts(session, hour, now, zone)]
        with transaction(engine) as session:
            if clocks.advance(session, "child", strike.moment):
                posted += dates.post(session, drafted, now)
    return posted


def correct(engine: Engine, now: dt.datetime, zone: ZoneInfo) -> int:
    """Posts corrections where a calendar changed since reminders were made; returns how many messages."""
    with transaction(engine, "read") as session:
        if not corrections.outdated(session, now):
            return 0
    with transaction(engine) as session:
        return corrections.correct(session, now, zone)
