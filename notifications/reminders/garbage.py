"""Reminders of collection days: reckoned from the rules of the moment at which they are sent."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.garbage import areas, categories, rules
from content.garbage.categories import GarbageCategory
from content.garbage.schedule import Plan
from content.garbage.sources import GarbageSource
from content.texts import Texts
from database import Base, BigId, insert_ignore
from notifications import garbage_days, messages
from notifications.audiences import Audience, Reminded
from notifications.garbage_days import DAY
from notifications.identifier import derived_identifier
from notifications.messages import Kind, Lane, Saying
from notifications.reminders import clocks, words
from notifications.reminders.clocks import Hour
from notifications.reminders.words import Left, Taken

# A worker that was down may be so late; what is later is no reminder any more. Never after the hour of collection.
LATE = dt.timedelta(hours=3)
# Where a list does not say until when: collection may begin then.
EARLIEST_COLLECTION = dt.time(8, 0)
Asked = tuple[int, str]  # a collection area and a choice of categories


class SaidDay(Base):
    """What a reminder or correction said of which day, and as of which version of the calendars."""

    __tablename__ = "reminded_days"

    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(sa.Date, index=True)
    collected: Mapped[str] = mapped_column(sa.Text)  # numbers of categories, or that the area is gone
    version: Mapped[int] = mapped_column(sa.BigInteger)  # of all calendars together


@dataclass(frozen=True, slots=True)
class Contents:
    """A day of an area for a choice of categories: equal where the words are equal."""

    day: dt.date
    taken: tuple[tuple[int, dt.date | None, bool], ...]  # category, moved from, extra
    left: tuple[tuple[int, dt.date | None], ...]  # category, day instead
    gone: bool = False  # the area was withdrawn: what is collected there now is another area's to say

    @property
    def collected(self) -> str:
        """The categories that are collected; of an area that is gone nobody knows."""
        return "gone" if self.gone else ",".join(str(one[0]) for one in self.taken)

    @property
    def key(self) -> str:
        """The same for the same contents."""
        return derived_identifier("garbage", repr(self))


@dataclass(frozen=True, slots=True)
class Draft:
    """A reminder ready to be posted, and what it says of its day."""

    saying: Saying
    contents: Contents


def version(session: Session) -> int:
    """A number that grows with every change of any calendar."""
    return int(session.scalar(sa.select(sa.func.coalesce(sa.func.sum(GarbageSource.schedule_version), 0))) or 0)


def drafts(session: Session, hour: Hour, now: dt.datetime, zone: ZoneInfo) -> list[Draft]:
    """The reminders of an hour of the city's clock: the evening before and the morning of a collection."""
    found = []
    for name, slot, day in (
        ("evening", hour.minute - DAY, hour.day + dt.timedelta(days=1)),
        ("morning", hour.minute, hour.day),
    ):
        asked = garbage_days.asked_for(session, slot)
        for contents, those in grouped(contents_of(session, asked, day)).items():
            if not contents.taken and not contents.left:
                continue
            known = categories.by_id(session, _categories(contents))
            over = expiry(contents, known, zone)
            if over <= now:
                continue
            saying = Saying(
                origin=f"reminder:garbage:{hour}:{name}:{contents.key}",
                thread=contents.key,
                kind=Kind.GARBAGE,
                lane=Lane.REMINDER,
                texts=texts(contents, known),
                link=link(day),
                reason=f"reminder:garbage:{name}",
                audience=Audience(reminded=Reminded(slot, wants(those))),
                expires_at=over,
            )
            found.append(Draft(saying, contents))
    return found


def post(session: Session, drafted: Sequence[Draft], as_of: int, now: dt.datetime) -> int:
    """Posts drafts that were made as of a version of the calendars; returns how many messages."""
    posted = 0
    for draft in drafted:
        if draft.saying.expires_at <= now:
            continue
        message = messages.post(session, draft.saying, now)
        said = {"day": draft.contents.day, "collected": draft.contents.collected, "version": as_of}
        posted += insert_ignore(session, SaidDay, {"message_id": message.id, **said})
    return posted


def contents_of(session: Session, asked: Sequence[Asked], day: dt.date) -> dict[Asked, Contents]:
    """What a day holds for each area and choice; areas that are gone are left out."""
    present = areas.present(session, ids={area for area, _ in asked})
    plans = {number: found.plan(day, day) for number, found in rules.of_areas(session, present).items()}
    return {
        (area, chosen): contents(plans[area], day, garbage_days.read(chosen)) for area, chosen in asked if area in plans
    }


def contents(plan: Plan, day: dt.date, chosen: frozenset[int]) -> Contents:
    """What a plan holds for one day and a choice of categories (empty: all)."""
    taken = tuple(
        (one.category, one.origin if one.moved else None, any(r.code in ("added", "overlay") for r in one.reasons))
        for one in plan.collections
        if one.day == day and (not chosen or one.category in chosen)
    )
    collected = {category for category, *_ in taken}
    left = tuple(
        (one.category, one.instead)
        for one in plan.missed
        if one.day == day and (not chosen or one.category in chosen) and one.category not in collected
    )
    return Contents(day, taken, left)


def grouped(found: dict[Asked, Contents]) -> dict[Contents, list[Asked]]:
    """Areas and choices by what the day holds for them."""
    alike: dict[Contents, list[Asked]] = defaultdict(list)
    for asked, holds in found.items():
        alike[holds].append(asked)
    return alike


def wants(those: Sequence[Asked]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Areas by choice, as an audience has them."""
    by_choice: dict[str, list[int]] = defaultdict(list)
    for area, chosen in those:
        by_choice[chosen].append(area)
    return tuple((chosen, tuple(sorted(some))) for chosen, some in sorted(by_choice.items()))


def texts(contents: Contents, known: dict[int, GarbageCategory], *, wrong: bool = False) -> Texts:
    """The words for a day; categories in the order of their list."""

    def in_order(numbers: Sequence[int]) -> list[int]:
        return sorted(numbers, key=lambda number: (known[number].position, number))

    taken = {category: (moved, extra) for category, moved, extra in contents.taken}
    left = dict(contents.left)
    if contents.gone:
        return words.area_gone(contents.day)
    return words.reminder(
        contents.day,
        [Taken(known[number].names, *taken[number]) for number in in_order(list(taken))],
        [Left(known[number].names, left[number]) for number in in_order(list(left))],
        _cutoff(contents, known),
        wrong=wrong,
    )


def expiry(contents: Contents, known: dict[int, GarbageCategory], zone: ZoneInfo) -> dt.datetime:
    """From when on it is too late to say it: the earliest hour of collection."""
    time = _cutoff(contents, known) or EARLIEST_COLLECTION
    return clocks.moment_of(contents.day, time.hour * 60 + time.minute, zone)


def link(day: dt.date) -> str:
    """What a tap opens: the app's own calendar at that day."""
    return f"yobikake://garbage/{day.isoformat()}"


def _cutoff(contents: Contents, known: dict[int, GarbageCategory]) -> dt.time | None:
    """The earliest hour of what is collected that day; of what is not, where nothing is."""
    numbers = [one[0] for one in contents.taken] or [one[0] for one in contents.left]
    hours = [known[number].cutoff for number in numbers]
    return min((dt.time.fromisoformat(hour) for hour in hours if hour is not None), default=None)


def _categories(contents: Contents) -> list[int]:
    return [one[0] for one in contents.taken] + [one[0] for one in contents.left]
