"""Housekeeping: everything that is forgotten after a time, in steps so small that sending never waits for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import transaction
from notifications.dispatch import census
from notifications.dispatch.batches import Batch, BatchState
from notifications.dispatch.retention import CHORES, Chore, Keeping
from notifications.messages import Message, Planning

EVERY = dt.timedelta(hours=1)
# Longer than a run that nobody stops: after that another worker may begin, which does no harm.
LASTS = dt.timedelta(hours=1)

log = structlog.get_logger("housekeeping")


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, or in a dry run would do: rows by chore. `finished`: nothing was left when it ended."""

    rows: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    finished: bool = True


def housekeep(
    engine: Engine,
    now: dt.datetime,
    keeping: Keeping,
    *,
    dry_run: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> Report:
    """Forgets what is due. Each step is a transaction of its own; between steps `stopping` may end the run.

    Cut off anywhere, the next run goes on; run twice, the second finds nothing. A dry run counts the messages and
    devices that something would be done to, and changes nothing.
    """
    if dry_run:
        return _look(engine, now, keeping)
    rows: dict[str, int] = {}
    steps = 0

    def note(name: str, number: int) -> None:
        nonlocal steps
        steps += 1
        rows[name] = rows.get(name, 0) + number

    finished = all(_do(engine, chore, now, keeping, note, stopping) for chore in CHORES)
    finished = finished and _count_devices(engine, now, keeping, note, stopping)
    report = Report({name: number for name, number in rows.items() if number}, steps, finished)
    if report.rows:
        log.info("housekeeping", steps=steps, finished=finished, **report.rows)
    return report


def duty(keeping: Keeping) -> Callable[[Engine, dt.datetime], Report]:
    """The run of a worker that also sends: it ends as soon as something waits to be planned or sent."""

    def run(engine: Engine, now: dt.datetime) -> Report:
        return housekeep(engine, now, keeping, stopping=lambda: _busy(engine, now))

    return run


def _do(
    engine: Engine,
    chore: Chore,
    now: dt.datetime,
    keeping: Keeping,
    note: Callable[[str, int], None],
    stopping: Callable[[], bool],
) -> bool:
    """One chore to its end; False when it was asked to stop before."""
    while True:
        # Looked for in a reading transaction: on SQLite a search would hold up the only writer.
        with transaction(engine, "read") as session:
            due = chore.due(keeping, now)
            ids = session.scalars(due.order_by(due.selected_columns[0]).limit(chore.at_once)).all()
        if not ids:
            return True
        with transaction(engine) as session:
            changed = chore.act(session, ids, now)
        note(chore.name, changed)
        if not changed:
            return True  # somebody else is at it, or holds it: another time
        if stopping():
            return False


def _count_devices(
    engine: Engine,
    now: dt.datetime,
    keeping: Keeping,
    note: Callable[[str, int], None],
    stopping: Callable[[], bool],
) -> bool:
    with transaction(engine, "read") as session:
        if not census.due(session, now):
            return True
    while True:
        window = census.step(engine, now, keeping.token, keeping.device)
        note("tokens", window.tokens_dropped)
        note("devices", window.devices_erased)
        if window.finished:
            return True
        if stopping():
            return False


def _look(engine: Engine, now: dt.datetime, keeping: Keeping) -> Report:
    with transaction(engine, "read") as session:
        rows = {
            chore.name: session.scalar(sa.select(sa.func.count()).select_from(chore.due(keeping, now).subquery())) or 0
            for chore in CHORES
        }
        rows["tokens"], rows["devices"] = census.unseen(session, now, keeping.token, keeping.device)
    return Report({name: number for name, number in rows.items() if number}, finished=not any(rows.values()))


def _busy(engine: Engine, now: dt.datetime) -> bool:
    with transaction(engine, "read") as session:
        return _waits(session, now)


def _waits(session: Session, now: dt.datetime) -> bool:
    to_send = sa.select(Batch.id).where(Batch.state == BatchState.READY.value, Batch.not_before <= now).limit(1)
    if session.scalar(to_send) is not None:
        return True
    waiting = Message.planning.in_([Planning.WAITING.value, Planning.LATECOMERS.value])
    return session.scalar(sa.select(Message.id).where(waiting, Message.plan_due_at <= now).limit(1)) is not None
