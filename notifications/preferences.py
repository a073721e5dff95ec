"""How a phone wants to be told of everyday things: quiet hours, how many pushes a day, what only in the inbox.

Nothing here delays what saves lives: see `notifications.everyday`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId
from notifications import devices, topics
from notifications.devices import Device
from notifications.garbage_days import DAY, WishRefused

A_DAY, MOST_A_DAY = 5, 50  # everyday pushes: by default, and the most one may choose
SORTS = ("notice", "garbage", "child", "drill")  # what may be read in the inbox only
_STORED = re.compile(r"(?:q(\d{1,4})-(\d{1,4}))? ?(?:c(\d{1,2}))? ?(?:m([a-z,]+))?")


class InboxTopic(Base):
    """A topic that a device follows without being rung for it."""

    __tablename__ = "inbox_topics"
    __table_args__ = (sa.Index(None, "device_id"), {"sqlite_with_rowid": False})

    slug: Mapped[str] = mapped_column(sa.ForeignKey("topics.slug"), primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)


@dataclass(frozen=True, slots=True)
class Preferences:
    """`quiet`: from and until which minute of the day, over midnight where the first is later. None: never."""

    quiet: tuple[int, int] | None = None
    a_day: int = A_DAY  # the most notices a day that ring
    inbox_only: frozenset[str] = field(default_factory=frozenset)

    def written(self) -> str:
        """As it is stored with the device; empty for what is the default. In an index: short."""
        parts = []
        if self.quiet is not None:
            parts.append(f"q{self.quiet[0]}-{self.quiet[1]}")
        if self.a_day != A_DAY:
            parts.append(f"c{self.a_day}")
        if self.inbox_only:
            parts.append(f"m{','.join(sorted(self.inbox_only))}")
        return " ".join(parts)

    def quiet_until(self, now: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
        """When the quiet hours end in which this moment lies; None when it lies in none.

        By the city's clock: where a change of the clock skips that minute, as soon as it would have been; where it
        comes twice, the first time that lies ahead.
        """
        if self.quiet is None:
            return None
        begin, end = self.quiet
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        inside = begin <= minute < end if begin < end else minute >= begin or minute < end
        if not inside:
            return None
        day = local.date() + dt.timedelta(days=int(begin > end and minute >= begin))
        wall = dt.datetime.combine(day, dt.time(*divmod(end, 60)), zone)
        first = wall.astimezone(dt.UTC)
        return first if first > now else wall.replace(fold=1).astimezone(dt.UTC)

    def next_quiet(self, after: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime] | None:
        """When the next quiet hours begin, later than a moment outside of any, and when those end."""
        if self.quiet is None:
            return None
        day = after.astimezone(zone).date()
        for later in (0, 1, 2):
            wall = dt.datetime.combine(day + dt.timedelta(days=later), dt.time(*divmod(self.quiet[0], 60)), zone)
            begins = wall.astimezone(dt.UTC)
            if begins > after and (ends := self.quiet_until(begins, zone)) is not None:
                return begins, ends
        return None


@lru_cache(maxsize=4096)
def read(stored: str) -> Preferences:
    """What `written` made."""
    found = _STORED.fullmatch(stored)
    if found is None:
        raise ValueError(f"no preferences: {stored!r}")
    begin, end, a_day, sorts = found.groups()
    return Preferences(
        (int(begin), int(end)) if begin is not None else None,
        int(a_day) if a_day is not None else A_DAY,
        frozenset(sorts.split(",")) if sorts else frozenset(),
    )


def put(session: Session, device: Device, wanted: Preferences, inbox_topics: Iterable[str] | None = None) -> None:
    """Replaces a device's preferences, and with them (unless None) the topics it is not rung for.

    Raises WishRefused, topics.UnknownTopics, and then changes nothing.
    """
    _check(wanted)
    slugs = None if inbox_topics is None else sorted(set(inbox_topics))
    if unknown := [slug for slug in slugs or () if "\0" in slug or not topics.exists(session, slug)]:
        raise topics.UnknownTopics(unknown)
    devices.hold(session, device.id)
    device.wishes = wanted.written()
    if slugs is not None:
        session.execute(sa.delete(InboxTopic).where(InboxTopic.device_id == device.id))
        if slugs:
            session.execute(sa.insert(InboxTopic), [{"slug": slug, "device_id": device.id} for slug in slugs])
    session.flush()


def of_device(session: Session, device: Device) -> tuple[Preferences, list[str]]:
    """A device's preferences, and the topics it is not rung for."""
    query = sa.select(InboxTopic.slug).where(InboxTopic.device_id == device.id).order_by(InboxTopic.slug)
    return read(device.wishes), list(session.scalars(query))


def _check(wanted: Preferences) -> None:
    if wanted.quiet is not None:
        for name, minute in zip(("from", "until"), wanted.quiet, strict=True):
            if not 0 <= minute < DAY or minute % 30:
                raise WishRefused(f"quiet.{name}", "a whole or half hour, 00:00 to 23:30")
        if wanted.quiet[0] == wanted.quiet[1]:
            raise WishRefused("quiet.until", "quiet hours end at another hour than they begin")
    if not 1 <= wanted.a_day <= MOST_A_DAY:
        raise WishRefused("a_day", f"1 to {MOST_A_DAY}")
    if unknown := sorted(wanted.inbox_only - set(SORTS)):
        raise WishRefused("inbox_only", f"{unknown[0]} is none of {', '.join(SORTS)}")
