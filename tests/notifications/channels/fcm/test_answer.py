"""The provider's answers, read the same way whoever sent."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from notifications.channels.fcm.answer import classify, parse_retry_after
from notifications.channels.promise import Fault, Outcome, Result

NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)


def read(status: int, error: Any = None, retry_after: str | None = None) -> Result:
    """One answer with an error."""
    return classify(status, json.dumps({"error": error}).encode(), retry_after, token="the-token", now=NOW)


def violation(*fields: str) -> dict[str, Any]:
    """An INVALID_ARGUMENT that names fields."""
    found = [{"field": field, "description": "x"} for field in fields]
    return {"status": "INVALID_ARGUMENT", "details": [{"@type": "a/google.rpc.BadRequest", "fieldViolations": found}]}


def test_400_names_the_payload_only_when_another_field_is_wrong() -> None:
    assert read(400, violation("message.token")).fault is None
    assert read(400, violation("message.data[x]")).fault is Fault.PAYLOAD
    assert read(400, violation("message.token", "message.android.ttl")).fault is Fault.PAYLOAD
    assert read(400, {"message": "Android message is too big"}).fault is Fault.PAYLOAD
    unexplained = read(400, {"message": "The registration token is not a valid FCM registration token"})
    assert (unexplained.outcome, unexplained.fault) == (Outcome.INVALID, None)


def test_404_without_the_providers_word_is_not_a_dead_token() -> None:
    result = read(404, {"status": "NOT_FOUND", "message": "no such project"})
    assert (result.outcome, result.fault) == (Outcome.RETRY, Fault.SENDER)
    assert classify(404, b"<html>proxy</html>", None, token="t", now=NOW).outcome is Outcome.RETRY


def test_a_429_is_the_projects_only_when_it_says_so() -> None:
    assert not read(429).project_wide
    info = {"@type": "x/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED", "metadata": {"consumer": "projects/1"}}
    assert read(429, {"details": [info]}).project_wide
    subject = {"@type": "x/google.rpc.QuotaFailure", "violations": [{"subject": "project:p"}]}
    assert read(429, {"details": [subject]}).project_wide
    device = {"@type": "x/google.rpc.QuotaFailure", "violations": [{"subject": "device"}]}
    assert not read(429, {"details": [device]}).project_wide
    assert read(429).retry_after_s == 60.0


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302, 307])
def test_what_passes_is_tried_again(status: int) -> None:
    result = read(status, retry_after="12")
    assert (result.outcome, result.retry_after_s, result.fault) == (Outcome.RETRY, 12.0, None)


def test_an_unheard_of_refusal_is_given_up() -> None:
    assert read(418).outcome is Outcome.FAILED


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name":""}', b"null", b"<html>"])
def test_a_success_without_a_message_name_is_unknown(body: bytes) -> None:
    assert classify(200, body, None, token="t", now=NOW).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "error", [None, "text", [], {"details": "x"}, {"details": [1, {"@type": 5}]}, {"details": [{"violations": [1]}]}]
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_answers_of_any_shape_are_survived(status: int, error: Any) -> None:
    assert read(status, error).outcome is not Outcome.ACCEPTED


def test_the_detail_holds_no_token_and_is_short() -> None:
    result = read(400, {"message": "the-token is bad " + "x" * 500})
    assert "the-token" not in result.detail
    assert len(result.detail) <= 200


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("30", 30.0),
        (" 5 ", 5.0),
        ("0", None),
        ("99999999", 3_600.0),
        ("Sat, 21 Nov 2026 03:02:00 GMT", 120.0),
        ("Sat, 21 Nov 2026 02:00:00 GMT", None),
        ("soon", None),
        ("-4", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds
