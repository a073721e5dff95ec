"""The access token: fetched once, renewed in time, and no assertion carried elsewhere."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from notifications.channels.fcm.access import Access, AccessError
from notifications.channels.promise import Fault
from tests.notifications.channels.conftest import Standin


@pytest.fixture
def access(standin: Standin) -> Iterator[Access]:
    """Access by the stand-in's key."""
    opened = _access(json.loads(standin.key_file.read_text()))
    yield opened
    opened.close()


def _access(info: dict[str, str]) -> Access:
    return Access(info, loopback=True, timeout_s=5, ca_file=None)


def _granted(standin: Standin) -> int:
    granted: int = standin.control("GET", "health")["granted"]
    return granted


def _left(access: Access, seconds: float) -> None:
    """Lets the token have so many seconds left (google-auth's own clock is naive UTC)."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    access._credential.expiry = now + dt.timedelta(seconds=seconds)


def test_one_token_serves_until_it_nears_its_end(access: Access, standin: Standin) -> None:
    before = _granted(standin)
    first = access.bearer()
    assert access.bearer() == first
    _left(access, 60)
    second = access.bearer()
    assert second[0] != first[0]
    assert second[1] == first[1] + 1
    assert _granted(standin) == before + 2


def test_a_failing_renewal_is_no_matter_while_the_token_holds(access: Access, standin: Standin) -> None:
    first = access.bearer()
    _left(access, 60)
    standin.fault("OAUTH_UNAVAILABLE")
    for _ in range(3):
        assert access.bearer() == first
    assert standin.control("GET", "faults")["faults"][0]["fault"] == "OAUTH_UNAVAILABLE"
    _left(access, -1)
    with pytest.raises(AccessError, match="cannot be reached") as caught:
        access.bearer()
    assert caught.value.fault is None
    standin.control("DELETE", "faults")
    assert access.bearer()[0] != first[0]


def test_many_who_were_refused_cause_one_renewal(access: Access, standin: Standin) -> None:
    _, generation = access.bearer()
    before = _granted(standin)
    renewed: list[tuple[str, int]] = []
    threads = [threading.Thread(target=lambda: renewed.append(access.renew(generation))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(renewed) == 12
    assert len(set(renewed)) == 1
    assert _granted(standin) == before + 1


def test_a_refusal_names_oauths_reason_and_calls_an_operator(access: Access, standin: Standin) -> None:
    standin.fault("OAUTH_REFUSED", times=1)
    with pytest.raises(AccessError, match="invalid_grant") as caught:
        access.bearer()
    assert caught.value.fault is Fault.CREDENTIALS


def test_an_assertion_is_never_carried_to_another_address(standin: Standin) -> None:
    reached: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reached.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/stolen")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        info = json.loads(standin.key_file.read_text())
        access = _access(dict(info, token_uri=f"http://127.0.0.1:{server.server_port}/token"))
        with pytest.raises(AccessError) as caught:
            access.bearer()
        server.shutdown()
        access.close()
    assert caught.value.fault is None
    assert reached == ["/token"]
