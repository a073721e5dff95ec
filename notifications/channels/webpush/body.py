"""A push as a browser gets it: one JSON, encoded once a group, with the headers that every recipient shares."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson

from notifications.channels.contract import TooLargeError, data_of, presses, seconds_left, text_language
from notifications.channels.promise import PayloadError, Push, Urgency
from notifications.channels.webpush.encryption import LARGEST

LONGEST_TTL_S = 28 * 86_400  # the shortest of the great services' limits
DECLARATIVE = 8030  # the mark of a declarative push message (W3C Push API), which is shown without a service worker
_END = b"\n\n"
_FIRST = b"TTL: "


def encode(push: Push, now: dt.datetime) -> bytes:
    """The shared headers, an empty line, the plaintext. Raises PayloadError (TooLargeError, OverdueError)."""
    ttl_s = seconds_left(push, now, LONGEST_TTL_S)
    if push.platform != "webpush":
        raise PayloadError(f"Web Push does not reach the platform {push.platform!r}")
    plain = _plain(push)
    payload = orjson.dumps(plain)
    if len(payload) > LARGEST:
        raise TooLargeError(len(payload), _parts(plain), LARGEST)
    return _END.join((_headers(push, ttl_s).encode(), payload))


def split(body: bytes) -> tuple[tuple[str, ...], bytes]:
    """The header lines and the plaintext of an encoded body. Raises PayloadError when it is not one of ours."""
    head, end, payload = body.partition(_END)
    if not end or not head.startswith(_FIRST):
        raise PayloadError("the body was not encoded by this channel")
    return tuple(head.decode("ascii").split("\n")), payload


def _headers(push: Push, ttl_s: int) -> str:
    urgency = "low" if push.urgency is Urgency.PASSIVE else "high" if presses(push) else "normal"
    lines = [f"TTL: {ttl_s}", f"Urgency: {urgency}"]
    if push.collapse is not None:
        # Only everyday pushes replace one another at the service. An evacuation has no topic: with its thread for one
        # a phone that was off would be given only the last word of it, and Google's service keeps no more than four
        # topics a browser, without saying which.
        lines.append(f"Topic: {push.collapse}")
    return "\n".join(lines)


def _plain(push: Push) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "title": push.title,
        "body": push.body,
        "lang": text_language(push),
        "tag": push.thread,
        "renotify": not push.alert_once,
    }
    if push.urgency in (Urgency.CRITICAL, Urgency.TIME_SENSITIVE):
        notification["require_interaction"] = True
    notification["data"] = data_of(push)
    if not push.link.startswith("https://"):
        return {"notification": notification}
    # Safari and Firefox show this by themselves where no service worker answers; `mutable` lets one that does.
    notification["navigate"] = push.link
    return {"web_push": DECLARATIVE, "mutable": True, "notification": notification}


def _parts(plain: dict[str, Any]) -> dict[str, int]:
    notification = dict(plain["notification"])
    data = notification.pop("data")
    shown = {f"notification.{name}": len(orjson.dumps({name: value})) - 1 for name, value in notification.items()}
    return shown | {f"data.{name}": len(orjson.dumps({name: value})) - 1 for name, value in data.items()}
