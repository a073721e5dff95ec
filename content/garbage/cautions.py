"""Dangers of an item: lithium batteries, gas, sharp edges; known by its words, told in five languages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from content.folding import fold
from content.texts import chain

_TEXT_OF = ("ja", "ja-x-easy", "en", "zh-Hans", "ko")


@cache
def _known() -> dict[str, tuple[tuple[str, ...], Mapping[str, str]]]:
    raw = tomllib.loads((files("content.garbage") / "cautions.toml").read_text(encoding="utf-8"))
    return {
        code: (tuple(fold(word) for word in one["words"]), {tag: one[tag] for tag in _TEXT_OF})
        for code, one in raw.items()
    }


def codes() -> tuple[str, ...]:
    """The cautions there are, the gravest first."""
    return tuple(_known())


def of_words(words: Iterable[str]) -> list[str]:
    """The cautions of an item by its names: a word counts wherever it stands in one of them."""
    keys = [fold(word) for word in words]
    return [code for code, (marks, _) in _known().items() if any(mark in key for mark in marks for key in keys)]


def text(code: str, wanted: Iterable[str]) -> tuple[str, str]:
    """(language, text) of a caution for a reader. Raises KeyError for an unknown code."""
    texts = _known()[code][1]
    language = next((tag for tag in chain(tuple(wanted)) if tag in texts), "ja")
    return language, texts[language]
