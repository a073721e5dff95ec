"""The stand-in as its callers meet it: the real Firebase library, OAuth, faults, its log, its phones, a restart."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import firebase_admin
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from firebase_admin import credentials, exceptions, messaging

from notifications.channels.standin import open_server
from notifications.channels.standin.account import EMAIL
from notifications.channels.standin.grants import GRANT_TYPE
from tests.notifications.channels.conftest import NOW, OpenChannel, Standin, push

SEND = "/v1/projects/yobikake-standin/messages:send"


@pytest.fixture
def bearer(standin: Standin) -> str:
    """An access token as Google's own library fetches it."""
    return str(credentials.Certificate(str(standin.key_file)).get_access_token().access_token)


@pytest.fixture
def firebase(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Iterator[firebase_admin.App]:
    """The unmodified Firebase library, pointed at the stand-in."""
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", standin.url + "/v1/projects/{0}/messages:send")
    # Its credentials would ask Google's IAM host in the background; nothing may leave this machine.
    monkeypatch.setattr(
        "google.auth.credentials.CredentialsWithRegionalAccessBoundary._is_regional_access_boundary_lookup_required",
        lambda self: False,
    )
    app = firebase_admin.initialize_app(credentials.Certificate(str(standin.key_file)), name="test-standin")
    yield app
    firebase_admin.delete_app(app)


def a_message(token: str) -> messaging.Message:
    """One message as any application would build it."""
    message = messaging.Message(
        data={"message_id": "id-1", "thread": "thread-1"}, notification=messaging.Notification("題", "本文")
    )
    message.token = token
    return message


def send(standin: Standin, bearer: str, body: Any, path: str = SEND) -> requests.Response:
    """A send by hand."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    return standin.session.post(standin.url + path, data=content, headers=headers, timeout=10)


def test_the_real_library_sends_through_it(firebase: firebase_admin.App, standin: Standin) -> None:
    assert messaging.send(a_message("phone-1"), app=firebase).startswith("projects/yobikake-standin/messages/")
    assert messaging.send(a_message("phone-1"), dry_run=True, app=firebase).endswith("fake_message_id")
    assert standin.phone("phone-1")["received"] == 1
    batch = messaging.send_each([a_message("phone-2"), a_message("phone-3:fault=UNREGISTERED")], app=firebase)
    assert (batch.success_count, batch.failure_count) == (1, 1)
    assert isinstance(batch.responses[1].exception, messaging.UnregisteredError)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("UNREGISTERED", messaging.UnregisteredError),
        ("SENDER_ID_MISMATCH", messaging.SenderIdMismatchError),
        ("QUOTA_EXCEEDED", messaging.QuotaExceededError),
        ("THIRD_PARTY_AUTH_ERROR", messaging.ThirdPartyAuthError),
        ("INVALID_ARGUMENT", exceptions.InvalidArgumentError),
        ("PERMISSION_DENIED", exceptions.PermissionDeniedError),
        ("UNAUTHENTICATED", exceptions.UnauthenticatedError),
    ],
)
def test_the_real_library_knows_its_errors(
    firebase: firebase_admin.App, standin: Standin, fault: str, error: type[Exception]
) -> None:
    standin.fault(fault, token="phone-1")
    with pytest.raises(error):
        messaging.send(a_message("phone-1"), app=firebase)


def test_a_real_google_key_is_refused_with_a_clear_word(standin: Standin) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {
        "iss": "push@a-city.iam.gserviceaccount.com",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": int(dt.datetime.now(dt.UTC).timestamp()),
        "exp": int(dt.datetime.now(dt.UTC).timestamp()) + 3_600,
    }
    for made in (claims, dict(claims, iss=EMAIL)):
        form = {"grant_type": GRANT_TYPE, "assertion": jwt.encode(made, key, algorithm="RS256")}
        answer = standin.session.post(f"{standin.url}/token", data=form, timeout=10)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_grant"
        assert "not Google" in answer.json()["error_description"]


@pytest.mark.parametrize("change", [{"aud": "https://elsewhere"}, {"exp": 1}, {"exp": None}, {"iss": "x@y"}])
def test_an_assertion_of_its_own_key_must_fit_in_every_claim(standin: Standin, change: dict[str, Any]) -> None:
    now = int(dt.datetime.now(dt.UTC).timestamp())
    claims = {"iss": EMAIL, "aud": f"{standin.url}/token", "iat": now, "exp": now + 3_600}
    key = json.loads(standin.key_file.read_text())["private_key"]

    def ask(made: dict[str, Any]) -> requests.Response:
        signed = jwt.encode({name: claim for name, claim in made.items() if claim is not None}, key, algorithm="RS256")
        form = {"grant_type": GRANT_TYPE, "assertion": signed}
        return standin.session.post(f"{standin.url}/token", data=form, timeout=10)

    assert ask(claims).json()["token_type"] == "Bearer"
    assert ask({**claims, **change}).status_code == 400
    assert ask({**claims, "exp": now + 90_000}).status_code == 400
    assert standin.session.post(f"{standin.url}/token", data={"grant_type": "password"}, timeout=10).status_code == 400


def test_a_send_needs_a_token_that_it_granted(standin: Standin, bearer: str) -> None:
    message = {"message": {"token": "phone-1"}}
    assert send(standin, bearer, message).status_code == 200
    for wrong in ("", "ya29.a-real-one", bearer + "x"):
        answer = send(standin, wrong, message)
        assert answer.status_code == 401
        assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    standin.control("POST", "revoke")
    assert send(standin, bearer, message).status_code == 401


def test_a_granted_token_ends_after_an_hour(standin: Standin, bearer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = standin.server.grants._monotonic() + 3_601
    monkeypatch.setattr(standin.server.grants, "_monotonic", lambda: later)
    assert "expired" in send(standin, bearer, {"message": {"token": "p"}}).json()["error"]["message"]


def test_another_project_is_denied(standin: Standin, bearer: str) -> None:
    answer = send(standin, bearer, {"message": {"token": "p"}}, "/v1/projects/a-city/messages:send")
    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
    assert send(standin, bearer, {}, "/v1/projects/a-city/messages").status_code == 404


def test_a_fault_lasts_for_as_many_times_as_wished(standin: Standin, bearer: str) -> None:
    standin.fault("UNAVAILABLE", token="p", times=2, retry_after=3)
    answers = [send(standin, bearer, {"message": {"token": "p"}}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "3"
    assert [send(standin, bearer, {"message": {"token": "q:fault=INTERNAL*2"}}).status_code for _ in range(3)] == [
        500,
        500,
        200,
    ]


def test_a_fault_of_all_is_overruled_by_a_phones_own_and_can_be_taken_away(standin: Standin, bearer: str) -> None:
    standin.fault("UNAVAILABLE")
    standin.fault("UNREGISTERED", token="p")
    assert send(standin, bearer, {"message": {"token": "p"}}).status_code == 404
    assert send(standin, bearer, {"message": {"token": "q"}}).status_code == 503
    assert len(standin.control("GET", "faults")["faults"]) == 2
    assert standin.control("DELETE", "faults", params={"token": "p"}) == {"removed": 1}
    assert send(standin, bearer, {"message": {"token": "p"}}).status_code == 503
    assert standin.control("DELETE", "faults") == {"removed": 1}
    assert send(standin, bearer, {"message": {"token": "p"}}).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        {"fault": "SNOW"},
        {"fault": "SLOW", "delay_s": -1},
        {"fault": "SLOW", "times": 0},
        {"fault": "SLOW", "token": ""},
        {"fault": "SLOW", "colour": "red"},
        {"fault": "UNAVAILABLE", "retry_after": True},
        {"fault": "OAUTH_REFUSED", "token": "p"},
        [],
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(standin: Standin, wish: Any) -> None:
    answer = standin.session.post(f"{standin.url}/_standin/faults", json=wish, timeout=10)
    assert answer.status_code == 400
    assert standin.control("GET", "faults") == {"faults": []}


def test_the_log_is_on_disk_before_the_answer(standin: Standin, bearer: str) -> None:
    start = standin.server.receipts.last
    message = {"token": "phone-1", "data": {"message_id": "id-1", "thread": "th-1"}}
    send(standin, bearer, {"message": message})
    line = standin.server.receipts.path.read_text().splitlines()[-1]
    assert json.loads(line) == {
        "seq": start + 1,
        "time": NOW.isoformat(),
        "token": "phone-1",
        "message_id": "id-1",
        "thread": "th-1",
        "outcome": "accepted",
        "http": 200,
        "validate_only": False,
        "fault": None,
        "payload": message,
    }
    send(standin, bearer, {"message": {"token": "phone-1:fault=UNREGISTERED"}})
    page = standin.control("GET", "log", params={"after": start + 1})
    assert [(entry["outcome"], "payload" in entry) for entry in page["entries"]] == [("UNREGISTERED", False)]
    assert page["last"] == start + 2
    assert len(standin.control("GET", "log", params={"limit": 1})["entries"]) == 1
    with pytest.raises(requests.HTTPError):
        standin.control("GET", "log", params={"after": "x"})


def test_numbers_go_on_after_a_reset(standin: Standin, bearer: str) -> None:
    send(standin, bearer, {"message": {"token": "p"}})
    last = standin.control("POST", "reset")["last"]
    assert standin.control("GET", "log")["entries"] == []
    send(standin, bearer, {"message": {"token": "p"}})
    assert [entry["seq"] for entry in standin.log()] == [last + 1]


def test_many_at_once_lose_nothing_and_share_no_number(standin: Standin, bearer: str) -> None:
    def many(name: str) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {bearer}"
            for number in range(30):
                session.post(standin.url + SEND, json={"message": {"token": f"{name}-{number}"}}, timeout=10)

    threads = [threading.Thread(target=many, args=(f"t{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = standin.log()
    first = entries[0]["seq"]
    assert [entry["seq"] for entry in entries] == list(range(first, first + 180))
    assert len({entry["token"] for entry in entries}) == 180
    assert standin.control("GET", "phones", params={"limit": 5})["totals"]["phones"] == 180


def test_a_page_of_another_site_can_neither_read_nor_set(standin: Standin) -> None:
    foreign = {"Host": "evil.example"}
    for path in ("/", "/_standin/phones", "/_standin/log"):
        assert standin.session.get(standin.url + path, headers=foreign, timeout=10).status_code == 403
    form = standin.session.post(f"{standin.url}/_standin/reset", data={"a": "b"}, timeout=10)
    assert form.status_code == 400
    assert "application/json" in form.text


def test_what_is_no_http_is_survived(standin: Standin, bearer: str) -> None:
    host, port = standin.url.removeprefix("http://").split(":")
    for name, value in (("Content-Length", "70000"), ("Content-Length", "-1"), ("Transfer-Encoding", "chunked")):
        line = http.client.HTTPConnection(host, int(port), timeout=10)
        line.putrequest("POST", SEND)
        line.putheader(name, value)
        line.endheaders()
        assert line.getresponse().status == 400
        line.close()
    for raw in (b"\r\n", b"hello\r\n\r\n", b"GET / HTTP/2\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4_096):
                continue
    assert send(standin, bearer, {"message": {"token": "p"}}).status_code == 200


def test_an_unknown_phone_or_path_is_404(standin: Standin) -> None:
    for path in ("phones/nobody", "weather"):
        assert standin.session.get(f"{standin.url}/_standin/{path}", timeout=10).status_code == 404
    assert standin.session.get(f"{standin.url}/elsewhere", timeout=10).status_code == 404


def test_after_a_restart_a_running_sender_and_the_phones_go_on(tmp_path: Path, open_fcm: OpenChannel) -> None:
    first = Standin(tmp_path)
    port = first.server.server_port
    channel = open_fcm(credentials=first.key_file, endpoint=first.url)
    body = channel.encode(push(), NOW)
    channel.hand_over(body, ["phone-1"])
    key = first.key_file.read_text()
    first.close()
    with (tmp_path / "received.jsonl").open("a") as log:
        log.write('{"seq": 2, "half a li')
    second = open_server("127.0.0.1", port, tmp_path, clock=lambda: NOW)
    thread = threading.Thread(target=second.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        assert (tmp_path / "standin-service-account.json").read_text() == key
        channel.hand_over(body, ["phone-1"])  # its connection and its access token are gone: one is renewed
        channel.hand_over(body, ["phone-1"])
        seen = second.phones.find("phone-1", NOW)
        assert seen is not None
        assert seen["rings"] == 1
        assert seen["received"] >= 2
        numbers = [entry["seq"] for entry in second.receipts.entries()]
        assert numbers == list(range(1, len(numbers) + 1))
    finally:
        second.shutdown()
        thread.join()
        second.server_close()


def test_a_second_one_in_the_same_folder_is_refused(standin: Standin) -> None:
    with pytest.raises(ValueError, match="another stand-in writes"):
        open_server("127.0.0.1", 0, standin.key_file.parent)


def test_foreign_files_in_its_folder_are_left_alone(tmp_path: Path) -> None:
    log, key = tmp_path / "received.jsonl", tmp_path / "standin-service-account.json"
    log.write_text("not ours\n")
    with pytest.raises(ValueError, match="not a log of the stand-in"):
        open_server("127.0.0.1", 0, tmp_path)
    assert log.read_text() == "not ours\n"
    log.unlink()
    for content, reason in (("{", "is not JSON"), ('{"client_email": "a@b"}', "not a key of the stand-in")):
        key.write_text(content)
        with pytest.raises(ValueError, match=reason):
            open_server("127.0.0.1", 0, tmp_path)
        assert key.read_text() == content


def test_the_command_runs_it_and_a_signal_ends_it_cleanly(tmp_path: Path) -> None:
    command = "import backend.cli.standin as s; s.command()"
    arguments = [sys.executable, "-c", command, "--port", "0", "--state-dir", str(tmp_path)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as p:
        assert p.stdout is not None
        url = p.stdout.readline().split()[1]
        health = requests.get(f"{url}_standin/health", timeout=10).json()
        assert health["project"] == "yobikake-standin"
        p.send_signal(signal.SIGTERM)
        assert p.wait(timeout=20) == 0
    with open_server("127.0.0.1", 0, tmp_path):
        taken = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert taken.returncode == 1
    assert "another stand-in writes" in taken.stderr
