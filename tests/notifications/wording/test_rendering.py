"""Every act, hazard and level in every language, with ordinary and with awkward names."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.texts import LANGUAGES, lint
from geo.hazards import Hazard
from notifications import wording
from notifications.wording.rendering import shorten
from notifications.wording.templates import every_case, language_file, level_key

CITY = {"ja": "仙台市", "en": "Sendai City", "zh-Hans": "仙台市", "ko": "센다이시"}
ORDINARY = {
    "ja": "若林区荒井・七郷の一部",
    "en": "parts of Arai and Shichigo, Wakabayashi Ward",
    "zh-Hans": "若林区荒井、七乡部分地区",
    "ko": "와카바야시구 아라이·시치고 일부",
}
AWKWARD = {
    "one character": {"ja": "泉"},
    "a bracket that must not be torn": {"ja": "青葉区〔宮城総合支所管内を除く〕、太白区〔秋保総合支所管内を除く〕"},
    "forty towns": {"ja": "、".join(f"若林区荒井{n}丁目" for n in range(1, 41))},
    "no separator at all": {"ja": "あ" * 200},
    "an apostrophe, quotes and braces": {"ja": 'O\'Hara "Heights" {area} %s <b>', "en": "O'Hara's {title}"},
    "full width": {"ja": "ＡＢＣ団地１～３号棟（東側）"},
}
OFFICIAL = {
    3: ("高齢者等避難", "危険な場所から高齢者等は避難"),
    4: ("避難指示", "危険な場所から全員避難"),
    5: ("緊急安全確保", "命の危険 直ちに安全確保!"),
}
SITUATIONS = list(itertools.product(every_case(), (False, True)))


def _render(case, drill, names=ORDINARY):
    act, hazard, level = case
    return wording.render(act=act, level=level, hazard=hazard, area_names=names, drill=drill, values={"issuer": CITY})


def test_no_template_is_missing_in_any_language():
    assert wording.templates_missing() == []


def test_every_case_is_rendered():
    levels = {Hazard(h): wording.levels_for(Hazard(h)) for h in Hazard}
    assert len(every_case()) == 4 * sum(len(each) for each in levels.values()) == 4 * (4 * 3 + 4)
    assert levels[Hazard.TSUNAMI] == (None,)
    assert levels[Hazard.LANDSLIDE] == (3, 4, 5)


@pytest.mark.parametrize(("case", "drill"), SITUATIONS)
def test_every_language_has_a_whole_text_that_agrees_with_its_alert(case, drill):
    act, hazard, level = case
    texts = _render(case, drill)
    assert tuple(texts) == LANGUAGES
    assert wording.texts_complete(texts) == []
    assert wording.texts_agree(texts, act=act, level=level, hazard=hazard, drill=drill) == []


@pytest.mark.parametrize("names", AWKWARD.values(), ids=AWKWARD)
def test_awkward_names_never_break_a_text(names):
    for case, drill in SITUATIONS:
        for language, text in _render(case, drill, names).items():
            words = text["title"] + text["body"]
            for placeholder in ("{order}", "{hazard}", "{issuer}", "{situation}", "{who}", "{do}", "{after}"):
                assert placeholder not in words
            assert len(words.encode()) <= 1_400, (language, case)
            assert len(text["title"]) <= 125
            assert "" not in text.values()


@pytest.mark.parametrize("name", [name for name in AWKWARD if "braces" not in name])
def test_the_proofreading_has_nothing_to_say_so_that_no_correction_is_held_up(name):
    now = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
    for case, drill in SITUATIONS:
        assert lint(_render(case, drill, AWKWARD[name]), now, ZoneInfo("Asia/Tokyo")) == []


def test_texts_leave_room_in_a_push():
    """Payload of 4,096 bytes: the shelters, the area's hull and the link need the rest."""
    for case, drill in SITUATIONS:
        for language, text in _render(case, drill).items():
            size = len((text["title"] + text["body"]).encode())
            assert size <= (1_050 if drill else 960), (language, case, size)


def test_titles_fit_a_lock_screen():
    longest = {"ja": 42, "ja-x-easy": 46, "en": 104, "zh-Hans": 42, "ko": 52}
    for case, _ in SITUATIONS:
        for language, text in _render(case, False).items():
            assert len(text["title"]) <= longest[language], text["title"]


@pytest.mark.parametrize("case", [c for c in every_case() if c[0] in ("order", "update")])
def test_the_first_fifty_japanese_characters_say_level_area_and_action(case):
    _, hazard, level = case
    text = _render(case, False, {"ja": "若林区荒井"})["ja"]
    beginning = (text["title"] + text["body"])[:55]
    assert "若林区荒井" in beginning[:40]
    if level is None:
        assert "避難指示" in beginning[:12]
        assert "警戒レベル" not in text["title"] + text["body"]
    else:
        name, action = OFFICIAL[level]
        assert f"警戒レベル{level} {name}" in beginning[:24]
        assert action in beginning
    assert text["title"].endswith(f"（{language_file('ja')['hazards'][hazard]['name']}）")


@pytest.mark.parametrize("level", [3, 4, 5])
def test_names_and_actions_of_the_levels_are_the_official_ones(level):
    name, action = OFFICIAL[level]
    assert language_file("ja")["orders"][str(level)] == f"警戒レベル{level} {name}"
    assert language_file("ja")["actions"][str(level)] == action


@pytest.mark.parametrize(("case", "drill"), SITUATIONS)
def test_abolished_names_appear_nowhere(case, drill):
    for text in _render(case, drill).values():
        for word in ("避難勧告", "避難準備", "災害発生情報", "避難指示(緊急)"):
            assert word not in text["title"] + text["body"]


@pytest.mark.parametrize("case", every_case())
def test_a_drill_says_so_first_in_every_language_and_a_real_alert_never_does(case):
    own = {"ja": "【訓練】", "ja-x-easy": "【くんれん】", "en": "【Drill】", "zh-Hans": "【演习】", "ko": "【훈련】"}
    sentence = {
        "ja": "これは訓練です。",
        "ja-x-easy": "これは 訓練",
        "en": "This is a drill.",
        "zh-Hans": "这是演习",
        "ko": "훈련",
    }
    drill, real = _render(case, True), _render(case, False)
    for language in LANGUAGES:
        assert drill[language]["title"].startswith("【訓練】")
        assert own[language] in drill[language]["title"][:12]
        assert drill[language]["body"].startswith(sentence[language])
        assert sentence[language] in drill[language]["body"].splitlines()[-1]
        words = real[language]["title"] + real[language]["body"]
        assert not any(word in words for word in (*own.values(), "訓練", "drill", "演习", "훈련"))


def test_marking_a_drill_twice_marks_it_once():
    text = {"title": "【訓練】避難訓練のお知らせ", "body": "集合してください。"}
    for language in LANGUAGES:
        once = wording.as_drill(language, text)
        assert wording.as_drill(language, once) == once
        assert once["title"].count("【訓練】") == 1


@pytest.mark.parametrize("case", [c for c in every_case() if c[0] == "cancel"])
def test_a_cancel_does_not_read_like_an_all_clear(case):
    lifted = {"ja": "解除", "ja-x-easy": "解除", "en": "lifted", "zh-Hans": "解除", "ko": "해제"}
    wrong = {"ja": "誤り", "ja-x-easy": "まちがい", "en": "error", "zh-Hans": "误发", "ko": "잘못"}
    danger = {
        "ja": "危険がなくなったという",
        "ja-x-easy": "危険が なくなったと",
        "en": "does not mean",
        "zh-Hans": "并不表示",
        "ko": "뜻은 아닙니다",
    }
    for language, text in _render(case, False).items():
        assert lifted[language] not in (text["title"] + text["body"]).lower()
        assert wrong[language] in text["title"]
        assert danger[language] in text["body"]


@pytest.mark.parametrize("case", [c for c in every_case() if c[0] == "all_clear"])
def test_an_all_clear_says_lifted_and_orders_nobody_to_leave(case):
    lifted = {"ja": "解除", "ja-x-easy": "解除", "en": "Lifted", "zh-Hans": "解除", "ko": "해제"}
    for language, text in _render(case, False).items():
        assert lifted[language] in text["title"]
        if case[2]:
            assert language_file(language)["actions"][str(case[2])] not in text["body"]


@pytest.mark.parametrize("hazard", ["flood", "storm_surge", "inland_flood"])
@pytest.mark.parametrize("level", [3, 4, 5])
def test_water_orders_offer_the_upper_floor_when_leaving_is_more_dangerous(hazard, level):
    upstairs = {
        "ja": "2階以上",
        "ja-x-easy": "2階か、もっと 上の 階",
        "en": "second floor",
        "zh-Hans": "二楼或以上",
        "ko": "2층 이상",
    }
    for language, text in _render(("order", hazard, level), False).items():
        assert upstairs[language] in text["body"]


def test_a_landslide_order_names_the_side_away_from_the_slope():
    assert "がけの反対側" in _render(("order", "landslide", 4), False)["ja"]["body"]


def test_a_tsunami_order_sends_to_high_ground_and_never_upstairs_at_home():
    texts = _render(("order", "tsunami", None), False)
    assert "できるだけ高い所" in texts["ja"]["body"]
    assert "津波は何度も来ます" in texts["ja"]["body"]
    assert "2階以上" not in texts["ja"]["body"]


def test_easy_japanese_is_polite_apart_and_explains_evacuation():
    for case in every_case():
        body = _render(case, False)["ja-x-easy"]["body"]
        assert not any(mark in body for mark in ("/", "／")), "no slashes"
        sentences = [s for s in body.replace("\n", "").split("。") if s]
        assert all(
            s.endswith(("ます", "です", "ください", "ません", "でした", "ました】", "ました", "せん", "します】"))
            for s in sentences
        ), sentences
        assert max(len(s) for s in sentences) <= 75, max(sentences, key=len)
        if case[0] in ("order", "update") and case[2] != 5:
            assert "避難【=逃げること】" in body
        assert body.count(" ") >= len(sentences)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"act": "send"}, "act"),
        ({"hazard": "meteor"}, "hazard"),
        ({"hazard": "tsunami", "level": 4}, "level"),
        ({"level": None}, "level"),
        ({"level": 2}, "level"),
        ({"level": True}, "level"),
        ({"area_names": {}}, "area_names"),
        ({"area_names": {"ja": " "}}, "area_names"),
        ({"area_names": {"ja": "泉区\n避難"}}, "area_names"),
        ({"area_names": {"ja": "泉区", "fr": "Izumi"}}, "area_names"),
        ({"area_names": {"ja": "泉" * 2_001}}, "area_names"),
        ({"values": {}}, "values"),
        ({"values": {"issuer": "仙台市", "sender": "x"}}, "values"),
        ({"values": {"issuer": {"en": "Sendai"}}}, "issuer"),
    ],
)
def test_what_has_no_words_is_refused_naming_the_field(change, field):
    call = {
        "act": "order",
        "level": 4,
        "hazard": "flood",
        "area_names": {"ja": "泉区"},
        "drill": False,
        "values": {"issuer": "仙台市"},
    }
    with pytest.raises(wording.WordingError) as refused:
        wording.render(**(call | change))
    assert refused.value.field == field


def test_a_language_without_its_own_name_takes_the_japanese_one():
    texts = _render(("order", "flood", 4), False, {"ja": "泉区", "en": "Izumi Ward"})
    assert "Izumi Ward" in texts["en"]["title"]
    assert "泉区" in texts["ko"]["title"]


@given(st.text(alphabet="荒井七郷、・〔〕除く Ward,", min_size=1, max_size=80), st.integers(6, 40))
def test_shortened_names_fit_and_never_open_a_bracket_without_closing_it(names, limit):
    short = shorten(names, limit, "ほか")
    assert len(short) <= limit or short == names
    if _nested(names) and not names.startswith("〔"):
        assert _nested(short)


def _nested(names: str) -> bool:
    depth = 0
    for character in names:
        depth += (character == "〔") - (character == "〕")
        if depth < 0:
            return False
    return depth == 0


def test_names_are_cut_between_two_of_them():
    assert shorten("荒井、七郷、六郷、沖野", 8, "ほか") == "荒井、七郷ほか"
    assert shorten("荒井、七郷", 8, "ほか") == "荒井、七郷"
    assert shorten("parts of Arai and Shichigo", 20, " and other areas") == "parts of Arai and…"
    assert shorten("青葉区〔宮城総合支所管内除く〕、泉区", 14, "ほか") == "青葉区…"


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda t: t["en"].update(title="Sunny"), "en: the title does not name"),
        (lambda t: t["ja"].update(body="帰ってください"), "ja: the body does not say"),
        (lambda t: t["ja"].update(body=t["ja"]["body"] + "警戒レベル5 緊急安全確保"), "ja: names another level"),
        (lambda t: t["ko"].update(body=t["ko"]["body"] + "훈련"), "ko: speaks of a drill"),
    ],
)
def test_edited_texts_that_contradict_their_alert_are_named(edit, complaint):
    texts = _render(("order", "flood", 4), False)
    edit(texts)
    found = wording.texts_agree(texts, act="order", level=4, hazard="flood", drill=False)
    assert any(each.startswith(complaint) for each in found)


def test_a_drill_whose_mark_was_edited_away_is_named():
    texts = _render(("order", "flood", 4), True)
    texts["en"]["title"] = texts["en"]["title"].replace("【訓練】", "")
    found = wording.texts_agree(texts, act="order", level=4, hazard="flood", drill=True)
    assert [each.split(":")[0] for each in found] == ["en"]


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda t: t.pop("ko"), "ko: title and body are required"),
        (lambda t: t["en"].update(title=" "), "en: title and body are required"),
        (lambda t: t["ja"].update(body="{area}へ"), "ja: body holds an unreplaced placeholder"),
        (lambda t: t["ja"].update(body="あ" * 500), "ja: "),
        (lambda t: t.update(fr=t["en"]), "fr: unknown language"),
    ],
)
def test_incomplete_texts_are_named(edit, complaint):
    texts = _render(("order", "flood", 4), False)
    edit(texts)
    found = wording.texts_complete(texts)
    assert len(found) == 1
    assert found[0].startswith(complaint)


def test_level_keys_match_the_files():
    for language in LANGUAGES:
        assert {level_key(level) for level in (3, 4, 5, None)} == set(language_file(language)["orders"])
