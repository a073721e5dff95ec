"""What a phone will be reminded of next, reckoned as it will be when its hour comes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from content import calendar
from content.garbage import areas, categories, rules
from content.garbage.schedule import Collection, Missed
from content.texts import Texts
from notifications import children, garbage_days
from notifications.messages import Kind
from notifications.reminders import child_words, clocks, dates, garbage
from notifications.reminders.child_words import Event

MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Ahead:
    """A reminder to come, as things stand."""

    at: dt.datetime
    kind: Kind
    day: dt.date  # of the collection, or on which the date is told
    texts: Texts
    reason: str
    link: str
    area: str  # the collection area's number, or the code whose programmes hold; may be empty
    label: str | None = None


def of_device(session: Session, device_id: int, now: dt.datetime, zone: ZoneInfo, days: int) -> list[Ahead]:
    """The reminders of the next `days` (at most MOST_DAYS), soonest first."""
    last = now + dt.timedelta(days=min(days, MOST_DAYS))
    found = [*_collections(session, device_id, now, last, zone), *_dates(session, device_id, now, last, zone)]
    return sorted((one for one in found if now < one.at <= last), key=lambda one: (one.at, one.kind, one.area))


def _collections(
    session: Session, device_id: int, now: dt.datetime, last: dt.datetime, zone: ZoneInfo
) -> Iterator[Ahead]:
    wishes = garbage_days.of_device(session, device_id)
    first_day, last_day = calendar.day_of(now, zone), calendar.day_of(last, zone) + dt.timedelta(days=1)
    present = areas.present(session, ids=[wish.area_id for wish in wishes])
    found = rules.of_areas(session, present)
    for wish in wishes:
        if wish.area_id not in found or (wish.evening is None and wish.morning is None):
            continue
        plan = found[wish.area_id].plan(first_day, last_day)
        both: list[Collection | Missed] = [*plan.collections, *plan.missed]
        known = categories.by_id(session, [one.category for one in both])
        for day in sorted({one.day for one in both}):
            holds = garbage.contents(plan, day, wish.categories)
            if not holds.taken and not holds.left:
                continue
            over = garbage.expiry(holds, known, zone)
            for name, minute, back in (("evening", wish.evening, 1), ("morning", wish.morning, 0)):
                if minute is None:
                    continue
                at = clocks.moment_of(day - dt.timedelta(days=back), minute, zone)
                if at < over:
                    yield Ahead(
                        at, Kind.GARBAGE, day, garbage.texts(holds, known), f"reminder:garbage:{name}",
                        garbage.link(day), str(wish.area_id), wish.label.value,
                    )  # fmt: skip


def _dates(session: Session, device_id: int, now: dt.datetime, last: dt.datetime, zone: ZoneInfo) -> Iterator[Ahead]:
    family = children.of_device(session, device_id)
    if family.minute is None:
        return
    today = calendar.day_of(now, zone)
    for born in family.born:
        by_day: dict[dt.date, list[Event]] = defaultdict(list)
        for event in dates.events(dates.items_of(session, born, family.area, today)):
            if today <= event.day <= calendar.day_of(last, zone):
                by_day[event.day].append(event)
        for day, events in by_day.items():
            yield Ahead(
                clocks.moment_of(day, family.minute, zone), Kind.CHILD, day,
                child_words.told(born, dates.in_order(events)), f"reminder:child:{born}",
                dates.link(born, family.area), family.area,
            )  # fmt: skip
