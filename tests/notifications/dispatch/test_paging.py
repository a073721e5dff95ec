"""An operator is called once an incident, and again until somebody answered."""

from __future__ import annotations

import http.server
import json
import threading

import pytest

from database import transaction
from notifications.dispatch import incidents, paging
from tests.notifications.builders import HOUR, NOW


@pytest.fixture
def duty():
    """The city's on-call service on the loopback: answers what `status` says, and remembers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.calls, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _url(duty):
    return f"http://127.0.0.1:{duty.server_address[1]}/"


def _report(engine, kind="credentials"):
    with transaction(engine) as session:
        incidents.report(session, kind, "the key was revoked", NOW)


def test_an_incident_is_paged_until_it_is_answered_and_then_no_more(engine, duty):
    assert paging.page(engine, _url(duty), NOW) is False
    _report(engine)
    duty.status = 503
    assert paging.page(engine, _url(duty), NOW) is False
    duty.status = 302
    assert paging.page(engine, _url(duty), NOW) is False
    duty.status = 204
    assert paging.page(engine, _url(duty), NOW + HOUR) is True
    _report(engine)
    assert paging.page(engine, _url(duty), NOW + HOUR) is False
    assert len(duty.calls) == 3
    assert duty.calls[-1] == {
        "incident": 1, "kind": "credentials", "detail": "the key was revoked", "opened_at": NOW.isoformat(),
        "text": "Yobikake: credentials: the key was revoked",
    }  # fmt: skip
    with transaction(engine, "read") as session:
        assert incidents.open_ones(session)[0].paged_at == NOW + HOUR


def test_a_service_that_cannot_be_reached_is_tried_again(engine, duty):
    _report(engine)
    assert paging.page(engine, "http://127.0.0.1:9/", NOW) is False
    assert paging.page(engine, _url(duty), NOW) is True


def test_every_kind_is_paged_the_oldest_first(engine):
    for kind in ("sender", "payload"):
        _report(engine, kind)
    with transaction(engine, "read") as session:
        assert incidents.to_page(session).kind == "sender"
    assert [paging.page(engine, None, NOW) for _ in range(3)] == [True, True, False]


def test_an_incident_counts_how_often_and_keeps_the_latest_word(session):
    incidents.report(session, "payload", "first", NOW)
    again = incidents.report(session, "payload", "second", NOW + HOUR)
    assert (again.times, again.detail, again.opened_at, again.seen_at) == (2, "second", NOW, NOW + HOUR)
    assert incidents.resolve(session, again.id, "duty", NOW) == 0
    assert incidents.open_ones(session) == []
    assert incidents.report(session, "payload", "third", NOW).id != again.id
