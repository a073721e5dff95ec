"""Workers that begin in milliseconds: a process that has imported everything forks one whenever it is asked to.

What runs in the fork is the real command (`yobikake worker`), with its own connections, lock and id; only the time
for reading modules from disk is saved, so that two hundred workers can be killed in minutes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Nursery:
    """The forking process, seen from the benchmark."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as words:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).resolve())],
                cwd=ROOT,
                env={**os.environ, **environment, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
                start_new_session=True,
            )
        self._line()

    def begin(self) -> int:
        """Forks a worker; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write("begin\n")
        self._process.stdin.flush()
        return int(self._line())

    def close(self) -> None:
        """Ends the nursery; workers that it began are their starter's business."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the nursery of workers ended; its log says why")
        return line.strip()


def runs(pid: int) -> bool:
    """The process is there and no zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def kill(pid: int) -> None:
    """SIGKILL, and waits until it is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    while runs(pid):
        time.sleep(0.002)


def main() -> None:
    """Forks a worker for each line on standard input."""
    import backend.cli.worker as worker
    import notifications.channels.fcm.curl  # imported late otherwise
    import notifications.dispatch.drivers.fleet  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    print("ready", flush=True)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            worker.command.main(args=[], prog_name="yobikake worker")
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
