"""日本郵便's list, modern or classic, becomes postcodes and readings. The rows are invented."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from geo import sites
from geo.areas import Area, search_key
from geo.opendata.faults import OpenDataError
from geo.opendata.postcode_import import import_postcodes
from geo.postcodes import Postcode

Row = list[str]


def row(postcode: str, town: str, kana: str, code: str = "04103", city: str = "仙台市若林区") -> Row:
    city_kana = {"仙台市若林区": "センダイシワカバヤシク", "牡鹿郡女川町": "オシカグンオナガワチョウ"}.get(city, "シ")
    start = [code, postcode[:3] + "  ", postcode, "ミヤギケン", city_kana, kana, "宮城県", city, town]
    return [*start, "0", "0", "0", "0", "0", "0"]


def file(*rows: Row, encoding: str = "utf-8") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode(encoding)


def half(text: str) -> str:
    """Half-width katakana, as the classic file has them."""
    import jaconv

    return str(jaconv.z2h(text, kana=True, digit=True, ascii=True))


def stored(session: Session) -> list[tuple[str, str, str]]:
    wanted = sa.select(Postcode.postcode, Postcode.town, Postcode.town_kana).order_by(Postcode.id)
    return [tuple(one) for one in session.execute(wanted)]  # type: ignore[misc]


def test_towns_come_without_notes_and_phrases(session: Session) -> None:
    report = import_postcodes(
        session,
        file(
            row("9840000", "以下に掲載がない場合", "イカニケイサイガナイバアイ"),
            row("9840001", "見本（１〜３丁目、その他）", "ミホン（１−３チョウメ、ソノタ）"),
            row("9840002", "見本の次に１〜９番地がくる場合", "ミホンノツギニバンチガクルバアイ"),
            row("9840003", "一円", "イチエン"),
        ),
    )
    assert (report.read, report.added, report.applied) == (4, 4, True)
    assert stored(session) == [
        ("9840000", "", ""),
        ("9840001", "見本", "ミホン"),
        ("9840002", "", ""),
        ("9840003", "一円", "イチエン"),
    ]


def test_the_classic_file_spreads_a_town_over_lines_and_writes_half_width(session: Session) -> None:
    rows = [
        row("9840001", "見本（甲、乙、", half("ミホン（コウ、オツ、")),
        row("9840001", "丙、丁）", half("ヘイ、テイ）")),
        row("9840002", "次町", half("ジチョウ")),
    ]
    report = import_postcodes(session, file(*rows, encoding="cp932"))
    assert report.encoding == "cp932"
    assert stored(session) == [("9840001", "見本", "ミホン"), ("9840002", "次町", "ジチョウ")]


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    data = file(row("9840001", "見本", "ミホン"), row("9840002", "次町", "ジチョウ"))
    import_postcodes(session, data)
    again = import_postcodes(session, data)
    assert (again.added, again.changed, again.withdrawn, again.unchanged) == (0, 0, 0, 2)
    assert sites.revision(session, "areas") == 1


def test_a_file_is_complete_for_the_municipalities_it_names(session: Session) -> None:
    other = row("9860001", "見本", "ミホン", "04581", "牡鹿郡女川町")
    import_postcodes(session, file(row("9840001", "甲", "コウ"), row("9840002", "乙", "オツ"), other))
    report = import_postcodes(session, file(row("9840001", "甲", "キノエ"), row("9840003", "丙", "ヘイ")))
    assert (report.added, report.changed, report.withdrawn, report.unchanged) == (1, 1, 1, 0)
    assert sorted(stored(session)) == [
        ("9840001", "甲", "キノエ"),
        ("9840003", "丙", "ヘイ"),
        ("9860001", "見本", "ミホン"),
    ]


def test_areas_without_a_reading_get_theirs(session: Session) -> None:
    for code, kind, name, parent, kana in (
        ("04103", "ward", "若林区", "04100", None),
        ("04581", "city", "女川町", "04", None),
        ("04103-見本", "town", "見本", "04103", None),
        ("04103-見本二丁目", "town", "見本二丁目", "04103", None),
        ("04103-知らない", "town", "知らない", "04103", None),
        ("04103-二通り", "town", "二通り", "04103", None),
        ("04103-手書き", "town", "手書き", "04103", "テガキ"),
    ):
        area = Area(code=code, kind=kind, name=name, parent_code=parent, name_kana=kana, source="sample")
        area.search_name = search_key(name)
        session.add(area)
    session.flush()
    import_postcodes(
        session,
        file(
            row("9840001", "見本", "ミホン"),
            row("9840002", "二通り", "フタトオリ"),
            row("9840003", "二通り", "ニトオリ"),
            row("9840004", "手書き", "チガウヨミ"),
            row("9860001", "見本", "ミホン", "04581", "牡鹿郡女川町"),
        ),
    )
    found = {area.name: area.name_kana for area in session.scalars(sa.select(Area))}
    assert found == {
        "若林区": "ワカバヤシク",
        "女川町": "オナガワチョウ",
        "見本": "ミホン",
        "見本二丁目": "ミホン2チョウメ",
        "知らない": None,
        "二通り": None,
        "手書き": "テガキ",
    }


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (row("98400X1", "乙", "オツ"), "not_a_postcode"),
        (row("9840002", "乙", "オツ", "99103"), "not_a_code"),
        (row("9840002", "乙", "オツ")[:-1], "wrong_width"),
        (row("9840002", "乙（甲、", "オツ"), "open_bracket"),
        (row("9840002", "乙\x00", "オツ"), "control_characters"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_nothing_changes(session: Session, bad: Row, code: str) -> None:
    data = file(row("9840001", "甲", "コウ"), bad)
    report = import_postcodes(session, data)
    assert ([(one.line, one.code) for one in report.refused], report.applied) == ([(2, code)], False)
    assert stored(session) == []
    assert import_postcodes(session, data, skip_refused=True).added == 1


def test_a_dry_run_changes_nothing(session: Session) -> None:
    assert import_postcodes(session, file(row("9840001", "甲", "コウ")), dry_run=True).added == 1
    assert stored(session) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | st.binary(max_size=40).map(lambda tail: file(row("9840001", "甲", "コウ")) + tail)
    | st.integers(0, 200).map(lambda end: file(row("9840001", "甲（乙）", "コウ"), row("9840002", "丙", "ヘイ"))[:end])
)
def test_garbage_is_refused_and_never_crashes(session: Session, data: bytes) -> None:
    try:
        report = import_postcodes(session, data, skip_refused=True)
    except OpenDataError:  # the one error there is
        pass
    else:
        assert report.read >= report.refused_rows
    session.execute(sa.delete(Postcode))
