"""A city in real processes around the native provider: web server, workers, and questions to its database."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from benchmarks._stores import Store
from benchmarks.provider import Provider
from content import editors
from content.editors import Role
from database import transaction
from notifications.dispatch import drivers
from tests.stories.running import ROOT, RunningCity, wait_for

# Nobody has to wait for a first certificate, and the tables stay readable.
OPEN = "SELECT count(*) FROM batches WHERE state <> 'closed'"
UNPLANNED = "SELECT count(*) FROM messages WHERE planning = 'waiting'"


class City(RunningCity):
    """The processes of the stories, sending to the native provider instead of the stand-in."""

    forked = False  # their memory and time are measured

    def __init__(self, folder: Path, store: Store, provider: Provider, project: str, **settings: str) -> None:
        super().__init__(
            folder,
            store.url,
            **{
                "FCM_TIMEOUT": "10",
                "LEASE_SECONDS": "30",
                "RETRY_SECONDS": "10",
                "POLL_SECONDS": "0.2",
                "LOG_LEVEL": "warning",
                **provider.settings(project),
                **settings,
            },
        )
        self.store, self.provider = store, provider
        self.watching: Engine = store.engine()
        if store.kind == "postgresql":
            drivers.carry_nudges(self.watching, "fleet")

    def start(self, *, web: bool = True, core: int | None = None) -> City:
        """The web server (where it is wanted) and the keys of two people."""
        if web:
            self.launch("web", "-m", "gunicorn", "-c", "python:backend.gunicorn", module=True)
            self._pin("web", core)
            wait_for(lambda: self._answers(f"{self.url}/healthz"), "the web server")
        with transaction(self.watching) as session:
            now = dt.datetime.now(dt.UTC)
            self.author = editors.add(session, "起案 花子", Role.AUTHOR, now)[1]
            self.approver = editors.add(session, "承認 太郎", Role.APPROVER, now)[1]
        return self

    def worker(
        self, name: str = "worker", core: int | None = None, prefix: Sequence[str] = (), **settings: str
    ) -> subprocess.Popen[bytes]:
        """A real `yobikake worker`, pinned if wanted; returns when it has been heard of.

        `prefix`: a command that starts it elsewhere. `settings`: its own, beside the city's.
        """
        before = self.beats()
        environment = {**os.environ, **self.environment(), "PYTHONPATH": str(ROOT)}
        environment |= {f"YOBIKAKE_{key}": value for key, value in settings.items()}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "backend.cli.main", "worker"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[name] = process
        self._pin(name, core)
        wait_for(lambda: self._alive(name) and self.beats() > before, f"{name} to begin")
        return process

    def environment(self) -> dict[str, str]:
        """The settings of its processes as variables."""
        return {f"YOBIKAKE_{name}": value for name, value in self._settings.items()}

    def pid(self, name: str) -> int:
        """The process of this name."""
        return self._processes[name].pid

    def running(self) -> list[str]:
        """Names of what runs."""
        return list(self._processes)

    def end(self, name: str) -> None:
        """SIGTERM: it may tidy up."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """Ends every process and lets go of the database."""
        super().stop()
        self.watching.dispose()
        self.http.close()

    def beats(self) -> int:
        """Workers that ever made themselves known (rows are kept a day; ids are never used twice)."""
        return self.number("SELECT count(*) FROM worker_beats")

    def number(self, query: str, **values: object) -> int:
        """The one number of a query; 0 for NULL."""
        with transaction(self.watching, "read") as session:
            return int(session.execute(sa.text(query), values).scalar() or 0)

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with transaction(self.watching, "read") as session:
            return [tuple(row) for row in session.execute(sa.text(query), values)]

    def idle(self) -> bool:
        """Everything is planned (but for latecomers) and every batch closed."""
        return self.number(UNPLANNED) == 0 and self.number(OPEN) == 0

    def wait_idle(self, patience_s: float, every_s: float = 0.1, meanwhile: Callable[[], object] | None = None) -> bool:
        """Waits until nothing is left to send; False when patience ends."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if meanwhile is not None:
                meanwhile()
            if self.idle():
                return True
            time.sleep(every_s)
        return False

    def _alive(self, name: str) -> bool:
        assert self._processes[name].poll() is None, f"{name} ended: {self.words(name)}"
        return True

    def _pin(self, name: str, core: int | None) -> None:
        if core is not None:
            os.sched_setaffinity(self._processes[name].pid, {core})

    def _answers(self, url: str) -> bool:
        try:
            return bool(self.http.get(url, timeout=2).ok)
        except requests.RequestException:
            return False
