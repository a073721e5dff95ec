"""Loops: threads that work while there is something to do and otherwise wait to be woken; the crew of one process."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from database import unreachable
from notifications.dispatch.worker import Worker

# A database that hung up is asked again after this long.
AGAIN_S = 1.0
DUTIES_S = 1.0
BEAT_S = 1.0

log = structlog.get_logger("worker")


class NotReady(Exception):
    """A driver cannot run here; the text says why and what to do."""


class Loop:
    """One thread around one step. A wake during a step causes another look: none is lost."""

    def __init__(self, name: str, step: Callable[[], bool], pause: Callable[[], float], crew: Crew) -> None:
        self.name = name
        self._step, self._pause, self._crew = step, pause, crew
        self._woken = threading.Event()
        self._counting = threading.Lock()
        self._calls = self._answered = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the last step."""
        if self._thread.ident is not None:
            self._thread.join()

    def wake(self) -> int:
        """Asks for a look at once; returns a ticket for `at_rest`."""
        with self._counting:
            self._calls += 1
            ticket = self._calls
        self._woken.set()
        return ticket

    def at_rest(self, ticket: int) -> bool:
        """Whether it has looked since that call and found nothing more to do."""
        return self._answered >= ticket

    def _run(self) -> None:
        try:
            while not self._crew.leaving:
                self._woken.clear()
                self._woken.wait(self._look())
        except BaseException as error:
            # Half a worker would look alive: a mistake of ours ends the process, and its supervisor begins anew.
            self._crew.fail(error)

    def _look(self) -> float:
        """Steps until nothing is to be done; returns the seconds to wait, unless woken."""
        calls = self._calls
        try:
            while self._step():
                if self._crew.leaving:
                    return 0
                calls = self._calls
            pause = self._pause()
        except Exception as error:
            if not unreachable(error):
                raise
            # A worker that cannot reach the database does not send.
            log.error("database_unreachable", loop=self.name, reason=type(error).__name__)
            return AGAIN_S
        self._answered = calls
        return pause


class Crew:
    """The threads of one worker: one plans, one sends, one sees to the duties. The calling thread keeps the pulse."""

    def __init__(self, worker: Worker, planning_waits: Callable[[], float], sending_waits: Callable[[], float]) -> None:
        self.leaving = False
        self._worker = worker
        self._error: BaseException | None = None
        self._working = [
            Loop("planning", worker.plan_once, planning_waits, self),
            Loop("sending", worker.send_due, sending_waits, self),
        ]
        self._loops = [*self._working, Loop("duties", self._duties, lambda: DUTIES_S, self)]

    def work(self) -> None:
        """Runs all threads until the worker is stopped. Raises what a thread died of."""
        for loop in self._loops:
            loop.start()
        while not self._worker.stopped.is_set():
            try:
                self._worker.beat()
            except Exception as error:
                if not unreachable(error):
                    self.fail(error)
            self._worker.stopped.wait(BEAT_S)
        self._leave()
        for loop in self._loops:
            loop.join()
        if self._error is not None:
            raise self._error

    def wake(self) -> list[int]:
        """There is work: planning and sending look at once. Returns tickets for `at_rest`."""
        return [loop.wake() for loop in self._working]

    def at_rest(self, tickets: list[int]) -> bool:
        """Whether both have looked since then and found nothing more to do, or leave."""
        both = zip(self._working, tickets, strict=True)
        return self.leaving or all(loop.at_rest(ticket) for loop, ticket in both)

    def fail(self, error: BaseException) -> None:
        """A thread ended by mistake: the whole worker ends."""
        log.error("worker_failed", exc_info=error)
        self._error = self._error or error
        self._worker.stop()

    def _leave(self) -> None:
        self.leaving = True
        for loop in self._loops:
            loop.wake()

    def _duties(self) -> bool:
        self._worker.duties()
        return False
