"""The collection areas a phone asked to be reminded of: at which hour, of which categories, under which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.garbage import areas, categories
from database import Base, BigId
from notifications import devices
from notifications.places import PlaceName

MOST_AREAS = 5  # a device
DAY = 24 * 60  # minutes
# Minutes from the midnight with which the day of collection begins: 19:00 the evening before is -300, 06:30 is 390.
Slot = int
NO_HOUR: Slot = 9_999  # the area is known, and no hour was asked for
LABELS = (PlaceName.HOME, PlaceName.WORK, PlaceName.FAMILY)


class GarbageDay(Base):
    """One hour of one area of one device."""

    __tablename__ = "garbage_days"
    # A million phones asked for the same hour: they are found by hour, area and choice, in windows of rising ids.
    __table_args__ = (
        sa.PrimaryKeyConstraint("slot", "area_id", "categories", "device_id", postgresql_include=["label"]),
        sa.Index(None, "area_id", "categories", "device_id"),
        sa.Index(None, "device_id"),
        {"sqlite_with_rowid": False},
    )

    slot: Mapped[int] = mapped_column(sa.Integer)
    area_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("garbage_areas.id"))
    categories: Mapped[str] = mapped_column(sa.Text)  # numbers, rising, with commas between; empty: all
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(sa.Text)


@dataclass(frozen=True, slots=True)
class GarbageWish:
    """An area with its hours: minutes of the day, in halves of an hour. `evening` is of the day before."""

    area_id: int
    label: PlaceName = PlaceName.HOME
    evening: int | None = None
    morning: int | None = None
    categories: frozenset[int] = field(default_factory=frozenset)  # empty: all


class WishRefused(ValueError):
    """A wish cannot be kept; `place` names the member (garbage[0].area), `reason` says why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason = place, reason


def put(session: Session, device_id: int, wishes: Sequence[GarbageWish]) -> None:
    """Replaces all areas of a device. Raises WishRefused and then changes nothing."""
    _check(session, wishes)
    devices.hold(session, device_id)
    session.execute(sa.delete(GarbageDay).where(GarbageDay.device_id == device_id))
    rows = [
        {
            "slot": slot, "area_id": wish.area_id, "categories": written(wish.categories), "device_id": device_id,
            "label": wish.label.value,
        }
        for wish in wishes
        for slot in _slots(wish)
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(GarbageDay), rows)


def of_device(session: Session, device_id: int) -> list[GarbageWish]:
    """The areas of a device, home before work before family."""
    found: dict[int, GarbageWish] = {}
    for row in session.scalars(sa.select(GarbageDay).where(GarbageDay.device_id == device_id)):
        kept = found.get(row.area_id) or GarbageWish(row.area_id, PlaceName(row.label), categories=read(row.categories))
        evening = row.slot + DAY if row.slot < 0 else kept.evening
        morning = row.slot if 0 <= row.slot < DAY else kept.morning
        found[row.area_id] = GarbageWish(kept.area_id, kept.label, evening, morning, kept.categories)
    return sorted(found.values(), key=lambda wish: (LABELS.index(wish.label), wish.area_id))


def asked_for(session: Session, slot: Slot) -> list[tuple[int, str]]:
    """Which (area, choice of categories) anybody asked for at an hour."""
    query = sa.select(GarbageDay.area_id, GarbageDay.categories).where(GarbageDay.slot == slot).distinct()
    return sorted((area, chosen) for area, chosen in session.execute(query))


def chosen_by(session: Session, area_id: int) -> int:
    """How many phones chose an area."""
    distinct = sa.func.count(sa.distinct(GarbageDay.device_id))
    return int(session.scalar(sa.select(distinct).where(GarbageDay.area_id == area_id)) or 0)


def written(chosen: frozenset[int]) -> str:
    """A choice of categories as it is stored."""
    return ",".join(map(str, sorted(chosen)))


def read(stored: str) -> frozenset[int]:
    """The choice again; empty: all."""
    return frozenset(map(int, stored.split(","))) if stored else frozenset()


def _slots(wish: GarbageWish) -> list[Slot]:
    evening = [] if wish.evening is None else [wish.evening - DAY]
    morning = [] if wish.morning is None else [wish.morning]
    return evening + morning or [NO_HOUR]


def _check(session: Session, wishes: Sequence[GarbageWish]) -> None:
    if len(wishes) > MOST_AREAS:
        raise WishRefused("areas", f"at most {MOST_AREAS} areas")
    present = {area.id: area for area in areas.present(session, ids=[wish.area_id for wish in wishes])}
    seen: set[int] = set()
    for number, wish in enumerate(wishes):
        place = f"areas[{number}]"
        if wish.area_id not in present:
            raise WishRefused(f"{place}.area", f"there is no collection area {wish.area_id}")
        if wish.area_id in seen:
            raise WishRefused(f"{place}.area", "this area is listed twice")
        seen.add(wish.area_id)
        if wish.label not in LABELS:
            raise WishRefused(f"{place}.label", f"one of {', '.join(LABELS)}")
        for name in ("evening", "morning"):
            minute = getattr(wish, name)
            if minute is not None and (not 0 <= minute < DAY or minute % 30):
                raise WishRefused(f"{place}.{name}", "a whole or half hour, 00:00 to 23:30")
        known = {one.id for one in categories.listed(session, present[wish.area_id].source)}
        if unknown := sorted(wish.categories - known):
            raise WishRefused(f"{place}.categories", f"there is no category {unknown[0]} in this area's list")
