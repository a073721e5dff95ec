"""Services that want to lead us elsewhere, to hold us up or to fill our memory."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pycurl
import pytest

from notifications.channels.multiplex import Multiplexer, NoAnswer
from notifications.channels.promise import Outcome
from notifications.channels.webpush import Services
from notifications.channels.webpush.guard import open_loopback, open_public
from tests.notifications.channels.conftest import NOW, Standin, push
from tests.notifications.channels.webpush.conftest import Hostile, OpenWebPush, read_request, subscribe

MakeHostile = Callable[[Callable[[socket.socket], None]], Hostile]


def outcome_at(open_webpush: OpenWebPush, standin: Standin, service: Hostile) -> Outcome:
    """What a browser of this service comes to."""
    channel = open_webpush(Services(standin=service.url), timeout_s=1.0)
    token = subscribe(standin, "victim").replace(standin.url, service.url)
    (result,) = channel.hand_over(channel.encode(push(platform="webpush"), NOW), [token])
    assert result.fault is None
    return result.outcome


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(
    open_webpush: OpenWebPush, standin: Standin, hostile: MakeHostile, status: str
) -> None:
    target = hostile(lambda connection: None)

    def act(connection: socket.socket) -> None:
        read_request(connection)
        answer = f"HTTP/1.1 {status}\r\nLocation: {target.url}/secret\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(answer.encode())

    assert outcome_at(open_webpush, standin, hostile(act)) is Outcome.INVALID
    assert target.connections == 0


def test_a_giant_answer_is_broken_off(open_webpush: OpenWebPush, standin: Standin, hostile: MakeHostile) -> None:
    sent = []

    def act(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\n\r\n")
        for _ in range(4_000):
            connection.sendall(bytes(65_536))
            sent.append(65_536)

    assert outcome_at(open_webpush, standin, hostile(act)) is Outcome.UNKNOWN
    assert sum(sent) < 50_000_000  # what the kernel's buffers took, not the quarter of a gigabyte


def test_giant_headers_are_broken_off(open_webpush: OpenWebPush, standin: Standin, hostile: MakeHostile) -> None:
    sent = []

    def act(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\n")
        for number in range(200_000):
            connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1_000))
            sent.append(1_000)

    assert outcome_at(open_webpush, standin, hostile(act)) is Outcome.UNKNOWN
    assert sum(sent) < 50_000_000


def test_an_answer_that_drips_is_over_when_its_time_is(
    open_webpush: OpenWebPush, standin: Standin, hostile: MakeHostile
) -> None:
    service = hostile(lambda connection: None)

    def act(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nX-Slow: ")
        with contextlib.suppress(OSError):
            while not service.stopping.wait(0.05):
                connection.sendall(b"x")

    service = hostile(act)
    assert outcome_at(open_webpush, standin, service) is Outcome.UNKNOWN


def test_a_request_that_is_never_read_is_over_when_its_time_is(
    open_webpush: OpenWebPush, standin: Standin, hostile: MakeHostile
) -> None:
    service = hostile(lambda connection: None)
    service = hostile(lambda connection: service.stopping.wait(10) and None)
    assert outcome_at(open_webpush, standin, service) in (Outcome.UNKNOWN, Outcome.RETRY)


def test_what_is_no_http_is_no_answer(open_webpush: OpenWebPush, standin: Standin, hostile: MakeHostile) -> None:
    def act(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    assert outcome_at(open_webpush, standin, hostile(act)) in (Outcome.UNKNOWN, Outcome.RETRY)


def test_a_name_that_leads_to_this_machine_is_not_connected_to(hostile: MakeHostile) -> None:
    """DNS rebinding: the name is resolved by libcurl itself, and the address it got is what is looked at."""
    service = hostile(lambda connection: None)
    port = service.url.rpartition(":")[2]
    requests = Multiplexer(connections=2, timeout_s=2, http2=False, proxy=False, open_socket=open_public)
    requests.put(1, f"http://localhost:{port}/push", ["Expect:"], b"x")
    ((_, answer),) = requests.answers(5.0)
    assert isinstance(answer, NoAnswer)
    assert not answer.may_have_arrived
    assert service.connections == 0
    requests.close()


def test_every_address_is_asked_about_and_a_refused_one_is_never_opened() -> None:
    class Address:
        family, socktype, protocol = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

        def __init__(self, ip: str) -> None:
            self.addr = (ip, 443)

    assert open_public(0, Address("10.0.0.1")) == pycurl.SOCKET_BAD
    assert open_loopback(0, Address("8.8.8.8")) == pycurl.SOCKET_BAD
    for opened in (open_public(0, Address("8.8.8.8")), open_loopback(0, Address("127.0.0.1"))):
        assert opened.fileno() > 2


def test_a_refused_name_is_tried_again_later_and_is_no_fault_of_ours(
    open_webpush: OpenWebPush, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(_purpose: int, address: object) -> int:
        asked.append(str(address.addr[0]))  # type: ignore[attr-defined]
        return int(pycurl.SOCKET_BAD)

    monkeypatch.setattr("notifications.channels.webpush.guard.open_loopback", refuse)
    channel = open_webpush(Services(standin=standin.url))
    (result,) = channel.hand_over(channel.encode(push(platform="webpush"), NOW), [subscribe(standin, "victim")])
    assert (result.outcome, result.fault) == (Outcome.RETRY, None)
    assert asked == ["127.0.0.1"]
    assert standin.log() == []
