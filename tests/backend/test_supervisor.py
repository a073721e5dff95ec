"""The supervisor starts again what dies, ever more slowly, and leaves nothing running."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.supervisor import LONGEST_PAUSE_S, STEADY_S, Service, Supervisor

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


class HandClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def service(tmp_path: Path) -> Callable[[str], Service]:
    return lambda code: Service("it", (sys.executable, "-c", code), tmp_path / "logs" / "it.log")


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def supervisor(tmp_path: Path, heard: list[str], hand: HandClock) -> Iterator[Supervisor]:
    with Supervisor(dict(os.environ), tmp_path, heard.append, monotonic=hand) as made:
        yield made


def die(service: Service, number: signal.Signals = signal.SIGKILL) -> None:
    assert service.process is not None
    service.process.send_signal(number)
    service.process.wait()


def test_a_service_that_dies_is_started_again(
    supervisor: Supervisor, service: Callable[[str], Service], heard: list[str], hand: HandClock
) -> None:
    it = service(SLEEPER)
    supervisor.start(it)
    assert it.process is not None
    first = it.process.pid
    die(it)

    supervisor.tend()
    assert it.process is None
    assert "SIGKILL" in heard[0]

    hand.now += 1.0
    supervisor.tend()
    assert it.process is not None
    assert it.process.pid != first


def test_a_service_that_keeps_dying_is_started_ever_more_slowly(
    supervisor: Supervisor, service: Callable[[str], Service], heard: list[str], hand: HandClock
) -> None:
    it = service("import sys; sys.exit('no database')")
    supervisor.start(it)
    pauses = []
    for _ in range(8):
        assert it.process is not None
        it.process.wait()
        supervisor.tend()
        assert it.again_at is not None
        pauses.append(it.again_at - hand.now)
        hand.now = it.again_at
        supervisor.tend()

    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert "    no database" in heard


def test_one_that_ran_long_starts_again_at_once(
    supervisor: Supervisor, service: Callable[[str], Service], hand: HandClock
) -> None:
    it = service(SLEEPER)
    supervisor.start(it)
    hand.now += STEADY_S
    die(it)
    supervisor.tend()
    assert it.again_at == hand.now


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel about a process that is not its child")
def test_stopping_ends_every_service_and_its_children(
    supervisor: Supervisor, service: Callable[[str], Service]
) -> None:
    stubborn = (
        "import signal, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    it = service(stubborn)
    supervisor.start(it)
    assert supervisor.watch(lambda: it.log.read_text().count("\n") >= 2)
    child = os.pidfd_open(int(next(line for line in it.log.read_text().split() if line.isdecimal())))

    supervisor.stop()

    assert it.process is None
    ended, _, _ = select.select([child], [], [], 30)
    assert ended
    os.close(child)


def test_ctrl_c_ends_the_watch(supervisor: Supervisor, service: Callable[[str], Service]) -> None:
    supervisor.start(service(SLEEPER))

    def press() -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return False

    assert supervisor.watch(press) is False
