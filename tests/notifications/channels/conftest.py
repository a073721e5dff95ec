"""A real stand-in on loopback, and the channel that sends to it by either sender."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from notifications.channels.fcm import FcmChannel, open_channel
from notifications.channels.promise import Push, Urgency
from notifications.channels.standin import Server, open_server
from notifications.channels.standin.account import FILE_NAME

NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)

ORDER = Push(
    message_id="m" * 22,
    thread="t" * 22,
    kind="alert",
    title="【警戒レベル4・避難指示】見本市川端町 洪水",
    body="危険な場所から全員避難してください。川の水があふれるおそれがあります。",
    language="ja",
    platform="android",
    urgency=Urgency.TIME_SENSITIVE,
    channel_id="critical_life",
    expires_at=NOW + dt.timedelta(hours=6),
    link="yobikake://alerts/a",
    data={"level": "4", "hazard": "flood", "shelters": '[{"name":"川端小学校","distance_m":320}]'},
)


def push(**changes: Any) -> Push:
    """An evacuation order, changed as wanted."""
    return replace(ORDER, **changes)


class Standin:
    """A running stand-in and short ways to its control interface."""

    def __init__(self, folder: Path) -> None:
        self.server: Server = open_server("127.0.0.1", 0, folder, clock=lambda: NOW)
        self.url = self.server.url
        self.key_file = folder / FILE_NAME
        self.session = requests.Session()
        self.session.trust_env = False
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def control(self, method: str, path: str, **options: Any) -> Any:
        """Asks the control interface; the JSON of a success."""
        if method == "POST":
            options.setdefault("json", {})
        answer = self.session.request(method, f"{self.url}/_standin/{path}", timeout=10, **options)
        answer.raise_for_status()
        return answer.json()

    def fault(self, name: str, **wish: Any) -> None:
        """Sets a fault."""
        self.control("POST", "faults", json={"fault": name, **wish})

    def log(self) -> list[dict[str, Any]]:
        """What was received since the last reset."""
        entries: list[dict[str, Any]] = self.control("GET", "log")["entries"]
        return entries

    def sends_of(self, token: str) -> list[str]:
        """The outcomes of one phone's sends, in order."""
        return [entry["outcome"] for entry in self.log() if entry["token"] == token]

    def phone(self, token: str) -> dict[str, Any]:
        """What one phone shows and has seen."""
        seen: dict[str, Any] = self.control("GET", f"phones/{quote(token, safe='')}")
        return seen

    def close(self) -> None:
        """Stops it."""
        self.session.close()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture(scope="session")
def running_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """One for all tests: making its key takes a while."""
    standin = Standin(tmp_path_factory.mktemp("standin"))
    yield standin
    standin.close()


@pytest.fixture
def standin(running_standin: Standin) -> Standin:
    """Empty and without faults."""
    running_standin.control("POST", "reset")
    return running_standin


OpenChannel = Callable[..., FcmChannel]


@pytest.fixture
def open_fcm(standin: Standin) -> Iterator[OpenChannel]:
    """Opens channels to the stand-in and closes them afterwards."""
    opened: list[FcmChannel] = []

    def open_one(**options: Any) -> FcmChannel:
        settings = {"credentials": standin.key_file, "endpoint": standin.url, "clock": lambda: NOW}
        channel = open_channel(**{**settings, **options})
        opened.append(channel)
        return channel

    yield open_one
    for channel in opened:
        channel.close()


@pytest.fixture(scope="session", params=["curl", "library"])
def kept_channel(request: pytest.FixtureRequest, running_standin: Standin) -> Iterator[FcmChannel]:
    """One channel a sender for all tests, as one worker has: opening the library's takes a while."""
    channel = open_channel(
        credentials=running_standin.key_file, endpoint=running_standin.url, sender=request.param, clock=lambda: NOW
    )
    yield channel
    channel.close()


@pytest.fixture
def channel(kept_channel: FcmChannel, standin: Standin) -> FcmChannel:
    """The channel with each of its senders, and a stand-in without faults."""
    return kept_channel
