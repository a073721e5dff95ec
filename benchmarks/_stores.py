"""Throw-away databases to measure with, durable as a real one: a SQLite file, or a PostgreSQL of our own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Engine

from database import open_engine
from tests import migrations, postgresql

KINDS = ("sqlite", "postgresql")
# What a city's server would have: nothing that a power cut could take back. The memory is that of a small machine.
DURABLE = (
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "autovacuum=on",
    "shared_buffers=512MB",
    "work_mem=32MB",
    "maintenance_work_mem=256MB",
    "max_wal_size=4GB",
    "max_connections=100",
    "timezone=UTC",
    "log_min_messages=fatal",
)


class Store:
    """One database with the tables of the house in it."""

    def __init__(self, kind: str, url: str, server: Server | None = None) -> None:
        self.kind, self.url, self.server = kind, url, server

    def engine(self) -> Engine:
        """An engine on it."""
        return open_engine(self.url)


class Server(postgresql.Server):
    """A durable server that can be pinned, made to listen on addresses, crashed and started again."""

    def __init__(self, *, core: int | None = None, addresses: Sequence[str] = (), more: Sequence[str] = ()) -> None:
        settings = postgresql.SETTINGS
        # The last word counts; the base class reads this list when it starts.
        postgresql.SETTINGS = (*settings, *DURABLE, f"listen_addresses={','.join(addresses)}", *more)
        try:
            super().__init__()
        finally:
            postgresql.SETTINGS = settings
        if addresses:
            with (self.base / "data" / "pg_hba.conf").open("a") as rules:
                rules.writelines(f"host all all {address}/24 trust\n" for address in addresses)
            self.execute("SELECT pg_reload_conf()")
        if core is not None:
            os.sched_setaffinity(self.pid, {core})

    @property
    def pid(self) -> int:
        """The process that starts all others of the server."""
        assert self._process is not None
        return self._process.pid

    def crash(self, down_s: float) -> None:
        """Ends it without a word to anybody (immediate shutdown), waits, and starts it on the same files."""
        assert self._process is not None
        command, affinity = self._process.args, os.sched_getaffinity(self.pid)
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)
        time.sleep(down_s)
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,  # type: ignore[arg-type]
                cwd=self.base,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=postgresql._die_with_parent if sys.platform == "linux" else None,
                **self._as_user,
            )
        os.sched_setaffinity(self._process.pid, affinity)
        self._wait_until_it_answers()


@contextmanager
def open_store(
    kind: str, folder: Path, *, core: int | None = None, addresses: Sequence[str] = (), more: Sequence[str] = ()
) -> Iterator[Store]:
    """A database of this kind with all migrations, gone at the end. `core` pins PostgreSQL."""
    server = Server(core=core, addresses=addresses, more=more) if kind == "postgresql" else None
    try:
        if server is None:
            folder.mkdir(parents=True, exist_ok=True)
            store = Store(kind, f"sqlite:///{folder / 'city.db'}")
        else:
            server.execute("CREATE DATABASE city")
            store = Store(kind, server.url("city"), server)
        engine = store.engine()
        migrations.upgrade(engine)
        engine.dispose()
        yield store
    finally:
        if server is not None:
            server.stop()


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder on disk for everything of one run, gone at the end.

    A request to stop ends the run in order: otherwise its web server, workers and provider would stay behind.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="yobikake-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
