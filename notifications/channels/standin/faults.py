"""Faults on demand: what the provider may answer, set for one phone or for all, for some times or for good."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from notifications.channels.standin.refusal import (
    Refusal,
    Violation,
    invalid,
    permission_denied,
    quota,
    unauthenticated,
)

# A phone whose token ends so has a fault of its own: `phone-7:fault=UNREGISTERED`, `phone-8:fault=UNAVAILABLE*2`.
_IN_TOKEN = re.compile(r":fault[=-](?P<name>[A-Z_]+?)(?:[*x](?P<times>\d{1,6}))?$")
_MANY_TOKENS = 100_000


class FaultName(StrEnum):
    """Everything that can go wrong."""

    UNREGISTERED = "UNREGISTERED"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"  # the token is malformed
    INVALID_PAYLOAD = "INVALID_PAYLOAD"  # a field of the message is
    SENDER_ID_MISMATCH = "SENDER_ID_MISMATCH"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"  # of this device
    PROJECT_QUOTA_EXCEEDED = "PROJECT_QUOTA_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    THIRD_PARTY_AUTH_ERROR = "THIRD_PARTY_AUTH_ERROR"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    REDIRECT = "REDIRECT"  # an answer that sends the caller elsewhere
    GARBAGE = "GARBAGE"  # 200, accepted, but the answer is no JSON
    SLOW = "SLOW"  # accepted after `delay_s`
    RESET_BEFORE = "RESET_BEFORE"  # connection reset, message not taken
    RESET_AFTER = "RESET_AFTER"  # connection reset, message taken
    NO_ANSWER = "NO_ANSWER"  # silence until the caller gives up, message not taken
    OAUTH_REFUSED = "OAUTH_REFUSED"  # the token endpoint says invalid_grant
    OAUTH_UNAVAILABLE = "OAUTH_UNAVAILABLE"  # the token endpoint answers 503

    @property
    def at_token_endpoint(self) -> bool:
        """It concerns the granting of access tokens, not a send."""
        return self.name.startswith("OAUTH")


class FaultError(ValueError):
    """A fault that cannot be set: says which field and why."""


@dataclass(slots=True)
class Fault:
    """One fault in force."""

    id: int
    name: FaultName
    token: str | None = None  # None = every phone
    times: int | None = None  # None = until it is taken away
    retry_after: str | None = None
    delay_s: float = 2.0

    def as_json(self) -> dict[str, Any]:
        """For the control interface."""
        return {
            "id": self.id,
            "fault": self.name.value,
            "token": self.token,
            "times": self.times,
            "retry_after": self.retry_after,
            "delay_s": self.delay_s,
        }


class Faults:
    """All faults in force. A phone's own come before those of all; the latest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._by_token: dict[str | None, list[Fault]] = {}
        self._used_names: dict[str, int] = {}  # how often a token with a fault in its name has failed

    def put(self, wish: Mapping[str, Any]) -> Fault:
        """Sets a fault. Raises FaultError."""
        fault = _parse(wish, next(self._ids))
        with self._lock:
            self._by_token.setdefault(fault.token, []).append(fault)
        return fault

    def all(self) -> list[Fault]:
        """Every fault in force."""
        with self._lock:
            return [fault for faults in self._by_token.values() for fault in faults]

    def clear(self, *, token: str | None = None) -> int:
        """Takes away one phone's faults, or all; how many. Counters in tokens' names start anew."""
        with self._lock:
            gone = [token] if token is not None else list(self._by_token)
            self._used_names.clear()
            return sum(len(self._by_token.pop(key, [])) for key in gone)

    def take(self, token: str) -> Fault | None:
        """The fault that this send meets, counted down."""
        if self._by_token:
            with self._lock:
                for key in (token, None):
                    for fault in reversed(self._by_token.get(key, ())):
                        if not fault.name.at_token_endpoint:
                            return self._counted(fault)
        return self._from_name(token) if ":fault" in token else None

    def take_oauth(self) -> Fault | None:
        """The fault that this request for an access token meets."""
        with self._lock:
            for fault in reversed(self._by_token.get(None, ())):
                if fault.name.at_token_endpoint:
                    return self._counted(fault)
        return None

    def _counted(self, fault: Fault) -> Fault:
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                faults = self._by_token[fault.token]
                faults.remove(fault)
                if not faults:
                    del self._by_token[fault.token]
        return fault

    def _from_name(self, token: str) -> Fault | None:
        match = _IN_TOKEN.search(token)
        if match is None or match["name"] not in FaultName.__members__:
            return None
        fault = Fault(0, FaultName[match["name"]], token)
        if match["times"] is None:
            return fault
        with self._lock:
            used = self._used_names.get(token, 0)
            if used >= int(match["times"]) or (used == 0 and len(self._used_names) >= _MANY_TOKENS):
                return None
            self._used_names[token] = used + 1
        return fault


def _parse(wish: Mapping[str, Any], number: int) -> Fault:
    unknown = set(wish) - {"fault", "token", "times", "retry_after", "delay_s"}
    if unknown:
        raise FaultError(f"unknown field {sorted(unknown)[0]!r}")
    name = str(wish.get("fault"))
    if name not in FaultName.__members__:
        raise FaultError(f"fault must be one of {', '.join(FaultName)}")
    token, times = wish.get("token"), wish.get("times")
    retry_after, delay = wish.get("retry_after"), wish.get("delay_s", 2.0)
    if token is not None and (not isinstance(token, str) or not token):
        raise FaultError("token must be a non-empty string, or absent for every phone")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise FaultError("times must be a whole number from 1, or absent for always")
    if retry_after is not None and (isinstance(retry_after, bool) or not isinstance(retry_after, int | str)):
        raise FaultError("retry_after must be seconds or an HTTP date")
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= 600:
        raise FaultError("delay_s must be from 0 to 600")
    if FaultName[name].at_token_endpoint and token is not None:
        raise FaultError(f"{name} concerns all phones: leave token out")
    return Fault(number, FaultName[name], token, times, None if retry_after is None else str(retry_after), float(delay))


_REFUSALS: Mapping[FaultName, Callable[[Fault, str], Refusal]] = {
    FaultName.UNREGISTERED: lambda f, p: Refusal(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"),
    FaultName.INVALID_ARGUMENT: lambda f, p: invalid(
        Violation("message.token", "The registration token is not a valid FCM registration token")
    ),
    FaultName.INVALID_PAYLOAD: lambda f, p: invalid(Violation("message.android.ttl", "refused on demand")),
    FaultName.SENDER_ID_MISMATCH: lambda f, p: Refusal(
        403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH"
    ),
    FaultName.QUOTA_EXCEEDED: lambda f, p: quota(project=None, retry_after=f.retry_after),
    FaultName.PROJECT_QUOTA_EXCEEDED: lambda f, p: quota(project=p, retry_after=f.retry_after),
    FaultName.UNAVAILABLE: lambda f, p: Refusal(
        503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE", retry_after=f.retry_after
    ),
    FaultName.INTERNAL: lambda f, p: Refusal(
        500, "INTERNAL", "Internal error encountered.", "INTERNAL", retry_after=f.retry_after
    ),
    FaultName.THIRD_PARTY_AUTH_ERROR: lambda f, p: Refusal(
        401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", "THIRD_PARTY_AUTH_ERROR"
    ),
    FaultName.UNAUTHENTICATED: lambda f, p: unauthenticated("The access token was refused on demand."),
    FaultName.PERMISSION_DENIED: lambda f, p: permission_denied(p),
}


def refusal_of(fault: Fault, project: str) -> Refusal | None:
    """The answer that a fault means; None for those of time and connection."""
    make = _REFUSALS.get(fault.name)
    return make(fault, project) if make is not None else None
