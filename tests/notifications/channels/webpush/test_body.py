"""What a browser is sent: the contract's data keys, shown without a service worker too, never too large."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest

from notifications.channels.contract import OverdueError, TooLargeError
from notifications.channels.promise import PayloadError, Urgency
from notifications.channels.webpush.body import LONGEST_TTL_S, encode, split
from notifications.channels.webpush.encryption import LARGEST
from tests.notifications.channels.conftest import NOW, push


def made(**changes: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The headers and the JSON of an order, changed as wanted."""
    head, payload = split(encode(push(platform="webpush", **changes), NOW))
    return head, orjson.loads(payload)


def test_an_order_says_all_that_the_other_platforms_say() -> None:
    head, payload = made(link="https://city.example/a")
    assert head == ("TTL: 21600", "Urgency: high")
    order = push()
    assert payload == {
        "web_push": 8030,
        "mutable": True,
        "notification": {
            "title": order.title,
            "body": order.body,
            "lang": "ja",
            "tag": "t" * 22,
            "renotify": True,
            "require_interaction": True,
            "navigate": "https://city.example/a",
            "data": {
                "message_id": "m" * 22, "thread": "t" * 22, "kind": "alert", "drill": "false", "lang": "ja",
                "expires_at": "2026-11-21T09:00:00Z", "link": "https://city.example/a", **order.data,
            },
        },
    }  # fmt: skip


def test_a_link_into_an_app_is_left_to_the_service_worker() -> None:
    _, payload = made(link="yobikake://alerts/a")
    assert payload.keys() == {"notification"}
    assert "navigate" not in payload["notification"]
    assert payload["notification"]["data"]["link"] == "yobikake://alerts/a"


def test_an_evacuation_is_never_replaced_at_the_service_and_everyday_pushes_are() -> None:
    for kind in ("alert", "update", "cancel", "all_clear"):
        head, _ = made(kind=kind)
        assert not any(line.startswith("Topic") for line in head)
        assert "Urgency: high" in head
    head, _ = made(kind="garbage", collapse="garbage", urgency=Urgency.ACTIVE)
    assert head[1:] == ("Urgency: normal", "Topic: garbage")
    assert made(kind="digest", urgency=Urgency.PASSIVE)[0][1] == "Urgency: low"


def test_what_must_not_ring_again_says_so() -> None:
    _, payload = made(alert_once=True)
    assert payload["notification"]["renotify"] is False
    assert payload["notification"]["data"]["alert_once"] == "true"
    assert made(urgency=Urgency.ACTIVE)[1]["notification"].get("require_interaction") is None
    assert made(language="ja-x-easy")[1]["notification"]["lang"] == "ja"


def test_it_is_kept_until_it_is_over_and_no_longer_than_services_allow() -> None:
    assert made(expires_at=NOW + dt.timedelta(days=90))[0][0] == f"TTL: {LONGEST_TTL_S}"
    assert made(expires_at=NOW + dt.timedelta(milliseconds=500))[0][0] == "TTL: 0"
    with pytest.raises(OverdueError, match="expired"):
        made(expires_at=NOW)


def test_what_does_not_fit_is_refused_with_the_size_of_each_part() -> None:
    room = LARGEST - len(split(encode(push(platform="webpush", body=""), NOW))[1])
    assert len(split(encode(push(platform="webpush", body="x" * room), NOW))[1]) == LARGEST
    with pytest.raises(TooLargeError) as caught:
        made(body="x" * (room + 1))
    assert (caught.value.size, caught.value.limit) == (LARGEST + 1, 3_993)
    assert max(caught.value.parts, key=caught.value.parts.__getitem__) == "notification.body"
    assert caught.value.parts["data.shelters"] > 40


def test_only_browsers_are_reached_and_only_our_own_bodies_are_sent() -> None:
    for platform in ("android", "ios", "web"):
        with pytest.raises(PayloadError, match=platform):
            encode(push(platform=platform), NOW)
    with pytest.raises(PayloadError, match=r"data\.thread"):
        made(data={"thread": "x"})
    for strange in (b"", b'{"message":{}}', b"TTL: 5", b"\n\n{}"):
        with pytest.raises(PayloadError, match="not encoded by this channel"):
            split(strange)
