"""Claims: batches leased to one worker, what it writes into them while it holds them, and how it lets them go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from database import UtcDateTime
from notifications.channels.promise import Outlet
from notifications.dispatch import leases
from notifications.dispatch.batches import CLOSE_AT_ONCE, Batch, BatchState

ALL = tuple(Outlet)


@dataclass(slots=True)
class Held:
    """A claimed batch in a worker's hands: plain values, no session behind them."""

    id: int
    message_id: int
    outlet: Outlet
    rank: int  # smaller goes first
    fence: int
    attempts: int
    withdrawn: bool
    reclaimed: bool  # its last holder's lease ran out
    device_ids: NDArray[np.int64]
    group_ids: NDArray[np.int64]
    outcomes: NDArray[np.uint8]
    tries: NDArray[np.uint8]
    answered: NDArray[np.uint16]


def most_urgent(session: Session, now: dt.datetime, outlets: Collection[Outlet] = ALL) -> int | None:
    """The rank of the most urgent batch that can be claimed, None when there is none: worth a write lock or not."""
    clock = leases.clock(session, now)
    ranks = [session.scalar(_in_order(sa.select(Batch.rank).where(wanted))) for wanted in _claimable(clock, outlets)]
    return min((rank for rank in ranks if rank is not None), default=None)


def _claimable(clock: sa.ColumnElement[Any], outlets: Collection[Outlet]) -> tuple[sa.ColumnElement[bool], ...]:
    """Two conditions, since each is answered from the index and both together would not be: abandoned, and ready."""
    every = set(outlets) == set(ALL)
    # In quiet hours nothing is claimed (see `hush`), but for what has only to be closed.
    awake = sa.or_(Batch.quiet_at.is_(None), Batch.quiet_at > clock, Batch.withdrawn)
    named = awake if every else sa.and_(awake, Batch.outlet.in_([outlet.value for outlet in outlets]))
    abandoned = sa.and_(Batch.state == BatchState.LEASED.value, Batch.lease_until < clock, named)
    return abandoned, sa.and_(Batch.state == BatchState.READY.value, Batch.not_before <= clock, named)


def _in_order(query: sa.Select[Any, *tuple[Any, ...]], most: int = 1) -> sa.Select[Any, *tuple[Any, ...]]:
    return query.order_by(Batch.rank, Batch.id).limit(most)


def claim(session: Session, owner: str, now: dt.datetime, lease: dt.timedelta) -> Held | None:
    """Leases the most urgent batch that is ready or whose holder's lease ran out; None when there is none."""
    return next(iter(claim_some(session, owner, now, lease, 1)), None)


def claim_some(
    session: Session,
    owner: str,
    now: dt.datetime,
    lease: dt.timedelta,
    most: int,
    outlets: Collection[Outlet] = ALL,
    in_hand: Collection[int] = (),
) -> list[Held]:
    """Leases up to so many batches of these outlets, the most urgent first.

    `in_hand`: ids that the caller still works at. Should their leases have run out on a slow machine, it must not
    take them from itself and begin them again.
    """
    clock = leases.clock(session, now)
    picked: dict[int, tuple[int, bool]] = {}
    for wanted, is_abandoned in zip(_claimable(clock, outlets), (True, False), strict=True):
        if is_abandoned and in_hand:
            wanted = wanted & Batch.id.not_in(in_hand)
        pick = _in_order(sa.select(Batch.id, Batch.rank).where(wanted), most).with_for_update(skip_locked=True)
        picked |= {batch_id: (rank, is_abandoned) for batch_id, rank in session.execute(pick)}
    return _lease(session, owner, now, lease, dict(sorted(picked.items(), key=lambda p: (p[1][0], p[0]))[:most]))


def claim_longest_waiting(
    session: Session,
    owner: str,
    now: dt.datetime,
    lease: dt.timedelta,
    before: dt.datetime,
    outlets: Collection[Outlet],
) -> list[Held]:
    """Leases the one batch that has been due the longest, since before a moment, whatever its rank: none starves."""
    _, ready = _claimable(leases.clock(session, now), outlets)
    pick = (
        sa.select(Batch.id, Batch.rank)
        .where(ready, Batch.not_before < before)
        .order_by(Batch.not_before, Batch.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = {batch_id: (rank, False) for batch_id, rank in session.execute(pick)}
    return _lease(session, owner, now, lease, found)


def _lease(
    session: Session, owner: str, now: dt.datetime, lease: dt.timedelta, picked: Mapping[int, tuple[int, bool]]
) -> list[Held]:
    """Leases batches that are locked: id to rank and whether its last holder's lease ran out."""
    if not picked:
        return []
    rows = session.execute(
        sa.update(Batch)
        .where(Batch.id.in_(picked))
        .values(
            state=BatchState.LEASED.value,
            lease_owner=owner,
            lease_until=leases.until(session, now, lease),
            fence=Batch.fence + 1,
            attempts=Batch.attempts + 1,
        )
        .returning(
            Batch.id, Batch.message_id, Batch.outlet, Batch.rank, Batch.fence, Batch.attempts, Batch.withdrawn,
            Batch.device_ids, Batch.group_ids, Batch.outcomes, Batch.tries, Batch.answered,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    held = {
        row.id: Held(
            id=row.id,
            message_id=row.message_id,
            outlet=Outlet(row.outlet),
            rank=row.rank,
            fence=row.fence,
            attempts=row.attempts,
            withdrawn=row.withdrawn,
            reclaimed=picked[row.id][1],
            device_ids=np.frombuffer(row.device_ids, dtype="<i8").astype(np.int64),
            group_ids=np.frombuffer(row.group_ids, dtype="<i8").astype(np.int64),
            outcomes=np.frombuffer(row.outcomes, dtype=np.uint8).copy(),
            tries=np.frombuffer(row.tries, dtype=np.uint8).copy(),
            answered=np.frombuffer(row.answered, dtype="<u2").astype(np.uint16),
        )
        for row in rows
    }
    return [held[batch_id] for batch_id in picked]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a holder learns when it writes: whether the batch is still its own, and whether it was withdrawn."""

    held: bool
    withdrawn: bool = False


def _lock(session: Session, several: Sequence[Held]) -> dict[int, Standing]:
    """How these batches stand, by id, locked until the caller commits: in order of id, as everybody locks several."""
    fences = {held.id: held.fence for held in several}
    rows = session.connection().execute(_locking(), {"ids": list(fences)}) if several else ()
    # A fence only grows, and only its holder lets go of a lease: a batch that has the same one is still ours.
    mine = {number: withdrawn for number, fence, withdrawn in rows if fence == fences[number]}
    return {number: Standing(number in mine, mine.get(number, False)) for number in fences}


def save(
    session: Session, several: Sequence[Held], now: dt.datetime, lease: dt.timedelta, *, also: Sequence[Held] = ()
) -> dict[int, Standing]:
    """Writes what became of recipients so far and renews the leases; a worker that lost a lease writes nothing there.

    By id. One statement for all of them: each alone would wait for the network. `also`: batches that the caller ends
    in the same transaction; they are locked with the others, and how they stand is said as well.
    """
    standings = _lock(session, [*several, *also])
    ours = [held for held in several if standings[held.id].held]
    if ours:
        end = leases.reckoned(session, now, lease)
        statement = _statement(_Ending.SAVED, isinstance(end, dt.timedelta))
        session.connection().execute(statement, [_parameters(held, now) | {"lease": end} for held in ours])
    return standings


def release(session: Session, held: Held, now: dt.datetime, not_before: dt.datetime) -> Standing:
    """Puts a batch back whose remaining recipients must wait, writing what became of the others.

    One that was withdrawn meanwhile waits for nothing: what follows it waits for its end.
    """
    return _write(session, _Ending.RELEASED, held, now, not_before=not_before)


def stop(session: Session, held: Held, now: dt.datetime) -> Standing:
    """Takes a batch out of the queue until an operator has acted; one withdrawn meanwhile has only to be closed."""
    return _write(session, _Ending.STOPPED, held, now)


def close(session: Session, held: Held, now: dt.datetime) -> Standing:
    """Ends a batch: every recipient has a final outcome."""
    return _write(session, _Ending.CLOSED, held, now, closed_at=now)


class _Ending(Enum):
    """How a holder leaves a batch when it writes."""

    SAVED = auto()
    RELEASED = auto()
    STOPPED = auto()
    CLOSED = auto()


def _write(session: Session, ending: _Ending, held: Held, now: dt.datetime, **values: dt.datetime) -> Standing:
    parameters = _parameters(held, now) | values
    row = session.connection().execute(_statement(ending, False), parameters).first()
    return Standing(False) if row is None else Standing(True, row.withdrawn)


def _parameters(held: Held, now: dt.datetime) -> dict[str, Any]:
    return {
        "held_id": held.id,
        "held_fence": held.fence,
        "outcomes": held.outcomes.tobytes(),
        "tries": held.tries.tobytes(),
        "answered": held.answered.astype("<u2").tobytes(),
        "first": now if bool((held.tries > 0).any()) else None,
    }


@cache
def _locking() -> sa.Executable:
    table = Batch.__table__
    assert isinstance(table, sa.Table)  # noqa: S101 - the class has a table
    ours = table.c.id.in_(sa.bindparam("ids", expanding=True)) & (table.c.state == BatchState.LEASED.value)
    return sa.select(table.c.id, table.c.fence, table.c.withdrawn).where(ours).order_by(table.c.id).with_for_update()


@cache
def _statement(ending: _Ending, by_the_stores_clock: bool) -> sa.Executable:
    """Made once: this is written every fifty recipients."""
    free: dict[str, Any] = {"lease_owner": None, "lease_until": None}
    at_once = sa.case((Batch.withdrawn, CLOSE_AT_ONCE), else_=Batch.rank)
    if ending is _Ending.SAVED:
        clock = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
        until = clock + sa.bindparam("lease", type_=sa.Interval) if by_the_stores_clock else _moment("lease")
        changes: dict[str, Any] = {"lease_until": until}
    elif ending is _Ending.RELEASED:
        not_before = sa.case((Batch.withdrawn, Batch.created_at), else_=_moment("not_before"))
        changes = free | {"state": BatchState.READY.value, "not_before": not_before, "rank": at_once}
    elif ending is _Ending.STOPPED:
        changes = free | {
            "state": sa.case((Batch.withdrawn, BatchState.READY.value), else_=BatchState.STOPPED.value),
            "not_before": sa.case((Batch.withdrawn, Batch.created_at), else_=Batch.not_before),
            "rank": at_once,
        }
    else:
        changes = free | {"state": BatchState.CLOSED.value, "closed_at": _moment("closed_at")}
    table = Batch.__table__
    assert isinstance(table, sa.Table)  # noqa: S101 - the class has a table
    statement = (
        sa.update(table)
        .where(
            Batch.id == sa.bindparam("held_id"),
            Batch.fence == sa.bindparam("held_fence"),
            Batch.state == BatchState.LEASED.value,
        )
        .values(
            outcomes=sa.bindparam("outcomes", type_=sa.LargeBinary),
            tries=sa.bindparam("tries", type_=sa.LargeBinary),
            answered=sa.bindparam("answered", type_=sa.LargeBinary),
            first_handed_at=sa.func.coalesce(Batch.first_handed_at, _moment("first")),
            **changes,
        )
    )
    # Several are saved at once, and then no rows come back.
    return statement if ending is _Ending.SAVED else statement.returning(table.c.withdrawn)


def _moment(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=UtcDateTime)
