"""Planning: the audience of a message, chunk by chunk, becomes groups and batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import texts as text
from notifications import audiences, everyday, told
from notifications.audiences import Audience, Cursor
from notifications.channels.promise import Outcome, Outlet, outlet_of
from notifications.dispatch import batches, groups, leases, shelters
from notifications.dispatch.groups import Content
from notifications.dispatch.shelters import ShelterFinder
from notifications.messages import Kind, Message, Planning
from notifications.recipients import NO_CELL, NO_PLACE, PLACES, Found, Ids, Recipient, Recipients, describe

TOKYO = ZoneInfo("Asia/Tokyo")
# When everything is planned, one more look after this catches phones whose move was under way meanwhile.
LATECOMERS_AFTER = dt.timedelta(seconds=60)
_LAST_SWEEP = 2
# A place is stored by a transaction that takes no longer than this, the clocks' disagreement included.
LONGEST_MOVE = dt.timedelta(minutes=15)
# Rows; see audiences.CHUNK. On SQLite other writers wait meanwhile. On PostgreSQL none does, and fewer are better:
# each chunk touches nearly all of a city's rows of `told`.
FIRST_CHUNK = 2_000
CHUNKS = {"sqlite": audiences.CHUNK, "postgresql": 50_000}
_PLACE_CODES = len(PLACES) + 1


def _due(clock: Any) -> sa.ColumnElement[bool]:
    waiting = Message.planning.in_([Planning.WAITING.value, Planning.LATECOMERS.value])
    return sa.and_(waiting, Message.plan_due_at <= clock)


def most_urgent(session: Session, now: dt.datetime) -> int | None:
    """The rank of the most urgent planning that is due, None when there is none: worth a write lock or not."""
    return session.scalar(sa.select(sa.func.min(Message.rank)).where(_due(leases.clock(session, now))))


def claim(
    session: Session, now: dt.datetime, least_urgent: int | None = None, due_before: dt.datetime | None = None
) -> Message | None:
    """The most urgent message whose planning is due, locked until the caller commits; None when there is none.

    Nothing of a greater rank than `least_urgent`, and nothing that came due at `due_before` or later, where these
    are given. One that follows others waits until nothing
    of theirs is on its way any more: only then is it certain who was told. Only the one that is taken is locked:
    others plan the next ones meanwhile.
    """
    due = _due(leases.clock(session, now))
    waiting = sa.select(Message.id).where(due).order_by(Message.rank, Message.id)
    if least_urgent is not None:
        waiting = waiting.where(Message.rank <= least_urgent)
    if due_before is not None:
        waiting = waiting.where(Message.plan_due_at < due_before)
    for number in session.scalars(waiting).all():
        # One by one: an evening's reminders are hundreds, each with a long list of areas.
        audience = session.scalars(sa.select(Message.audience).where(Message.id == number)).one()
        before = Audience.from_json(audience).follows
        if before and batches.open_ones(session, before):
            continue
        mine = sa.select(Message).where(Message.id == number, due).with_for_update(skip_locked=True)
        message = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
        if message is not None:
            return message
    return None


def plan_chunk(session: Session, message: Message, now: dt.datetime, zone: ZoneInfo = TOKYO) -> int:
    """Plans the next chunk of a claimed message; returns how many devices it added.

    A device is marked as told in the same transaction that puts it into a batch: whatever
    crashes, it is in both or in neither. The first chunk is small, so that the first phones ring at once.
    `zone`: the city's clock, for quiet hours.
    """
    if message.expires_at <= now:
        _finish(message, now)
        return 0
    audience = Audience.from_json(message.audience)
    _freeze_candidates(session, message, now)
    cursor = Cursor(message.plan_part, message.plan_offset)
    first = cursor == Cursor() and message.plan_sweeps == 0
    # Whoever moved before planning began was found where they then were.
    moved_since = message.not_before - LONGEST_MOVE if message.plan_sweeps else None
    most = FIRST_CHUNK if first else CHUNKS[session.get_bind().dialect.name]
    found, following = audiences.chunk(session, audience, cursor, now, most, moved_since)
    added = _add(session, message, found, now, zone)
    if following is not None:
        message.plan_part, message.plan_offset = following.part, following.offset
    else:
        _next_sweep(message, audience, now)
    session.flush()
    return added


def add(session: Session, message: Message, recipients: Sequence[Recipient], now: dt.datetime) -> int:
    """Puts those recipients into batches who were not told this message yet; returns how many they are."""
    known = Recipients.of(recipients)
    fresh = told.newly(session, message.id, known.found.device_ids)
    if not fresh.any():
        return 0
    _freeze_candidates(session, message, now)
    return _append(session, message, known.kept(fresh), now, TOKYO)


def _add(session: Session, message: Message, found: Found, now: dt.datetime, zone: ZoneInfo) -> int:
    if not len(found):
        return 0
    found = found.kept(told.newly(session, message.id, found.device_ids))
    if not len(found):
        return 0
    known = describe(session, found, with_places=message.candidates is not None)
    if len(known) < len(found):
        # Whoever deleted the app in this moment is told nothing.
        told.unmark(session, message.id, np.setdiff1d(found.device_ids, known.found.device_ids))
    return _append(session, message, known, now, zone)


def _append(session: Session, message: Message, known: Recipients, now: dt.datetime, zone: ZoneInfo) -> int:
    group_ids = _groups(session, message, known)
    outlets = np.array([outlet_of(sort.platform).value for sort in known.sorts], np.object_)[known.sort_of]
    pending = np.array([sort.can_receive for sort in known.sorts], np.bool_)[known.sort_of]
    outcomes = np.where(pending, Outcome.PENDING, Outcome.NO_TOKEN).astype(np.uint8)
    decided = everyday.decide(session, message, known, now, zone)
    outcomes[pending & ~decided.rung] = Outcome.HELD
    # Within a part the same bytes one after another: fewer bodies to encode.
    order = np.lexsort((group_ids, known.found.turns))
    for outlet in Outlet:
        of_outlet = order[outlets[order] == outlet.value]
        for number in np.unique(decided.when[of_outlet]).tolist():
            mine = of_outlet[decided.when[of_outlet] == number]
            batches.append(
                session, message.id, message.rank, known.found.device_ids[mine], group_ids[mine], outcomes[mine], now,
                outlet=outlet, not_before=decided.whens[number].not_before, quiet=decided.whens[number].quiet,
            )  # fmt: skip
    return len(known)


def _freeze_candidates(session: Session, message: Message, now: dt.datetime) -> None:
    """Whoever comes first, the planner or a newcomer, freezes where the message sends people."""
    if message.candidates is not None or message.kind not in (Kind.ALERT.value, Kind.UPDATE.value):
        return
    found = shelters.candidates(session, message, now)
    session.execute(
        sa.update(Message)
        .where(Message.id == message.id, Message.candidates.is_(None))
        .values(candidates=found)
        .execution_options(synchronize_session=False)
    )
    session.refresh(message, ["candidates"])


def _groups(session: Session, message: Message, known: Recipients) -> Ids:
    """The group of each recipient; groups are made where they are missing. Found once for all who are alike."""
    finder = ShelterFinder.of(message)
    texts: Mapping[str, text.Text] = message.texts  # type: ignore[assignment]
    found = known.found
    sets, places = np.full(len(known), -1, np.int64), np.full(len(known), NO_PLACE, np.int64)
    if finder is not None:
        placed = found.cells != NO_CELL
        sets[placed] = finder.sets_of(found.cells[placed])
        places[placed] = found.places[placed]
    elif message.kind == Kind.GARBAGE:
        places = found.places  # the name that the resident gave to the area
    # Those without a token share the group of those with one.
    spoken = [(text.choose(texts, sort.language)[0], sort.platform) for sort in known.sorts]
    distinct = list(dict.fromkeys(spoken))
    manners = np.array([distinct.index(one) for one in spoken], np.int64)[known.sort_of]
    # One number for the three, which numpy sorts ten times as fast as three columns.
    numbers = (sets + 1) * _PLACE_CODES + places + 1
    numbers = numbers * len(distinct) + manners
    alike, of_each = np.unique(numbers, return_inverse=True)
    contents = []
    for number in alike.tolist():
        where, manner = divmod(number, len(distinct))
        near, place = divmod(where, _PLACE_CODES)
        shelters_of = finder.written(near - 1) if finder is not None and near else None
        language, platform = distinct[manner]
        contents.append(Content(language, platform, PLACES[place - 1] if place else None, shelters_of))
    ids: Ids = np.array(groups.ids_of(session, message.id, contents), np.int64)[of_each]
    return ids


def _next_sweep(message: Message, audience: Audience, now: dt.datetime) -> None:
    """People move while an area is planned: it is gone through again at once, and once more a little later."""
    message.plan_part, message.plan_offset = 0, 0
    if audience.danger_area_id is None or message.plan_sweeps >= _LAST_SWEEP:
        _finish(message, now)
        return
    message.plan_sweeps += 1
    message.planned_at = message.planned_at or now
    if message.plan_sweeps == _LAST_SWEEP:
        message.planning = Planning.LATECOMERS.value
        message.plan_due_at = now + LATECOMERS_AFTER


def _finish(message: Message, now: dt.datetime) -> None:
    message.planning = Planning.DONE.value
    message.planned_at = message.planned_at or now
