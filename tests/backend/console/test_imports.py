"""A file is handed in, its report is read before anything is written, and exactly that file is taken in."""

from __future__ import annotations

import ast
import csv
import dataclasses
import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backend import importing
from backend.console import file_faults
from content import journal
from content.opendata import intake_work, intakes, kinds
from content.opendata.intakes import Intake, IntakeFile, State
from database import db, open_engine, transaction
from geo.sites import Site
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.geo.opendata.lists import gsi, gsi_bytes
from tests.tables import ROOT

SAMPLE = ROOT / "backend" / "sample"
RAISED = ("OpenDataError", "fault")


def hand_in(
    browser: Browser, data: bytes, kind: str = "sites", name: str = "避難場所.csv", **more: Any
) -> TestResponse:
    browser.open(f"/console/imports/new/{kind}")
    fields = {**browser.form(f"/new/{kind}").fields.to_dict(), **more, "files": (io.BytesIO(data), name)}
    answer = browser.client.post(f"/console/imports/new/{kind}", data=fields, content_type="multipart/form-data")
    return browser.open(answer.headers["Location"]) if answer.status_code == 303 else answer


def counts(page: str) -> dict[str, int]:
    found = re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", page)
    return {name: int(many.replace(",", "")) for name, many in found}


def stored(hall: Hall, **wanted: Any) -> list[Site]:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return list(session.scalars(sa.select(Site).filter_by(**wanted).order_by(Site.id)))


def newest(hall: Hall) -> Intake:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return intakes.listed(session, most=1)[0]


def test_nothing_is_written_before_somebody_confirms_the_report(hall: Hall) -> None:
    browser = hall.browser("duty_officer")
    data = gsi_bytes(gsi(1), gsi(2), encoding="cp932")
    hand_in(browser, data, source="first", licence="CC BY 4.0", as_of="2026-11-01")
    assert counts(browser.text)["追加"] == 2
    assert "確認待ち" in browser.text
    assert not stored(hall, source="first")
    browser.send("/confirm")
    assert "取り込みました" in browser.text
    assert [(one.licence, str(one.as_of)) for one in stored(hall, source="first")] == [("CC BY 4.0", "2026-11-01")] * 2
    assert "/confirm" not in browser.text
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        done = journal.search(session, text=f"import {newest(hall).id}")
        assert {one.action for one in done} == {"imports.hand_in", "imports.confirm", "imports.applied"}
        assert {one.name for one in done} == {"当直責任者 一号"}
        assert not session.scalars(sa.select(IntakeFile.name)).all()
    assert "避難場所.csv" in browser.open("/console/imports").text


def test_the_report_says_what_was_and_what_will_be(hall: Hall) -> None:
    browser = hall.browser("administrator")
    hand_in(browser, gsi_bytes(gsi(1), gsi(2), gsi(3)), source="second")
    browser.send("/confirm")
    changed = gsi_bytes(gsi(1, 住所="=新しい住所", 津波="1"), gsi(2), gsi(4, 洪水="?"))
    hand_in(browser, changed, source="second")
    assert counts(browser.text) | {"変更": 1, "変更なし": 1, "拒否した行": 1} == counts(browser.text)
    assert "4行目" in browser.text
    assert "「洪水」" in browser.text
    assert "このままでは取り込めません" in browser.text
    assert "/confirm" not in browser.text
    browser.send("/again", skip_refused="yes", complete_for="second")
    assert "拒否した行" in browser.text
    assert re.search(r"<dt>住所</dt>\s*<dd><del>.*?</del></dd>\s*<dd><ins>.*=新しい住所</ins>", browser.text, re.S)
    assert "津波" in browser.text
    found = browser.open(browser.path + "?act=changed&text=" + "E0410000001201").text
    assert found.count('class="card changed"') == 1
    assert 'class="card refused"' not in found
    exported = browser.client.get(browser.path + "/lines.csv").get_data().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(exported)))
    assert ["変更", "'=新しい住所"] in [[row[0], row[8]] for row in rows]
    assert {row[0] for row in rows[1:]} == {"拒否", "変更", "取り下げ"}
    browser.open(browser.path)
    browser.send("/confirm")
    assert stored(hall, source="second")[0].address == "=新しい住所"
    hand_in(browser, changed, source="second", skip_refused="yes")
    assert "取り込むものはありません" in browser.text


def test_a_report_is_void_when_the_data_moved_meanwhile(hall: Hall) -> None:
    first, second = hall.browser("administrator"), hall.browser("duty_officer")
    hand_in(first, gsi_bytes(gsi(1), gsi(2)), source="third")
    hand_in(second, gsi_bytes(gsi(1, 住所="よそ")), source="third")
    second.send("/confirm")
    first.send("/confirm")
    assert "データが変わりました" in first.text
    assert counts(first.text) | {"追加": 1, "変更": 1} == counts(first.text)
    assert [one.address for one in stored(hall, source="third")] == ["よそ"]
    first.send("/confirm")
    assert "取り込みました" in first.text
    assert len(stored(hall, source="third")) == 2


def test_of_two_who_decide_the_second_is_told(hall: Hall) -> None:
    first, second = hall.browser("administrator"), hall.browser("duty_officer")
    hand_in(first, gsi_bytes(gsi(1)), source="fourth")
    second.open(first.path)
    first.send("/drop")
    assert "取りやめました" in first.text
    second.send("/confirm")
    assert "ほかの人が先に進めたか" in second.text
    assert not stored(hall, source="fourth")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04" + b"\0" * 99, "Excelブックかzip"),
        ("あ".encode("utf-16"), "UTF-16"),
        (b"\x81 ,\x81 \r\n", "文字コード"),
        ("あ,い\r\n1,2\r\n".encode(), "知らない形式"),
        (b"[" * 100_000, "GeoJSON"),
    ],
)
def test_what_cannot_be_used_is_said_in_words(hall: Hall, data: bytes, said: str) -> None:
    browser = hall.browser("administrator")
    hand_in(browser, data, name="<b>.csv")
    assert "このファイルは使えません" in browser.text
    assert said in browser.text
    assert "<b>.csv" not in browser.text


def test_every_fault_of_a_whole_file_has_its_english() -> None:
    codes = set()
    for path in [*ROOT.glob("geo/opendata/*.py"), *ROOT.glob("content/opendata/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            raised = isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in RAISED
            if raised and node.args:  # type: ignore[attr-defined]
                codes |= set(re.findall(r"'(\w+)'", ast.unparse(node.args[0])))  # type: ignore[attr-defined]
    assert {"not_text", "truncated", "unknown_crs"} <= codes
    assert codes | {"internal"} == set(file_faults.FAULTS)


def test_an_english_reader_is_told_in_english_why_a_file_cannot_be_used(hall: Hall) -> None:
    browser = hall.browser("administrator")
    browser.open("/console/language/en?next=/console/imports")
    hand_in(browser, "あ,い\r\n1,2\r\n".encode(), name="places.csv")
    assert "The format is not known" in browser.text
    assert re.search(r'<p lang="ja">知らない形式です。見つかった列: あ、い', browser.text)


def test_a_file_of_another_kind_is_sent_to_its_own_form(hall: Hall) -> None:
    browser = hall.browser("administrator")
    hand_in(browser, (SAMPLE / "events.csv").read_bytes(), name="events.csv")
    assert "「イベント」のファイルのようです" in browser.text
    assert 'href="/console/imports/new/events"' in browser.text


def test_several_files_of_a_city_are_one_import(hall: Hall) -> None:
    browser = hall.browser("administrator")
    browser.open("/console/imports/new/garbage")
    sent = {
        **browser.form("/new/garbage").fields.to_dict(), "source": "yoso",
        "files": [(io.BytesIO(text.encode()), name) for name, text in {
            "area_days.csv": "地名,センター,可燃ごみ\r\n泉町,,月 木\r\n浜町,,火 金\r\n",
            "target.csv": "type,name,notice,furigana\r\n可燃ごみ,紙くず,,か\r\n",
        }.items()],
    }  # fmt: skip
    answer = browser.client.post("/console/imports/new/garbage", data=sent, content_type="multipart/form-data")
    browser.open(answer.headers["Location"])
    assert counts(browser.text)["追加"] == 3
    assert "泉町" in browser.text
    browser.send("/confirm")
    assert "取り込み済み" in browser.text


def test_a_form_that_cannot_be_right_comes_back_with_what_was_typed(hall: Hall) -> None:
    browser = hall.browser("administrator")
    answer = hand_in(browser, b"", source="fifth", as_of="2026-13-01")
    assert answer.status_code == 422
    assert 'value="fifth"' in answer.text
    assert "日付ではありません" in answer.text
    assert "空のファイル" in answer.text
    assert browser.client.get("/console/imports/new/none").status_code == 404


def test_only_who_is_signed_in_sends_large_files(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hall.app.config, "MAX_CONTENT_LENGTH", 10_000)
    large = gsi_bytes(*(gsi(number) for number in range(1, 200)))
    browser = hall.browser("administrator")
    hand_in(browser, large, source="sixth")
    assert counts(browser.text)["追加"] == 199
    stranger = hall.stranger()
    stranger.open("/console/sign-in")
    token = stranger.form("sign-in").fields["csrf_token"]
    form = {"csrf_token": token, "files": (io.BytesIO(large), "a.csv")}
    answer = stranger.client.post("/console/imports/new/sites", data=form, content_type="multipart/form-data")
    assert answer.status_code == 413


def test_a_long_import_is_done_beside_the_pages(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    browser = hall.browser("administrator")
    hand_in(browser, gsi_bytes(gsi(1), gsi(2)), source="seventh")
    assert "読み取っています" in browser.text
    assert "worker" in browser.text  # that nobody works is said
    launched: list[Any] = []
    with hall.app.app_context():
        engine = db.engine
        starter = importing.Starter(lambda: launched.append(1))  # type: ignore[arg-type,return-value]
        starter.look(engine, hall.clock())
        assert launched == [1]
        with transaction(engine) as session:  # one that is killed at its work
            killed = intake_work.claim(session, hall.clock())
        starter.look(engine, hall.clock())
        assert launched == [1]
        assert importing.work(engine, hall.clock) == 0
        hall.clock.pass_(minutes=2)
        starter.look(engine, hall.clock())
        assert launched == [1, 1]
        assert importing.work(engine, hall.clock) == 1
        assert killed is not None
        with transaction(engine) as session:
            assert not intake_work.write_report(session, killed, hall.clock(), {"code": "x"})
    browser.open(browser.path)
    assert counts(browser.text)["追加"] == 2
    browser.send("/confirm")
    assert "取り込んでいます" in browser.text
    assert not stored(hall, source="seventh")
    with hall.app.app_context():
        assert importing.work(engine, hall.clock) == 1
    assert "取り込み済み" in browser.open(browser.path).text
    assert len(stored(hall, source="seventh")) == 2


def test_a_long_one_that_went_wrong_or_stale_says_so(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    browser = hall.browser("administrator")

    def work() -> None:
        with hall.app.app_context():
            importing.work(db.engine, hall.clock)
        browser.open(browser.path)

    hand_in(browser, gsi_bytes(gsi(1)), source="eighth")
    work()
    with hall.app.app_context(), transaction(db.engine) as session:
        sites = gsi_bytes(gsi(1, 住所="よそ"))
        kinds.take(session, "sites", {"a.csv": sites}, hall.clock(), {"source": "eighth"})
    browser.send("/confirm")
    work()
    assert "データが変わりました" in browser.text
    hand_in(browser, b"PK\x03\x04" + b"\0" * 99)
    work()
    assert "Excelブックかzip" in browser.text
    monkeypatch.setattr(intake_work, "report", lambda *_: 1 / 0)
    hand_in(browser, gsi_bytes(gsi(1)), source="eighth")
    work()
    assert "思わぬ誤り" in browser.text
    assert newest(hall).state == State.UNUSABLE


def test_what_nobody_decides_on_is_dropped_after_a_week(hall: Hall) -> None:
    browser = hall.browser("administrator")
    hand_in(browser, gsi_bytes(gsi(1)), source="ninth")
    path = browser.path
    hall.clock.pass_(days=8)
    browser = hall.browser("administrator")
    hand_in(browser, gsi_bytes(gsi(2)), source="ninth")
    assert "取りやめ" in browser.open(path).text
    assert "/confirm" not in browser.text


def test_whoever_writes_waits_only_for_the_writing_not_for_the_reading_of_a_long_list(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    browser = hall.browser("administrator")
    hand_in(browser, gsi_bytes(gsi(1)), source="tenth")
    with hall.app.app_context():
        importing.work(db.engine, hall.clock)
    browser.open(browser.path)
    browser.send("/confirm")
    alone = open_engine(str(hall.app.extensions["yobikake.settings"].database_url))
    read = kinds.KINDS["sites"].take_one

    def slowly(session: Any, data: bytes, now: Any, given: Any) -> Any:
        with transaction(alone) as other:  # would wait for half a minute and fail
            other.execute(sa.update(Intake).values(rows_expected=7))
        return read(session, data, now, given)

    monkeypatch.setitem(kinds.KINDS, "sites", dataclasses.replace(kinds.KINDS["sites"], take_one=slowly))
    with hall.app.app_context():
        importing.work(db.engine, hall.clock)
    alone.dispose()
    assert (newest(hall).state, newest(hall).rows_expected) == (State.APPLIED, 7)
