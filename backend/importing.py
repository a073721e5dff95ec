"""Imports at work: small files within the request, long ones in a process of their own that the worker starts."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from content.opendata import intake_work
from content.opendata.intake_work import Claim, Moved
from content.opendata.intakes import OPEN, Intake, State
from database import open_engine, transaction, unreachable
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report, watcher
from notifications.dispatch.duties import Duty

AT_ONCE = 500_000  # bytes; more would keep the writer, or the reader of the page, waiting
LOOKS_EVERY = dt.timedelta(seconds=3)
TELLS_EVERY_S = 1.0
COMMAND = (sys.executable, "-m", "backend.cli.main", "import", "work")

Clock = Callable[[], dt.datetime]
Found = Mapping[str, Report] | dict[str, Any]
log = structlog.get_logger("imports")


def at_once(session: Session, intake: Intake, now: dt.datetime) -> bool:
    """Does what an intake waits for within the caller's transaction, if its files are small; whether it did."""
    if intake.size > AT_ONCE:
        return False
    held = Claim(intake.id, intake.fence, State(intake.state))
    if held.state is State.READING:
        intake_work.write_report(session, held, now, _report(session, intake, now))
    else:
        try:
            # Imports expire whatever their session holds, and what moved is rolled back: not the request's own things.
            with Session(session.connection(), join_transaction_mode="create_savepoint") as own, own.begin():
                intake_work.apply(own, held, intake_work.load(own, intake.id), now)
        except Moved as moved:
            intake_work.write_report(session, held, now, moved.reports, moved=True)
        except OpenDataError as error:
            intake_work.write_report(session, held, now, intake_work.fault_of(session, intake, error, now))
    session.refresh(intake)
    return True


class Starter:
    """Starts the process that works on what waits, one at a time. A killed one leaves its claim to the next."""

    def __init__(self, launch: Callable[[], subprocess.Popen[bytes]] | None = None) -> None:
        self._launch = launch or (lambda: subprocess.Popen(COMMAND))  # noqa: S603 - our own command
        self._running: subprocess.Popen[bytes] | None = None

    def duty(self) -> Duty:
        """As a worker's duty. Apart from the senders: reading a nation's list would cost them seconds."""
        return Duty("imports.start", LOOKS_EVERY, self.look)

    def look(self, engine: Engine, now: dt.datetime) -> None:
        """Starts the process where something waits that nobody works on."""
        if self._running is not None and self._running.poll() is None:
            return
        free = sa.or_(Intake.held_until.is_(None), Intake.held_until < now)
        with transaction(engine, "read") as session:
            waits = session.scalar(sa.select(Intake.id).where(Intake.state.in_(OPEN), free).limit(1))
        if waits is not None:
            self._running = self._launch()


def work(engine: Engine, clock: Clock) -> int:
    """Does everything that waits, and returns how many that were."""
    done = 0
    while True:
        with transaction(engine) as session:
            held = intake_work.claim(session, clock())
        if held is None:
            return done
        with _telling(engine, clock, held):
            _do(engine, clock, held)
        done += 1


def _do(engine: Engine, clock: Clock, held: Claim) -> None:
    moved = False
    try:
        if held.state is State.APPLYING:
            with transaction(engine, "read") as session:
                loaded = intake_work.load(session, held.intake_id)
            with transaction(engine) as session:  # it begins at the first statement, when the list is read
                intake_work.apply(session, held, loaded, clock())
            return
        with transaction(engine, "read") as session:
            found: Found = _report(session, session.get_one(Intake, held.intake_id), clock())
    except Moved as other:
        found, moved = other.reports, True
    except OpenDataError as error:
        found = {"code": error.code, "line": error.line, "reason": error.message}
    except Exception as error:
        if unreachable(error):
            raise
        log.exception("import_failed", intake=held.intake_id)
        found = {"code": "internal", "line": None, "reason": type(error).__name__}
    with transaction(engine) as session:
        intake_work.write_report(session, held, clock(), found, moved=moved)


def _report(session: Session, intake: Intake, now: dt.datetime) -> Found:
    try:
        return intake_work.report(session, intake, now)
    except OpenDataError as error:
        return intake_work.fault_of(session, intake, error, now)


@contextmanager
def _telling(engine: Engine, clock: Clock, held: Claim) -> Iterator[None]:
    """Says every second how many rows were read, and holds on to the claim."""
    reports: list[Report] = []
    over = threading.Event()
    # An engine of its own: writers of one engine wait for each other in one process, also before they have begun.
    beside = open_engine(engine.url.render_as_string(hide_password=False))

    def tell() -> None:
        while not over.wait(TELLS_EVERY_S):
            try:
                with transaction(beside) as session:
                    intake_work.renew(session, held, clock(), sum(one.read for one in reports))
            except sa.exc.SQLAlchemyError:
                pass  # SQLite's writer is the import itself, or the database is away: the import will notice

    thread = threading.Thread(target=tell, daemon=True)
    token = watcher.set(reports.append)
    thread.start()
    try:
        yield
    finally:
        watcher.reset(token)
        over.set()
        thread.join()
        beside.dispose()
