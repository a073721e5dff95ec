"""The worker: plans and sends whatever is most urgent, one piece at a time, until it is told to stop."""

from __future__ import annotations

import datetime as dt
import secrets
import socket
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, UtcDateTime, transaction
from notifications import alerts
from notifications.channels.promise import Channel
from notifications.dispatch import batches, paging, planner
from notifications.dispatch.batches import Batch, BatchState
from notifications.dispatch.sender import Sender

BEAT_EVERY = dt.timedelta(seconds=5)
DUTIES_EVERY = dt.timedelta(seconds=10)
# A worker silent for this long is counted as gone.
SILENT_AFTER = dt.timedelta(seconds=30)

log = structlog.get_logger("worker")


class WorkerBeat(Base):
    """A worker process and when it was last heard of. Ids are random, so none is ever used twice."""

    __tablename__ = "worker_beats"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    sender: Mapped[str] = mapped_column(sa.Text)


def alive(session: Session, now: dt.datetime) -> Sequence[WorkerBeat]:
    """The workers heard of lately."""
    return session.scalars(sa.select(WorkerBeat).where(WorkerBeat.beat_at >= now - SILENT_AFTER)).all()


class Worker:
    """One process's loop. The embedded driver of the seam "there is work": it looks, and it sleeps."""

    def __init__(
        self,
        engine: Engine,
        channel: Channel,
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        retry_base: dt.timedelta,
        poll: dt.timedelta,
        operator_webhook: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = f"{socket.gethostname()}-{secrets.token_hex(8)}"
        self.stopping = False
        self._engine, self._channel, self._clock = engine, channel, clock
        self._lease, self._poll = lease, poll
        self._sleep, self._monotonic = sleep, monotonic
        self._webhook = operator_webhook
        self._turn = True
        self._started = clock()
        self._beat_due = self._duties_due = self._started
        self._sender = Sender(
            engine, channel, clock=clock, lease=lease, retry_base=retry_base, monotonic=monotonic,
            stopping=lambda: self.stopping,
        )  # fmt: skip

    def stop(self) -> None:
        """Asks the worker to hand back what it holds and leave."""
        self.stopping = True

    def run(self, *, alone: bool = False) -> None:
        """Works until stopped. `alone`: no other worker can hold anything, so leases left behind are void."""
        log.info("worker_started", worker=self.id, sender=self._channel.name)
        if alone:
            with transaction(self._engine) as session:
                forfeited = forfeit(session, self._clock())
            log.info("leases_forfeited", batches=forfeited)
        while not self.stopping:
            try:
                worked = self.work()
            except OperationalError as error:
                # A worker that cannot reach the database does not send.
                log.error("database_unreachable", reason=type(error.orig).__name__)
                worked = False
                self._sleep(1.0)
            if not worked and not self.stopping:
                self._sleep(self._poll.total_seconds())
        with transaction(self._engine) as session:
            session.execute(sa.delete(WorkerBeat).where(WorkerBeat.id == self.id))
        self._channel.close()
        log.info("worker_stopped", worker=self.id)

    def work(self) -> bool:
        """Does the most urgent piece of work; False when there is none."""
        now = self._clock()
        self._beat(now)
        if now >= self._duties_due:
            self._duties_due = now + DUTIES_EVERY
            self._duties(now)
        with transaction(self._engine, "read") as session:
            to_plan, to_send = planner.most_urgent(session, now), batches.most_urgent(session, now)
        if self._sender.pace.holds(now):
            to_send = None
        # What is as urgent in both is done by turns: the first phones ring while the last are looked up.
        planning_first = to_plan is not None and (to_send is None or to_plan < to_send or self._turn)
        if to_plan is not None and planning_first and (to_send is None or to_plan <= to_send):
            self._turn = False
            # With nothing to send, whatever is due: the most urgent may be waiting for a batch that another holds.
            if self._plan(now, to_send):
                return True
        self._turn = True
        return to_send is not None and self._send()

    def drain(self) -> None:
        """Works until nothing is due: for commands and tests."""
        while self.work():
            pass

    def _plan(self, now: dt.datetime, least_urgent: int | None) -> bool:
        with transaction(self._engine) as session:
            message = planner.claim(session, now, least_urgent)
            if message is None:
                return False
            planner.plan_chunk(session, message, now)
        return True

    def _send(self) -> bool:
        now, claimed = self._clock(), self._monotonic()
        with transaction(self._engine) as session:
            held = batches.claim(session, self.id, now, self._lease)
        if held is None:
            return False
        self._sender.send(held, claimed)
        return True

    def _beat(self, now: dt.datetime) -> None:
        if now < self._beat_due:
            return
        self._beat_due = now + BEAT_EVERY
        with transaction(self._engine) as session:
            session.merge(WorkerBeat(id=self.id, started_at=self._started, beat_at=now, sender=self._channel.name))
            session.execute(sa.delete(WorkerBeat).where(WorkerBeat.beat_at < now - dt.timedelta(days=1)))

    def _duties(self, now: dt.datetime) -> None:
        """What is due by the clock: alerts whose time is over, operators to call."""
        with transaction(self._engine, "read") as session:
            over = alerts.overdue(session, now)
        if over:
            with transaction(self._engine) as session:
                alerts.expire(session, now)
        paging.page(self._engine, self._webhook, now)


def forfeit(session: Session, now: dt.datetime) -> int:
    """Voids every lease: only for a worker that knows that it is the only one."""
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        sa.update(Batch).where(Batch.state == BatchState.LEASED.value).values(lease_until=now - dt.timedelta(seconds=1))
    )
    return result.rowcount
