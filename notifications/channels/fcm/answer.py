"""What an answer of the provider means for one recipient, the same for every sender."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from notifications.channels.promise import Fault, Outcome, Result

ACCEPTED = Result(Outcome.ACCEPTED)
QUOTA_WAIT_S = 60.0  # the provider's own word for a 429 without Retry-After
_LONGEST_WAIT_S = 3_600.0
_LONGEST_DETAIL = 200
_OF_THE_TOKEN = frozenset({"message.token", "message.fid"})
_TOO_LARGE = re.compile(r"too (big|large)|size limit", re.IGNORECASE)


def classify(status: int, body: bytes, retry_after: str | None, *, token: str, now: dt.datetime) -> Result:
    """The result of one complete HTTP answer. `token` is only used to keep it out of the detail."""
    if status == 200:
        return taken(body)
    error = _error(body)
    code = _fcm_code(error)
    detail = _detail(status, code or str(error.get("status") or ""), str(error.get("message") or ""), token)
    wait = parse_retry_after(retry_after, now)
    if code == "UNREGISTERED":
        return Result(Outcome.UNREGISTERED, detail=detail)
    if code == "SENDER_ID_MISMATCH":
        return Result(Outcome.MISMATCH, detail=detail)
    if code in ("THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR"):
        return Result(Outcome.RETRY, fault=Fault.SENDER, detail=detail)
    if status == 400:
        return Result(Outcome.INVALID, fault=_payload_fault(error), detail=detail)
    if status in (401, 403):
        return Result(Outcome.RETRY, fault=Fault.CREDENTIALS, detail=detail)
    if status == 404:
        # No UNREGISTERED in it: it is the project or the address that does not exist, so everybody would fail.
        return Result(Outcome.RETRY, fault=Fault.SENDER, detail=detail)
    if status == 429:
        return Result(Outcome.RETRY, QUOTA_WAIT_S if wait is None else wait, _of_the_project(error), detail=detail)
    if status >= 500 or status in (408, 425) or 300 <= status < 400:
        return Result(Outcome.RETRY, wait, detail=detail)
    return Result(Outcome.FAILED, detail=detail)


def taken(body: bytes) -> Result:
    """The result of a 200: accepted when it names the message, as the provider promises."""
    return ACCEPTED if _names_a_message(body) else Result(Outcome.UNKNOWN, detail="200 without a message name")


def parse_retry_after(text: str | None, now: dt.datetime) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 10.2.3: seconds or a date); None when absent, past or unreadable."""
    if text is None:
        return None
    text = text.strip()
    if text.isdigit():
        seconds = float(text)
    else:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((until if until.tzinfo is not None else until.replace(tzinfo=dt.UTC)) - now).total_seconds()
    return min(seconds, _LONGEST_WAIT_S) if seconds > 0 else None


def without(token: str, text: str) -> str:
    """A provider's or library's text that is safe to show: no token in it, and not long."""
    return text.replace(token, "(token)")[:_LONGEST_DETAIL] if token else text[:_LONGEST_DETAIL]


def _names_a_message(body: bytes) -> bool:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and bool(answer.get("name"))


def _error(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: Mapping[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    details = error.get("details")
    for entry in details if isinstance(details, list) else ():
        if isinstance(entry, dict) and str(entry.get("@type", "")).endswith(kind):
            yield entry


def _fcm_code(error: Mapping[str, Any]) -> str | None:
    for entry in _details(error, "/google.firebase.fcm.v1.FcmError"):
        if isinstance(entry.get("errorCode"), str):
            return str(entry["errorCode"])
    return None


def _payload_fault(error: Mapping[str, Any]) -> Fault | None:
    """PAYLOAD when the provider names another field than the token, or the size: everybody would be refused."""
    fields = [
        str(violation.get("field", ""))
        for entry in _details(error, "/google.rpc.BadRequest")
        for violation in entry.get("fieldViolations") or ()
        if isinstance(violation, dict)
    ]
    if fields:
        return None if set(fields) <= _OF_THE_TOKEN else Fault.PAYLOAD
    return Fault.PAYLOAD if _TOO_LARGE.search(str(error.get("message") or "")) else None


def _of_the_project(error: Mapping[str, Any]) -> bool:
    """A quota of the whole project: named as such. QUOTA_EXCEEDED alone can be one device's or one topic's."""
    for entry in _details(error, "/google.rpc.QuotaFailure"):
        for violation in entry.get("violations") or ():
            if isinstance(violation, dict) and str(violation.get("subject", "")).startswith("project"):
                return True
    for entry in _details(error, "/google.rpc.ErrorInfo"):
        metadata = entry.get("metadata")
        consumer = str(metadata.get("consumer", "")) if isinstance(metadata, dict) else ""
        if entry.get("reason") == "RATE_LIMIT_EXCEEDED" and consumer.startswith("project"):
            return True
    return False


def _detail(status: int, code: str, message: str, token: str) -> str:
    return without(token, " ".join(part for part in (str(status), code, message) if part))
