"""The worker: plans and sends whatever is most urgent, and sees to its duties. A driver says when."""

from __future__ import annotations

import datetime as dt
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, UtcDateTime, transaction, unreachable
from notifications import alerts, nudges
from notifications.channels.promise import Channel, Outlet
from notifications.dispatch import agenda, claims, duties, governor, hush, paging, planner
from notifications.dispatch.batches import Batch, BatchState
from notifications.dispatch.duties import Duty
from notifications.dispatch.governor import Pace
from notifications.dispatch.ledger import FAIR_AFTER
from notifications.dispatch.sender import Sender

BEAT_EVERY = dt.timedelta(seconds=5)
EXPIRE_EVERY = dt.timedelta(seconds=10)
FAIR_EVERY = dt.timedelta(seconds=10)
PAGE_EVERY = dt.timedelta(seconds=2)
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
    """What one process can do, one piece at a time. `plan_once`, `send_due` and `duties` may run in three threads."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[Outlet, Channel],
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        retry_base: dt.timedelta,
        operator_webhook: str | None = None,
        more_duties: Sequence[Duty] = (),
        paces: Mapping[Outlet, Pace] | None = None,
        at_once: int = 64,
        monotonic: Callable[[], float] = time.monotonic,
        zone: ZoneInfo = planner.TOKYO,
    ) -> None:
        """`zone`: the city's clock, for quiet hours."""
        self.id = f"{socket.gethostname()}-{secrets.token_hex(8)}"
        self.stopped = threading.Event()
        self.engine = engine
        self._channels, self._clock, self._zone = channels, clock, zone
        self._names = "+".join(sorted(channel.name for channel in channels.values())) or "none"
        self._started = self._beat_due = self._fair_from = clock()
        self._duties = [
            Duty("alerts.expire", EXPIRE_EVERY, _expire),
            Duty("everyday.hush", hush.EVERY, hush.hush),
            Duty("operators.page", PAGE_EVERY, lambda engine, now: paging.page(engine, operator_webhook, now)),
            *more_duties,
        ]
        self._sender = Sender(
            engine, channels, clock=clock, lease=lease, retry_base=retry_base, monotonic=monotonic, paces=paces,
            at_once=at_once, owner=self.id, stopping=self.stopped.is_set,
        )  # fmt: skip

    def stop(self) -> None:
        """Asks the worker to hand back what it holds and leave. Safe in a signal handler."""
        self.stopped.set()

    def begin(self, *, alone: bool) -> None:
        """Before the first piece. `alone`: no other worker can hold anything, so leases left behind are void."""
        log.info("worker_started", worker=self.id, sender=self._names)
        if alone:
            with transaction(self.engine) as session:
                forfeited = forfeit(session, self._clock())
            log.info("leases_forfeited", batches=forfeited)

    def sign_off(self) -> None:
        """After the last piece: nobody counts on this worker any more, and others learn of what it handed back."""
        self._sender.abandon()
        for channel in self._channels.values():
            channel.close()
        try:
            with transaction(self.engine) as session:
                session.execute(sa.delete(WorkerBeat).where(WorkerBeat.id == self.id))
                left = claims.most_urgent(session, self._clock())
                if left is not None:
                    nudges.there_is_work(session, left)
        except sa.exc.SQLAlchemyError as error:
            if not unreachable(error):
                raise
            log.error("database_unreachable", reason=type(error).__name__)
        log.info("worker_stopped", worker=self.id)

    def plan_once(self) -> bool:
        """Plans a chunk of the most urgent message; False when nothing is to be planned now."""
        now = self._clock()
        to_plan, to_send = self._most_urgent(now)
        if to_plan is None:
            return False
        less_urgent = to_send is not None and to_plan > to_send
        if less_urgent and now < self._fair_from:
            return False
        with transaction(self.engine) as session:
            if less_urgent:
                # A chunk now and then, however much goes first: nobody is forgotten behind the urgent ones.
                self._fair_from = now + FAIR_EVERY
                message = planner.claim(session, now, due_before=now - FAIR_AFTER)
            else:
                # With nothing to send, whatever is due: the most urgent may wait for a batch that another holds.
                message = planner.claim(session, now, to_send)
            if message is None:
                return False
            if planner.plan_chunk(session, message, now, self._zone):
                nudges.there_is_work(session, message.rank)
        return True

    def send_due(self) -> bool:
        """Sends until nothing is due; False when nothing was. Keeps what it holds when the database hangs up."""
        return self._sender.run() > 0

    def duties(self) -> None:
        """What is due by the clock and in no other worker's hands."""
        duties.see_to(self.engine, self._duties, self._clock())

    def take_on(self, duty: Duty) -> None:
        """One more duty, before the worker begins."""
        self._duties.append(duty)

    def next_planning(self) -> float | None:
        """Seconds until something is to be planned, negative when it already is; None: nothing is known."""
        with transaction(self.engine, "read") as session:
            return agenda.seconds_to_planning(session, self._clock())

    def next_sending(self) -> float | None:
        """Seconds until something is to be sent, negative when it already is; None: nothing is known."""
        with transaction(self.engine, "read") as session:
            return agenda.seconds_to_sending(session, self._clock())

    def beat(self) -> None:
        """Says that this worker lives, every few seconds."""
        now = self._clock()
        if now < self._beat_due:
            return
        self._beat_due = now + BEAT_EVERY
        with transaction(self.engine) as session:
            session.merge(WorkerBeat(id=self.id, started_at=self._started, beat_at=now, sender=self._names))
            session.execute(sa.delete(WorkerBeat).where(WorkerBeat.beat_at < now - dt.timedelta(days=1)))

    def drain(self) -> None:
        """Works in this thread until nothing is due, planning and sending by turns: for commands and tests."""
        worked = True
        while worked:
            self.beat()
            self.duties()
            worked = planned = self.plan_once()
            while planned and self._planning_goes_first():
                planned = self.plan_once()
            worked = self.send_due() or worked

    def _most_urgent(self, now: dt.datetime) -> tuple[int | None, int | None]:
        """The ranks of what is to be planned and what is to be sent."""
        with transaction(self.engine, "read") as session:
            to_plan = planner.most_urgent(session, now)
            paused = governor.paused(session, now) if to_plan is not None else {}
            to_send = claims.most_urgent(session, now, [outlet for outlet in Outlet if outlet not in paused])
        return to_plan, to_send

    def _planning_goes_first(self) -> bool:
        to_plan, to_send = self._most_urgent(self._clock())
        return to_plan is not None and (to_send is None or to_plan < to_send)


def forfeit(session: Session, now: dt.datetime) -> int:
    """Voids every lease: only for a worker that knows that it is the only one."""
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        sa.update(Batch).where(Batch.state == BatchState.LEASED.value).values(lease_until=now - dt.timedelta(seconds=1))
    )
    return result.rowcount


def _expire(engine: Engine, now: dt.datetime) -> None:
    """Alerts whose time is over are written down as over."""
    with transaction(engine, "read") as session:
        over = alerts.overdue(session, now)
    if over:
        with transaction(engine) as session:
            alerts.expire(session, now)
