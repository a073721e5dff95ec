"""The fleet's driver: any number of workers on any number of machines, nudged by procrastinate over one PostgreSQL."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import procrastinate
import sqlalchemy as sa
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import unreachable
from notifications import nudges
from notifications.dispatch.drivers import schema
from notifications.dispatch.drivers.loops import AGAIN_S, Crew, NotReady
from notifications.dispatch.drivers.messenger import QUEUE, TASK, Messenger
from notifications.dispatch.duties import Duty
from notifications.dispatch.worker import Worker

SWEEP_EVERY = dt.timedelta(seconds=5)

logging.getLogger("procrastinate").setLevel(logging.WARNING)
log = structlog.get_logger("worker")

# Never opened: it only writes jobs, on the connection of whoever makes the work.
_giver = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def nudge(session: Session, rank: int) -> None:
    """Defers a job in the caller's transaction: "claim the most urgent work". It names nothing.

    A nudge that cannot be given is logged and stops nobody: workers also look by themselves.
    """
    try:
        with session.begin_nested():
            connection = session.connection()
            # Until the end of this transaction; the house's own tables come first.
            connection.exec_driver_sql(
                f"SELECT set_config('search_path', current_setting('search_path') || ', {schema.NAME}', true)"
            )
            raw = connection.connection.driver_connection
            _giver.configure_task(TASK, queue=QUEUE, priority=-rank, connection=raw).defer()
    except ProcrastinateException as error:
        log.error("nudge_failed", reason=str(error.__cause__ or error))


class Fleet:
    """Driven by jobs. `look_again`: how often an idle worker looks by itself, should a nudge be lost."""

    name = "fleet"

    def __init__(self, poll: dt.timedelta, look_again: dt.timedelta) -> None:
        self._poll, self._look_again = poll.total_seconds(), look_again.total_seconds()

    def run(self, worker: Worker, *, alone: bool = False) -> None:
        """Works until the worker is stopped. Raises NotReady when the engine's tables are not those of this version."""
        _await_engine(worker)
        crew = Crew(worker, self._pause(worker.next_planning), self._pause(worker.next_sending))
        messenger = Messenger(worker.engine, crew, self._look_again)
        worker.take_on(Duty("fleet.sweep", SWEEP_EVERY, lambda _engine, _now: messenger.sweep()))
        nudges.carry(worker.engine, nudge)
        worker.begin(alone=alone)
        messenger.start()
        try:
            crew.work()
        finally:
            messenger.leave()
            worker.sign_off()

    def _pause(self, next_due: Callable[[], float | None]) -> Callable[[], float]:
        """Sleeps until something is due, or for as long as a lost nudge may matter."""

        def pause() -> float:
            due = next_due()
            # What is due and cannot be had is in other hands, or waits for what is.
            return self._look_again if due is None else min(self._look_again, max(self._poll, due))

        return pause


def _await_engine(worker: Worker) -> None:
    """Returns when the engine's tables are there and right; waits for a database that cannot be reached."""
    while not worker.stopped.is_set():
        try:
            wrong = _fault(worker.engine)
        except sa.exc.SQLAlchemyError as error:
            if not unreachable(error):
                raise
            log.error("database_unreachable", loop="start", reason=type(error).__name__)
            worker.stopped.wait(AGAIN_S)
            continue
        if wrong is not None:
            raise NotReady(wrong)
        return


def _fault(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return schema.fault(connection)
