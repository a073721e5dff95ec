"""Batches: at most 500 recipients of one message, queue entry and ledger at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime
from notifications.channels.promise import Outcome, Outlet
from notifications.dispatch import leases

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
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    fence: Mapped[int] = mapped_column(sa.Integer, default=0)
    lease_owner: Mapped[str | None] = mapped_column(sa.Text)
    lease_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    device_ids: Mapped[bytes] = mapped_column(sa.LargeBinary)  # int64, little-endian
    group_ids: Mapped[bytes] = mapped_column(sa.LargeBinary)  # int64, little-endian
    outcomes: Mapped[bytes] = mapped_column(sa.LargeBinary)  # one Outcome a recipient
    tries: Mapped[bytes] = mapped_column(sa.LargeBinary)  # hand-overs so far, a byte each
    # When each recipient's last answer came: uint16, little-endian, tenths of a second since the message might begin
    # (`messages.not_before`), NEVER where none came yet, one less where it took longer than can be said.
    answered: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    first_handed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


@dataclass(slots=True)
class Held:
    """A claimed batch in a worker's hands: plain values, no session behind them."""

    id: int
    message_id: int
    fence: int
    attempts: int
    withdrawn: bool
    reclaimed: bool  # its last holder's lease ran out
    device_ids: NDArray[np.int64]
    group_ids: NDArray[np.int64]
    outcomes: NDArray[np.uint8]
    tries: NDArray[np.uint8]


def append(
    session: Session,
    message_id: int,
    rank: int,
    device_ids: Sequence[int],
    group_ids: Sequence[int],
    outcomes: Sequence[Outcome],
    now: dt.datetime,
    outlet: Outlet = Outlet.FCM,
) -> int:
    """Cuts recipients into batches, in order; returns how many batches. Those with a final outcome are only kept."""
    cut = 0
    for start in range(0, len(device_ids), LARGEST):
        part = slice(start, start + LARGEST)
        states = np.array(outcomes[part], dtype=np.uint8)
        waiting = bool((states == Outcome.PENDING).any())
        session.add(
            Batch(
                message_id=message_id,
                outlet=outlet.value,
                rank=rank,
                state=(BatchState.READY if waiting else BatchState.CLOSED).value,
                withdrawn=False,
                not_before=now,
                device_ids=np.array(device_ids[part], dtype="<i8").tobytes(),
                group_ids=np.array(group_ids[part], dtype="<i8").tobytes(),
                outcomes=states.tobytes(),
                tries=bytes(len(states)),
                answered=b"\xff\xff" * len(states),
                created_at=now,
                closed_at=None if waiting else now,
            )
        )
        cut += 1
    session.flush()
    return cut


def most_urgent(session: Session, now: dt.datetime) -> int | None:
    """The rank of the most urgent batch that can be claimed, None when there is none: worth a write lock or not."""
    query = sa.select(Batch.rank).where(_claimable(leases.clock(session, now))).order_by(Batch.rank).limit(1)
    return session.scalar(query)


def _claimable(clock: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    ready = sa.and_(Batch.state == BatchState.READY.value, Batch.not_before <= clock)
    abandoned = sa.and_(Batch.state == BatchState.LEASED.value, Batch.lease_until < clock)
    return sa.or_(ready, abandoned)


def claim(session: Session, owner: str, now: dt.datetime, lease: dt.timedelta) -> Held | None:
    """Leases the most urgent batch that is ready or whose holder's lease ran out; None when there is none."""
    pick = (
        sa.select(Batch.id, Batch.state)
        .where(_claimable(leases.clock(session, now)))
        .order_by(Batch.rank, Batch.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    picked = session.execute(pick).first()
    if picked is None:
        return None
    row = session.execute(
        sa.update(Batch)
        .where(Batch.id == picked.id)
        .values(
            state=BatchState.LEASED.value,
            lease_owner=owner,
            lease_until=leases.until(session, now, lease),
            fence=Batch.fence + 1,
            attempts=Batch.attempts + 1,
        )
        .returning(
            Batch.id, Batch.message_id, Batch.fence, Batch.attempts, Batch.withdrawn,
            Batch.device_ids, Batch.group_ids, Batch.outcomes, Batch.tries,
        )
    ).one()  # fmt: skip
    return Held(
        id=row.id,
        message_id=row.message_id,
        fence=row.fence,
        attempts=row.attempts,
        withdrawn=row.withdrawn,
        reclaimed=picked.state == BatchState.LEASED.value,
        device_ids=np.frombuffer(row.device_ids, dtype="<i8").astype(np.int64),
        group_ids=np.frombuffer(row.group_ids, dtype="<i8").astype(np.int64),
        outcomes=np.frombuffer(row.outcomes, dtype=np.uint8).copy(),
        tries=np.frombuffer(row.tries, dtype=np.uint8).copy(),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a holder learns when it writes: whether the batch is still its own, and whether it was withdrawn."""

    held: bool
    withdrawn: bool = False


def save(session: Session, held: Held, now: dt.datetime, lease: dt.timedelta) -> Standing:
    """Writes what became of recipients so far and renews the lease; a worker that lost its lease writes nothing."""
    return _write(session, held, now, {"lease_until": leases.until(session, now, lease)})


def release(session: Session, held: Held, now: dt.datetime, not_before: dt.datetime) -> Standing:
    """Puts a batch back whose remaining recipients must wait, writing what became of the others.

    One that was withdrawn meanwhile waits for nothing: what follows it waits for its end.
    """
    return _write(
        session,
        held,
        now,
        {
            "state": BatchState.READY.value,
            "not_before": sa.case((Batch.withdrawn, Batch.created_at), else_=sa.literal(not_before, UtcDateTime)),
            "rank": _rank_at_once(),
            "lease_owner": None,
            "lease_until": None,
        },
    )


def stop(session: Session, held: Held, now: dt.datetime) -> Standing:
    """Takes a batch out of the queue until an operator has acted; one withdrawn meanwhile has only to be closed."""
    return _write(
        session,
        held,
        now,
        {
            "state": sa.case((Batch.withdrawn, BatchState.READY.value), else_=BatchState.STOPPED.value),
            "not_before": sa.case((Batch.withdrawn, Batch.created_at), else_=Batch.not_before),
            "rank": _rank_at_once(),
            "lease_owner": None,
            "lease_until": None,
        },
    )


def _rank_at_once() -> sa.ColumnElement[int]:
    return sa.case((Batch.withdrawn, CLOSE_AT_ONCE), else_=Batch.rank)


def close(session: Session, held: Held, now: dt.datetime) -> Standing:
    """Ends a batch: every recipient has a final outcome."""
    return _write(
        session,
        held,
        now,
        {"state": BatchState.CLOSED.value, "closed_at": now, "lease_owner": None, "lease_until": None},
    )


def _write(session: Session, held: Held, now: dt.datetime, values: dict[str, Any]) -> Standing:
    first = now if bool((held.tries > 0).any()) else None
    row = session.execute(
        sa.update(Batch)
        .where(Batch.id == held.id, Batch.fence == held.fence, Batch.state == BatchState.LEASED.value)
        .values(
            outcomes=held.outcomes.tobytes(),
            tries=held.tries.tobytes(),
            first_handed_at=sa.func.coalesce(Batch.first_handed_at, sa.literal(first, UtcDateTime)),
            **values,
        )
        .returning(Batch.withdrawn)
    ).first()
    return Standing(False) if row is None else Standing(True, row.withdrawn)


def withdraw(session: Session, message_ids: Sequence[int]) -> None:
    """Asks that nothing more of these messages is handed over; a worker then closes each batch."""
    session.execute(
        sa.update(Batch)
        .where(Batch.message_id.in_(message_ids), Batch.state != BatchState.CLOSED.value)
        .values(withdrawn=True)
    )
    # What waits for later, or for an operator, is closed now.
    session.execute(
        sa.update(Batch)
        .where(
            Batch.message_id.in_(message_ids),
            Batch.state.in_([BatchState.READY.value, BatchState.STOPPED.value]),
        )
        .values(state=BatchState.READY.value, not_before=Batch.created_at, rank=CLOSE_AT_ONCE)
    )


def open_ones(session: Session, message_ids: Sequence[int]) -> int:
    """How many batches of these messages are not closed yet."""
    query = sa.select(sa.func.count()).where(Batch.message_id.in_(message_ids), Batch.state != BatchState.CLOSED.value)
    return session.execute(query.select_from(Batch)).scalar_one()


def restart(session: Session, now: dt.datetime) -> int:
    """Puts stopped batches back into the queue after the fault was mended; returns how many."""
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Batch)
        .where(Batch.state == BatchState.STOPPED.value)
        .values(state=BatchState.READY.value, not_before=now)
    )
    return result.rowcount


def outcomes_of(session: Session, message_id: int) -> dict[Outcome, int]:
    """How many recipients of a message came to which outcome."""
    counts = np.zeros(256, dtype=np.int64)
    for stored in session.scalars(sa.select(Batch.outcomes).where(Batch.message_id == message_id)):
        counts += np.bincount(np.frombuffer(stored, dtype=np.uint8), minlength=256)
    return {outcome: int(counts[outcome]) for outcome in Outcome if counts[outcome]}
