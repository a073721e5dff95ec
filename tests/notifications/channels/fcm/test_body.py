"""What is in a push: facts that an app relies on, the same bytes for a whole group, never too large."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.fcm.body import LARGEST, MARK, OverdueError, TooLargeError, encode, escaped, splice
from notifications.channels.fcm.rebuilt import rebuild
from notifications.channels.promise import PayloadError, Push, Urgency
from notifications.channels.standin.message import parse
from notifications.channels.standin.refusal import Refusal
from tests.notifications.channels.conftest import NOW, push


def message(sent: Push, *, entitled: bool = False, now: dt.datetime = NOW) -> dict[str, Any]:
    """The message of a push as plain JSON."""
    plain: dict[str, Any] = orjson.loads(encode(sent, now, critical_entitled=entitled))["message"]
    return plain


def test_an_evacuation_order_on_android() -> None:
    assert message(push()) == {
        "token": MARK,
        "notification": {"title": push().title, "body": push().body},
        "data": {
            "message_id": "m" * 22,
            "thread": "t" * 22,
            "kind": "alert",
            "level": "4",
            "hazard": "flood",
            "drill": "false",
            "expires_at": "2026-11-21T09:00:00Z",
            "link": "yobikake://alerts/a",
            "lang": "ja",
            "shelters": '[{"name":"川端小学校","distance_m":320}]',
        },
        "android": {
            "priority": "high",
            "ttl": "21600s",
            "direct_boot_ok": True,
            "bandwidth_constrained_ok": True,
            "restricted_satellite_ok": True,
            "notification": {
                "channel_id": "critical_life",
                "tag": "t" * 22,
                "visibility": "PUBLIC",
                "notification_priority": "PRIORITY_HIGH",
                "color": "#aa00aa",
            },
        },
    }


def test_an_evacuation_order_on_ios() -> None:
    assert message(push(platform="ios"))["apns"] == {
        "headers": {
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int((NOW + dt.timedelta(hours=6)).timestamp())),
            "apns-collapse-id": "t" * 22,
        },
        "payload": {
            "aps": {
                "sound": "default",
                "thread-id": "t" * 22,
                "mutable-content": 1,
                "interruption-level": "time-sensitive",
            }
        },
    }


def test_an_evacuation_order_on_the_web() -> None:
    assert message(push(platform="web", link="https://city.example/a", language="ja-x-easy"))["webpush"] == {
        "headers": {"TTL": "21600", "Urgency": "high"},
        "notification": {"tag": "t" * 22, "renotify": True, "requireInteraction": True, "lang": "ja"},
        "fcm_options": {"link": "https://city.example/a"},
    }


def test_an_evacuation_never_collapses_at_the_provider_and_everyday_pushes_do() -> None:
    for kind in ("alert", "update", "cancel", "all_clear"):
        android = message(push(kind=kind))["android"]
        assert "collapse_key" not in android
        assert android["priority"] == "high"
    everyday = push(kind="notice", collapse="city", urgency=Urgency.ACTIVE)
    assert message(everyday)["android"]["collapse_key"] == "city"
    assert message(everyday)["android"]["priority"] == "normal"
    assert message(push(kind="notice", collapse="city", platform="web"))["webpush"]["headers"]["Topic"] == "city"
    ios = push(kind="notice", collapse="city", urgency=Urgency.ACTIVE, platform="ios")
    assert message(ios)["apns"]["headers"]["apns-priority"] == "5"


def test_critical_needs_the_entitlement_and_is_never_a_drills() -> None:
    critical = push(platform="ios", urgency=Urgency.CRITICAL)
    entitled = message(critical, entitled=True)["apns"]["payload"]["aps"]
    assert entitled["interruption-level"] == "critical"
    assert entitled["sound"] == {"name": "default", "critical": 1, "volume": 1.0}
    assert message(critical)["apns"]["payload"]["aps"]["interruption-level"] == "time-sensitive"
    drill = push(platform="ios", urgency=Urgency.CRITICAL, drill=True)
    aps = message(drill, entitled=True)["apns"]["payload"]["aps"]
    assert (aps["interruption-level"], aps["sound"]) == ("time-sensitive", "default")
    assert message(drill)["data"]["drill"] == "true"


def test_an_update_that_must_not_ring_again_is_silent_everywhere() -> None:
    android = message(push(alert_once=True))
    assert "notification" not in android
    assert "notification" not in android["android"]
    assert (android["data"]["title"], android["data"]["channel_id"]) == (push().title, "critical_life")
    assert android["android"]["priority"] == "high"
    aps = message(push(alert_once=True, platform="ios"))["apns"]["payload"]["aps"]
    assert aps["interruption-level"] == "passive"
    assert "sound" not in aps
    assert message(push(alert_once=True, platform="web"))["webpush"]["notification"]["renotify"] is False


def test_it_is_not_delivered_after_its_time_nor_kept_longer_than_the_provider_can() -> None:
    assert message(push(expires_at=NOW + dt.timedelta(seconds=90)))["android"]["ttl"] == "90s"
    long = push(expires_at=NOW + dt.timedelta(days=60))
    assert message(long)["android"]["ttl"] == f"{28 * 86_400}s"
    with pytest.raises(OverdueError, match="expired"):
        message(push(), now=push().expires_at)


def test_japanese_is_not_escaped_and_the_token_stands_once() -> None:
    body = encode(push(), NOW, critical_entitled=False)
    assert "避難指示".encode() in body
    before, after = splice(body, dry_run=False)
    assert json.loads(before + escaped("abc") + after)["message"]["token"] == "abc"
    dry = b"".join((*splice(body, dry_run=True)[:1], b"abc", splice(body, dry_run=True)[1]))
    assert json.loads(dry)["validate_only"] is True


def test_a_payload_over_the_limit_says_by_how_much_and_where() -> None:
    with pytest.raises(TooLargeError) as caught:
        encode(push(body="避" * 1_000, data={"shelters": "x" * 900}), NOW, critical_entitled=False)
    error = caught.value
    assert error.size > error.limit == LARGEST
    assert error.parts["notification.body"] > 3_000
    assert error.parts["data.shelters"] > 900
    assert str(error.size - LARGEST) in str(error)
    assert "notification.body" in str(error)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": {"thread": "another"}}, "data.thread is the channel's own"),
        ({"title": f"a {MARK}"}, "a text of the message holds"),
        ({"platform": "fax"}, "no platform 'fax'"),
        ({"platform": "ios", "thread": "t" * 65}, "longer than 64 bytes"),
        ({"data": {"level": 4}}, "non-string values"),
    ],
)
def test_what_the_provider_would_refuse_is_refused_here(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(PayloadError, match=reason):
        encode(push(**changes), NOW, critical_entitled=False)


texts = st.text(max_size=400).filter(lambda text: MARK not in text)
pushes = st.builds(
    Push,
    message_id=st.just("m" * 22),
    thread=st.text("abcdefgh-_", min_size=1, max_size=22),
    kind=st.sampled_from(["alert", "update", "cancel", "all_clear", "notice", "test"]),
    title=texts,
    body=texts,
    language=st.sampled_from(["ja", "ja-x-easy", "en", "zh-Hans", "ko"]),
    platform=st.sampled_from(["android", "ios", "web"]),
    urgency=st.sampled_from(Urgency),
    channel_id=st.sampled_from(["critical_life", "city"]),
    expires_at=st.timedeltas(dt.timedelta(seconds=1), dt.timedelta(days=60)).map(lambda left: NOW + left),
    link=st.sampled_from(["yobikake://alerts/a", "https://city.example/あ"]),
    drill=st.booleans(),
    collapse=st.sampled_from([None, "garbage", "child", "city"]),
    alert_once=st.booleans(),
    data=st.fixed_dictionaries(
        {"level": st.sampled_from(["", "3", "4", "5"]), "shelters": texts, "area": st.text(max_size=1_500)}
    ),
)


@settings(max_examples=150, deadline=None)
@given(pushes, st.booleans())
def test_every_push_that_is_encoded_is_one_the_provider_takes(sent: Push, entitled: bool) -> None:
    too_large = None
    try:
        body = encode(sent, NOW, critical_entitled=entitled)
    except TooLargeError as error:
        too_large = error
    if too_large is not None:
        assert sum(too_large.parts.values()) + 4 >= too_large.size > LARGEST
        return
    before, after = splice(body, dry_run=False)
    taken = parse(before + escaped("fkk7:APA91b") + after)
    assert not isinstance(taken, Refusal), taken
    # The library sender makes the very same message of it.
    assert orjson.loads(str(rebuild(body))) == orjson.loads(body)["message"]
