"""Handing over to a push service on this machine, decrypted there by the pretend browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notifications.channels.promise import Outcome, Result
from notifications.channels.webpush import Services, WebPushChannel
from notifications.channels.webpush.vapid import make_key_file
from tests.notifications.channels.conftest import NOW, Standin, push
from tests.notifications.channels.webpush.conftest import OpenWebPush, subscribe


def hand(channel: WebPushChannel, *tokens: str, **changes: Any) -> list[Result]:
    """Hands an order to each."""
    return channel.hand_over(channel.encode(push(platform="webpush", **changes), NOW), tokens)


def outcomes(results: list[Result]) -> list[Outcome]:
    return [result.outcome for result in results]


def test_a_browser_reads_the_order_that_was_encrypted_for_it(channel: WebPushChannel, standin: Standin) -> None:
    assert outcomes(hand(channel, subscribe(standin, "laptop"))) == [Outcome.ACCEPTED]
    (shown,) = standin.phone("laptop")["showing"]
    order = push()
    assert (shown["title"], shown["body"], shown["level"]) == (order.title, order.body, "4")
    assert (shown["slot"], shown["message_id"]) == ("t" * 22, "m" * 22)
    (entry,) = standin.log()
    assert (entry["http"], entry["outcome"]) == (201, "accepted")
    assert entry["payload"]["webpush"]["headers"] == {"TTL": "21600", "Urgency": "high"}


def test_a_later_word_replaces_and_a_double_is_not_shown_again(channel: WebPushChannel, standin: Standin) -> None:
    token = subscribe(standin, "laptop")
    hand(channel, token)
    hand(channel, token)
    hand(channel, token, message_id="n" * 22, kind="cancel", title="取消")
    phone = standin.phone("laptop")
    assert [notice["title"] for notice in phone["showing"]] == ["取消"]
    assert (phone["received"], phone["doubles"], phone["replaced"], phone["platform"]) == (3, 1, 1, "webpush")


def test_many_browsers_at_once_each_get_their_own_body_in_order(channel: WebPushChannel, standin: Standin) -> None:
    tokens = [subscribe(standin, f"browser-{number}") for number in range(120)]
    bodies = [channel.encode(push(platform="webpush", body=f"{n % 3}"), NOW) for n in range(3)]
    results = channel.hand_over_each([bodies[n % 3] for n in range(120)], tokens)
    assert outcomes(results) == [Outcome.ACCEPTED] * 120
    for number in (0, 1, 50, 119):
        assert standin.phone(f"browser-{number}")["showing"][0]["body"] == str(number % 3)


def test_the_line_gives_every_result_under_its_tag(channel: WebPushChannel, standin: Standin) -> None:
    line = channel.line()
    body = channel.encode(push(platform="webpush"), NOW)
    found: dict[int, Result] = {}
    waiting = {7 + number: subscribe(standin, f"browser-{number}") for number in range(30)} | {5: "no subscription"}
    while waiting or line.under_way:
        while waiting and line.room:
            tag, token = waiting.popitem()
            line.put(tag, body, token)
        found |= dict(line.answers(1.0))
    assert found.pop(5).outcome is Outcome.INVALID
    assert outcomes(list(found.values())) == [Outcome.ACCEPTED] * 30
    assert line.answers(0.0) == []
    line.close()


@pytest.mark.parametrize(
    ("fault", "outcome", "wait_s"),
    [
        ("UNREGISTERED", Outcome.UNREGISTERED, None),
        ("INVALID_ARGUMENT", Outcome.INVALID, None),
        ("INVALID_PAYLOAD", Outcome.FAILED, None),
        ("SENDER_ID_MISMATCH", Outcome.MISMATCH, None),
        ("QUOTA_EXCEEDED", Outcome.RETRY, 30),
        ("UNAVAILABLE", Outcome.RETRY, 30),
        ("INTERNAL", Outcome.RETRY, 30),
        ("UNAUTHENTICATED", Outcome.RETRY, 30),
        ("REDIRECT", Outcome.INVALID, None),
        ("RESET_BEFORE", Outcome.UNKNOWN, None),
        ("RESET_AFTER", Outcome.UNKNOWN, None),
        ("GARBAGE", Outcome.ACCEPTED, None),
    ],
)
def test_every_fault_of_a_service_has_its_outcome_and_stops_nobody_else(
    channel: WebPushChannel, standin: Standin, fault: str, outcome: Outcome, wait_s: float | None
) -> None:
    standin.fault(fault, token="troubled", retry_after=30)
    results = hand(channel, subscribe(standin, "troubled"), subscribe(standin, "well"))
    assert outcomes(results) == [outcome, Outcome.ACCEPTED]
    assert results[0].retry_after_s == wait_s
    assert results[0].fault is None
    assert standin.sends_of("well") == ["accepted"]
    assert len([entry for entry in standin.log() if entry["token"] == "troubled"]) == 1  # never sent twice in secret


def test_a_silent_service_costs_its_time_and_is_unknown(open_webpush: OpenWebPush, standin: Standin) -> None:
    channel = open_webpush(Services(standin=standin.url), timeout_s=0.3)
    standin.fault("NO_ANSWER", token="silent")
    assert outcomes(hand(channel, subscribe(standin, "silent"))) == [Outcome.UNKNOWN]


def test_nobody_at_home_is_tried_again_later(open_webpush: OpenWebPush, standin: Standin) -> None:
    nobody = "http://127.0.0.1:9"
    channel = open_webpush(Services(standin=nobody))
    token = subscribe(standin, "laptop").replace(standin.url, nobody)
    (result,) = hand(channel, token)
    assert (result.outcome, result.fault) == (Outcome.RETRY, None)


def test_a_browser_bound_to_another_key_is_a_mismatch(
    channel: WebPushChannel, standin: Standin, tmp_path: Path
) -> None:
    other = make_key_file(tmp_path / "other.pem")
    results = hand(channel, subscribe(standin, "a", other), subscribe(standin, "b", channel.public_key))
    assert outcomes(results) == [Outcome.MISMATCH, Outcome.ACCEPTED]


def test_a_service_that_is_not_among_the_settings_gets_nothing(open_webpush: OpenWebPush, standin: Standin) -> None:
    token = subscribe(standin, "laptop")
    for services in (Services(), Services(["*"])):
        assert outcomes(hand(open_webpush(services), token)) == [Outcome.INVALID]  # http is no form of an endpoint
    stranger = token.replace(standin.url, "https://push.example.org")
    assert outcomes(hand(open_webpush(Services()), stranger)) == [Outcome.NO_TOKEN]
    assert standin.log() == []


def test_a_trial_sends_nothing(channel: WebPushChannel, standin: Standin) -> None:
    body = channel.encode(push(platform="webpush"), NOW)
    tokens = [subscribe(standin, "laptop"), "no subscription"]
    assert outcomes(channel.hand_over(body, tokens, dry_run=True)) == [Outcome.ACCEPTED, Outcome.INVALID]
    assert standin.log() == []
    assert outcomes(channel.hand_over(body, tokens)) == [Outcome.ACCEPTED, Outcome.INVALID]


def test_what_does_not_fit_together_is_refused_at_the_opening(open_webpush: OpenWebPush, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        open_webpush(Services(), key=tmp_path / "absent.pem")
    with pytest.raises(ValueError, match="mailto"):
        open_webpush(Services(), subject="mailto:x@localhost")
    for services in (Services(["*"]), Services(standin="http://127.0.0.1:8085")):
        with pytest.raises(ValueError, match="proxy"):
            open_webpush(services, proxy=True)
