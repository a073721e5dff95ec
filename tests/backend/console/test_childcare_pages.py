"""Child-rearing in the console: programmes with a look at a family's timeline, guides, hours of facilities."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa

from backend.console import childcare_ages
from backend.console.language import COOKIE
from content.childcare.guides import Guide
from content.childcare.programmes import Programme
from database import db, transaction
from geo import sites
from geo.sites import Site
from notifications.messages import Message
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.backend.console.test_garbage_pages import fill, officer

KEY = "check.3y"


def row_of(hall: Hall, table: Any, key: str, version: int = 1) -> Any:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return session.scalars(sa.select(table).where(table.key == key, table.version == version)).one()


def messages(hall: Hall) -> int:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Message)) or 0


def look_and_save(browser: Browser, ends: str, fields: dict[str, Any]) -> int:
    fill(browser, ends, "preview", fields)
    return fill(browser, ends, "save", {})


def test_guides_and_programmes_are_found_by_their_words(hall: Hall) -> None:
    browser = hall.browser("reader")
    assert "赤ちゃんが生まれたら" in browser.open("/console/childcare").text
    page = browser.open("/console/childcare?q=ﾖﾎﾞｳｾｯｼｭ").text
    assert "赤ちゃんが生まれたら" not in page
    assert "予防接種の受け方" in page
    assert "/edit" not in page


def test_a_window_is_changed_after_a_look_at_the_timeline_and_nobody_is_rung(hall: Hall) -> None:
    browser, row, before = officer(hall), row_of(hall, Programme, KEY), messages(hall)
    path = f"/console/childcare/programmes/{row.id}/edit"
    browser.open(path)
    fill(browser, "/edit", "preview", {"born": "2026-08"})
    assert "予定は変わりません" in browser.text
    window = {"period-0-window-until-kind": "age", "period-0-window-until-value": "５歳６か月", "born": "2026-08"}
    assert fill(browser, "/edit", "preview", {**window, "period-0-window-until-value": "来年"}) == 422
    assert 'href="#period-0"' in browser.text
    assert browser.form("/edit").fields["period-0-window-until-value"] == "来年"
    fill(browser, "/edit", "preview", window)
    assert "保存すると" in browser.text
    assert "2032年2月" in browser.text or "2032年1月" in browser.text
    assert row_of(hall, Programme, KEY).periods == row.periods, "a look changes nothing"
    fill(browser, "/edit", "save", {"position": "7"})
    assert "変わる日を確かめてから" in browser.text
    fill(browser, "/edit", "save", {})
    kept = row_of(hall, Programme, KEY)
    assert kept.periods[0]["window"]["until"] == {"age": "5y6m"}
    assert kept.periods[0]["window"]["from"] == row.periods[0]["window"]["from"]
    assert (kept.position, kept.texts, kept.source_name) == (7, row.texts, row.source_name)
    assert messages(hall) == before
    browser.open(f"/console/childcare/programmes/{row.id}/history")
    browser.send("/restore/1")
    assert row_of(hall, Programme, KEY).periods == row.periods


def test_a_new_version_from_a_day_on_ends_the_one_before_it(hall: Hall) -> None:
    browser, row = officer(hall), row_of(hall, Programme, KEY)
    browser.open(f"/console/childcare/programmes/{row.id}/version")
    assert fill(browser, "/version", "preview", {}) == 422
    assert "始まりの日が要ります" in browser.text
    look_and_save(browser, "/version", {"effective_from": "2027-04-01", "ja.body": "新しい決まりです。"})
    old, new = row_of(hall, Programme, KEY), row_of(hall, Programme, KEY, 2)
    assert old.effective_to == dt.date(2027, 3, 31)
    assert (new.effective_from, new.effective_to, new.texts["ja"]["body"]) == (
        dt.date(2027, 4, 1),
        None,
        "新しい決まりです。",
    )
    assert old.texts == row.texts
    assert "2 版" in browser.open(f"/console/childcare/programmes/{row.id}/edit").text
    browser.open(f"/console/childcare/programmes/{new.id}/edit")
    browser.send("/withdraw", sure="yes")
    assert row_of(hall, Programme, KEY, 2).withdrawn_at is not None


def test_a_guide_is_written_in_a_language_and_the_second_of_two_is_told(hall: Hall) -> None:
    row = row_of(hall, Guide, "start-here")
    first, second = officer(hall), hall.browser("administrator")
    for browser in (first, second):
        browser.open(f"/console/childcare/guides/{row.id}/edit")
    assert fill(first, "/edit", "save", {"ko.title": "아기가 태어나면", "ko.body": "14일 이내에 신고하세요."}) == 200
    assert fill(second, "/edit", "save", {"ja.title": "別の題"}) == 409
    assert "아기가 태어나면" in second.text
    assert second.form("/edit").fields["ja.title"] == "別の題"
    kept = row_of(hall, Guide, "start-here")
    assert kept.texts["ko"]["title"] == "아기가 태어나면"
    assert (kept.texts["ja"], kept.to_months, kept.links) == (row.texts["ja"], row.to_months, row.links)
    assert fill(second, "/edit", "save", {"ja.title": ""}) == 422


def test_a_guide_is_added_and_a_doubled_name_refused(hall: Hall) -> None:
    browser = officer(hall)
    said = {"key": "Bad Key", "ja.title": "離乳食", "ja.body": "五か月ごろから始めます。", "from_age": "5か月"}
    browser.open("/console/childcare/guides/new")
    assert fill(browser, "/new", "save", said) == 422
    assert fill(browser, "/new", "save", {"key": "weaning"}) == 200
    kept = row_of(hall, Guide, "weaning")
    assert (kept.source, kept.from_months, kept.sample) == ("city", 5, False)
    browser.open("/console/childcare/guides/new")
    assert fill(browser, "/new", "save", said | {"key": "weaning"}) == 422


def test_hours_are_edited_and_shown_as_residents_will_read_them(hall: Hall) -> None:
    browser, before = officer(hall), messages(hall)
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        site = session.scalars(sa.select(Site).where(Site.kind == "childcare_facility").order_by(Site.id)).first()
        revision = sites.revision(session)
    assert site is not None
    page = browser.open(f"/console/facilities?q={site.name_kana or site.name}").text
    assert site.name in page
    browser.open(f"/console/facilities/{site.id}/edit")
    hours = {"available_days": "月〜金", "available_from": "9:00", "available_until": "17:30"}
    assert fill(browser, "/edit", None, {**hours, "available_until": "夕方", "available_note": ""}) == 422
    assert "夕方" in browser.form("/edit").fields["available_until"]
    assert fill(browser, "/edit", None, {**hours, "available_note": "第3水曜は午前のみ"}) == 200
    assert "不明" in browser.text, "a remark that nobody understands is no promise"
    assert fill(browser, "/edit", None, {**hours, "available_note": "祝日を除く"}) == 200
    assert re.search(r"09:00–17:30\s+祝日は休み", browser.text)
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        kept = session.get_one(Site, site.id)
        assert (kept.available_days, kept.name, kept.status) == ("月〜金", site.name, site.status)
        assert kept.version > site.version
        assert sites.revision(session) > revision
    assert messages(hall) == before
    browser.open(f"/console/facilities/{site.id}/history")
    browser.send("/restore/1")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert session.get_one(Site, site.id).available_days == site.available_days


def test_intervals_between_doses_are_edited_and_empty_ones_go(hall: Hall) -> None:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        row = next(one for one in session.scalars(sa.select(Programme)) if one.periods[0].get("intervals"))
    browser, at = officer(hall), "period-0-interval"
    first = row.periods[0]["intervals"][0]
    browser.open(f"/console/childcare/programmes/{row.id}/edit")
    fields = browser.form("/edit").fields
    assert fields[f"{at}-0-from_dose"] == str(first["from_dose"])
    assert fields[f"{at}-0-at_least"] == first["at_least"].replace("d", "日")
    new = len(row.periods[0]["intervals"])
    more = {f"{at}-{new}-from_dose": "2", f"{at}-{new}-to_dose": "３", f"{at}-{new}-at_least": "６か月"}
    assert fill(browser, "/edit", "preview", {**more, f"{at}-{new}-at_most": "ずっと"}) == 422
    assert f'href="#{at}-{new}-at_most"' in browser.text
    assert "27日、3か月、1年 のような" in browser.text, "lengths as people write them, not as files have them"
    assert look_and_save(browser, "/edit", {**more, f"{at}-{new}-at_most": "1年"}) == 200
    kept = row_of(hall, Programme, row.key, row.version).periods[0]["intervals"]
    assert kept[:new] == row.periods[0]["intervals"]
    assert kept[new] == {"from_dose": 2, "to_dose": 3, "at_least": "6m", "at_most": "1y"}
    browser.open(f"/console/childcare/programmes/{row.id}/edit")
    look_and_save(browser, "/edit", {f"{at}-0-{name}": "" for name in ("from_dose", "to_dose", "at_least", "at_most")})
    assert row_of(hall, Programme, row.key, row.version).periods[0]["intervals"] == kept[1:]
    assert "接種の間隔" in browser.open(f"/console/childcare/programmes/{row.id}/history").text


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("stored", ["1y6m", "2m", "27d", "28w0d", "6w", "-3d", "0d", "12y", "nonsense", ""])
def test_an_age_is_shown_in_words_that_are_read_as_the_same_age(hall: Hall, language: str, stored: str) -> None:
    with hall.app.test_request_context(headers={"Cookie": f"{COOKIE}={language}"}):
        for age in (True, False):
            shown = childcare_ages.spoken(stored, age=age)
            assert childcare_ages.read(shown) == stored
            assert shown != stored or stored in ("nonsense", "")
