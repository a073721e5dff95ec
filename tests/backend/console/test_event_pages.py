"""Events in the console: found, moved, called off, taken away and kept so when their list is read again."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import Any

import pytest

from content import events
from content.events import Event
from content.opendata.event_import import EventOptions, import_events
from database import db, transaction
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall

LIST = (files("backend.sample") / "events.csv").read_bytes()


@pytest.fixture
def approver(hall: Hall) -> Browser:
    return hall.browser("approver")


def words(browser: Browser) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


def find(browser: Browser, name: str) -> str:
    """The address of the event of this name."""
    browser.open(f"/console/events?q={name}")
    found = re.findall(r'href="(/console/events/\d+)"', browser.text)
    assert len(found) == 1, words(browser)
    return str(found[0])


def shown(hall: Hall, path: str) -> Any:
    return hall.app.test_client().get(f"/v1/events/{path.rpartition('/')[2]}")


def read_again(hall: Hall, data: bytes = LIST) -> Any:
    with hall.app.app_context(), transaction(db.engine) as session:
        source = session.query(Event.source).filter(Event.source != "console").limit(1).scalar()
        return import_events(session, data, hall.clock(), EventOptions(source=source, complete_for=source))


def test_a_moved_event_says_what_it_was_and_its_unchanged_list_leaves_it_so(hall: Hall, approver: Browser) -> None:
    path = find(approver, "リトミック")
    approver.open(f"{path}/edit")
    assert approver.form("").fields["starts_on"] == "2026-12-05"
    moved = {"starts_on": "2026-12-06", "ends_on": "2026-12-06", "start_time": "11:00", "end_time": "12:00"}
    approver.send("", button=("do", "look"), **moved)
    assert "2026年12月6日(日) 11:00–12:00" in words(approver)
    assert shown(hall, path).get_json()["starts_on"] == "2026-12-05"  # looked at, not kept
    assert approver.form("").fields["starts_on"] == "2026-12-06"
    approver.send("")
    assert approver.path == path
    page = words(approver)
    assert "日時・場所の変更あり" in page
    assert "初日: 2026年12月5日(土)" in page
    public = shown(hall, path).get_json()
    assert (public["status"], public["starts_on"], public["was"]["starts_on"]) == (
        "changed",
        "2026-12-06",
        "2026-12-05",
    )
    read_again(hall)
    assert shown(hall, path).get_json()["starts_on"] == "2026-12-06"
    read_again(hall, LIST.replace(b"2026-12-05", b"2026-12-12", 1))
    public = shown(hall, path).get_json()
    assert (public["starts_on"], public["was"]["starts_on"]) == ("2026-12-12", "2026-12-05")

    approver.open(f"{path}/edit")
    approver.send("", status="cancelled")
    assert shown(hall, path).get_json()["status"] == "cancelled"
    approver.open(f"{path}/history")
    page = words(approver)
    assert "承認者 一号" in page
    assert "取り込みなど、この画面の外で変わりました" in page
    assert "中止" in page
    approver.send("/history/2")
    assert shown(hall, path).get_json()["starts_on"] == "2026-12-06"
    assert shown(hall, path).get_json()["status"] == "changed"


def test_what_a_person_took_away_its_list_does_not_bring_back(hall: Hall, approver: Browser) -> None:
    path = find(approver, "もちつき")
    approver.open(path)
    approver.send("/withdraw")
    assert "承認者 一号 さんが取り下げました" in words(approver)
    assert shown(hall, path).status_code == 410
    read_again(hall)
    assert shown(hall, path).status_code == 410
    approver.open("/console/events?q=もちつき")
    assert "見つかりませんでした" in words(approver)
    approver.open("/console/events?q=もちつき&only=withdrawn")
    assert path in approver.text
    approver.open(path)
    approver.send("/show")
    assert shown(hall, path).status_code == 200


def test_an_event_is_added_and_found_by_day_words_and_area(hall: Hall, approver: Browser) -> None:
    approver.open("/console/events/new")
    typed = {
        "name": "浜の朝市", "starts_on": "2026-12-27", "start_time": "07:00", "place_name": "浜町公園",
        "lat": "38.2206", "lon": "140.9611", "description": "<script>alert(1)</script>", "url": "javascript:alert(1)",
    }  # fmt: skip
    assert approver.send("", status="scheduled", **typed).status_code == 422
    assert "https:// で始まるアドレス" in words(approver)
    assert {name: approver.form("").fields[name] for name in typed} == typed
    assert approver.send("", url="", ends_on="2026-12-26", lat="999").status_code == 422
    page = words(approver)
    assert "最終日 : 始まりより前" in page
    assert "緯度 : 緯度と経度" in page
    approver.send("", url="", ends_on="", lat="38.2206")
    path = approver.path
    assert "<script>" not in approver.text
    assert "&lt;script&gt;" in approver.text
    public = shown(hall, path).get_json()
    assert (public["name"], public["ends_on"], public["source"]) == ("浜の朝市", "2026-12-27", "console")
    for query, there in (
        ("since=2026-12-27&until=2026-12-27", True), ("since=2026-12-28", False), ("until=2026-12-26", False),
        ("area=浜区", True), ("area=山の手区", False), ("q=朝市 浜町公園", True), ("q=夕市", False),
        ("since=x&from=x", True),
    ):  # fmt: skip
        approver.open(f"/console/events?{query}")
        assert (path in approver.text) is there, query


def test_the_second_of_two_editors_is_told_and_keeps_what_was_typed(hall: Hall, approver: Browser) -> None:
    path = find(approver, "離乳食")
    other = hall.browser("duty_officer")
    for browser in (approver, other):
        browser.open(f"{path}/edit")
    other.send("", capacity="20組")
    assert approver.send("", capacity="10組", note="申込みは先着").status_code == 409
    assert approver.form("").fields["note"] == "申込みは先着"
    assert "当直責任者 一号" in words(approver)
    assert "20組" in words(approver)
    approver.send("", overwrite="yes")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        event = events.get(session, int(path.rpartition("/")[2]))
        assert event is not None
        assert (event.capacity, event.note) == ("10組", "申込みは先着")
