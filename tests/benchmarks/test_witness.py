"""The witness of the soak and the storm sees whoever was missed, told by mistake, or not written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import _witness
from benchmarks._witness import ACCEPTED, PENDING, RETRY, UNKNOWN, Hit, busiest, hits, judge, percentile

EXPECTED = {"m1": ["a", "b"]}
WRITTEN = {"m1": {"a": ACCEPTED, "b": ACCEPTED}}


def hit(token: str, status: int = 200, message: str = "m1", at: float = 0.0) -> Hit:
    return Hit(at, at, status, "now", token, message, "-", 100)


def test_a_line_of_the_log_becomes_a_hit_that_arrived_before_its_answer() -> None:
    line = "1763600000.500 0.100 200 ms100 tok:APA91b m1 - 1453\n"
    assert list(hits([line])) == [
        Hit(pytest.approx(1763600000.4), 1763600000.5, 200, "ms100", "tok:APA91b", "m1", "-", 1453)
    ]


def test_a_log_cut_short_by_a_kill_loses_only_its_last_line() -> None:
    line = "1763600000.500 0.100 200 now t m1 - 10\n"
    assert len(list(hits([line, line[:20]]))) == 1


def test_a_line_of_another_kind_is_named() -> None:
    with pytest.raises(ValueError, match="line 1"):
        list(hits(["something else\n"]))


def test_everybody_told_and_written_down_holds() -> None:
    verdict = judge(EXPECTED, [hit("a"), hit("b"), hit("b")], WRITTEN)["m1"]
    assert verdict.holds
    assert verdict.again == 1


@pytest.mark.parametrize(
    ("log", "ledger", "what"),
    [
        ([hit("a")], WRITTEN, "missed"),
        ([hit("a"), hit("b", 499)], WRITTEN, "missed"),
        ([hit("a"), hit("b", 503)], WRITTEN, "missed"),
        ([hit("a"), hit("b"), hit("c")], WRITTEN, "strangers"),
        ([hit("a"), hit("b"), hit("c", 499)], WRITTEN, "strangers"),
        ([hit("a"), hit("b"), hit("-", 200)], WRITTEN, "strangers"),
        ([hit("a"), hit("b")], {"m1": {"a": ACCEPTED, "b": RETRY}}, "unrecorded"),
        ([hit("a"), hit("b")], {"m1": {"a": ACCEPTED, "b": PENDING}}, "unrecorded"),
        ([hit("a"), hit("b")], {"m1": {"a": ACCEPTED}}, "unrecorded"),
        ([hit("a"), hit("b")], {"m1": {"a": ACCEPTED, "b": 7}}, "contradicted"),
    ],
)
def test_whatever_breaks_the_promise_is_seen(log: list[Hit], ledger: dict[str, dict[str, int]], what: str) -> None:
    verdict = judge(EXPECTED, log, ledger)["m1"]
    assert not verdict.holds
    assert getattr(verdict, what)


def test_a_request_whose_sender_died_while_it_wrote_was_for_nobody_yet() -> None:
    verdict = judge(EXPECTED, [hit("a"), hit("b"), hit("-", 499), hit("-", 400)], WRITTEN)["m1"]
    assert verdict.holds
    assert verdict.cut_off == 2


def test_an_unknown_outcome_counts_as_written_down() -> None:
    assert judge(EXPECTED, [hit("a"), hit("b")], {"m1": {"a": UNKNOWN, "b": ACCEPTED}})["m1"].holds


def test_a_message_that_nobody_ordered_is_seen() -> None:
    verdicts = judge(EXPECTED, [hit("a"), hit("b"), hit("a", message="m2")], WRITTEN)
    assert not verdicts["m2"].holds


def test_the_program_reads_its_folder_and_says_by_its_code_whether_it_holds(tmp_path: Path) -> None:
    (tmp_path / "expected.json").write_text(json.dumps(EXPECTED))
    (tmp_path / "outcomes.json").write_text(json.dumps(WRITTEN))
    log = tmp_path / "provider.log"
    log.write_text("1.5 0.1 200 now a m1 - 10\n1.6 0.1 200 now b m1 - 10\n")
    assert _witness.main(tmp_path) == 0
    log.write_text("1.5 0.1 200 now a m1 - 10\n")
    assert _witness.main(tmp_path) == 1


def test_the_busiest_minute_begins_anywhere() -> None:
    assert busiest([0, 50, 70, 100, 109.9, 110.1], 60).most == 4
    assert busiest([0, 60], 60).most == 1
    assert busiest([]).most == 0


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 90))
def test_the_busiest_stretch_equals_trying_every_beginning(arrivals: list[int], seconds: int) -> None:
    tried = max((sum(a <= b < a + seconds for b in arrivals) for a in arrivals), default=0)
    assert busiest([float(a) for a in arrivals], seconds).most == tried


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.95) == 95
    assert percentile([3.0], 0.5) == 3
    assert percentile([], 0.5) == 0
