"""Builders for tests of reminders: areas with rules, phones that asked for hours, a city's clock that is moved."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.garbage import sources
from content.garbage.areas import GarbageArea
from content.garbage.categories import GarbageCategory
from content.garbage.rules import GarbageChange, GarbageRule
from notifications import garbage_days, told
from notifications.devices import Device
from notifications.garbage_days import GarbageWish
from notifications.messages import Message
from notifications.places import PlaceName
from tests.notifications.builders import make_device

TOKYO = ZoneInfo("Asia/Tokyo")
SOURCE = "city"
EVENING, MORNING = 19 * 60, 6 * 60 + 30


def at(text: str) -> dt.datetime:
    """A moment by the clock of Tokyo."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=TOKYO).astimezone(dt.UTC)


def make_garbage_area(session: Session, name: str = "旭ケ丘") -> int:
    """A collection area."""
    area = GarbageArea(
        source=SOURCE, key=name, position=0, ward="", town=name, block="", name=name, names={}, reading="", centre=None,
        note={}, contact={}, content_hash="", withdrawn_at=None,
    )  # fmt: skip
    session.add(area)
    session.flush()
    return area.id


def make_category(session: Session, name: str, cutoff: str | None = "08:30", position: int = 0, **names: str) -> int:
    """A kind of garbage."""
    category = GarbageCategory(
        source=SOURCE, key=name, position=position, names={"ja": name} | names, bag={}, limits={}, how={}, note={},
        cutoff=cutoff, colour=None, link=None, withdrawn_at=None,
    )  # fmt: skip
    session.add(category)
    session.flush()
    return category.id


def make_rule(session: Session, area: int, category: int, **pattern: object) -> None:
    """When a category is collected in an area."""
    session.add(
        GarbageRule(
            source=SOURCE, area_id=area, category_id=category, pattern=pattern, first=None, last=None,
            on_holidays=True, overlay=False, key=None, reason={}, note={},
        )
    )  # fmt: skip
    session.flush()


def change(session: Session, now: dt.datetime, kind: str, first: dt.date, **more: object) -> None:
    """The city enters an exception; the calendar's version rises."""
    row = {
        "source": SOURCE, "kind": kind, "centre": None, "area_id": None, "category_id": None, "first": first,
        "last": first, "moved_to": None, "lost_nth": None, "new_nth": None, "reason": {}, "withdrawn_at": None,
    } | more  # fmt: skip
    number = session.scalar(sa.select(sa.func.count()).select_from(GarbageChange))
    session.add(GarbageChange(key=f"change-{number}", **row))
    session.flush()
    sources.put(session, SOURCE, now, schedule_changed=True)


def take_back_changes(session: Session, now: dt.datetime) -> None:
    """All exceptions are withdrawn."""
    session.execute(sa.update(GarbageChange).values(withdrawn_at=now))
    sources.put(session, SOURCE, now, schedule_changed=True)


def withdraw_area(session: Session, area: int, now: dt.datetime, *, back: bool = False) -> None:
    """An area is withdrawn, or comes back."""
    session.get_one(GarbageArea, area).withdrawn_at = None if back else now
    sources.put(session, SOURCE, now, schedule_changed=True)


def make_asker(
    session: Session,
    area: int,
    evening: int | None = EVENING,
    morning: int | None = None,
    categories: tuple[int, ...] = (),
    label: PlaceName = PlaceName.HOME,
    **device: object,
) -> Device:
    """A phone that asked to be reminded."""
    made = make_device(session, **device)  # type: ignore[arg-type]
    garbage_days.put(session, made.id, [GarbageWish(area, label, evening, morning, frozenset(categories))])
    return made


def said(session: Session) -> list[tuple[str, str, set[int]]]:
    """Origin, Japanese title and recipients of everything said, in order."""
    return [
        (message.origin, message.texts["ja"]["title"], set(told.everybody(session, message.id)))
        for message in session.scalars(sa.select(Message).order_by(Message.id))
    ]
