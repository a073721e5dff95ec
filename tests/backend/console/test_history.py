"""The page of a history says in words who changed what, and offers the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import request

from backend import transaction as opened
from backend.console import history, language
from content import revisions
from database import db, transaction
from tests.backend.console.conftest import NOON, Hall

LABELS = {"title": "題", "rules": "役割", "rules[].weekday": "人", "open": "状態"}


def said(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, list[str]]]:
    found = history.in_words(revisions.changes(before, after), LABELS, lambda p, v: "月曜" if v == "mon" else None)
    return [(one.label, [f"{line.sign}{line.text}" for line in one.lines]) for one in found]


@pytest.fixture
def page(hall: Hall) -> Hall:
    with hall.app.app_context(), transaction(db.engine) as session:
        about: dict[str, Any] = {"kind": "test", "subject": "7", "name": "断水"}
        for turn in range(1, 23):
            body = {"title": {"ja": f"<b>断水 {turn}</b>"}, "at": "2026-11-21T03:00:00+00:00", "day": "2026-11-21"}
            revisions.record(session, NOON, **about, who="山田" if turn > 1 else "", body=body)
    return hall


def test_changes_are_told_in_the_words_of_their_owner(hall: Hall) -> None:
    with hall.app.test_request_context("/console/"):
        old, new = {"title": {"ja": "断水"}, "open": True}, {"title": {"ja": "断水の件", "en": "Water"}, "open": False}
        assert said(old, new) == [
            ("題 › 日本語", ["-断水", "+断水の件"]),
            ("題 › English", ["+Water"]),
            ("状態", ["-はい", "+いいえ"]),
        ]
        assert said({"rules": []}, {"rules": [{"weekday": "mon", "tags": ["a", "b"]}]}) == [
            ("役割（1番目） › 人", ["+月曜"]),
            ("役割（1番目） › tags", ["+a、b"]),
        ]
        assert said({"a": {"b.c": 1}}, {}) == [("a › b.c", ["-1"])]
        assert said({"a": None}, {"a": ""}) == [("a", [" （空）"])]


def test_of_a_long_text_only_what_changed_is_shown(hall: Hall) -> None:
    old = "一\n二\n三\n四\n五\n六\n七"
    with hall.app.test_request_context("/console/"):
        assert said({"x": old}, {"x": old.replace("四", "四番")}) == [("x", [" …", " 三", "-四", "+四番", " 五"])]


def shown(hall: Hall, path: str, **more: Any) -> str:
    """The page as a view at this address would answer it."""
    with hall.app.test_request_context(path), transaction(db.engine, "read") as session:
        request.environ[opened._KEY] = session
        return history.history_page("test", title="断水", back_url="/console/", **more)


def test_the_page_shows_who_when_and_what_and_offers_the_way_back(page: Hall) -> None:
    first = shown(page, "/console/people", subject="7", restore_url_of_number=lambda number: f"/console/x/{number}")
    assert "<b>断水" not in first
    assert "&lt;b&gt;断水 22&lt;/b&gt;" in first
    assert first.count("山田") == 20
    assert first.count('<form method="post" action="/console/x/') == 19  # the newest is there already
    assert 'action="/console/x/22"' not in first
    assert first.count('name="seen" value="22"') == 19
    assert len(first) < 150_000
    older = re.search(r'href="(/console/people\?before=3)"', first)
    assert older
    rest = shown(page, older[1], subject="7", restore_url_of_number=lambda number: f"/console/x/{number}")
    assert "記録を始める前の状態" in rest
    assert "2026年11月21日(土)" in rest
    assert 'name="seen" value="22"' in rest
    assert "まだ変更されていません" in shown(page, "/console/people?before=x", subject="8")


def test_days_have_their_weekday_in_both_languages(hall: Hall) -> None:
    with hall.app.test_request_context("/console/", headers={"Cookie": f"{language.COOKIE}=en"}):
        assert "Sat 21 Nov 2026" in language.day(NOON.date())
    assert language.day(None) == "–"
