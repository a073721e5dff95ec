"""What must not be sent is found, and what is right is left in peace."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from content.proofreading import lint
from content.texts import LANGUAGES
from geo.hazards import Hazard
from notifications import wording

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)  # a Saturday


def _codes(body: str, language: str = "ja", title: str = "お知らせ", now: dt.datetime = NOW) -> set[tuple[str, str]]:
    return {(f.code, f.severity) for f in lint({language: {"title": title, "body": body}}, now, TOKYO)}


@pytest.mark.parametrize(
    "body",
    [
        "避難人数:未入力",
        "{area}にお住まいの方へ",
        "{{ name }} 様",
        "${date}に開催",
        "場所：○○小学校",
        "場所：〇〇公園",
        "TODO 文面を直す",
        "電話 XXXX-1234",
        "<name>様",
        "[DATE] 開催",
        "日時　____",
        "期限は%(day)sです",
        "undefined が開催されます",
        "ここに入力してください",
    ],
)
def test_leftover_placeholders_are_errors(body):
    assert ("placeholder", "error") in _codes(body)


@pytest.mark.parametrize(
    "date", ["2024/06/30", "2024年6月30日", "2024-06-30", "令和6年6月30日", "２０２４年６月３０日", "2028年1月1日"]
)
def test_a_date_of_another_year_is_doubted(date):
    assert ("other_year", "warning") in _codes(f"{date}に発令しました。")


@pytest.mark.parametrize("date", ["2026年11月21日", "2026/11/20", "令和8年12月1日", "2027年1月4日", "2027年11月20日"])
def test_dates_of_now_and_the_coming_year_are_right(date):
    assert _codes(f"{date}に開催します。") == set()


def test_a_date_over_a_week_past_is_doubted():
    assert _codes("2026年11月13日まで受け付けます。") == {("past_date", "warning")}
    assert _codes("2026年11月14日まで受け付けます。") == set()


def test_the_day_is_the_citys_own():
    late = dt.datetime(2026, 12, 31, 15, 30, tzinfo=dt.UTC)  # already 2027 in the city
    assert _codes("2027年1月1日", now=late) == set()
    assert ("other_year", "warning") in _codes("2026年12月31日", now=late)


@pytest.mark.parametrize("body", ["2026年2月30日に開催", "令和8年13月1日"])
def test_a_day_that_does_not_exist_is_doubted(body):
    assert _codes(body) == {("impossible_date", "warning")}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("11月21日（土）", False),
        ("11月21日(金)", True),
        ("１月４日（月）まで", False),  # of the next year
        ("2026年1月4日（月）", True),
        ("2月30日（月）", True),
    ],
)
def test_a_wrong_weekday_is_doubted(body, wrong):
    assert (("wrong_weekday", "warning") in _codes(body)) is wrong


@pytest.mark.parametrize("word", ["避難勧告", "避難準備・高齢者等避難開始", "災害発生情報"])
def test_abolished_names_are_doubted(word):
    assert ("abolished_term", "warning") in _codes(f"{word}を発令しました。")


def test_an_empty_text_is_an_error():
    assert _codes(" ") == {("empty", "error")}


def test_long_texts_are_doubted():
    assert _codes("あ" * 1_001) == {("long", "warning")}
    assert _codes("短い", title="あ" * 51) == {("long", "warning")}


def test_shouting_is_doubted():
    assert ("capitals", "warning") in _codes("EVACUATE NOW. EVERYONE MUST LEAVE THE AREA.", "en")
    assert _codes("The JMA has raised the level.", "en") == set()


def test_easy_japanese_writes_dates_in_words():
    assert _codes("11/21に あつまります。", "ja-x-easy") == {("slash_date", "warning")}
    assert _codes("11月 21日に あつまります。", "ja-x-easy") == set()


def test_a_forgotten_translation_is_doubted():
    same = {"title": "断水", "body": "水道が止まります。"}
    found = lint({"ja": same, "en": same}, NOW, TOKYO)
    assert [(f.language, f.code) for f in found] == [("en", "untranslated")]


@pytest.mark.parametrize(
    "body",
    [
        "None of the shelters is open. Fees: $100, 50% off.",
        "<重要>受付は10時から。電話 022-000-0000、対象は0〜3歳、3/4が対象。",
        "詳しくは https://www.city.example.jp/a__b/2026 をご覧ください。",
        "【締切】11月30日（月）17:00　※雨天中止",
        "Ver. 2.6.1 を公開しました。気温は38.5度。",
    ],
)
def test_ordinary_texts_are_left_in_peace(body):
    assert _codes(body, "ja") == set()


def test_a_finding_names_its_place_and_shows_it():
    (found,) = lint({"ko": {"title": "x", "body": "날짜: 未入力"}}, NOW, TOKYO)
    assert (found.language, found.field, found.code, found.excerpt) == ("ko", "body", "placeholder", "未入力")


@pytest.mark.parametrize("drill", [False, True])
@pytest.mark.parametrize("act", ["order", "update", "cancel", "all_clear"])
@pytest.mark.parametrize("hazard", Hazard)
def test_our_own_wording_passes(act, hazard, drill):
    for level in wording.levels_for(hazard):
        rendered = wording.render(
            act=act,
            level=level,
            hazard=hazard,
            area_names={"ja": "若林区荒井"},
            drill=drill,
            values={"issuer": "仙台市"},
        )
        assert lint(rendered, NOW, TOKYO) == []
        assert tuple(rendered) == LANGUAGES
