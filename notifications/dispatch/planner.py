"""Planning: the audience of a message, chunk by chunk, becomes groups and batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import texts as text
from notifications import audiences, told
from notifications.audiences import Audience, Cursor, Recipient
from notifications.channels.promise import Outcome, Outlet, outlet_of
from notifications.dispatch import batches, groups, leases, shelters
from notifications.dispatch.shelters import ShelterFinder
from notifications.messages import Kind, Message, Planning

# When everything is planned, one more look after this catches phones whose move was under way meanwhile.
LATECOMERS_AFTER = dt.timedelta(seconds=60)
_LAST_SWEEP = 2


def _due(clock: Any) -> sa.ColumnElement[bool]:
    waiting = Message.planning.in_([Planning.WAITING.value, Planning.LATECOMERS.value])
    return sa.and_(waiting, Message.plan_due_at <= clock)


def most_urgent(session: Session, now: dt.datetime) -> int | None:
    """The rank of the most urgent planning that is due, None when there is none: worth a write lock or not."""
    return session.scalar(sa.select(sa.func.min(Message.rank)).where(_due(leases.clock(session, now))))


def claim(session: Session, now: dt.datetime, least_urgent: int | None = None) -> Message | None:
    """The most urgent message whose planning is due, locked until the caller commits; None when there is none.

    Nothing of a greater rank than `least_urgent`, where that is given. One that follows others waits until nothing
    of theirs is on its way any more: only then is it certain who was told.
    """
    query = (
        sa.select(Message)
        .where(_due(leases.clock(session, now)), sa.true() if least_urgent is None else Message.rank <= least_urgent)
        .order_by(Message.rank, Message.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for message in session.scalars(query):
        before = Audience.from_json(message.audience).told_message_ids
        if not before or batches.open_ones(session, before) == 0:
            return message
    return None


def plan_chunk(session: Session, message: Message, now: dt.datetime) -> int:
    """Plans the next chunk of a claimed message; returns how many devices it added.

    A device is marked as told in the same transaction that puts it into a batch: whatever
    crashes, it is in both or in neither.
    """
    if message.expires_at <= now:
        _finish(message, now)
        return 0
    audience = Audience.from_json(message.audience)
    _freeze_candidates(session, message, now)
    cursor = Cursor(message.plan_part, message.plan_offset)
    found, following = audiences.chunk(session, audience, cursor, now)
    added = add(session, message, found, now) if found else 0
    if following is not None:
        message.plan_part, message.plan_offset = following.part, following.offset
    else:
        _next_sweep(message, audience, now)
    session.flush()
    return added


def add(session: Session, message: Message, found: Sequence[Recipient], now: dt.datetime) -> int:
    """Puts those recipients into batches who were not told this message yet; returns how many they are."""
    first: dict[int, Recipient] = {}
    for recipient in found:
        first.setdefault(recipient.device_id, recipient)
    new = told.mark(session, message.id, np.fromiter(first, dtype=np.int64, count=len(first)))
    if len(new) == 0:
        return 0
    _freeze_candidates(session, message, now)
    chosen = [first[device_id] for device_id in new.tolist()]
    group_ids = _groups(session, message, chosen)
    # The same bytes one after another: fewer bodies to encode, and the order of endangerment stays between chunks.
    order = sorted(range(len(chosen)), key=group_ids.__getitem__)
    for outlet in Outlet:
        part = [i for i in order if outlet_of(chosen[i].platform) is outlet]
        batches.append(
            session,
            message.id,
            message.rank,
            [chosen[i].device_id for i in part],
            [group_ids[i] for i in part],
            [Outcome.PENDING if chosen[i].can_receive else Outcome.NO_TOKEN for i in part],
            now,
            outlet=outlet,
        )
    return len(chosen)


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


def _groups(session: Session, message: Message, chosen: Sequence[Recipient]) -> list[int]:
    """The group of each recipient; groups are made where they are missing."""
    finder = ShelterFinder.of(message)
    nearest = finder.for_cells(audiences.cells_array(chosen)) if finder is not None else {}
    texts: Mapping[str, text.Text] = message.texts  # type: ignore[assignment]
    languages = {asked: text.choose(texts, asked)[0] for asked in {one.language for one in chosen}}
    contents: list[dict[str, Any]] = []
    for one in chosen:
        near = nearest.get(one.cell) if one.cell is not None else None
        contents.append(
            {
                "language": languages[one.language],
                "platform": one.platform,
                "place": one.place if near is not None else None,
                "shelters": near,
            }
        )
    return groups.ids_of(session, message.id, contents)


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
