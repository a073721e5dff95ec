"""Audiences: who a message is for. Counting and listing come from the one function that also sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from notifications import dangers, told
from notifications.devices import Device, TokenState
from notifications.places import CURRENT_GROWS_OLD, Place, PlaceName
from notifications.topics import Follow

CELLS_A_CHUNK = 400
DEVICES_A_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Recipient:
    """One device of an audience, and the place (if any) for which it is one."""

    device_id: int
    language: str
    platform: str
    can_receive: bool
    place: str | None = None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """A union: inside a danger area, told earlier messages, followers of a topic, one device, everyone."""

    danger_area_id: int | None = None
    told_message_ids: tuple[int, ...] = ()
    topic: str | None = None
    device_id: int | None = None
    everyone: bool = False

    def to_json(self) -> dict[str, Any]:
        """The form that is frozen in a message."""
        return {
            "danger_area_id": self.danger_area_id,
            "told_message_ids": list(self.told_message_ids),
            "topic": self.topic,
            "device_id": self.device_id,
            "everyone": self.everyone,
        }

    @staticmethod
    def from_json(stored: dict[str, Any]) -> Audience:
        """Reads the frozen form."""
        return Audience(
            danger_area_id=stored["danger_area_id"],
            told_message_ids=tuple(stored["told_message_ids"]),
            topic=stored["topic"],
            device_id=stored["device_id"],
            everyone=stored["everyone"],
        )


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the listing of an audience has come: a part of the plan and an offset in it."""

    part: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """Distinct devices of an audience."""

    devices: int = 0
    reachable: int = 0  # of these, a push can be tried
    by_language: dict[str, int] = field(default_factory=dict)
    by_platform: dict[str, int] = field(default_factory=dict)
    by_place: dict[str, int] = field(default_factory=dict)


# A device is told for the first of these that lies inside; wholly endangered cells go before the rim.
_PASSES: tuple[tuple[PlaceName, bool | None], ...] = (
    (PlaceName.CURRENT, True),
    (PlaceName.HOME, None),
    (PlaceName.CURRENT, False),
    (PlaceName.WORK, None),
    (PlaceName.FAMILY, None),
)
_RINGS = ("inside", "rim")
# Parts of a plan: two rings of every pass, those told before, followers, everyone or one device.
_CELL_PARTS = len(_PASSES) * len(_RINGS)
_TOLD_PART, _TOPIC_PART, _DEVICE_PART, _EVERYONE_PART, _END = range(_CELL_PARTS, _CELL_PARTS + 5)


def chunk(
    session: Session, audience: Audience, cursor: Cursor, now: dt.datetime
) -> tuple[list[Recipient], Cursor | None]:
    """The next recipients of an audience, most endangered first, and where to go on (None at the end).

    A device may come again in a later chunk (it has several places): the caller keeps the first.
    """
    part, offset = cursor.part, cursor.offset
    if part < _CELL_PARTS:
        if audience.danger_area_id is None:
            return [], Cursor(_TOLD_PART)
        place, fresh = _PASSES[part // 2]
        cells = getattr(dangers.cells(session, audience.danger_area_id), _RINGS[part % 2])
        if offset >= len(cells):
            return [], Cursor(part + 1)
        wanted = cells[offset : offset + CELLS_A_CHUNK]
        return _in_cells(session, wanted.tolist(), place, fresh, now), Cursor(part, offset + CELLS_A_CHUNK)
    if part == _TOLD_PART:
        found = told.blocks(session, audience.told_message_ids, offset - 1, 1) if audience.told_message_ids else []
        if not found:
            return [], Cursor(_TOPIC_PART)
        ids = told.in_block(session, audience.told_message_ids, found[0]).tolist()
        return _devices(session, Device.id.in_(ids), with_place=True), Cursor(part, found[0] + 1)
    if part == _TOPIC_PART and audience.topic is not None:
        following = sa.select(Follow.device_id).where(Follow.slug == audience.topic, Follow.device_id > offset)
        ids = list(session.scalars(following.order_by(Follow.device_id).limit(DEVICES_A_CHUNK)))
        return _devices(session, Device.id.in_(ids)), Cursor(part, ids[-1]) if ids else Cursor(part + 1)
    if part == _DEVICE_PART and audience.device_id is not None:
        return _devices(session, Device.id == audience.device_id), Cursor(part + 1)
    if part == _EVERYONE_PART and audience.everyone:
        ids = list(
            session.scalars(sa.select(Device.id).where(Device.id > offset).order_by(Device.id).limit(DEVICES_A_CHUNK))
        )
        return _devices(session, Device.id.in_(ids)), Cursor(part, ids[-1]) if ids else Cursor(part + 1)
    return [], Cursor(part + 1) if part + 1 < _END else None


def recipients(session: Session, audience: Audience, now: dt.datetime) -> Iterator[list[Recipient]]:
    """Every recipient once, chunk by chunk, in the order in which they would be told."""
    cursor: Cursor | None = Cursor()
    seen: set[int] = set()
    while cursor is not None:
        found, cursor = chunk(session, audience, cursor, now)
        first = [one for one in found if not (one.device_id in seen or seen.add(one.device_id))]  # type: ignore[func-returns-value]
        if first:
            yield first


def count(session: Session, audience: Audience, now: dt.datetime) -> Count:
    """How many distinct devices an audience has."""
    return tally(recipients(session, audience, now))


def tally(chunks: Iterable[list[Recipient]]) -> Count:
    """The count of recipients who are being listed anyway."""
    devices = reachable = 0
    tallies: tuple[dict[str, int], dict[str, int], dict[str, int]] = ({}, {}, {})
    for found in chunks:
        devices += len(found)
        for one in found:
            reachable += one.can_receive
            for tally, key in zip(tallies, (one.language, one.platform, one.place or "none"), strict=True):
                tally[key] = tally.get(key, 0) + 1
    return Count(devices, reachable, *tallies)


_DEVICE_COLUMNS = (
    Device.id,
    Device.language,
    Device.platform,
    sa.and_(Device.token.is_not(None), Device.token_state == TokenState.ACTIVE.value),
)


def _in_cells(
    session: Session, cells: Sequence[int], place: PlaceName, fresh: bool | None, now: dt.datetime
) -> list[Recipient]:
    query = (
        sa.select(*_DEVICE_COLUMNS, Place.origin_cell)
        .join(Place, Place.device_id == Device.id)
        .where(Place.cell.in_(cells), Place.name == place.value)
        .order_by(Place.cell, Place.device_id)
    )
    if fresh is not None:
        old = now - CURRENT_GROWS_OLD
        query = query.where(Place.updated_at >= old if fresh else Place.updated_at < old)
    return [Recipient(*row[:4], place.value, row[4]) for row in session.execute(query)]


def _devices(session: Session, where: sa.ColumnElement[bool], *, with_place: bool = False) -> list[Recipient]:
    rows = session.execute(sa.select(*_DEVICE_COLUMNS).where(where).order_by(Device.id)).all()
    places: dict[int, tuple[str, int]] = {}
    if with_place and rows:
        rank = {name.value: position for position, name in enumerate(PlaceName)}
        ids = [row[0] for row in rows]
        for device_id, name, cell in session.execute(
            sa.select(Place.device_id, Place.name, Place.origin_cell).where(
                Place.device_id.in_(ids), Place.cell == Place.origin_cell
            )
        ):
            if device_id not in places or rank[name] < rank[places[device_id][0]]:
                places[device_id] = (name, cell)
    return [Recipient(*row, *places.get(row[0], (None, None))) for row in rows]


def cells_array(recipients: Sequence[Recipient]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The distinct cells of recipients that have one."""
    return np.unique(np.array([one.cell for one in recipients if one.cell is not None], dtype=np.int64))
