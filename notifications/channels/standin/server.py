"""The stand-in's server: its state in one place, bound to loopback, threads for connections."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import logging
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from notifications.channels.standin.account import FILE_NAME as ACCOUNT_FILE
from notifications.channels.standin.account import PROJECT, Account
from notifications.channels.standin.browsers import Browsers
from notifications.channels.standin.faults import Faults
from notifications.channels.standin.grants import Grants
from notifications.channels.standin.phones import Phones
from notifications.channels.standin.receipts import FILE_NAME as RECEIPTS_FILE
from notifications.channels.standin.receipts import Receipts

_log = logging.getLogger(__name__)


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Server(ThreadingHTTPServer):
    """Listens, and holds what the stand-in knows."""

    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(
        self,
        host: str,
        port: int,
        state_dir: Path,
        doors: type[socketserver.BaseRequestHandler],
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> None:
        """Binds at once (port 0: any free one), writes the service account and goes on with an earlier log."""
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), doors)
        self.host = host
        self.clock = clock
        self.stopping = threading.Event()
        self.faults = Faults()
        self.phones = Phones()
        self._connections: set[socket.socket] = set()
        try:
            self.receipts = Receipts(state_dir / RECEIPTS_FILE, clock)  # first: it keeps a second one out
            try:
                self.account = Account(state_dir / ACCOUNT_FILE, f"{self.url}/token")
                self._remember()
            except BaseException:
                self.receipts.close()
                raise
        except BaseException:
            super().server_close()
            raise
        self.grants = Grants(self.account)
        self.browsers = Browsers(self.account.secret, self.url)

    def _remember(self) -> None:
        """Shows on the phones what an earlier run delivered."""
        for entry in self.receipts.entries():
            if entry["outcome"] == "accepted" and not entry["validate_only"] and entry["token"]:
                self.phones.receive(entry["token"], entry["payload"], dt.datetime.fromisoformat(entry["time"]))

    @property
    def url(self) -> str:
        """Where clients on this machine reach it, such as `http://127.0.0.1:8085`."""
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{reached}]:{self.server_port}" if ":" in reached else f"http://{reached}:{self.server_port}"

    @property
    def project(self) -> str:
        """The only project that it sends for."""
        return PROJECT

    def server_bind(self) -> None:
        """Binds without asking a name server who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        """Takes a connection and remembers it."""
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is everyday life and no news; anything else is logged."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            _log.exception("a request of %s failed", client_address)

    def server_close(self) -> None:
        """Stops listening, ends kept connections and those who wait in a fault, closes the log."""
        self.stopping.set()
        super().server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.receipts.close()


def run(server: Server) -> None:
    """Runs until SIGTERM or SIGINT, in the main thread. Blocks; the log is complete when it returns."""
    if not _is_loopback(server.host):
        _log.warning("the stand-in listens on %s: other machines can reach it; it is meant for this one", server.host)

    def stop(number: int, frame: object) -> None:
        threading.Thread(target=server.shutdown, name="standin-stop").start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.serve_forever(poll_interval=0.2)
    finally:
        server.server_close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
