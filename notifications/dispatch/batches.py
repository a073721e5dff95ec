"""Batches: at most 500 recipients of one message, queue entry and ledger at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime
from notifications.channels.promise import Outcome, Outlet

LARGEST = 500
NEVER = 0xFFFF  # in `answered`
# The rank of what was withdrawn: closing it takes a moment, and what overtook it waits for that.
CLOSE_AT_ONCE = -1


class BatchState(StrEnum):
    """Where a batch stands."""

    READY = "ready"
    LEASED = "leased"
    STOPPED = "stopped"  # a fault of ours: an operator must act
    CLOSED = "closed"


class Batch(Base):
    """Recipients in the order they are handed over, and one byte for what became of each."""

    __tablename__ = "batches"
    __table_args__ = (
        sa.Index("ix_batches_claim", "state", "rank", "id"),
        sa.Index("ix_batches_message", "message_id", "state"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"))
    outlet: Mapped[str] = mapped_column(sa.Text)  # one way to phones: everybody in a batch is reached by it
    rank: Mapped[int] = mapped_column(sa.Integer)  # smaller goes first
    state: Mapped[str] = mapped_column(sa.Text)
    withdrawn: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    not_before: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # Everyday pushes: when quiet hours begin that everybody in it has, and when they end; see `dispatch.hush`.
    quiet_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    fence: Mapped[int] = mapped_column(sa.Integer, default=0)
    lease_owner: Mapped[str | None] = mapped_column(sa.Text)
    lease_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    device_ids: Mapped[bytes] = mapped_column(sa.LargeBinary)  # int64, little-endian
    group_ids: Mapped[bytes] = mapped_column(sa.LargeBinary)  # int64, little-endian
    outcomes: Mapped[bytes] = mapped_column(sa.LargeBinary)  # one Outcome a recipient
    tries: Mapped[bytes] = mapped_column(sa.LargeBinary)  # hand-overs so far, a byte each
    # When each recipient's last answer came, or, while it waits after a refusal or silence, when it may be tried again:
    # uint16, little-endian, tenths of a second since the message might begin (`messages.not_before`), NEVER where
    # nothing was answered yet, one less where it is later than can be said.
    answered: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    first_handed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def append(
    session: Session,
    message_id: int,
    rank: int,
    device_ids: Sequence[int] | NDArray[np.int64],
    group_ids: Sequence[int] | NDArray[np.int64],
    outcomes: Sequence[Outcome] | NDArray[np.uint8],
    now: dt.datetime,
    outlet: Outlet = Outlet.FCM,
    not_before: dt.datetime | None = None,
    quiet: tuple[dt.datetime, dt.datetime] | None = None,
) -> int:
    """Cuts recipients into batches, in order; returns how many batches. Those with a final outcome are only kept.

    `quiet`: from when until when none of them is handed over any more.
    """
    ids, groups = np.asarray(device_ids, dtype="<i8"), np.asarray(group_ids, dtype="<i8")
    states = np.asarray(outcomes, dtype=np.uint8)
    rows = []
    for start in range(0, len(ids), LARGEST):
        part = slice(start, start + LARGEST)
        many = len(ids[part])
        waiting = bool((states[part] == Outcome.PENDING).any())
        rows.append(
            {
                "message_id": message_id,
                "outlet": outlet.value,
                "rank": rank,
                "state": (BatchState.READY if waiting else BatchState.CLOSED).value,
                "withdrawn": False,
                "attempts": 0,
                "fence": 0,
                "not_before": not_before or now,
                "quiet_at": quiet[0] if quiet is not None else None,
                "resume_at": quiet[1] if quiet is not None else None,
                "device_ids": ids[part].tobytes(),
                "group_ids": groups[part].tobytes(),
                "outcomes": states[part].tobytes(),
                "tries": bytes(many),
                "answered": b"\xff\xff" * many,
                "created_at": now,
                "closed_at": None if waiting else now,
            }
        )
    if rows:
        session.connection().execute(sa.insert(Batch), rows)
    return len(rows)


def withdraw(session: Session, message_ids: Sequence[int]) -> None:
    """Asks that nothing more of these messages is handed over; a worker then closes each batch."""
    still_open = (Batch.message_id.in_(message_ids), Batch.state != BatchState.CLOSED.value)
    # Locked in the order in which workers write several of theirs: the two never wait for each other in a circle.
    session.execute(sa.select(Batch.id).where(*still_open).order_by(Batch.id).with_for_update()).all()
    session.execute(sa.update(Batch).where(*still_open).values(withdrawn=True))
    # What waits for later, or for an operator, is closed now.
    session.execute(
        sa.update(Batch)
        .where(
            Batch.message_id.in_(message_ids),
            Batch.state.in_([BatchState.READY.value, BatchState.STOPPED.value]),
        )
        .values(state=BatchState.READY.value, not_before=Batch.created_at, rank=CLOSE_AT_ONCE)
    )


def of_message(session: Session, message_id: int, after_id: int = 0, most: int = 50) -> Sequence[Batch]:
    """Batches of a message in the order in which they were planned, behind the one of this id."""
    wanted = sa.select(Batch).where(Batch.message_id == message_id, Batch.id > after_id)
    return session.scalars(wanted.order_by(Batch.id).limit(most)).all()


def open_ones(session: Session, message_ids: Sequence[int]) -> int:
    """How many batches of these messages are not closed yet."""
    query = sa.select(sa.func.count()).where(Batch.message_id.in_(message_ids), Batch.state != BatchState.CLOSED.value)
    return session.execute(query.select_from(Batch)).scalar_one()


def restart(session: Session, now: dt.datetime) -> int:
    """Puts stopped batches back into the queue after the fault was mended; returns how many."""
    stopped = Batch.state == BatchState.STOPPED.value
    session.execute(sa.select(Batch.id).where(stopped).order_by(Batch.id).with_for_update()).all()
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Batch).where(stopped).values(state=BatchState.READY.value, not_before=now)
    )
    return result.rowcount


def outcomes_of(session: Session, message_id: int) -> dict[Outcome, int]:
    """How many recipients of a message came to which outcome."""
    counts = np.zeros(256, dtype=np.int64)
    for stored in session.scalars(sa.select(Batch.outcomes).where(Batch.message_id == message_id)):
        counts += np.bincount(np.frombuffer(stored, dtype=np.uint8), minlength=256)
    return {outcome: int(counts[outcome]) for outcome in Outcome if counts[outcome]}
