"""Where the stories' processes are born: forked from one that has read the libraries, not a line of this house."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

# What takes longest to read. Not among them: what looks at the environment while it is read (prometheus_client).
LIBRARIES = [
    "alembic.command",
    "argon2",
    "cryptography.x509",
    "firebase_admin.messaging",
    "flask_migrate",
    "flask_smorest",
    "flask_sqlalchemy",
    "flask_wtf",
    "geopy.distance",
    "icalendar",
    "jpholiday",
    "jwt",
    "limits.storage",
    "lxml.etree",
    "numpy",
    "orjson",
    "procrastinate",
    "psycopg",
    "pycurl",
    "pyotp",
    "requests",
    "segno",
    "shapely",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "structlog",
    "webargs.flaskparser",
]
_born = multiprocessing.get_context("forkserver")
_born.set_forkserver_preload(LIBRARIES)


class Child:
    """A process of the product, in a session of its own; spoken to as if it were a `subprocess.Popen`."""

    def __init__(self, words: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path) -> None:
        """Becomes `python -m module …` or `python -c code`, there and in this environment; `log` gets what it says."""
        mine, its = _born.Pipe(duplex=False)
        self._process = _born.Process(target=_become, args=(its, [*words], cwd, {**environment}, log), daemon=True)
        self._process.start()
        its.close()
        mine.recv()  # it stands on its own
        mine.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Its exit code, or subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self._process.exitcode


def _become(born: Connection, words: list[str], cwd: Path, environment: dict[str, str], log: Path) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    _pour(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 2)
    _pour(out, 1)
    born.send(os.getpid())
    born.close()
    how, what, *sys.argv[1:] = words
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(what, {"__name__": "__main__"})


def _pour(source: int, target: int) -> None:
    os.dup2(source, target)
    os.close(source)
