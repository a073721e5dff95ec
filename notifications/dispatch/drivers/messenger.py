"""The messenger: one thread with procrastinate's worker in it, which turns jobs and notifications into wakes."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import Engine

from database import KEEPALIVE
from notifications.dispatch.drivers import schema
from notifications.dispatch.drivers.loops import AGAIN_S, Crew

TASK = "yobikake.work"
QUEUE = "work"
# Three beats missed, and a machine's jobs go to others. A worker wrongly taken for dead does no harm:
# its nudge is given twice.
BEAT_S = 3.0
STALLED_S = 10.0
CONNECT_S = 5.0
LOOK_S = 0.05
UNREACHABLE = (ProcrastinateException, psycopg.Error, OSError)

log = structlog.get_logger("worker")


class Messenger:
    """Listens for nudges. Every worker wakes at each; one of them has the job until it has found no more work."""

    def __init__(self, engine: Engine, crew: Crew, look_again_s: float) -> None:
        self._crew, self._look_again_s = crew, look_again_s
        self._engine = engine
        self._app: procrastinate.App | None = None  # while it is open
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="messenger", daemon=True)

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()
        self._ready.wait()

    def leave(self) -> None:
        """Ends what is open. The crew must be leaving already: a job under way ends with its work."""
        self._leaving = True
        if self._loop is not None and self._task is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(STALLED_S)

    def sweep(self) -> int:
        """Gives nudges of dead workers to the living; returns how many."""
        app, loop = self._app, self._loop
        if app is None or loop is None:
            return 0
        try:
            return asyncio.run_coroutine_threadsafe(self._sweep(app), loop).result(STALLED_S)
        except (*UNREACHABLE, TimeoutError, CancelledError) as error:
            log.error("nudges_unreachable", reason=type(error.__cause__ or error).__name__)
            return 0

    async def _run(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        while not self._leaving:
            try:
                await self._serve()
            except asyncio.CancelledError:
                return
            except UNREACHABLE as error:
                # Nothing is lost: the crew looks by itself until nudges come again.
                log.error("nudges_unreachable", reason=type(error.__cause__ or error).__name__)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(AGAIN_S)

    async def _serve(self) -> None:
        """Listens and takes jobs until something fails or this is cancelled. Everything is opened anew each time."""
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(**_connection(self._engine)))
        app.task(name=TASK, queue=QUEUE)(self._work)
        try:
            await app.open_async()
            self._app = app
            await self._listen(app)
        finally:
            self._app = None
            await app.close_async()

    async def _listen(self, app: procrastinate.App) -> None:
        listening = app.job_manager.listen_for_jobs(on_notification=self._notified, queues=[QUEUE])
        taking = app.run_worker_async(
            queues=[QUEUE],
            install_signal_handlers=False,
            delete_jobs="always",
            fetch_job_polling_interval=self._look_again_s,
            update_heartbeat_interval=BEAT_S,
            stalled_worker_timeout=STALLED_S,
            shutdown_graceful_timeout=1.0,
        )
        tasks = [asyncio.create_task(listening), asyncio.create_task(taking)]
        try:
            # Neither ends by itself: whichever does has failed, and both begin anew.
            for task in (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0]:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        """The job: claim the most urgent work, until there is none."""
        tickets = self._crew.wake()
        while not self._crew.at_rest(tickets):
            await asyncio.sleep(LOOK_S)

    async def _notified(self, *, channel: str, notification: Any) -> None:
        self._crew.wake()

    async def _sweep(self, app: procrastinate.App) -> int:
        swept = 0
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED_S):
            with suppress(ProcrastinateException):  # it ended meanwhile
                await manager.retry_job(job)
                swept += 1
        if swept:
            log.info("nudges_swept", jobs=swept)
            self._crew.wake()
        return swept


def _connection(engine: Engine) -> dict[str, Any]:
    """How procrastinate reaches the same database: its own few connections, its own schema first."""
    arguments = engine.url.translate_connect_args(username="user", database="dbname") | dict(engine.url.query)
    options = " ".join(filter(None, (arguments.pop("options", ""), f"-c search_path={schema.NAME}")))
    return {
        "conninfo": make_conninfo("", **arguments),
        "kwargs": {"options": options, "connect_timeout": int(CONNECT_S), **KEEPALIVE},
        "min_size": 1,
        "max_size": 3,
        "timeout": CONNECT_S,
    }
