"""What every channel puts into a push by the same rule: the data keys of docs/payload.md, size, pressure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from notifications.channels.promise import PayloadError, Push, Urgency

_ORDERS = frozenset({"alert", "update", "cancel", "all_clear", "test"})


class OverdueError(PayloadError):
    """The push's own time was over before it could be encoded: nobody's fault, and nothing to send."""


class TooLargeError(PayloadError):
    """The message does not fit: `size` of `limit` bytes, and the bytes of each part for whoever must cut."""

    def __init__(self, size: int, parts: Mapping[str, int], limit: int) -> None:
        largest = ", ".join(f"{name} {count}" for name, count in sorted(parts.items(), key=lambda p: -p[1]))
        super().__init__(f"the payload is {size} bytes, {size - limit} over the provider's {limit} ({largest})")
        self.size = size
        self.limit = limit
        self.parts = dict(parts)


def seconds_left(push: Push, now: dt.datetime, longest_s: int) -> int:
    """How long a provider may keep the push, whole seconds, at most `longest_s`. Raises OverdueError."""
    left = push.expires_at - now
    if left <= dt.timedelta(0):
        raise OverdueError(f"the message expired at {push.expires_at.isoformat()}")
    return min(int(left.total_seconds()), longest_s)


def data_of(push: Push, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The data keys as an app reads them; `more`: a channel's own. Raises PayloadError when two claim one key."""
    own = {
        "message_id": push.message_id,
        "thread": push.thread,
        "kind": push.kind,
        "drill": "true" if push.drill else "false",
        "expires_at": push.expires_at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "link": push.link,
        "lang": push.language,
    }
    if push.alert_once:
        own["alert_once"] = "true"
    own |= more or {}
    taken = sorted(own.keys() & push.data.keys())
    if taken:
        raise PayloadError(f"data.{taken[0]} is the channel's own")
    return {**own, **push.data}


def presses(push: Push) -> bool:
    """Delivered at once even to a sleeping phone. Everyday pushes, which collapse, are not."""
    return push.urgency is not Urgency.PASSIVE and (push.kind in _ORDERS or push.collapse is None)


def text_language(push: Push) -> str:
    """The language as a browser's notification names it: easy Japanese is Japanese."""
    return "ja" if push.language == "ja-x-easy" else push.language
