"""The storm's table explains every recipient, and counts those whom it cannot explain."""

from __future__ import annotations

from benchmarks._explained import explain, sent_while_paused
from benchmarks._witness import ACCEPTED, RETRY, UNKNOWN, UNREGISTERED, Hit


def hit(token: str, status: int, at: float = 0.0, fault: str = "none") -> Hit:
    return Hit(at, at, status, "storm", token, "m", fault, 10)


def test_each_recipient_is_counted_under_what_decided() -> None:
    log = [hit("a", 503), hit("a", 200), hit("b", 404), hit("c", 444), hit("c", 444)]
    lines = explain({"a": ACCEPTED, "b": UNREGISTERED, "c": UNKNOWN}, log)
    assert {(line.outcome, line.answer, line.detours) for line in lines} == {
        ("accepted", "taken (200)", 1),
        ("unregistered", "dead token (404)", 0),
        ("unknown", "cut off without an answer", 0),
    }
    assert all(line.explained for line in lines)


def test_what_the_log_does_not_bear_out_is_not_explained() -> None:
    lines = explain({"a": ACCEPTED, "b": RETRY, "c": UNREGISTERED}, [hit("b", 503), hit("c", 200)])
    assert not any(line.explained for line in lines)


def test_an_answer_that_was_never_heard_may_be_written_down_as_unknown() -> None:
    assert explain({"a": UNKNOWN}, [hit("a", 200)])[0].explained


def test_only_what_cannot_have_been_under_way_counts_as_sent_in_a_pause() -> None:
    log = [hit("a", 429, 10.0, "quota_project"), hit("b", 200, 10.5), hit("c", 200, 12.0), hit("d", 200, 15.5)]
    assert sent_while_paused(log) == 1
