"""The journal's page: searched column by column, its verdict ready for paper, an altered row shown where it stands."""

from __future__ import annotations

import csv
import io
import re

from content import journal
from database import db, transaction
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall


def with_people(hall: Hall) -> Browser:
    chief = hall.browser("administrator")
    for name, login in (("佐藤", "sato"), ("鈴木", "suzuki")):
        chief.open("/console/people")
        chief.send("/people", name=name, role="reader", login=login)
    return hall.browser("auditor")


def test_who_did_what_to_what_is_searched_apart(hall: Hall) -> None:
    browser = with_people(hall)
    browser.open("/console/journal?subject=佐藤")
    assert browser.text.count(">佐藤</td>") == 1
    assert "見つかりませんでした" in browser.open("/console/journal?who=佐藤").text
    assert "佐藤" in browser.open("/console/journal?who=管理者&action=people&subject=佐藤&since=2026-11-21").text
    assert "見つかりませんでした" in browser.open("/console/journal?who=管理者&action=alerts").text
    browser.open("/console/journal?subject=鈴木")
    exported = browser.send("journal/export").get_data().decode("utf-8-sig")
    assert {row[5] for row in list(csv.reader(io.StringIO(exported)))[1:]} == {"鈴木"}


def test_the_verdict_has_what_is_kept_on_paper(hall: Hall) -> None:
    browser = with_people(hall)
    browser.open("/console/journal")
    browser.send("journal/verify")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        before = journal.search(session, most=2)[1]  # the verification itself came after
    assert before.hash in browser.text
    assert re.search(r"<dt>検証した人</dt><dd>監査担当 一号</dd>", browser.text)
    assert re.search(rf"<dt>最後の番号</dt><dd>{before.number:,}</dd>", browser.text)


def test_an_altered_row_and_a_missing_one_are_shown_where_they_stand(hall: Hall) -> None:
    browser = with_people(hall)
    with hall.app.app_context(), transaction(db.engine) as session:
        kept = session.connection().exec_driver_sql("SELECT name FROM journal WHERE number = 2").scalar()
        session.connection().exec_driver_sql("UPDATE journal SET name = 'だれか' WHERE number = 2")
    browser.open("/console/journal")
    browser.send("journal/verify")
    row = re.search(r'<tr class="broken">.*?</tr>', browser.text, re.DOTALL)
    assert row
    assert "書き換えられた行" in row[0]
    assert "だれか" in row[0]
    with hall.app.app_context(), transaction(db.engine) as session:
        session.connection().exec_driver_sql("UPDATE journal SET name = ? WHERE number = 2", (kept,))
        session.connection().exec_driver_sql("DELETE FROM journal WHERE number = 2")
    browser.open("/console/journal")
    browser.send("journal/verify")
    assert "番号 2 の行はありません" in browser.text
    assert 'class="broken"' not in browser.text
