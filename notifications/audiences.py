"""Audiences: who a message is for. Counting and listing come from the one function that also sends.

An audience is a union of parts, and a listing is gone through part by part: a cursor names the part and how far it
has come, so that any worker goes on where another stopped. A further way to be meant becomes a field of `Audience` and
a part behind the others: one function that gives the next devices after an offset, rising, as columns. A device of
several parts is taken where it comes first; that costs the parts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo import mesh
from notifications import attributes, children, columns, dangers, narrowing, told, topics
from notifications.attributes import Lookup
from notifications.devices import Device
from notifications.places import CURRENT_GROWS_OLD, PlaceName
from notifications.recipients import NO_CELL, PLACES, UNKNOWN_PLACE, Found, Recipients, describe, is_first
from notifications.reminded import Reminded as Reminded

# What a chunk may cost: a row found is 1, a run of cells _RUN_COSTS. Some 60,000 a second for recipients that
# are new, five times as many for those who come again.
CHUNK = 20_000
LARGE_CHUNK = 100_000  # where nobody waits meanwhile: counting
_RUN_COSTS = 3
_FIRST_LOOK = 256  # cells; how crowded they are, and how scattered, says how many can be asked for next
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class Audience:
    """A union: inside a danger area, told earlier messages, followers of a topic, one device, everyone, families with
    a child born from one month to another (`born`, 2023-04, both included), those who chose one of these collection
    areas, those who asked to be reminded.

    Of all but those told before, `followers_of` leaves only those who follow this topic or one above it, and
    `parents_of` only families with a child born in these months.
    """

    danger_area_id: int | None = None
    told_message_ids: tuple[int, ...] = ()
    topic: str | None = None
    device_id: int | None = None
    everyone: bool = False
    born: tuple[str, str] | None = None
    garbage_area_ids: tuple[int, ...] = ()
    reminded: Reminded | None = None
    followers_of: str | None = None
    parents_of: tuple[str, str] | None = None

    @property
    def follows(self) -> tuple[int, ...]:
        """Messages whose recipients must be known before this one is planned."""
        one = self.reminded
        return self.told_message_ids + (one.among_told + one.not_told if one is not None else ())

    def to_json(self) -> dict[str, Any]:
        """The form that is frozen in a message: what is empty is left out."""
        stored = asdict(self)
        if self.reminded is not None:
            stored["reminded"] = {
                name: value for name, value in stored["reminded"].items() if value not in (None, (), "")
            }
        return {name: value for name, value in stored.items() if value not in (None, (), False)}

    @staticmethod
    def from_json(stored: dict[str, Any]) -> Audience:
        """Reads the frozen form."""
        reminded = stored.get("reminded")
        return Audience(
            danger_area_id=stored.get("danger_area_id"),
            told_message_ids=tuple(stored.get("told_message_ids", ())),
            topic=stored.get("topic"),
            device_id=stored.get("device_id"),
            everyone=stored.get("everyone", False),
            born=_months(stored.get("born")),
            garbage_area_ids=tuple(stored.get("garbage_area_ids", ())),
            followers_of=stored.get("followers_of"),
            parents_of=_months(stored.get("parents_of")),
            reminded=Reminded.from_json(reminded) if reminded is not None else None,
        )


def _months(stored: list[str] | None) -> tuple[str, str] | None:
    return (stored[0], stored[1]) if stored else None


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
# Parts of a plan: two rings of every pass, those told before, followers, one device or everyone, those who told
# something of themselves. Numbers of parts are stored with a message half planned: a new part comes last.
_CELL_PARTS = len(_PASSES) * len(_RINGS)
_TOLD_PART, _TOPIC_PART, _DEVICE_PART, _EVERYONE_PART, _BORN_PART, _AREA_PART, _REMINDED_PART, _END = range(
    _CELL_PARTS, _CELL_PARTS + 8
)


def chunk(
    session: Session,
    audience: Audience,
    cursor: Cursor,
    now: dt.datetime,
    most: int | None = None,
    moved_since: dt.datetime | None = None,
) -> tuple[Found, Cursor | None]:
    """The next devices of an audience, most endangered first, and where to go on (None at the end).

    About `most` rows (`CHUNK` by default), through as many parts as that takes; more only where a single cell holds
    more. A device may come again (it has several places): the caller keeps the first. `moved_since` looks only for
    places in the danger area that were put since then.
    """
    left = CHUNK if most is None else most
    pieces: list[Found] = []
    look, crowd, dear = _FIRST_LOOK, 0.0, float(_RUN_COSTS)  # cells, rows a cell, what looking into a cell costs
    following: Cursor | None = cursor
    area = None
    if audience.danger_area_id is not None and cursor.part < _CELL_PARTS:
        area = dangers.cells(session, audience.danger_area_id)
    while following is not None and left > 0:
        part, offset = following.part, following.offset
        if part < _CELL_PARTS and area is None:
            following = Cursor(_TOLD_PART)
            continue
        if part < _CELL_PARTS:
            ring = getattr(area, _RINGS[part % 2])
            many = max(1, min(look, int(left / (crowd + dear)), len(ring) - offset))
            runs = mesh.runs(ring[offset : offset + many])
            costs = _RUN_COSTS * max(1, len(runs[0]))
            piece = _in_cells(session, runs, part, now, moved_since, _ALL if many == 1 else 2 * left)
            if many > 1 and len(piece) == 2 * left:
                look = many // 4  # the quiet outskirts end here: more than can be taken at once
                continue
            look, crowd, dear = 4 * many, len(piece) / many, costs / many
            left -= len(piece) + costs
            following = Cursor(part + 1) if offset + many >= len(ring) else Cursor(part, offset + many)
        elif moved_since is not None:
            following = None
            continue
        else:
            piece, following = _listed(session, audience, part, offset, left)
            # Windows are filled as far as they go: for the little that is left none is opened.
            goes_on = following is not None and following.part == part
            left = 0 if part >= _BORN_PART and goes_on else left - len(piece)
        if len(piece):
            pieces.append(piece)
    found = Found.joined(pieces)
    narrowed = narrowing.kept(session, found.device_ids, audience.followers_of, audience.parents_of)
    return found.kept(narrowed | (found.turns == _TOLD_PART)), following


def _in_cells(
    session: Session, runs: columns.Runs, part: int, now: dt.datetime, moved_since: dt.datetime | None, most: int
) -> Found:
    if not len(runs[0]):
        return Found.joined([])
    place, fresh = _PASSES[part // 2]
    old = now - CURRENT_GROWS_OLD
    since, before = (None, None) if fresh is None else (old, None) if fresh else (None, old)
    if moved_since is not None:
        since = moved_since if since is None else max(since, moved_since)
    device_ids, at = columns.in_cells(session, runs, place, most, since, before)
    return Found.of(device_ids, turn=part, place=PLACES.index(place.value), cells=at)


def _listed(session: Session, audience: Audience, part: int, offset: int, most: int) -> tuple[Found, Cursor | None]:
    """The next devices of a part that is not about cells."""
    ids = np.zeros(0, np.int64)
    if part == _TOLD_PART and audience.told_message_ids:
        blocks = told.blocks(session, audience.told_message_ids, offset - 1, max(1, most // told.BLOCK))
        if blocks:
            ids = told.in_blocks(session, audience.told_message_ids, blocks)
            return Found.of(ids, turn=part, place=UNKNOWN_PLACE), Cursor(part, blocks[-1] + 1)
    elif part == _TOPIC_PART and audience.topic is not None:
        ids = columns.ids(session, topics.followers(audience.topic, offset, most))
    elif part == _DEVICE_PART and audience.device_id is not None:
        return Found.of(np.array([audience.device_id], np.int64), turn=part), Cursor(part + 1)
    elif part == _EVERYONE_PART and audience.everyone:
        everybody = sa.select(Device.id).where(Device.id > offset).order_by(Device.id).limit(most)
        ids = columns.ids(session, everybody)
    elif part == _BORN_PART and audience.born is not None:
        keys = tuple(children.months(*audience.born))
        return _attributed(session, Lookup("children", keys), part, offset, most)
    elif part == _AREA_PART and audience.garbage_area_ids:
        return _attributed(session, Lookup("garbage_areas", audience.garbage_area_ids), part, offset, most)
    elif part == _REMINDED_PART and (asked := audience.reminded) is not None:
        return _attributed(session, asked.lookup(), part, offset, most, asked)
    if len(ids):
        return Found.of(ids, turn=part), Cursor(part, int(ids[-1]))
    return Found.of(ids, turn=part), _behind(part)


def _attributed(
    session: Session, lookup: Lookup, part: int, offset: int, most: int, asked: Reminded | None = None
) -> tuple[Found, Cursor | None]:
    """The next devices of those who told something of themselves; the place is the name they gave to an area."""
    among, without = (asked.among_told, asked.not_told) if asked is not None else ((), ())
    ids, places, after = attributes.listed(session, lookup, offset, most, among=among, without=without)
    found = Found(ids, places, np.full(len(ids), NO_CELL, np.int64), np.full(len(ids), part, np.int64))
    return found, _behind(part) if after is None else Cursor(part, after)


def _behind(part: int) -> Cursor | None:
    return Cursor(part + 1) if part + 1 < _END else None


def recipients(session: Session, audience: Audience, now: dt.datetime) -> Iterator[Recipients]:
    """Every recipient once, chunk by chunk, in the order in which they would be told."""
    for found in _each_once(session, audience, now):
        if len(known := describe(session, found)):
            yield known


def _each_once(session: Session, audience: Audience, now: dt.datetime) -> Iterator[Found]:
    cursor: Cursor | None = Cursor()
    seen = np.zeros(0, np.bool_)
    while cursor is not None:
        found, cursor = chunk(session, audience, cursor, now, LARGE_CHUNK)
        if not len(found):
            continue
        longest = int(found.device_ids.max()) + 1
        if longest > len(seen):
            seen = np.concatenate([seen, np.zeros(max(longest, 2 * len(seen)) - len(seen), np.bool_)])
        found = found.kept(is_first(found.device_ids) & ~seen[found.device_ids])
        seen[found.device_ids] = True
        if len(found):
            yield found


def size(session: Session, audience: Audience, now: dt.datetime) -> int:
    """How many distinct devices an audience has, and nothing more: half the work of `count`."""
    devices = 0
    for found in _each_once(session, audience, now):
        # Named by number they may be gone meanwhile; all others were found by rows of theirs.
        named = np.isin(found.turns, (_TOLD_PART, _DEVICE_PART))
        devices += len(found) - int(named.sum())
        if named.any():
            devices += len(columns.devices(session, np.sort(found.device_ids[named]))[0])
    return devices


def count(session: Session, audience: Audience, now: dt.datetime) -> Count:
    """How many distinct devices an audience has."""
    return tally(recipients(session, audience, now))


def tally(chunks: Iterable[Recipients]) -> Count:
    """The count of recipients who are being listed anyway."""
    devices = reachable = 0
    languages: Counter[str] = Counter()
    platforms: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for known in chunks:
        devices += len(known)
        for sort, many in zip(
            known.sorts, np.bincount(known.sort_of, minlength=len(known.sorts)).tolist(), strict=True
        ):
            reachable += many if sort.can_receive else 0
            languages[sort.language] += many
            platforms[sort.platform] += many
        for place, many in zip(*np.unique(known.found.places, return_counts=True), strict=True):
            places[PLACES[place] if place >= 0 else "none"] += int(many)
    return Count(
        devices, reachable, *({word: n for word, n in one.items() if n} for one in (languages, platforms, places))
    )
