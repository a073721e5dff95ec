"""Words as people type them, made alike: width, kana, long vowels, small letters, old and everyday kanji."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

import jaconv

# ASCII, full-width and look-alike marks that stand for a long vowel or nothing at all.
_DROPPED = re.compile(r"[\s\W_ー]+")
_KANA = str.maketrans("ぁぃぅぇぉっゃゅょゎヵヶぢづを", "あいうえおつやゆよわかけじずお")
_VU = (("ゔぁ", "ば"), ("ゔぃ", "び"), ("ゔぇ", "べ"), ("ゔぉ", "ぼ"), ("ゔ", "ぶ"))
_ROWS = {
    "あ": "あかがさざただなはばぱまやらわ",
    "う": "うくぐすずつぬふぶぷむゆる",
    "え": "えけげせぜてでねへべぺめれ",
    "お": "おこごそぞとどのほぼぽもよろ",
}
# The vowel written out after a sound of the row: 「おう」「こお」「れい」 are long vowels as 「ー」 is.
_VOWELS = {"あ": "あ", "う": "う", "え": "いえ", "お": "うお"}
_LONG = re.compile("|".join(f"(?<=[{_ROWS[row]}])[{vowels}]" for row, vowels in _VOWELS.items()))


@cache
def _kanji() -> tuple[dict[int, str], re.Pattern[str], dict[str, str]]:
    """Old letters and their everyday forms; everyday words of rubbish and how they are read."""
    known = tomllib.loads((files("content") / "kanji.toml").read_text(encoding="utf-8"))
    everyday = {ord(old): new for new, olds in known["letters"].items() for old in olds}
    words = {word.translate(everyday): reading for word, reading in known["readings"].items()}
    longest = sorted(words, key=len, reverse=True)
    return everyday, re.compile("|".join(map(re.escape, longest))), words


def fold(text: str) -> str:
    """The key under which a word is found. Two spellings of one thing have the same key; nothing is displayed by it.

    「ペットボトル」「ﾍﾟｯﾄﾎﾞﾄﾙ」「ぺっとぼとる」, 「フィルム」「フイルム」, 「コンピュータ」「コンピューター」,
    「空き瓶」「空きびん」「あきビン」, 「廣瀬川」「広瀬川」.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    everyday, pattern, words = _kanji()
    plain = pattern.sub(lambda found: words[found[0]], plain.translate(everyday))
    plain = str(jaconv.kata2hira(plain))
    for sound, near in _VU:
        plain = plain.replace(sound, near)
    plain = _DROPPED.sub("", plain.translate(_KANA))
    return _LONG.sub("", plain)
