"""Devices by what they told of themselves: children's birth months, collection areas, the hours of reminders.

Read in windows of rising ids: in each window every key is one look into an index, however many devices hold it, so
that the bitmaps and rows of a window's devices lie together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from notifications import columns, told
from notifications.columns import Whole
from notifications.devices import Device
from notifications.places import PlaceName
from notifications.recipients import NO_PLACE, PLACES, Codes

_LOOK_COSTS = 0.05  # of a row, a look into an index
_REST = 0.1  # of a chunk: not worth another window
_WIDER = 16  # the most by which a window outgrows the one before


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows of one table that hold one of these keys and, where given, this hour and area.

    A key of an hour or a choice is (collection area, choice of categories).
    """

    table: str  # children | child_dates | garbage_areas | garbage_days | garbage_choices
    keys: tuple[Any, ...]
    slot: int | None = None
    area: str = ""


# What a row must hold beside its device's id lying in the window.
_WHERE = {
    "children": ("children", "r.born = k.value", columns.Keys.WORDS),
    "child_dates": ("children", "r.minute = :slot AND r.born = k.value AND r.area = :area", columns.Keys.WORDS),
    "garbage_areas": ("garbage_days", "r.area_id = k.value", columns.Keys.NUMBERS),
    "garbage_days": (
        "garbage_days", "r.slot = :slot AND r.area_id = k.value AND r.categories = k.word", columns.Keys.BOTH,
    ),
    "garbage_choices": ("garbage_days", "r.area_id = k.value AND r.categories = k.word", columns.Keys.BOTH),
}  # fmt: skip


def listed(
    session: Session,
    lookup: Lookup,
    since: int,
    most: int,
    *,
    among: Sequence[int] = (),
    without: Sequence[int] = (),
) -> tuple[Whole, Codes, int | None]:
    """Ids from `since` on, rising, their places, and where to go on (None at the end): about `most`.

    A device may come twice, its dearest place first. `among`: only those told one of these messages; `without`: none
    of those told one of these.
    """
    end = (session.scalar(sa.select(sa.func.max(Device.id))) or 0) + 1
    looks = len(lookup.keys)
    width, left = max(1, most), float(most)
    pieces: list[tuple[Whole, Codes]] = []
    while since < end and left > most * _REST:
        until = min(since + width, end)
        ids, places = _window(session, lookup, since, until, 2 * most if width > 1 else None)
        if width > 1 and len(ids) >= 2 * most:
            width = max(1, width // 4)  # here they are dense
            continue
        share = max(1, len(ids)) / (until - since)
        left -= len(ids) + looks * _LOOK_COSTS
        if len(ids) and (among or without):
            kept = _told_or_not(session, ids, since, until, among, without)
            ids, places = ids[kept], places[kept]
        if len(ids):
            order = np.lexsort((places, ids))
            pieces.append((ids[order], places[order]))
        since = until
        width = int(max(1, min(_WIDER * width, max(left, 1) / share)))
    if not pieces:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), since if since < end else None
    found, where = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return found, where, since if since < end else None


def _window(session: Session, lookup: Lookup, since: int, until: int, most: int | None) -> tuple[Whole, Codes]:
    """Everybody of a window, or at least `most` of them, which are then too many."""
    table, condition, kind = _WHERE[lookup.table]
    values = {name: value for name, value in (("slot", lookup.slot), ("area", lookup.area)) if f":{name}" in condition}
    ids, labels = columns.in_window(session, table, condition, kind, lookup.keys, since, until, most, **values)
    return ids, _codes(labels) if labels is not None else np.full(len(ids), NO_PLACE, np.int64)


_CODE = {name: PLACES.index(name) for name in map(str, PlaceName)}


def _codes(names: Sequence[str]) -> Codes:
    return np.fromiter(map(_CODE.__getitem__, names), np.int64, len(names))


def _told_or_not(
    session: Session, ids: Whole, since: int, until: int, among: Sequence[int], without: Sequence[int]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    blocks = range(since // told.BLOCK, (until - 1) // told.BLOCK + 1)
    kept = np.ones(len(ids), np.bool_)
    if among:
        kept &= np.isin(ids, told.in_blocks(session, among, blocks))
    if without:
        kept &= ~np.isin(ids, told.in_blocks(session, without, blocks))
    return kept
