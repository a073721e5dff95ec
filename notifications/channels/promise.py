"""The promise every channel keeps: what it is handed, and an outcome for each recipient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class Outcome(IntEnum):
    """What became of one recipient of one message: one byte in the batch's ledger."""

    PENDING = 0  # not handed over yet
    ACCEPTED = 1  # the provider took it
    UNKNOWN = 2  # handed over, no answer came: it may ring
    RETRY = 3  # refused for now: quota, server error
    UNREGISTERED = 4  # the token is dead
    INVALID = 5  # the provider calls this token (or the payload) malformed
    MISMATCH = 6  # the token belongs to another sender
    EXPIRED = 7  # the message's time was over before it could be handed over
    GONE = 8  # the device deleted itself
    FAILED = 9  # given up after retries, or a fault of ours
    NO_TOKEN = 10  # no push possible: reads its inbox
    WITHDRAWN = 11  # something newer overtook the message before its turn: not told
    HELD = 12  # by the phone's own wish not rung (quiet hours, enough for a day): it stands in the inbox

    @property
    def final(self) -> bool:
        """Nothing more will be tried for this recipient."""
        return self not in (Outcome.PENDING, Outcome.RETRY)


class Fault(StrEnum):
    """Why a whole batch cannot go on: an operator must act."""

    CREDENTIALS = "credentials"  # 401, token endpoint refuses, permission denied
    SENDER = "sender"  # wrong project or APNs key: everybody would fail
    PAYLOAD = "payload"  # the provider calls the message itself invalid


class Outlet(StrEnum):
    """Which way to a phone. Each has its own connections, quota and pace."""

    FCM = "fcm"
    WEBPUSH = "webpush"


def outlet_of(platform: str) -> Outlet:
    """The outlet that reaches a device of this platform."""
    return Outlet.WEBPUSH if platform == Outlet.WEBPUSH else Outlet.FCM


class Urgency(StrEnum):
    """How loudly a phone may speak (iOS interruption levels; Android channels follow it)."""

    CRITICAL = "critical"
    TIME_SENSITIVE = "time-sensitive"
    ACTIVE = "active"
    PASSIVE = "passive"


@dataclass(frozen=True, slots=True)
class Push:
    """One rendered message for one group of recipients, frozen. Texts are final; nothing is joined again."""

    message_id: str  # 22 characters; de-duplicates on the phone
    thread: str  # 22 characters; replaces on the phone
    kind: str  # alert | update | cancel | all_clear | notice | test
    title: str
    body: str
    language: str  # BCP 47: ja, ja-x-easy, en, zh-Hans, ko
    platform: str  # android | ios | web | webpush
    urgency: Urgency
    channel_id: str  # Android notification channel
    expires_at: dt.datetime
    link: str  # deep link or https URL that the push opens
    drill: bool = False
    collapse: str | None = None  # one of three fixed everyday keys; None = not collapsible at the provider
    alert_once: bool = False  # an update that must not ring again
    data: Mapping[str, str] = field(default_factory=dict)  # level, hazard, shelters, area…


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one hand-over."""

    outcome: Outcome
    retry_after_s: float | None = None  # the provider's own word, seconds
    project_wide: bool = False  # a quota of the whole project, not of one device
    fault: Fault | None = None
    detail: str = ""  # for the operator; never holds a token


class PayloadError(ValueError):
    """The message cannot be encoded for this channel: it is too large or has a field the provider refuses."""


class Line(Protocol):
    """One sender's open way to a provider: many hand-overs under way at once. Used by one thread at a time."""

    @property
    def under_way(self) -> int:
        """Hand-overs whose result has not been returned yet."""
        ...

    @property
    def room(self) -> int:
        """How many more can be put now without waiting for one another."""
        ...

    def put(self, tag: int, body: bytes, token: str) -> None:
        """Begins one hand-over; its result comes out of `answers` under this tag, always, whatever happens."""
        ...

    def answers(self, wait_s: float) -> list[tuple[int, Result]]:
        """The results that came, waiting at most so long for the first one. Empty when nothing came."""
        ...

    def close(self) -> None:
        """Lets go of the connections; what is under way is abandoned."""
        ...


class Channel(Protocol):
    """A way to phones. Opens no transaction, touches no table, never raises for a provider's answer."""

    name: str

    def encode(self, push: Push, now: dt.datetime) -> bytes:
        """The validated request body of a group, with a marker where the token goes.

        Raises PayloadError when it is over the provider's size or invalid.
        """
        ...

    def hand_over(self, body: bytes, tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Hands one encoded body to each token; results in the order of the tokens."""
        ...

    def hand_over_each(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Hands each token its own encoded body, all at once; results in the order of the tokens."""
        ...

    def line(self) -> Line:
        """A way of its own for one thread that sends."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...
