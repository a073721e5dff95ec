"""What push services say, in their own words, and what becomes of the browser."""

from __future__ import annotations

import pytest

from notifications.channels.promise import Outcome
from notifications.channels.webpush.answer import Sign, classify, no_answer

GOOGLE_OTHER_KEY = (
    b"the VAPID credentials in the authorization header do not correspond to the credentials used to create the "
    b"subscriptions.\n"
)
GOOGLE_SENDER = b"the key in the authorization header does not correspond to the sender ID used to subscribe this user."
MOZILLA_401 = (
    b'{"code":401,"errno":109,"error":"Unauthorized","message":"Request did not validate Invalid Authorization"}'
)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "sign"),
    [
        (201, b"", Outcome.ACCEPTED, Sign.WELL),
        (202, b"", Outcome.ACCEPTED, Sign.WELL),
        (200, b"ok", Outcome.ACCEPTED, Sign.WELL),
        (404, b"", Outcome.UNREGISTERED, Sign.WELL),
        (410, b"push subscription has unsubscribed or expired.\n", Outcome.UNREGISTERED, Sign.WELL),
        (403, GOOGLE_OTHER_KEY, Outcome.MISMATCH, Sign.WELL),
        (403, GOOGLE_SENDER, Outcome.MISMATCH, Sign.WELL),
        (400, b'{"reason":"VapidPkHashMismatch"}', Outcome.MISMATCH, Sign.WELL),
        (403, b'{"reason":"BadJwtToken"}', Outcome.RETRY, Sign.REFUSED),
        (403, b"", Outcome.RETRY, Sign.REFUSED),
        (403, b"invalid JWT provided\n", Outcome.RETRY, Sign.REFUSED),
        (401, MOZILLA_401, Outcome.RETRY, Sign.REFUSED),
        (400, b"<HTML><TITLE>UnauthorizedRegistration</TITLE></HTML>", Outcome.RETRY, Sign.REFUSED),
        (400, b'{"reason":"BadDeviceToken"}', Outcome.INVALID, Sign.WELL),
        (400, b"", Outcome.INVALID, Sign.WELL),
        (413, b"", Outcome.FAILED, Sign.WELL),
        (406, b"", Outcome.RETRY, Sign.THROTTLED),
        (429, b"", Outcome.RETRY, Sign.THROTTLED),
        (500, b"", Outcome.RETRY, Sign.WELL),
        (503, b"", Outcome.RETRY, Sign.WELL),
        (408, b"", Outcome.RETRY, Sign.WELL),
        (301, b"", Outcome.INVALID, Sign.WELL),
        (307, b"", Outcome.INVALID, Sign.WELL),
        (418, b"", Outcome.INVALID, Sign.WELL),
    ],
)
def test_every_answer_has_its_outcome_and_none_is_a_fault_of_everybodys(
    status: int, body: bytes, outcome: Outcome, sign: Sign
) -> None:
    reading = classify(status, body, None)
    assert (reading.result.outcome, reading.sign) == (outcome, sign)
    assert reading.result.fault is None
    assert reading.result.project_wide is False
    assert outcome is Outcome.ACCEPTED or str(status) in reading.result.detail


def test_the_services_own_word_on_waiting_counts_within_reason() -> None:
    assert classify(429, b"", 7).result.retry_after_s == 7
    assert classify(429, b"", None).result.retry_after_s == 60
    assert classify(429, b"", 10**9).result.retry_after_s == 3_600
    assert classify(503, b"", 20).result.retry_after_s == 20
    assert classify(503, b"", None).result.retry_after_s is None


def test_silence_is_unknown_unless_nothing_left() -> None:
    assert no_answer("curl 28", may_have_arrived=True).result.outcome is Outcome.UNKNOWN
    assert no_answer("curl 7", may_have_arrived=False).result.outcome is Outcome.RETRY


def test_what_a_service_says_is_shown_short_printable_and_without_addresses() -> None:
    body = (
        b"no such thing\x00\x1b[31m at https://push.example/secret-path: AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIII <b>x</b>"
        + b"y " * 5_000
    )
    detail = classify(410, body, None).result.detail
    assert detail.startswith("410 no such thing")
    assert detail.isprintable()
    assert len(detail) <= 130
    assert not any(word in detail for word in ("secret-path", "AAAABBBB", "<b>"))
    assert classify(500, b"\xff" * 4_096, None).result.detail == "500"
