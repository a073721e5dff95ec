"""The collections of an area as an iCalendar feed (RFC 5545) that calendar programs subscribe to."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from icalendar import Calendar, Event

from content.garbage.reasons import sentence
from content.garbage.rules import AreaRules
from content.garbage.schedule import Change, Collection, Missed

PRODUCT = "-//Yobikake//garbage 1//JA"
BACK_MONTHS, AHEAD_MONTHS = 1, 12
REFRESH = "PT12H"
_CHANGED = ("overlay", "suspended", "added")
_MARGIN = dt.timedelta(days=62)  # a replacement is seldom farther from the day it replaces
_WORDS = {"ja": ("（振替）", "【休み】", "{}までに出してください"), "en": (" (moved)", "No collection: ", "Out by {}")}


@dataclass(frozen=True, slots=True)
class Heading:
    """What a feed says of itself."""

    area_id: int
    title: str
    language: str  # of the sentences: ja or en
    url: str  # of the area for people or programs
    version: int  # of the source's schedule
    changed_at: dt.datetime
    zone: str = "Asia/Tokyo"


@dataclass(frozen=True, slots=True)
class Label:
    """A category as a reader sees it."""

    name: str
    cutoff: str | None = None


def window(today: dt.date) -> tuple[dt.date, dt.date]:
    """From the first of the month before to the end of the month a year ahead: the feed changes once a month."""
    first = _month(today, -BACK_MONTHS)
    last = _month(today, AHEAD_MONTHS)
    return first, last.replace(day=calendar.monthrange(last.year, last.month)[1])


def feed(heading: Heading, rules: AreaRules, labels: Mapping[int, Label], first: dt.date, last: dt.date) -> bytes:
    """The feed of the days from `first` to `last`, byte for byte the same until the data change.

    One UID for each collection, made of the day the rules meant: a moved collection moves in the calendar. One
    that is called off, or that fell together with another, stays as CANCELLED. DTSTAMP is the data's own age;
    SEQUENCE is 0 until an exception touches the day, then the version of the schedule, which only grows.
    """
    plan = rules.plan(first - _MARGIN, last + _MARGIN)
    kept = {(one.category, one.origin) for one in plan.collections}
    document = Calendar()
    for name, value in (
        ("PRODID", PRODUCT),
        ("VERSION", "2.0"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("NAME", heading.title),
        ("X-WR-CALNAME", heading.title),
        ("X-WR-TIMEZONE", heading.zone),
        ("X-PUBLISHED-TTL", REFRESH),
        ("URL", heading.url),
    ):
        document.add(name, value)
    document.add("REFRESH-INTERVAL", dt.timedelta(hours=12), parameters={"VALUE": "DURATION"})
    for one in plan.collections:
        if first <= one.day <= last:
            document.add_component(_event(heading, one, labels[one.category], rules))
    for lost in plan.missed:
        if first <= lost.day <= last and (lost.category, lost.day) not in kept:
            document.add_component(_event(heading, lost, labels[lost.category], rules))
    return bytes(document.to_ical())


def _event(heading: Heading, one: Collection | Missed, label: Label, rules: AreaRules) -> Event:
    moved, stopped, until = _WORDS[heading.language]
    held = isinstance(one, Collection)
    origin = one.origin if isinstance(one, Collection) else one.day
    name = label.name
    if isinstance(one, Missed):
        name = stopped + name
    elif one.moved:
        name += moved
    event = Event()
    event.add("UID", f"{origin:%Y%m%d}.{one.category}.{heading.area_id}@garbage.yobikake")
    event.add("DTSTAMP", heading.changed_at)
    event.add("LAST-MODIFIED", heading.changed_at)
    touched = _touched(origin, one.category, rules) or any(reason.code in _CHANGED for reason in one.reasons)
    event.add("SEQUENCE", heading.version if touched else 0)
    event.add("DTSTART", one.day)  # a date: VALUE=DATE
    event.add("DTEND", one.day + dt.timedelta(days=1))
    event.add("SUMMARY", name)
    said = [sentence(one.reasons, heading.language)]
    if held and label.cutoff is not None:
        said.insert(0, until.format(label.cutoff))
    event.add("DESCRIPTION", "\n".join(said))
    event.add("CATEGORIES", [label.name])
    event.add("STATUS", "CONFIRMED" if held else "CANCELLED")
    event.add("TRANSP", "TRANSPARENT")
    event.add("URL", heading.url)
    return event


def _touched(origin: dt.date, category: int, rules: AreaRules) -> bool:
    """Whether any exception, even one that was taken back, speaks of this collection."""
    spoken: list[Change] = [*rules.changes, *rules.past]
    return any(change.covers(category, origin) for change in spoken)


def _month(day: dt.date, months: int) -> dt.date:
    whole = day.year * 12 + day.month - 1 + months
    return dt.date(whole // 12, whole % 12 + 1, 1)
