"""Reminders of children's dates: what is due now and what soon no more, right for every birthday of a month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from content import offices
from content.childcare import programmes
from content.childcare.plans import Plan
from content.childcare.published import codes_above
from content.childcare.timeline import Item, of_month
from notifications import children, messages
from notifications.audiences import Audience, Reminded
from notifications.identifier import derived_identifier
from notifications.messages import Kind, Lane, Saying
from notifications.reminders import child_words, clocks
from notifications.reminders.child_words import Event
from notifications.reminders.clocks import Hour

# Dates are days: a worker that was down for some tells them when it is back, at the hour that was asked for.
LATE = dt.timedelta(days=3)
AT_ONCE = dt.timedelta(hours=3)  # so late it is still told at once
BEFORE_THE_END = (30, 7)  # days before the earliest deadline
NEWS_FOR = dt.timedelta(days=7)


def events(items: Sequence[Item]) -> Iterator[Event]:
    """Every date of a child worth telling. A beginning is the latest and an end the earliest of all birthdays."""
    for item in items:
        if item.starts_on is not None and not item.depends_on_day:
            yield Event(item, item.starts_on, opens=True)
        if item.ends_on is None:
            continue
        begun = item.starts_on or item.starts_on_earliest
        for days in BEFORE_THE_END:
            day = item.ends_on - dt.timedelta(days=days)
            # What has hardly begun needs no such word, but where only the exact birthday can tell.
            if day > begun or (item.depends_on_day and day > item.starts_on_earliest):
                yield Event(item, day, opens=False)


def items_of(session: Session, born: str, area: str, today: dt.date) -> list[Item]:
    """The timeline of a month of birth with the programmes of an area; without one those of the whole city."""
    return of_month(plans_of(session, area), born, today, offices.are_open)


def plans_of(session: Session, area: str) -> list[Plan]:
    """The programmes that hold in an area."""
    return programmes.plans(session, codes_above(session, area) if area else ())


def drafts(session: Session, hour: Hour, now: dt.datetime, zone: ZoneInfo) -> list[Saying]:
    """What families are told of this hour's day: a message for each month of birth and area."""
    found = []
    plans: dict[str, list[Plan]] = {}
    for born, area in children.asked_for(session, hour.minute):
        if area not in plans:
            plans[area] = plans_of(session, area)
        items = of_month(plans[area], born, hour.day, offices.are_open)
        if today := [event for event in events(items) if event.day == hour.day]:
            found.append(_saying(born, area, hour, today, now, zone))
    return [saying for saying in found if saying.expires_at > max(now, saying.not_before or now)]


def post(session: Session, sayings: Sequence[Saying], now: dt.datetime) -> int:
    """Posts drafts; returns how many."""
    for saying in sayings:
        messages.post(session, saying, now)
    return len(sayings)


def link(born: str, area: str) -> str:
    """What a tap opens: the app's timeline of this child."""
    return f"yobikake://child/{born}" + (f"?area={area}" if area else "")


def in_order(events: Sequence[Event]) -> list[Event]:
    """What ends first, then what begins."""
    return sorted(events, key=lambda event: (event.opens, event.item.ends_on or dt.date.max, event.item.plan.position))


def _saying(born: str, area: str, hour: Hour, today: Sequence[Event], now: dt.datetime, zone: ZoneInfo) -> Saying:
    last = hour.day + NEWS_FOR
    return Saying(
        origin=f"reminder:child:{hour}:{born}:{area}",
        thread=derived_identifier("child", born, area, hour.day.isoformat()),
        kind=Kind.CHILD,
        lane=Lane.REMINDER,
        texts=child_words.told(born, in_order(today)),
        link=link(born, area),
        reason=f"reminder:child:{born}",
        audience=Audience(reminded=Reminded(hour.minute, born=born, area=area)),
        not_before=_at_the_hour(hour, now, zone),
        expires_at=clocks.moment_of(last, 0, zone),
    )


def _at_the_hour(hour: Hour, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """At once, or where it is late the next time that the hour comes."""
    meant = clocks.moment_of(hour.day, hour.minute, zone)
    while now - meant > AT_ONCE:
        hour = Hour(hour.day + dt.timedelta(days=1), hour.minute)
        meant = clocks.moment_of(hour.day, hour.minute, zone)
    return max(now, meant)
