"""Garbage in the console: months with reasons, rules edited with a look before, corrections to those reminded."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa

from content import revisions
from content.garbage import areas, categories, sources
from content.garbage.areas import GarbageArea
from content.garbage.dictionary import GarbageItem
from content.opendata import garbage_edit
from database import db, transaction
from notifications import garbage_days
from notifications.dispatch import reminding
from notifications.dispatch.batches import Batch
from notifications.garbage_days import GarbageWish
from notifications.reminders import garbage as reminders
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.notifications.builders import make_device, plan
from tests.notifications.reminders.streets import EVENING, TOKYO, said

SAKASHITA = "山の手区坂下町"  # 家庭ごみ on Mondays and Thursdays, 紙類 on 1st and 3rd Tuesdays


def number_of(hall: Hall, name: str = SAKASHITA) -> int:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return next(area.id for area in areas.present(session) if area.full_name == name)


def body_of(hall: Hall, area_id: int) -> Any:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return garbage_edit.area_body(session, session.get_one(GarbageArea, area_id))


def day(page: str, date: str) -> str:
    found = re.search(rf'<time datetime="{date}">.*?</li>', page, re.S)
    assert found is not None, date
    return re.sub(r"<[^>]+>|\s+", " ", found[0])


def officer(hall: Hall) -> Browser:
    return hall.browser("duty_officer")


def fill(browser: Browser, ends: str, step: str | None, fields: dict[str, Any]) -> int:
    """Fills in fields whose names are no Python names, and presses a button."""
    return browser.send(ends, button=("do", step) if step else None, **fields).status_code


def press(browser: Browser, step: str, **fields: Any) -> int:
    return fill(browser, "", step, {name.replace("__", "-"): one for name, one in fields.items()})


@pytest.mark.parametrize("q", ["坂下町", "さかした", "ｻｶｼﾀ", "サカシタチョウ", "山の手区坂下"])
def test_an_area_is_found_however_it_is_typed(hall: Hall, q: str) -> None:
    page = hall.browser("reader").open(f"/console/garbage?q={q}").text
    assert SAKASHITA in page
    assert "1 地区" in page
    assert "毎週月・木曜日" in page
    assert "第1・第3火曜日" in page


def test_a_month_gives_the_reason_of_each_date(hall: Hall) -> None:
    browser = hall.browser("reader")
    area = number_of(hall)
    december = browser.open(f"/console/garbage/areas/{area}?month=2026-12").text
    assert "毎週木曜日" in day(december, "2026-12-03")
    assert "第1火曜日" in day(december, "2026-12-01")
    assert "2026年11月" in december
    assert "2027年1月" in december
    browser.open("/console/language/en?next=/console/")
    assert "1st Tuesday" in day(browser.open(f"/console/garbage/areas/{area}?month=2026-12").text, "2026-12-01")
    assert browser.open(f"/console/garbage/areas/{area}?month=0000-77").status_code == 200
    assert browser.open(f"/console/garbage/areas/{area}?month=9999-12").status_code == 200


def test_nothing_is_saved_before_the_days_that_change_were_seen(hall: Hall) -> None:
    browser, area = officer(hall), number_of(hall, "中央区本町")
    before = body_of(hall, area)
    browser.open(f"/console/garbage/areas/{area}/edit")
    assert press(browser, "add-change") == 200
    assert press(browser, "preview", change__0__kind="closed", change__0__first="") == 422
    assert "何日のことか書いてください" in browser.text
    form = browser.form("").fields
    at = max(int(name.split("-")[1]) for name in form if name.startswith("change-") and name.endswith("-kind"))
    fields = {f"change-{at}-kind": "closed", f"change-{at}-first": "2026-12-03", f"change-{at}-reason.ja": "道路工事"}
    fill(browser, "", "preview", fields)
    assert "回が変わります" in browser.text
    assert "道路工事" in browser.text
    assert body_of(hall, area) == before
    # What was changed after the look is looked at again.
    fill(browser, "", "save", {f"change-{at}-first": "2026-12-10"})
    assert "変わる日を確かめてから保存してください" in browser.text
    assert body_of(hall, area) == before
    browser.send("", button=("do", "save"))
    assert "保存しました" in browser.text
    (change,) = body_of(hall, area)["changes"]
    assert (change["first"], change["reason"]) == ("2026-12-10", {"ja": "道路工事"})
    shown = day(browser.open(f"/console/garbage/areas/{area}?month=2026-12").text, "2026-12-10")
    assert "収集なし" in shown
    assert "道路工事" in shown


def test_rules_of_every_kind_are_kept_as_they_were_typed(hall: Hall) -> None:
    browser, area = officer(hall), number_of(hall, "山の手区泉ケ丘1～14")
    browser.open(f"/console/garbage/areas/{area}/edit")
    before = body_of(hall, area)
    press(browser, "preview")
    assert "何も変わっていません" in browser.text, "a form that nobody touched says the same as the store"
    many = len(before["area"]["rules"])
    for _ in range(3):
        press(browser, "add-rule")
    kinds: list[dict[str, Any]] = [
        {"category": "paper", "kind": "weekdays", "weekday": ["1", "4"], "nth": ["5"], "months": "１１〜2月",
         "first": "2027-04-01"},
        {"category": "cloth", "kind": "dates", "dates": "2027/1/5\n2027-01-19", "reason.en": "Extra"},
        {"category": "plastic", "kind": "none", "first": "2026-12-29", "last": "2027-01-03", "overlay": "on",
         "reason.ja": "年末年始"},
    ]  # fmt: skip
    fields = {f"rule-{many + at}-{name}": value for at, row in enumerate(kinds) for name, value in row.items()}
    fields |= {f"rule-{many}-holidays": None}
    fill(browser, "", "preview", fields)
    browser.send("", button=("do", "save"))
    kept = body_of(hall, area)["area"]["rules"][many:]
    assert kept == [
        {"category": "paper", "weekdays": [1, 4], "nths": [5], "months": [1, 2, 11, 12], "first": "2027-04-01",
         "on_holidays": False},
        {"category": "cloth", "dates": ["2027-01-05", "2027-01-19"], "reason": {"en": "Extra"}},
        {"category": "plastic", "first": "2026-12-29", "last": "2027-01-03", "overlay": True,
         "reason": {"ja": "年末年始"}},
    ]  # fmt: skip
    browser.open(f"/console/garbage/areas/{area}/edit")
    press(browser, f"drop-rule-{many}")
    press(browser, "preview")
    press(browser, "save")
    assert len(body_of(hall, area)["area"]["rules"]) == many + 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "weekdays"}, "曜日を一つ以上"),
        ({"kind": "interval", "every": "1", "base": "2026-12-01"}, "何週ごとか"),
        ({"kind": "dates", "dates": "来週"}, "「来週」を読めません"),
        ({"kind": "none"}, "臨時の規則でだけ"),
        ({"kind": "weekdays", "weekday": ["0"], "months": "13"}, "「13」を読めません"),
        ({"kind": "weekdays", "weekday": ["0"], "first": "2027-01-02", "last": "2027-01-01"}, "終わりの日より後"),
    ],
)
def test_a_rule_that_cannot_be_is_told_at_its_row_and_keeps_what_was_typed(
    hall: Hall, fields: dict[str, Any], words: str
) -> None:
    browser, area = officer(hall), number_of(hall)
    browser.open(f"/console/garbage/areas/{area}/edit")
    press(browser, "add-rule")
    form = browser.form("").fields
    at = max(int(name.split("-")[1]) for name in form if name.startswith("rule-") and name.endswith("-key"))
    answer = fill(
        browser,
        "",
        "preview",
        {f"rule-{at}-category": "paper"} | {f"rule-{at}-{k}": v for k, v in fields.items()},
    )
    assert answer == 422
    assert words in browser.text
    assert f'href="#rule-{at}"' in browser.text
    kept = browser.form("").fields
    assert all(
        kept.getlist(f"rule-{at}-{name}") == (one if isinstance(one, list) else [one])
        for name, one in fields.items()
        if name != "weekday"
    )


def test_of_two_who_edit_one_calendar_the_second_is_told_and_overwrites_nothing_unseen(hall: Hall) -> None:
    area = number_of(hall)
    first, second = officer(hall), hall.browser("administrator")
    for browser in (first, second):
        browser.open(f"/console/garbage/areas/{area}/edit")
    press(first, "preview", **{"note.ja": "一人目の注記"})
    press(first, "save")
    told = press(second, "preview", **{"note.ja": "二人目の注記"})
    assert told == 409
    assert "ほかの人が先に変更しました" in second.text
    assert "当直責任者 一号" in second.text
    assert "一人目の注記" in second.text
    assert second.form("").fields["note.ja"] == "二人目の注記"
    assert body_of(hall, area)["area"]["note"]["ja"] == "一人目の注記"
    press(second, "preview")
    press(second, "save")
    assert body_of(hall, area)["area"]["note"]["ja"] == "二人目の注記"


def test_the_history_names_who_changed_what_and_an_old_state_comes_back(hall: Hall) -> None:
    area = number_of(hall, "浜区白浜町")
    browser = officer(hall)
    before = body_of(hall, area)
    browser.open(f"/console/garbage/areas/{area}/edit")
    press(browser, "preview", rule__0__weekday=["2"])
    press(browser, "save")
    page = browser.open(f"/console/garbage/areas/{area}/history").text
    assert "当直責任者 一号" in page
    assert "曜日" in page
    browser.send("/restore/1")
    assert "まだ保存されていません" in browser.text
    press_to = f"/console/garbage/areas/{area}/edit"
    browser.path = press_to
    browser.send("/edit", button=("do", "preview"))
    browser.send("/edit", button=("do", "save"))
    assert body_of(hall, area) == before
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        found = revisions.history(session, "garbage_area", str(area))
        assert [(one.number, one.who) for one in found] == [(3, "当直責任者 一号"), (2, "当直責任者 一号"), (1, "")]
    assert "/restore/" not in hall.browser("reader").open(f"/console/garbage/areas/{area}/history").text


def test_whoever_was_reminded_of_a_day_that_changes_is_told_and_nobody_else(hall: Hall) -> None:
    hall.clock.moment = dt.datetime(2026, 11, 25, 10, 0, 5, tzinfo=dt.UTC)  # Wednesday, 19:00 in the city
    area, other = number_of(hall), number_of(hall, "浜区白浜町")
    with hall.app.app_context():
        with transaction(db.engine) as session:
            (garbage,) = (one.id for one in categories.listed(session) if one.key == "household")
            asker, elsewhere = make_device(session, now=hall.clock()).id, make_device(session, now=hall.clock()).id
            garbage_days.put(session, asker, [GarbageWish(area, evening=EVENING, categories=frozenset({garbage}))])
            garbage_days.put(session, elsewhere, [GarbageWish(other, evening=EVENING)])
        reminding.remind_of_garbage(db.engine, hall.clock(), TOKYO)
        for _ in range(3):
            with transaction(db.engine) as session:
                plan(session, hall.clock())
                session.execute(sa.update(Batch).values(state="closed"))
        assert reminding.correct(db.engine, hall.clock(), TOKYO) == 0
        with transaction(db.engine, "read") as session:
            many = len(said(session))
            version = sources.get(session, "sample").schedule_version  # type: ignore[union-attr]
    browser = officer(hall)
    hall.clock.pass_(minutes=30)
    browser.open(f"/console/garbage/areas/{area}/edit")
    press(browser, "preview", **{"contact-phone": "022-999-9999"})
    press(browser, "save")
    with hall.app.app_context():
        assert reminding.correct(db.engine, hall.clock(), TOKYO) == 0, "a telephone number is no collection day"
    browser.open(f"/console/garbage/areas/{area}/edit")
    press(browser, "add-change")
    press(browser, "preview", change__0__kind="moved", change__0__first="2026-11-26", change__0__to="2026-11-27",
          change__0__category="household", **{"change-0-reason.ja": "大雪"})  # fmt: skip
    press(browser, "save")
    with hall.app.app_context():
        with transaction(db.engine, "read") as session:
            assert sources.get(session, "sample").schedule_version > version  # type: ignore[union-attr]
            assert len(said(session)) == many, "saving sends nothing by itself"
        assert reminding.correct(db.engine, hall.clock(), TOKYO) == 1
        with transaction(db.engine) as session:
            plan(session, hall.clock())
        with transaction(db.engine, "read") as session:
            origin, title, told = said(session)[-1]
    assert origin.startswith("correction:garbage:2026-11-26")
    assert title.startswith("【訂正】")
    assert told == {asker}


def test_what_all_areas_share_is_edited_once(hall: Hall) -> None:
    browser, area = officer(hall), number_of(hall, "浜区白浜町")
    browser.open("/console/garbage/sources/sample/edit")
    many = sum(name.startswith("change-") and name.endswith("-kind") for name in browser.form("/edit").fields)
    press(browser, "add-change")
    press(browser, "add-rule")
    rows = {
        f"change-{many}-kind": "closed", f"change-{many}-first": "2027-02-08", f"change-{many}-last": "2027-02-12",
        f"change-{many}-reason.ja": "設備の点検",
        "rule-1-category": "cloth", "rule-1-kind": "none", "rule-1-first": "2027-03-01", "rule-1-last": "2027-03-31",
    }  # fmt: skip
    fill(browser, "", "preview", {**rows, "example": area})
    assert "「浜区白浜町」の場合" in browser.text
    assert "設備の点検" in browser.text
    press(browser, "save")
    page = browser.open(f"/console/garbage/areas/{area}?month=2027-02").text
    assert "設備の点検" in page
    browser.open("/console/garbage/sources/sample/edit")
    fields = browser.form("/edit").fields
    at = next(name.split("-")[1] for name, value in fields.items() if value == "2027-02-08")
    press(browser, "drop-rule-1")
    press(browser, f"drop-change-{at}")
    press(browser, "preview", example=area)
    press(browser, "save")
    assert "設備の点検" not in browser.open(f"/console/garbage/areas/{area}?month=2027-02").text
    assert hall.browser("reader").client.get("/console/garbage/sources/sample/edit").status_code == 403
    assert browser.open("/console/garbage/sources/nothing/edit").status_code == 404


def test_a_category_speaks_every_language_and_can_lose_its_hour(hall: Hall) -> None:
    browser = officer(hall)
    browser.open("/console/garbage/categories")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        number = next(one.id for one in categories.listed(session) if one.key == "cloth")
    path = f"/console/garbage/categories/{number}/edit"
    browser.open(path)
    fill(browser, "/edit", None, {"names.ko": "의류", "cutoff": "25:00", "how.zh-Hans": "请洗净晾干"})
    assert browser.page.status_code == 422
    assert "08:30 のように" in browser.text
    browser.send("/edit", cutoff="")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        found = next(one for one in categories.listed(session) if one.key == "cloth")
        assert (found.names["ko"], found.how["zh-Hans"], found.cutoff) == ("의류", "请洗净晾干", None)
        assert found.names["ja"] == "布類"
    browser.open(f"/console/garbage/categories/{number}/history")
    assert "当直責任者 一号" in browser.text
    browser.send("/restore/1")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        found = next(one for one in categories.listed(session) if one.key == "cloth")
        assert ("ko" in found.names, found.cutoff) == (False, "08:30")
    browser.open("/console/garbage/sources/sample/categories/new")
    fill(browser, "/new", None, {"names.ja": "布類"})
    fill(browser, "/new", None, {"names.ja": "小型家電", "cutoff": "9:00"})
    assert "小型家電" in browser.text
    browser.open("/console/garbage/sources/sample/categories/new")
    assert fill(browser, "/new", None, {"names.ja": "小型家電"}) == 422


def test_the_dictionary_is_edited_and_tried_as_a_resident_searches(hall: Hall) -> None:
    browser = officer(hall)
    browser.open("/console/garbage/items?try=ハンディ扇風機")
    assert "何も見つかりません" in browser.text
    browser.open("/console/garbage/sources/sample/items/new?name=ハンディ扇風機")
    fields = {
        "names.en": "Hand-held fan",
        "reading": "ハンディせんぷうき",
        "aliases": "充電式の扇風機\n手持ち扇風機",
        "category": "cans",
    }
    fill(browser, "/new", None, {**fields, "caution": []})
    assert "リチウムイオン電池" in browser.text, "its words speak of a danger that nobody ticked"
    for word in ("はんでぃ", "手持ち扇風機", "ﾊﾝﾃﾞｨｾﾝﾌﾟｳｷ"):
        assert "Hand-held fan" in browser.open(f"/console/garbage/items?language=en&try={word}").text
    found = re.search(
        r"/console/garbage/items/(\d+)/edit", browser.open("/console/garbage/items?q=ハンディ扇風機").text
    )
    assert found is not None
    browser.open(found[0])
    browser.send("/edit", caution=["lithium_battery"])
    assert "発火します" in browser.open("/console/garbage/items?try=ハンディ扇風機").text
    browser.open(found[0])
    browser.send("/withdraw", sure="yes")
    assert "何も見つかりません" in browser.open("/console/garbage/items?try=ハンディ扇風機").text
    browser.open(f"/console/garbage/items/{found[1]}/history")
    browser.send("/restore/2")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        item = session.get_one(GarbageItem, int(found[1]))
        assert (item.withdrawn_at, item.cautions) == (None, ["lithium_battery"])
        assert sa.inspect(item).persistent


def test_two_who_edit_one_item_and_a_doubled_item_are_told(hall: Hall) -> None:
    first, second = officer(hall), hall.browser("administrator")
    page = first.open("/console/garbage/items").text
    found = re.search(r"/console/garbage/items/\d+/edit", page)
    assert found is not None
    for browser in (first, second):
        browser.open(found[0])
    assert fill(first, "/edit", None, {"notes.ja": "一人目"}) == 200
    assert fill(second, "/edit", None, {"notes.ja": "二人目"}) == 409
    assert "一人目" in second.text
    assert second.form("/edit").fields["notes.ja"] == "二人目"
    assert second.send("/edit").status_code == 200
    second.open(found[0])
    form = second.form("/edit").fields
    second.open("/console/garbage/sources/sample/items/new")
    assert fill(second, "/new", None, {"names.ja": form["names.ja"], "category": form["category"]}) == 422


def test_an_area_is_added_with_the_rules_of_another_after_a_look(hall: Hall) -> None:
    browser = officer(hall)
    path = "/console/garbage/sources/sample/areas/new"
    browser.open(path)
    assert fill(browser, "/new", "preview", {"name": " "}) == 422
    assert fill(browser, "/new", "preview", {"ward": "山の手区", "name": "坂下町"}) == 422
    assert "同じ名前の地区がもうあります" in browser.text
    fill(browser, "/new", "preview", {"name": "坂下町東", "reading": "さかしたちょうひがし", "like": number_of(hall)})
    assert "毎週月曜日" in browser.text
    fill(browser, "/new", "save", {"name": "坂下町西"})
    assert "まだ加えていません" in browser.text, "another name is another calendar to look at"
    fill(browser, "/new", "save", {})
    added, like = body_of(hall, number_of(hall, "山の手区坂下町西"))["area"], body_of(hall, number_of(hall))["area"]
    assert added["rules"] == like["rules"]
    assert (added["name"], added["reading"]) == ("坂下町西", "さかしたちょうひがし")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert areas.present(session)[-1].name == "坂下町西", "after those that the list has"
    assert hall.browser("reader").client.get(path).status_code == 403


def test_an_area_gets_another_name_and_keeps_its_number(hall: Hall) -> None:
    browser, area = officer(hall), number_of(hall, "浜区白浜町")
    browser.open(f"/console/garbage/areas/{area}/edit")
    assert press(browser, "preview", ward="浜区", name="浜町") == 422
    press(browser, "preview", name="白浜一丁目")
    assert "名前が変わります" in browser.text
    press(browser, "save")
    assert number_of(hall, "浜区白浜一丁目") == area
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        found = session.get_one(GarbageArea, area)
        assert (found.town, found.block) == ("白浜", "一丁目")
    browser.open(f"/console/garbage/areas/{area}/history")
    assert "白浜一丁目" in browser.text
    browser.send("/restore/1")
    browser.path = f"/console/garbage/areas/{area}/edit"
    press(browser, "preview")
    press(browser, "save")
    assert number_of(hall, "浜区白浜町") == area


def test_a_withdrawn_area_reminds_nobody_until_it_is_brought_back(hall: Hall) -> None:
    area, browser = number_of(hall), officer(hall)

    def due() -> bool:
        """Whether whoever chose the area is reminded of a Thursday."""
        with hall.app.app_context(), transaction(db.engine, "read") as session:
            return bool(reminders.contents_of(session, [(area, "")], dt.date(2026, 11, 26)))

    with hall.app.app_context(), transaction(db.engine) as session:
        phone = make_device(session, now=hall.clock()).id
        garbage_days.put(session, phone, [GarbageWish(area, evening=EVENING)])
    assert due()
    browser.open(f"/console/garbage/areas/{area}/withdraw")
    assert re.search("この地区を選んでいる端末: [1-9]", browser.text)
    assert browser.send("/withdraw").status_code == 422
    browser.send("/withdraw", sure="yes")
    assert "取り下げました" in browser.text
    assert hall.app.test_client().get(f"/v1/garbage/areas/{area}/collections").status_code == 404
    assert browser.client.get(f"/console/garbage/areas/{area}").status_code == 404
    assert not due()
    browser.open("/console/garbage/sources/sample/areas/new")
    assert fill(browser, "/new", "preview", {"ward": "山の手区", "name": "坂下町"}) == 422
    assert "その履歴から戻してください" in browser.text
    browser.open(f"/console/garbage/areas/{area}/history")
    assert "取り下げた" in browser.text
    newest = int(browser.form("/restore/1").fields["seen"])
    browser.send(f"/restore/{newest - 1}")
    assert number_of(hall) == area
    assert due()
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert [wish.area_id for wish in garbage_days.of_device(session, phone)] == [area], "what it chose was kept"


def test_who_withdraws_an_area_that_somebody_just_changed_is_told(hall: Hall) -> None:
    area = number_of(hall)
    first, second = officer(hall), hall.browser("administrator")
    second.open(f"/console/garbage/areas/{area}/withdraw")
    first.open(f"/console/garbage/areas/{area}/edit")
    press(first, "preview", **{"note.ja": "変えた注記"})
    press(first, "save")
    assert second.send("/withdraw", sure="yes").status_code == 409
    assert number_of(hall) == area
