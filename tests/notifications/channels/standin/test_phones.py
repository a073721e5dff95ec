"""A pretend phone shows what a real one with a well-behaved app would: once, replaced, never late."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.fcm.body import encode
from notifications.channels.standin.page import live_page
from notifications.channels.standin.phones import Phones
from tests.notifications.channels.conftest import NOW, push


def message(**changes: Any) -> dict[str, Any]:
    """A push as the provider hands it on."""
    plain: dict[str, Any] = orjson.loads(encode(push(**changes), NOW, critical_entitled=False))["message"]
    return plain


def phone(phones: Phones, now: dt.datetime = NOW) -> dict[str, Any]:
    """What the one phone shows."""
    found = phones.find("p", now)
    assert found is not None
    return found


@pytest.mark.parametrize("platform", ["android", "ios", "web"])
def test_the_same_message_shows_and_rings_once(platform: str) -> None:
    phones = Phones()
    assert [phones.receive("p", message(platform=platform), NOW) for _ in range(3)] == ["shown", "double", "double"]
    seen = phone(phones)
    assert (seen["received"], seen["rings"], seen["doubles"], len(seen["showing"])) == (3, 1, 2, 1)
    assert seen["platform"] == platform
    assert seen["showing"][0]["title"] == push().title
    assert [event["happened"] for event in seen["history"]] == ["shown", "double", "double"]


@pytest.mark.parametrize("platform", ["android", "ios", "web"])
def test_a_later_message_of_the_thread_replaces(platform: str) -> None:
    phones = Phones()
    phones.receive("p", message(platform=platform), NOW)
    lifted = message(platform=platform, message_id="n" * 22, kind="all_clear", title="解除")
    assert phones.receive("p", lifted, NOW) == "replaced"
    seen = phone(phones)
    assert [notice["title"] for notice in seen["showing"]] == ["解除"]
    assert (seen["rings"], seen["replaced"]) == (2, 1)


@pytest.mark.parametrize("platform", ["android", "ios", "web"])
def test_an_update_that_must_not_ring_again_replaces_silently(platform: str) -> None:
    phones = Phones()
    phones.receive("p", message(platform=platform), NOW)
    phones.receive("p", message(platform=platform, message_id="n" * 22, title="更新", alert_once=True), NOW)
    seen = phone(phones)
    assert [notice["title"] for notice in seen["showing"]] == ["更新"]
    assert seen["rings"] == 1


def test_what_comes_late_is_never_shown_and_what_is_over_disappears() -> None:
    phones = Phones()
    assert phones.receive("p", message(), push().expires_at) == "late"
    assert phone(phones)["showing"] == []
    assert (phone(phones)["late"], phone(phones)["rings"]) == (1, 0)
    phones.reset()
    phones.receive("p", message(), NOW)
    assert len(phone(phones, push().expires_at - dt.timedelta(seconds=1))["showing"]) == 1
    assert phone(phones, push().expires_at)["showing"] == []


def test_different_threads_stand_side_by_side_the_newest_first() -> None:
    phones = Phones()
    for letter in "abc":
        phones.receive("p", message(thread=letter * 22, message_id=letter * 22, title=letter), NOW)
    assert [notice["title"] for notice in phone(phones)["showing"]] == ["c", "b", "a"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200)), max_size=120))
def test_whatever_comes_nothing_grows_without_bound(events: list[tuple[str, int]]) -> None:
    phones = Phones()
    for thread, number in events:
        phones.receive("p", {"data": {"thread": thread, "message_id": f"{thread}{number}"}}, NOW)
    if events:
        seen = phone(phones)
        assert len(seen["showing"]) <= 3
        assert len(seen["history"]) <= 24
        assert seen["rings"] + seen["doubles"] == seen["received"] == len(events)
        assert phones.totals()["received"] == len(events)


def test_phones_are_listed_by_their_last_message() -> None:
    phones = Phones()
    for token in ("one", "two", "three", "one"):
        phones.receive(token, message(message_id=token * 5), NOW)
    assert [entry["token"] for entry in phones.newest(NOW, limit=2)] == ["one", "three"]
    assert [entry["token"] for entry in phones.newest(NOW, limit=9, containing="tw")] == ["two"]


def page(phones: Phones, *, wanted: str = "", still: bool = False) -> str:
    """The live page."""
    shown = phones.newest(NOW, limit=48, containing=wanted, whole=True)
    return live_page(phones=shown, totals=phones.totals(), log_last=7, now=NOW, wanted=wanted, still=still)


def test_the_page_shows_each_phone_with_its_shelters_in_the_level_colour() -> None:
    phones = Phones()
    assert "まだ何も届いていません" in page(phones)
    phones.receive("p", message(), NOW)
    text = page(phones)
    assert "避難指示" in text
    assert "川端小学校 320 m" in text
    assert "rgb(170,0,170)" in text
    assert 'http-equiv="refresh"' in text
    assert 'http-equiv="refresh"' not in page(phones, still=True)


def test_the_page_marks_drills_and_other_languages_and_tsunami() -> None:
    phones = Phones()
    phones.receive("p", message(drill=True, title="【訓練】避難指示"), NOW)
    phones.receive("q", message(language="en", data={"hazard": "tsunami", "level": ""}), NOW)
    text = page(phones)
    assert "訓練 Drill" in text
    assert 'class="note drill"' in text
    assert 'lang="en"' in text
    assert text.count("rgb(170,0,170)") == 2  # a tsunami has no level: the colour of an order


def test_the_page_never_runs_what_it_received() -> None:
    wicked = '<script>alert(1)</script>"'
    phones = Phones()
    phones.receive(wicked, message(title=wicked, body=wicked, link=wicked, data={"shelters": '[{"name":"<b>"}]'}), NOW)
    for text in (page(phones), page(phones, wanted=wicked)):
        assert "<script" not in text
        assert "<b>" not in text.replace(f'<b title="{"&lt;"}', "")
