"""Lists of events come in whole or not at all; what moved or was called off stays visible."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import events
from content.events import Event
from content.opendata.event_import import EventOptions, import_events
from geo import mesh, sites
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from tests.geo.opendata.lists import csv_bytes

NOW = dt.datetime(2026, 8, 1, 3, tzinfo=dt.UTC)
COLUMNS = (
    *("全国地方公共団体コード", "ID", "イベント名", "開始日", "終了日", "開始時間", "終了時間", "対象年齢", "開催状況"),
    *("場所名称", "緯度", "経度", "参加申込終了日", "備考"),
)


def row(number: int, **changes: str) -> dict[str, str]:
    return {
        "全国地方公共団体コード": "041009",
        "ID": str(number),
        "イベント名": f"見本のつどい{number}",
        "開始日": "2026-09-05",
        "開始時間": "10:00",
        "場所名称": "見本児童館",
        "緯度": "38.26",
        "経度": "140.88",
    } | changes


def take(session: Session, *rows: dict[str, str], now: dt.datetime = NOW, **options: Any) -> Report:
    return import_events(session, csv_bytes(COLUMNS, rows), now, EventOptions(**options))


def all_events(session: Session) -> list[Event]:
    return list(session.scalars(sa.select(Event).order_by(Event.id)))


def test_a_list_comes_in_and_twice_changes_nothing(session: Session) -> None:
    report = take(session, row(1, 対象年齢="0歳～2歳"), row(2, 緯度="", 経度=""), licence="CC BY 4.0")
    assert (report.format, report.added, report.applied) == ("standard-event", 2, True)
    assert report.sources == ["standard-event-041009"]
    one, nowhere = all_events(session)
    assert (one.starts_on, one.ends_on, one.start_time) == (dt.date(2026, 9, 5), dt.date(2026, 9, 5), "10:00")
    assert (one.from_months, one.to_months, one.status, one.licence) == (0, 36, "scheduled", "CC BY 4.0")
    assert one.cell == mesh.parse_cell(str(one.cell))
    assert (nowhere.lat, nowhere.cell) == (None, None)
    again = take(session, row(1, 対象年齢="0歳～2歳"), row(2, 緯度="", 経度=""), licence="CC BY 4.0")
    assert (again.unchanged, again.writes) == (2, 0)
    assert sites.revision(session, "events") == 1


def test_a_moved_event_says_what_it_was_and_what_was_first_stays(session: Session) -> None:
    take(session, row(1))
    take(session, row(1, 開始日="2026-09-06"), now=NOW + dt.timedelta(days=1))
    take(session, row(1, 開始日="2026-09-07", 場所名称="別の館"), now=NOW + dt.timedelta(days=2))
    (moved,) = all_events(session)
    assert (moved.status, moved.starts_on) == ("changed", dt.date(2026, 9, 7))
    assert moved.was == {"starts_on": "2026-09-05", "ends_on": "2026-09-05", "place_name": "見本児童館"}
    assert moved.changed_at == NOW + dt.timedelta(days=2)
    take(session, row(1, 開始日="2026-09-07", 場所名称="別の館", 備考="靴を持参"), now=NOW + dt.timedelta(days=3))
    assert (moved.status, moved.changed_at) == ("changed", NOW + dt.timedelta(days=2))  # a remark is no move


def test_an_event_that_is_called_off_is_kept_and_may_come_back(session: Session) -> None:
    take(session, row(1))
    take(session, row(1, イベント名="【中止】見本のつどい1"), now=NOW + dt.timedelta(days=1))
    (one,) = all_events(session)
    assert (one.status, one.changed_at, one.withdrawn_at) == ("cancelled", NOW + dt.timedelta(days=1), None)
    take(session, row(1), now=NOW + dt.timedelta(days=2))
    assert (one.status, one.changed_at) == ("scheduled", NOW + dt.timedelta(days=2))


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"イベント名": ""}, "イベント名", "missing"),
        ({"開始日": ""}, "開始日", "missing"),
        ({"開始日": "9月の土曜"}, "開始日", "not_a_day"),
        ({"終了日": "2026-09-04"}, "終了日", "ends_early"),
        ({"緯度": "140.88", "経度": "38.26"}, "緯度・経度", "looks_swapped"),
        ({"経度": ""}, "緯度・経度", "missing"),
        ({"緯度": "北"}, "緯度", "not_a_number"),
        ({"全国地方公共団体コード": "041008"}, "全国地方公共団体コード", "wrong_check_digit"),
        ({"開催状況": "未定"}, "開催状況", "unknown_status"),
    ],
)
def test_a_broken_cell_is_named_and_nothing_changes(
    session: Session, changes: dict[str, str], column: str, code: str
) -> None:
    report = take(session, row(1), row(2, **changes))
    assert (report.applied, report.refused_rows) == (False, 1)
    assert [(one.line, one.column, one.code) for one in report.refused] == [(3, column, code)]
    assert all_events(session) == []
    rest = take(session, row(1), row(2, **changes), skip_refused=True)
    assert (rest.applied, rest.added) == (True, 1)


def test_both_of_a_doubled_pair_are_refused(session: Session) -> None:
    report = take(session, row(1), row(2), row(1), skip_refused=True)
    assert (report.added, report.refused_rows) == (1, 2)
    assert sorted(one.line for one in report.refused) == [2, 4]


def test_times_that_only_people_can_read_are_kept_in_words(session: Session) -> None:
    report = take(session, row(1, 終了時間="17:00(金は19:00まで)", 参加申込終了日="8月末ごろ"))
    (one,) = all_events(session)
    assert (one.start_time, one.end_time, one.time_note) == ("10:00", None, "終了: 17:00(金は19:00まで)")
    assert (one.apply_until, one.apply_note) == (None, "申込締切: 8月末ごろ")
    assert [remark.code for remark in report.warnings] == ["not_a_day", "not_a_time"][::-1]


def test_only_a_complete_list_withdraws(session: Session) -> None:
    take(session, row(1), row(2))
    assert take(session, row(1)).withdrawn == 0
    assert take(session, row(1), complete_for="standard-event-041009").withdrawn == 1
    assert [event.withdrawn_at is not None for event in all_events(session)] == [False, True]
    assert take(session, row(1), row(2)).restored == 1
    with pytest.raises(OpenDataError):
        take(session, row(1), complete_for="elsewhere")


def test_looking_changes_nothing(session: Session) -> None:
    report = take(session, row(1), dry_run=True)
    assert (report.added, report.applied) == (1, False)
    assert all_events(session) == []


def test_another_list_is_not_taken_for_events(session: Session) -> None:
    with pytest.raises(OpenDataError) as refused:
        import_events(session, csv_bytes(("名称", "緯度"), [{"名称": "館"}]), NOW)
    assert refused.value.code == "unknown_format"
    assert "名称" in str(refused.value)


def test_takamatsus_events_come_in_with_every_refused_line_named(session: Session, shared_data: Path) -> None:
    data = (shared_data / "municipal/takamatsu/events__data.from_xlsx.csv").read_bytes()
    report = import_events(session, data, NOW)
    assert (report.read, report.refused_rows, report.applied) == (51, 7, False)
    assert {one.line: one.code for one in report.refused} == {
        **{18: "no_first_day", 181: "no_first_day"},
        **dict.fromkeys((111, 128, 140, 235, 238), "not_a_day"),
    }
    taken = import_events(session, data, NOW, EventOptions(skip_refused=True))
    assert (taken.added, taken.applied) == (44, True)
    assert import_events(session, data, NOW, EventOptions(skip_refused=True)).unchanged == 44
    first, *_, last = events.listed(session, since=dt.date(2026, 1, 1), limit=100)
    assert (first.source_id, first.starts_on) == ("29", dt.date(2026, 7, 1))
    assert last.starts_on == dt.date(2026, 10, 25)
    assert len(events.listed(session, since=dt.date(2026, 1, 1), age_months=24, limit=100)) == 19  # not 高校生・一般
    assert all(event.cell is not None for event in all_events(session))


def test_the_blank_form_of_the_standard_is_read_as_nothing(session: Session, shared_data: Path) -> None:
    data = (shared_data / "standard_templates_2019_2022/xxxxxx_event.csv").read_bytes()
    report = import_events(session, data, NOW)
    assert (report.format, report.read, report.blank, report.refused_rows) == ("standard-event", 19, 19, 0)
    assert [one.code for one in report.warnings] == []
