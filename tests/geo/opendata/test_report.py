"""A report counts everything, lists what a person can read, and shows no value that could harm a page."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from geo.opendata import report as reports
from geo.opendata.report import Report, shown


def test_what_is_too_much_to_list_is_still_counted() -> None:
    report = Report("x", "形式", "utf-8")
    for number in range(reports.LISTED + 5):
        report.refuse(number, "列", "値", "code", "理由")
        report.warn(None, "code", "注意")
    assert (len(report.refused), report.refused_cells) == (reports.LISTED, reports.LISTED + 5)
    assert (len(report.warnings), report.warning_count) == (reports.LISTED, reports.LISTED + 5)
    lines = list(report.lines_ja("a.csv"))
    assert f"  拒否 ほか{reports.LISTED + 5 - 50:,}件" in lines
    assert f"  注意 ほか{reports.LISTED + 5 - 50:,}件" in lines


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_a_value_is_shown_short_on_one_line_and_always_printable(value: object) -> None:
    text = shown(value)
    if text is None:
        assert value is None
        return
    assert len(text) <= reports.SHOWN + 1
    assert "\n" not in text
    json.dumps(text).encode("utf-8")
    text.encode("utf-8")
