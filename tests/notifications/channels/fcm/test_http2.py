"""As against the real provider: HTTP/2 over TLS, many messages at once on few connections, none sent twice."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notifications.channels.fcm.access import Access
from notifications.channels.fcm.body import encode
from notifications.channels.fcm.curl import CurlSender
from notifications.channels.fcm.endpoint import Endpoint
from notifications.channels.promise import Outcome
from tests.notifications.channels.conftest import NOW, Standin, push
from tests.notifications.channels.fcm.http2_server import Http2Server

BODY = encode(push(), NOW, critical_entitled=False)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Http2Server]:
    """An HTTP/2 provider on loopback."""
    server = Http2Server(tmp_path)
    yield server
    server.close()


@pytest.fixture
def sender(provider: Http2Server, standin: Standin) -> Iterator[Callable[..., CurlSender]]:
    """Opens senders to the provider; access tokens come from the stand-in."""
    opened: list[CurlSender] = []

    def open_one(connections: int = 1, *, trusted: bool = True) -> CurlSender:
        access = Access(_info(standin), loopback=True, timeout_s=10, ca_file=None)
        made = CurlSender(
            Endpoint(provider.origin, "p", loopback=True),
            access,
            timeout_s=10,
            connections=connections,
            ca_file=str(provider.certificate) if trusted else None,
            clock=lambda: dt.datetime.now(dt.UTC),
        )
        opened.append(made)
        return made

    yield open_one
    for made in opened:
        made.close()


def _info(standin: Standin) -> dict[str, str]:
    info: dict[str, str] = json.loads(standin.key_file.read_text())
    return info


def send(sender: CurlSender, count: int) -> Counter[Outcome]:
    """Sends to so many phones and counts the outcomes."""
    results = sender.send([BODY] * count, [f"phone-{number}" for number in range(count)], dry_run=False)
    return Counter(result.outcome for result in results)


def test_a_hundred_messages_are_under_way_at_once_on_one_connection(
    provider: Http2Server, sender: Callable[..., CurlSender]
) -> None:
    provider.gather = 100  # nobody is answered before all hundred are there
    assert send(sender(connections=1), 100) == {Outcome.ACCEPTED: 100}
    assert (provider.connections, provider.most_open) == (1, 100)


def test_connections_are_kept_from_call_to_call(provider: Http2Server, sender: Callable[..., CurlSender]) -> None:
    one = sender(connections=2)
    for _ in range(3):
        assert send(one, 50) == {Outcome.ACCEPTED: 50}
    assert provider.connections <= 2
    assert len(set(provider.bodies)) == 50


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    provider: Http2Server, sender: Callable[..., CurlSender]
) -> None:
    assert send(sender(trusted=False), 3) == {Outcome.RETRY: 3}
    assert provider.bodies == []


def test_refused_streams_are_not_taken_for_sent(provider: Http2Server, sender: Callable[..., CurlSender]) -> None:
    one = sender()
    send(one, 1)
    provider.bodies.clear()
    provider.refuse = 5
    outcomes = send(one, 20)
    assert outcomes[Outcome.ACCEPTED] == len(provider.bodies) == 15
    assert outcomes[Outcome.UNKNOWN] + outcomes[Outcome.RETRY] == 5


@pytest.mark.parametrize("fault", ["drop_after", "away_after"])
def test_a_connection_that_ends_in_the_middle_sends_nothing_twice(
    provider: Http2Server, sender: Callable[..., CurlSender], fault: str
) -> None:
    one = sender()
    send(one, 1)
    provider.bodies.clear()
    provider.gather = 20
    setattr(provider, fault, 5)
    outcomes = send(one, 20)
    assert sum(outcomes.values()) == 20
    assert outcomes[Outcome.UNKNOWN] > 0
    assert len(provider.bodies) == len(set(provider.bodies))
    provider.gather = 1
    assert send(one, 20) == {Outcome.ACCEPTED: 20}
