"""One message in several languages: the fallback chain, what is missing, what was mistyped."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from content.proofreading import Finding as Finding
from content.proofreading import lint as lint

LANGUAGES = ("ja", "ja-x-easy", "en", "zh-Hans", "ko")
EASY = "ja-x-easy"

# How each language calls itself, for lists to choose from and for "this is given in …".
ENDONYMS = {"ja": "日本語", EASY: "やさしい日本語", "en": "English", "zh-Hans": "简体中文", "ko": "한국어"}

# Ceilings of what is stored at all; the proofreading warns long before.
TITLE_MAX = 200
BODY_MAX = 4_000


class Text(TypedDict):
    """A title for a lock screen and a body, in one language."""

    title: str
    body: str


Texts = dict[str, Text]


class TextsError(ValueError):
    """Texts that cannot be stored; `language` and `field` say where, `reason` why."""

    def __init__(self, message: str, language: str | None = None, field: str | None = None) -> None:
        where = "".join(f"{part}: " for part in (language, field) if part)
        super().__init__(where + message)
        self.reason = message
        self.language = language
        self.field = field


def clean(raw: Mapping[str, Mapping[str, Any]], required: Iterable[str] = ()) -> Texts:
    """Texts as they are stored: NFC, line feeds, no blanks at the ends, no control characters.

    Raises TextsError naming the language and field for an unknown language, a missing
    or unknown field, a text that is too long or unprintable, or a required language left out.
    """
    texts: Texts = {}
    for language, text in raw.items():
        if language not in LANGUAGES:
            raise TextsError(f"unknown language; one of {', '.join(LANGUAGES)}", language)
        surplus = set(text) - {"title", "body"}
        if surplus:
            raise TextsError("unknown field", language, min(surplus))
        texts[language] = {
            "title": _clean(text.get("title"), language, "title", TITLE_MAX),
            "body": _clean(text.get("body"), language, "body", BODY_MAX),
        }
    for language in missing(texts, required):
        raise TextsError("title and body are required", language)
    return {language: texts[language] for language in LANGUAGES if language in texts}


def _clean(value: Any, language: str, field: str, longest: int) -> str:
    if not isinstance(value, str):
        raise TextsError("must be text", language, field)
    tidy: str = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(tidy) > longest:
        raise TextsError(f"{len(tidy)} characters, at most {longest}", language, field)
    allowed = "\n\t" if field == "body" else ""
    for character in tidy:
        # Format characters stay (a joiner inside an emoji); overriding the writing direction does not.
        if character not in allowed and (
            unicodedata.category(character) in {"Cc", "Cs", "Co"} or character in "\u202a\u202b\u202d\u202e"
        ):
            raise TextsError(f"holds the unprintable character U+{ord(character):04X}", language, field)
    return tidy


def missing(texts: Mapping[str, Mapping[str, Any]], required: Iterable[str] = LANGUAGES) -> list[str]:
    """The required languages whose title or body is absent or blank, in the order asked."""

    def whole(language: str) -> bool:
        text = texts.get(language, {})
        return all(str(text.get(field, "")).strip() for field in ("title", "body"))

    return [language for language in required if not whole(language)]


def canonical_language(tag: str) -> str:
    """A language tag as we file texts under it: `zh-CN` is `zh-Hans`, `en_GB` is `en`, `ja-JP` is `ja`.

    Tags of languages we do not write come back in their base form (`vi-VN` as `vi`).
    """
    parts = tag.strip().replace("_", "-").lower().split("-")
    if parts[0] == "ja":
        return EASY if parts[1:3] == ["x", "easy"] or "easy" in parts[2:] else "ja"
    if parts[0] == "zh":
        # Traditional readers have their own tag, so that nobody is told that he gets what he asked for.
        return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(parts[1:]) else "zh-Hans"
    return parts[0]


def chain(wanted: str | Sequence[str]) -> tuple[str, ...]:
    """The languages to try for a reader, best first.

    Every wish in its order, then its nearest relative that we may have; whoever wished for another
    language than Japanese gets easy Japanese before Japanese (facts §7.14).
    """
    wishes = [canonical_language(tag) for tag in ([wanted] if isinstance(wanted, str) else wanted) if tag.strip()]
    order: list[str] = []
    for wish in wishes:
        order.append(wish)
        if wish == "zh-Hant":
            order.append("zh-Hans")
    if not wishes or wishes[0] == "ja":
        order += ["ja", EASY]
    else:
        order += [EASY, "ja"]
    return tuple(dict.fromkeys(order))


def choose(texts: Mapping[str, Text], wanted: str | Sequence[str]) -> tuple[str, Text]:
    """The best text for a reader and the language it really is in; title and body are never mixed.

    `wanted`: a language tag, or several with the dearest first. Raises TextsError when there is no text at all.
    """
    gaps = set(missing(texts, texts))
    for language in (*chain(wanted), *LANGUAGES):
        if language in texts and language not in gaps:
            return language, texts[language]
    raise TextsError("there is no text in any language")
