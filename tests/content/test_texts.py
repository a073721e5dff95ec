"""Texts in several languages: cleaning, gaps, the fallback chain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content import texts
from content.texts import LANGUAGES, TextsError


def _texts(*languages: str) -> texts.Texts:
    return {language: {"title": f"title {language}", "body": f"body {language}"} for language in languages}


@pytest.mark.parametrize(
    ("wanted", "given_in"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA_jp", "ja"),
        ("ja-x-easy", "ja-x-easy"),
        ("JA-X-EASY", "ja-x-easy"),
        ("en-GB", "en"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-Hans-CN", "zh-Hans"),
        ("zh-TW", "zh-Hans"),
        ("ko-KR", "ko"),
        ("vi-VN", "ja-x-easy"),
        ("", "ja"),
        ([], "ja"),
        (["vi", "en-US"], "en"),
        (["fr", "ko", "en"], "ko"),
        (["ja", "en"], "ja"),
    ],
)
def test_a_reader_gets_the_nearest_language_and_is_told_which(wanted, given_in):
    assert texts.choose(_texts(*LANGUAGES), wanted) == (given_in, _texts(given_in)[given_in])


@pytest.mark.parametrize(
    ("there", "wanted", "given_in"),
    [
        (("ja",), "ja-x-easy", "ja"),
        (("ja",), "en", "ja"),
        (("ja", "ja-x-easy"), "ko", "ja-x-easy"),
        (("ja-x-easy", "en"), "ja", "ja-x-easy"),
        (("en",), "ja", "en"),
        (("ja", "en"), "ja-x-easy", "ja"),
    ],
)
def test_a_missing_language_falls_back_without_mixing(there, wanted, given_in):
    assert texts.choose(_texts(*there), wanted)[0] == given_in


def test_a_half_translated_text_is_not_shown():
    half = _texts("ja", "en")
    half["en"]["body"] = " "
    assert texts.choose(half, "en") == ("ja", half["ja"])


def test_no_text_at_all_is_an_error():
    with pytest.raises(TextsError, match="no text"):
        texts.choose({}, "ja")


@given(st.lists(st.sampled_from(LANGUAGES), min_size=1, unique=True), st.lists(st.text(max_size=12), max_size=3))
def test_every_wish_is_answered_with_a_whole_text(there, wanted):
    language, text = texts.choose(_texts(*there), wanted)
    assert text == _texts(language)[language]


def test_missing_names_the_languages_in_the_order_asked():
    half = _texts("ja", "ko")
    half["ko"]["title"] = ""
    assert texts.missing(half, ("ko", "ja", "en")) == ["ko", "en"]
    assert texts.missing(_texts(*LANGUAGES)) == []


def test_cleaning_normalises_and_orders():
    raw = {"en": {"title": " Hi ", "body": "a\r\nb\rc "}, "ja": {"title": "か\u3099け", "body": "x"}}
    clean = texts.clean(raw)
    assert list(clean) == ["ja", "en"]
    assert clean["ja"]["title"] == "がけ"
    assert clean["en"] == {"title": "Hi", "body": "a\nb\nc"}
    assert texts.clean(clean) == clean


def test_emoji_with_joiners_stay():
    assert texts.clean({"ja": {"title": "👨‍👩‍👧", "body": "x"}})["ja"]["title"] == "👨‍👩‍👧"


@pytest.mark.parametrize(
    ("raw", "language", "field", "reason"),
    [
        ({"fr": {"title": "a", "body": "b"}}, "fr", None, "unknown language"),
        ({"ja": {"title": "a"}}, "ja", "body", "must be text"),
        ({"ja": {"title": 1, "body": "b"}}, "ja", "title", "must be text"),
        ({"ja": {"title": "a", "body": "b", "sms": "c"}}, "ja", "sms", "unknown field"),
        ({"ja": {"title": "a" * 201, "body": "b"}}, "ja", "title", "201 characters, at most 200"),
        ({"ja": {"title": "a", "body": "b" * 4_001}}, "ja", "body", "at most 4000"),
        ({"ja": {"title": "a\nb", "body": "b"}}, "ja", "title", "unprintable character U+000A"),
        ({"ja": {"title": "a", "body": "b\x00"}}, "ja", "body", "U+0000"),
        ({"ja": {"title": "a", "body": "\u202eb"}}, "ja", "body", "U+202E"),
        ({"ja": {"title": "a", "body": "\ud800"}}, "ja", "body", "U+D800"),
    ],
)
def test_what_cannot_be_stored_is_refused_naming_language_and_field(raw, language, field, reason):
    with pytest.raises(TextsError) as refused:
        texts.clean(raw)
    assert (refused.value.language, refused.value.field) == (language, field)
    assert reason in str(refused.value)


def test_a_required_language_left_out_is_named():
    with pytest.raises(TextsError, match=r"^ja: title and body are required$"):
        texts.clean(_texts("en"), required=("ja",))


def test_every_language_has_its_own_name():
    assert set(texts.ENDONYMS) == set(LANGUAGES)
