"""The channel to a stand-in, and a push service that misbehaves by hand."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notifications.channels.webpush import Services, WebPushChannel, open_channel
from notifications.channels.webpush.subscription import read
from notifications.channels.webpush.vapid import make_key_file
from tests.notifications.channels.conftest import NOW, Standin

SUBJECT = "mailto:push@city.example"
OpenWebPush = Callable[..., WebPushChannel]


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city's key."""
    file = tmp_path_factory.mktemp("vapid") / "vapid.pem"
    make_key_file(file)
    return file


@pytest.fixture
def open_webpush(key: Path) -> Iterator[OpenWebPush]:
    """Opens channels and closes them afterwards."""
    opened: list[WebPushChannel] = []

    def open_one(services: Services, **options: Any) -> WebPushChannel:
        channel = open_channel(**{"key": key, "subject": SUBJECT, "clock": lambda: NOW, "services": services} | options)
        opened.append(channel)
        return channel

    yield open_one
    for channel in opened:
        channel.close()


@pytest.fixture
def channel(open_webpush: OpenWebPush, standin: Standin) -> WebPushChannel:
    """The channel to the stand-in."""
    return open_webpush(Services(standin=standin.url))


def subscribe(standin: Standin, name: str, key: str | None = None) -> str:
    """A pretend browser's subscription as a device keeps it."""
    wish = {"name": name} if key is None else {"name": name, "application_server_key": key}
    return read(standin.control("POST", "subscriptions", json=wish), Services(standin=standin.url)).token


class Hostile:
    """A service on loopback that does with each connection what a test says, and counts them."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self._act = act
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0
        self.stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._socket.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with contextlib.suppress(OSError), connection:
            self._act(connection)

    def close(self) -> None:
        """Stops it."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """One request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65_536)
    return head


@pytest.fixture
def hostile() -> Iterator[Callable[[Callable[[socket.socket], None]], Hostile]]:
    """Makes hostile services and stops them afterwards."""
    made: list[Hostile] = []

    def make(act: Callable[[socket.socket], None]) -> Hostile:
        made.append(Hostile(act))
        return made[-1]

    yield make
    for service in made:
        service.close()
