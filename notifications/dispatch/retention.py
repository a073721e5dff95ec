"""Retention: the ledger is a trail of where people were, so it forgets, step by step, who got what and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from notifications import receipts
from notifications.alerts import Alert
from notifications.dangers import DangerArea
from notifications.dispatch import summaries
from notifications.dispatch.batches import Batch, BatchState
from notifications.dispatch.governor import Reservation
from notifications.dispatch.groups import Group
from notifications.dispatch.summaries import MessageSummary
from notifications.everyday import EverydayCount, Held
from notifications.messages import Kind, Message, Planning
from notifications.receipts import Receipt
from notifications.told import Told

# A step is one transaction: so few rows that nobody who sends waits for it (a batch is ten kilobytes).
BATCHES_A_STEP, ROWS_A_STEP, MESSAGES_A_STEP = 100, 500, 50
# The inbox of a phone goes back so far: what it still shows is kept.
INBOX = dt.timedelta(days=30)
# The governor looks back one minute.
RESERVATIONS = dt.timedelta(minutes=10)
# Quiet hours put a push off to the next day at most.
COUNTS = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long what is kept, counted from a message's expiry or from a phone's last contact."""

    groups: dt.timedelta = dt.timedelta(days=7)  # which shelters and which kind of place
    outcomes: dt.timedelta = dt.timedelta(days=92)  # what became of each recipient
    receipts: dt.timedelta = dt.timedelta(days=92)
    told: dt.timedelta = dt.timedelta(days=366)  # who was told: one bit a device
    token: dt.timedelta = dt.timedelta(days=270)
    device: dt.timedelta = dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that is forgotten: `due` selects ids, `act` takes some of them one step further, in one transaction.

    A chore that was cut off goes on where it was: what is done is due no more. `act` returns the rows it touched.
    """

    name: str
    due: Callable[[Keeping, dt.datetime], sa.Select[Any]]
    act: Callable[[Session, Sequence[Any], dt.datetime], int]
    at_once: int = 1


def _over(cutoff: dt.datetime) -> sa.ColumnElement[bool]:
    """Messages whose time was over at the cutoff, with nothing on its way."""
    waiting = sa.select(Batch.id).where(Batch.message_id == Message.id, Batch.state != BatchState.CLOSED.value)
    planned = Message.planning.in_([Planning.DONE.value, Planning.WITHDRAWN.value])
    return sa.and_(Message.expires_at < cutoff, planned, ~waiting.exists())


def _nothing_follows(cutoff: dt.datetime) -> sa.ColumnElement[bool]:
    """No later message of the thread lives on: a cancel goes to those who were told, however long ago."""
    later = aliased(Message)
    follower = sa.select(later.id).where(
        later.thread == Message.thread, later.id > Message.id, later.expires_at >= cutoff
    )
    return ~follower.exists()


def _has(column: Any) -> sa.ColumnElement[bool]:
    return sa.select(column).where(column == Message.id).exists()


def _groups_due(keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    return sa.select(Message.id).where(_over(now - keeping.groups), _has(Group.message_id))


def _forget_groups(session: Session, ids: Sequence[int], _now: dt.datetime) -> int:
    """Takes the groups out of the batches first: those of a message that is half done are found again."""
    part = sa.select(Batch.id).where(Batch.message_id == ids[0], Batch.group_ids != b"").limit(BATCHES_A_STEP)
    emptied = _rows(session, sa.update(Batch).where(Batch.id.in_(part)).values(group_ids=b""))
    if emptied == BATCHES_A_STEP:
        return emptied
    rows = sa.select(Group.id).where(Group.message_id == ids[0]).limit(ROWS_A_STEP)
    return emptied + _rows(session, sa.delete(Group).where(Group.id.in_(rows)))


def _batches_due(keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    return sa.select(Message.id).where(_over(now - keeping.outcomes), _has(Batch.message_id))


def _archive(session: Session, ids: Sequence[int], now: dt.datetime) -> int:
    """Sums the message up, then deletes its batches, newest last, so that an interruption loses nothing."""
    summaries.write_sending(session, session.get_one(Message, ids[0]), now)
    part = sa.select(Batch.id).where(Batch.message_id == ids[0]).order_by(Batch.id).limit(BATCHES_A_STEP)
    return _rows(session, sa.delete(Batch).where(Batch.id.in_(part)))


def _receipts_due(keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    return sa.select(Message.id).where(Message.expires_at < now - keeping.receipts, _has(Receipt.message_id))


def _sum_receipts(session: Session, ids: Sequence[int], now: dt.datetime) -> int:
    summaries.write_receipts(session, session.get_one(Message, ids[0]), now)
    return receipts.remove(session, ids[0], ROWS_A_STEP)


def _told_due(keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    cutoff = now - max(keeping.told, INBOX)
    return sa.select(Message.id).where(_over(cutoff), _nothing_follows(cutoff), _has(Told.message_id))


def _forget_told(session: Session, ids: Sequence[int], _now: dt.datetime) -> int:
    session.execute(sa.delete(Held).where(Held.message_id == ids[0]))
    part = sa.select(Told.block).where(Told.message_id == ids[0]).limit(ROWS_A_STEP)
    return _rows(session, sa.delete(Told).where(Told.message_id == ids[0], Told.block.in_(part)))


def _tests_due(_keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    return sa.select(Message.id).where(Message.kind == Kind.TEST.value, _over(now - INBOX))


def _delete_tests(session: Session, ids: Sequence[int], _now: dt.datetime) -> int:
    """A test went to one phone that asked for it: nobody needs to know of it when its inbox no longer shows it."""
    for table in (Batch, Group, Told, Receipt, MessageSummary):
        session.execute(sa.delete(table).where(table.message_id.in_(ids)))
    return _rows(session, sa.delete(Message).where(Message.id.in_(ids)))


def _areas_due(_keeping: Keeping, _now: dt.datetime) -> sa.Select[Any]:
    """Every edit of a draft's shape leaves the shape before it behind. What was issued keeps its own."""
    return sa.select(DangerArea.id).where(_unused())


def _delete_areas(session: Session, ids: Sequence[int], _now: dt.datetime) -> int:
    # One that a draft is about to use is locked by it and left alone (dangers.compose).
    free = sa.select(DangerArea.id).where(DangerArea.id.in_(ids), _unused()).with_for_update(skip_locked=True)
    return _rows(session, sa.delete(DangerArea).where(DangerArea.id.in_(list(session.scalars(free)))))


def _unused() -> sa.ColumnElement[bool]:
    """Of no alert, and of no message (of a notice for some areas, say) that is still to be planned."""
    alert = sa.select(Alert.id).where(Alert.danger_area_id == DangerArea.id)
    planned = (Planning.DONE.value, Planning.WITHDRAWN.value)
    inside = Message.audience["danger_area_id"].as_integer() == DangerArea.id
    message = sa.select(Message.id).where(Message.planning.not_in(planned), inside)
    return sa.and_(~alert.exists(), ~message.exists())


def _reservations_due(_keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    return sa.select(Reservation.second).where(Reservation.second < int((now - RESERVATIONS).timestamp())).distinct()


def _delete_reservations(session: Session, ids: Sequence[int], _now: dt.datetime) -> int:
    return _rows(session, sa.delete(Reservation).where(Reservation.second.in_(ids)))


def _counts_due(_keeping: Keeping, now: dt.datetime) -> sa.Select[Any]:
    return sa.select(EverydayCount.day).where(EverydayCount.day < (now - COUNTS).date()).distinct()


def _delete_counts(session: Session, ids: Sequence[Any], _now: dt.datetime) -> int:
    """How many everyday pushes a phone had on a day matters on that day only."""
    part = sa.select(EverydayCount.block).where(EverydayCount.day == ids[0]).limit(ROWS_A_STEP)
    return _rows(session, sa.delete(EverydayCount).where(EverydayCount.day == ids[0], EverydayCount.block.in_(part)))


CHORES = (
    Chore("groups", _groups_due, _forget_groups),
    Chore("batches", _batches_due, _archive),
    Chore("receipts", _receipts_due, _sum_receipts),
    Chore("told", _told_due, _forget_told),
    Chore("tests", _tests_due, _delete_tests, MESSAGES_A_STEP),
    Chore("danger_areas", _areas_due, _delete_areas, MESSAGES_A_STEP),
    Chore("everyday_counts", _counts_due, _delete_counts),
    Chore("reservations", _reservations_due, _delete_reservations, ROWS_A_STEP),
)


def _rows(session: Session, statement: Any) -> int:
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return result.rowcount
