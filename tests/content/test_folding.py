"""Words are found however they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﾍﾟｯﾄﾎﾞﾄﾙ", "ぺっとぼとる"),
        ("ＡＢＣ　１２３", "abc123"),
        ("フィルム", "フイルム"),
        ("コンピュータ", "コンピューター"),
        ("空き瓶", "あきビン"),
        ("罐", "缶"),
        ("廣瀬川", "広瀬川"),
        ("渡邊・齋藤", "渡辺 斎藤"),
        ("圖書舘", "図書館"),
        ("神", "\ufa19"),  # a compatibility ideograph
        ("葛\U000e0100飾", "葛飾"),  # with a variation selector
    ],
)
def test_spellings_of_one_word_have_one_key(one, other):
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(("one", "other"), [("断水", "停電"), ("広瀬川", "名取川"), ("かき", "さき")])
def test_other_words_have_other_keys(one, other):
    assert fold(one) != fold(other)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="あいうかがアイカッャー瓶缶國国ｱｶﾞaＡ1 ・-", max_size=12))
def test_a_key_is_its_own_key_and_knows_no_width_and_no_kind_of_kana(text):
    key = fold(text)
    assert fold(key) == key
    assert fold("".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ん" else c for c in text)) == key
