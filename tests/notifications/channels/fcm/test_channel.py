"""Both senders keep one promise: the same outcome for every answer, failure and silence of the provider."""

from __future__ import annotations

import datetime as dt
import json
import logging
import socket
import threading
from typing import Any

import pytest

from notifications.channels.fcm import FcmChannel, open_channel
from notifications.channels.promise import Channel, Fault, Outcome, PayloadError, Result
from tests.notifications.channels.conftest import NOW, OpenChannel, Standin, push

TOKEN = "fkk7:APA91b-secret-of-one-phone"

# fault, options → outcome, Retry-After, of the whole project, fault of ours
FAULTS: list[tuple[str, dict[str, Any], Outcome, float | None, bool, Fault | None]] = [
    ("UNREGISTERED", {}, Outcome.UNREGISTERED, None, False, None),
    ("INVALID_ARGUMENT", {}, Outcome.INVALID, None, False, None),
    ("INVALID_PAYLOAD", {}, Outcome.INVALID, None, False, Fault.PAYLOAD),
    ("SENDER_ID_MISMATCH", {}, Outcome.MISMATCH, None, False, None),
    ("QUOTA_EXCEEDED", {}, Outcome.RETRY, 60.0, False, None),
    ("QUOTA_EXCEEDED", {"retry_after": 7}, Outcome.RETRY, 7.0, False, None),
    ("PROJECT_QUOTA_EXCEEDED", {}, Outcome.RETRY, 60.0, True, None),
    ("PROJECT_QUOTA_EXCEEDED", {"retry_after": 90}, Outcome.RETRY, 90.0, True, None),
    ("UNAVAILABLE", {}, Outcome.RETRY, None, False, None),
    ("UNAVAILABLE", {"retry_after": 30}, Outcome.RETRY, 30.0, False, None),
    ("INTERNAL", {}, Outcome.RETRY, None, False, None),
    ("THIRD_PARTY_AUTH_ERROR", {}, Outcome.RETRY, None, False, Fault.SENDER),
    ("UNAUTHENTICATED", {}, Outcome.RETRY, None, False, Fault.CREDENTIALS),
    ("PERMISSION_DENIED", {}, Outcome.RETRY, None, False, Fault.CREDENTIALS),
    ("REDIRECT", {}, Outcome.RETRY, None, False, None),
    ("GARBAGE", {}, Outcome.UNKNOWN, None, False, None),
    ("RESET_BEFORE", {}, Outcome.UNKNOWN, None, False, None),
    ("RESET_AFTER", {}, Outcome.UNKNOWN, None, False, None),
]


def test_keeps_the_promise_of_a_channel(channel: FcmChannel) -> None:
    promised: Channel = channel
    assert promised.name == "fcm"
    assert channel.sender in ("curl", "library")
    assert channel.loopback


def test_every_token_gets_its_own_outcome_in_order(channel: FcmChannel, standin: Standin) -> None:
    tokens = ["a" * 20, "b:fault=UNREGISTERED", "c" * 20, "d:fault=SENDER_ID_MISMATCH", "e:fault=UNAVAILABLE", "f" * 20]
    results = channel.hand_over(channel.encode(push(), NOW), tokens)
    assert [result.outcome for result in results] == [
        Outcome.ACCEPTED,
        Outcome.UNREGISTERED,
        Outcome.ACCEPTED,
        Outcome.MISMATCH,
        Outcome.RETRY,
        Outcome.ACCEPTED,
    ]
    accepted = {entry["token"]: entry["payload"] for entry in standin.log() if entry["outcome"] == "accepted"}
    assert set(accepted) == {"a" * 20, "c" * 20, "f" * 20}
    assert accepted["a" * 20]["notification"]["body"] == push().body


@pytest.mark.parametrize(("name", "options", "outcome", "retry_after", "project_wide", "fault"), FAULTS)
def test_each_fault_is_told_apart(
    channel: FcmChannel,
    standin: Standin,
    name: str,
    options: dict[str, Any],
    outcome: Outcome,
    retry_after: float | None,
    project_wide: bool,
    fault: Fault | None,
) -> None:
    standin.fault(name, token=TOKEN, **options)
    (result,) = channel.hand_over(channel.encode(push(), NOW), [TOKEN])
    assert result.outcome is outcome
    assert result.retry_after_s == retry_after
    assert result.project_wide is project_wide
    assert result.fault is fault
    assert TOKEN not in result.detail
    assert result.detail


@pytest.mark.parametrize("name", [name for name, *_ in FAULTS if "AUTH" not in name])
def test_no_sender_repeats_a_request_by_itself(channel: FcmChannel, standin: Standin, name: str) -> None:
    body = channel.encode(push(), NOW)
    assert channel.hand_over(body, ["warm"])[0].outcome is Outcome.ACCEPTED  # the faulty one meets a kept connection
    standin.fault(name, token=TOKEN)
    channel.hand_over(body, [TOKEN])
    assert len(standin.sends_of(TOKEN)) == 1
    assert channel.hand_over(body, ["next"])[0].outcome is Outcome.ACCEPTED


def test_silence_after_the_request_is_unknown(open_fcm: OpenChannel, standin: Standin) -> None:
    for sender in ("curl", "library"):
        channel = open_fcm(sender=sender, timeout_s=0.3)
        standin.fault("NO_ANSWER", token=TOKEN, times=1)
        results = channel.hand_over(channel.encode(push(), NOW), [TOKEN, "other"])
        assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.ACCEPTED]


def test_a_slow_answer_is_waited_for(channel: FcmChannel, standin: Standin) -> None:
    standin.fault("SLOW", token=TOKEN, delay_s=0.05)
    assert channel.hand_over(channel.encode(push(), NOW), [TOKEN])[0].outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("sender", ["curl", "library"])
def test_nobody_listening_means_try_again(open_fcm: OpenChannel, standin: Standin, sender: str) -> None:
    channel = open_fcm(sender=sender)
    body = channel.encode(push(), NOW)
    channel.hand_over(body, ["one"])  # it holds an access token already
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        info = dict(_info(standin), token_uri=f"{nowhere}/token")
        lost = open_fcm(sender=sender, credentials=info, endpoint=nowhere)
        (unreachable,) = lost.hand_over(body, [TOKEN])
    assert (unreachable.outcome, unreachable.fault) == (Outcome.RETRY, None)


@pytest.mark.parametrize("sender", ["curl", "library"])
def test_a_refused_connection_to_the_provider_means_try_again(
    open_fcm: OpenChannel, standin: Standin, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.channels.fcm.access.Access.bearer", lambda self: ("held", 1))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        info = dict(_info(standin), token_uri=f"{nowhere}/token")
        channel = open_fcm(sender=sender, credentials=info, endpoint=nowhere)
        (result,) = channel.hand_over(channel.encode(push(), NOW), [TOKEN])
    assert (result.outcome, result.fault) == (Outcome.RETRY, None)
    assert TOKEN not in result.detail


def test_a_revoked_access_token_is_renewed_once_for_all(channel: FcmChannel, standin: Standin) -> None:
    body = channel.encode(push(), NOW)
    channel.hand_over(body, ["first"])
    before = standin.control("GET", "health")["granted"]
    standin.control("POST", "revoke")
    results = channel.hand_over(body, [f"phone-{number}" for number in range(60)])
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert standin.control("GET", "health")["granted"] == before + 1


def test_a_refusal_for_everybody_leaves_the_rest_unsent(channel: FcmChannel, standin: Standin) -> None:
    body = channel.encode(push(), NOW)
    channel.hand_over(body, ["first"])
    standin.fault("PERMISSION_DENIED")
    results = channel.hand_over(body, [f"phone-{number}" for number in range(400)])
    assert {(result.outcome, result.fault) for result in results} == {(Outcome.RETRY, Fault.CREDENTIALS)}
    assert len(standin.log()) < 200


def test_a_project_quota_leaves_the_rest_unsent_but_a_device_quota_does_not(
    channel: FcmChannel, standin: Standin
) -> None:
    body = channel.encode(push(), NOW)
    standin.fault("PROJECT_QUOTA_EXCEEDED", token="phone-0", retry_after=42)
    results = channel.hand_over(body, [f"phone-{number}" for number in range(300)])
    assert results[299] == Result(Outcome.RETRY, 42.0, True, None, results[299].detail)
    standin.control("POST", "reset")
    standin.fault("QUOTA_EXCEEDED", token="phone-0")
    results = channel.hand_over(body, [f"phone-{number}" for number in range(300)])
    assert [result.outcome for result in results].count(Outcome.ACCEPTED) == 299


def test_a_broken_platform_key_does_not_stop_other_platforms(channel: FcmChannel, standin: Standin) -> None:
    ios = channel.encode(push(platform="ios"), NOW)
    android = channel.encode(push(), NOW)
    standin.fault("THIRD_PARTY_AUTH_ERROR", token="iphone-0")
    bodies = [ios] + [android] * 300 + [ios] * 300
    tokens = ["iphone-0"] + [f"android-{n}" for n in range(300)] + [f"iphone-{n}" for n in range(1, 301)]
    results = channel.hand_over_each(bodies, tokens)
    assert {result.outcome for result in results[1:301]} == {Outcome.ACCEPTED}
    assert results[600].fault is Fault.SENDER


def test_the_token_endpoint_refusing_is_a_fault_and_its_failing_is_not(open_fcm: OpenChannel, standin: Standin) -> None:
    for sender in ("curl", "library"):
        channel = open_fcm(sender=sender)
        body = channel.encode(push(), NOW)
        standin.fault("OAUTH_REFUSED", times=1)
        refused = channel.hand_over(body, [TOKEN, "b"])
        assert {(r.outcome, r.fault) for r in refused} == {(Outcome.RETRY, Fault.CREDENTIALS)}
        assert "invalid_grant" in refused[0].detail
        standin.fault("OAUTH_UNAVAILABLE", times=1)
        failed = channel.hand_over(body, [TOKEN, "b"])
        assert {(r.outcome, r.fault) for r in failed} == {(Outcome.RETRY, None)}
        assert [r.outcome for r in channel.hand_over(body, [TOKEN, "b"])] == [Outcome.ACCEPTED] * 2


def test_a_wrong_project_is_a_fault_of_ours(open_fcm: OpenChannel, standin: Standin) -> None:
    for sender in ("curl", "library"):
        channel = open_fcm(sender=sender, project_id="another-city")
        (result,) = channel.hand_over(channel.encode(push(), NOW), [TOKEN])
        assert (result.outcome, result.fault) == (Outcome.RETRY, Fault.CREDENTIALS)


def test_a_dry_run_reaches_no_phone(channel: FcmChannel, standin: Standin) -> None:
    (result,) = channel.hand_over(channel.encode(push(), NOW), ["dry"], dry_run=True)
    assert result.outcome is Outcome.ACCEPTED
    (entry,) = standin.log()
    assert entry["validate_only"] is True
    assert standin.control("GET", "phones")["totals"]["phones"] == 0


def test_any_text_may_be_a_token_without_breaking_the_message(channel: FcmChannel, standin: Standin) -> None:
    wicked = 'x","data":{"kind":"all_clear"},"y":"'
    results = channel.hand_over(channel.encode(push(), NOW), [wicked, "", "fine"])
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.INVALID, Outcome.ACCEPTED]
    assert standin.phone(wicked)["showing"][0]["kind"] == "alert"


def test_a_body_of_another_make_is_refused(channel: FcmChannel) -> None:
    with pytest.raises(PayloadError):
        channel.hand_over(b'{"message":{"token":"x"}}', ["y"])


def test_many_groups_share_one_call(channel: FcmChannel, standin: Standin) -> None:
    bodies = [channel.encode(push(data={"level": "4", "shelters": f'["{n}"]'}), NOW) for n in range(3)]
    tokens = [f"phone-{n}" for n in range(30)]
    results = channel.hand_over_each([bodies[n % 3] for n in range(30)], tokens)
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert {e["token"]: e["payload"]["data"]["shelters"] for e in standin.log()} == {
        f"phone-{n}": f'["{n % 3}"]' for n in range(30)
    }
    with pytest.raises(ValueError, match="3 bodies for 30 tokens"):
        channel.hand_over_each(bodies, tokens)


def test_many_threads_share_one_channel(channel: FcmChannel, standin: Standin) -> None:
    body = channel.encode(push(), NOW)
    outcomes: list[Outcome] = []

    def send(name: str) -> None:
        outcomes.extend(result.outcome for result in channel.hand_over(body, [f"{name}-{n}" for n in range(25)]))

    threads = [threading.Thread(target=send, args=(f"thread-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.ACCEPTED] * 100
    assert standin.control("GET", "phones")["totals"]["rings"] == 100


def test_no_token_and_no_key_is_ever_logged(
    channel: FcmChannel, standin: Standin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = channel.encode(push(), NOW)
    details = [r.detail for r in channel.hand_over(body, [TOKEN])]
    for name, *_ in FAULTS:
        standin.control("DELETE", "faults")
        standin.fault(name, token=TOKEN)
        details += [result.detail for result in channel.hand_over(body, [TOKEN])]
    said = caplog.text + "".join(details)
    assert TOKEN not in said
    assert "standin." not in said  # how its access tokens begin
    assert "PRIVATE KEY" not in said


def test_nothing_leaves_this_machine(channel: FcmChannel, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    look_up = socket.getaddrinfo

    def watch(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", watch)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:1")
    standin.control("POST", "revoke")
    assert channel.hand_over(channel.encode(push(), NOW), ["here"])[0].outcome is Outcome.ACCEPTED
    assert set(asked) <= {"127.0.0.1"}


def test_without_libcurl_the_library_sends_and_it_is_said(
    standin: Standin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("notifications.channels.fcm.curl.usable", lambda: False)
    channel = open_channel(credentials=standin.key_file, endpoint=standin.url)
    try:
        assert channel.sender == "library"
        assert "its libcurl has no HTTP/2" in caplog.text
    finally:
        channel.close()
    with pytest.raises(ValueError, match="curl sender cannot be used"):
        open_channel(credentials=standin.key_file, endpoint=standin.url, sender="curl")


def test_the_channel_opens_without_asking_anybody(standin: Standin) -> None:
    before = standin.control("GET", "health")["granted"]
    for sender in ("curl", "library"):
        open_channel(credentials=standin.key_file, endpoint=standin.url, sender=sender).close()
    assert standin.control("GET", "health")["granted"] == before


def test_a_push_that_is_over_is_not_encoded(channel: FcmChannel) -> None:
    with pytest.raises(PayloadError, match="expired"):
        channel.encode(push(expires_at=NOW), NOW + dt.timedelta(seconds=1))


def _info(standin: Standin) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(standin.key_file.read_text())
    return info
