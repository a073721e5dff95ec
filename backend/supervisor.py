"""Keeps a few processes running on one machine: starts again what dies, stops them all together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0  # who ran this long starts again at once
FAREWELL_S = 20.0
LOOK_EVERY_S = 0.2
TAIL_LINES = 8


@dataclass(slots=True)
class Service:
    """A program that shall always run, and the file its words go to."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    again_at: float | None = None
    deaths: int = 0


@dataclass(slots=True)
class Supervisor:
    """Runs services, each in a process group of its own, so that Ctrl-C reaches only this process."""

    environment: Mapping[str, str]
    folder: Path
    say: Callable[[str], None]
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    stopping: bool = False
    services: list[Service] = field(default_factory=list)

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, service: Service) -> None:
        """Starts a service and keeps it from now on."""
        self.services.append(service)
        self._launch(service)

    def watch(self, until: Callable[[], bool]) -> bool:
        """Keeps the services running until the condition holds (True) or somebody asked to stop (False)."""
        while not self.stopping:
            if until():
                return True
            self.tend()
            self.sleep(LOOK_EVERY_S)
        return False

    def tend(self) -> None:
        """One look at every service: a dead one gets its time to start again, and starts when that has come."""
        now = self.monotonic()
        for service in self.services:
            if service.again_at is not None:
                if now >= service.again_at:
                    self._launch(service)
            elif service.process is not None and service.process.poll() is not None:
                self._bury(service, now)

    def stop(self) -> None:
        """Asks all to end, the last started first, and kills what does not, children included."""
        for service in reversed(self.services):
            if service.process is not None:
                with suppress(ProcessLookupError):
                    service.process.terminate()
        deadline = self.monotonic() + FAREWELL_S
        for service in self.services:
            if service.process is None:
                continue
            with suppress(subprocess.TimeoutExpired):
                service.process.wait(max(0.1, deadline - self.monotonic()))
            _kill_group(service.process)
            service.process.wait()
            service.process = None
        self.services.clear()

    def _launch(self, service: Service) -> None:
        service.again_at = None
        service.began = self.monotonic()
        service.log.parent.mkdir(parents=True, exist_ok=True)
        with service.log.open("ab") as log:
            service.process = subprocess.Popen(  # noqa: S603 - our own programs
                service.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    def _bury(self, service: Service, now: float) -> None:
        process = service.process
        if process is None:
            return
        _kill_group(process)  # what it left behind would hold its port
        service.deaths = 0 if now - service.began >= STEADY_S else service.deaths + 1
        pause = 0.0 if not service.deaths else min(LONGEST_PAUSE_S, 2.0 ** (service.deaths - 1))
        service.process, service.again_at = None, now + pause
        code = process.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        self.say(f"{service.name} ended ({how}); it starts again in {pause:.0f} s. Its last words, in {service.log}:")
        for line in _tail(service.log):
            self.say(f"    {line}")

    def _asked_to_stop(self, _number: int, _frame: object) -> None:
        self.stopping = True


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_with_parent() -> None:
    """Linux: should this supervisor be killed outright, its services end too and free their ports."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM, 0, 0, 0)


def _tail(log: Path) -> list[str]:
    with suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return []
