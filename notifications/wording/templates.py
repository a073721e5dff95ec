"""The template files, read once: one a language, and the rule which hazard has which levels."""

from __future__ import annotations

import string
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from content.texts import LANGUAGES
from geo.hazards import Hazard

ACTS = ("order", "update", "cancel", "all_clear")
STATUSES = ("open", "preparing", "unknown", "not_open", "full", "closed", "unusable")

# What a template may ask for; anything else is a mistake in the file.
_PLACEHOLDERS = {
    "titles": {"order", "area", "hazard"},
    "bodies": {"action", "issuer", "area", "order", "hazard", "situation", "who", "do", "after"},
    "shelters": {"name", "details", "distance", "alternative"},
}


def level_key(level: int | None) -> str:
    """How a level is called in the files: TOML keys are text, and there is no null."""
    return "none" if level is None else str(level)


@cache
def language_file(language: str) -> dict[str, Any]:
    """The parsed template file of a language; raises FileNotFoundError when there is none."""
    return _read(f"{language}.toml")


@cache
def levels_for(hazard: Hazard) -> tuple[int | None, ...]:
    """The levels an evacuation order for this hazard can have; `(None,)` where orders have no level."""
    levels = _read("rules.toml")["levels"][hazard.value]
    return tuple(None if level == "none" else int(level) for level in levels)


def order_name(level: int | None, language: str = "ja") -> str:
    """What an order of this level is officially called: 「警戒レベル4 避難指示」."""
    name: str = language_file(language)["orders"][level_key(level)]
    return name


def hazard_name(hazard: Hazard, language: str = "ja") -> str:
    """What texts call a hazard: 「洪水」."""
    name: str = language_file(language)["hazards"][hazard.value]["name"]
    return name


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def gaps(language: str) -> list[str]:
    """What a language's file lacks or has wrong, as `language: key: what`; empty when it is whole."""
    try:
        file = language_file(language)
    except (FileNotFoundError, tomllib.TOMLDecodeError) as problem:
        return [f"{language}: {problem}"]
    needed = {"drill": ("mark", "lead", "tail"), "orders": (), "actions": (), "who": (), "statuses": STATUSES}
    needed |= {"titles": ACTS, "bodies": ACTS}
    needed["shelters"] = ("heading", "item", "about", "joint", "separator", "end", "unconfirmed", "none", "anything")
    used = {level_key(level) for hazard in Hazard for level in levels_for(hazard)}
    needed["orders"] = tuple(sorted(used))
    needed["actions"] = needed["who"] = tuple(sorted(used - {"none"}))
    found = [
        f"{language}: {table}.{key}: missing"
        for table, keys in needed.items()
        for key in keys
        if not isinstance(file.get(table, {}).get(key), str) or not file[table][key]
    ]
    for hazard in Hazard:
        texts = file.get("hazards", {}).get(hazard.value, {})
        keys = ["name", "after", "alternative"]
        for level in levels_for(hazard):
            keys += ["action", "situation", "do"] if level is None else [f"situation_{level}", "leave", "stay"]
        found += [f"{language}: hazards.{hazard}.{key}: missing" for key in dict.fromkeys(keys) if not texts.get(key)]
    if not isinstance(file.get("shelters", {}).get("gap"), str):
        found.append(f"{language}: shelters.gap: missing")
    found += [f"{language}: {key}: not a number" for key in ("area_title", "area_body") if not _is_count(file.get(key))]
    return found + _wrong_placeholders(language, file)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _wrong_placeholders(language: str, file: dict[str, Any]) -> list[str]:
    found = []
    for table, allowed in _PLACEHOLDERS.items():
        for key, template in file.get(table, {}).items():
            asked = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
            found += [f"{language}: {table}.{key}: unknown {{{name}}}" for name in sorted(asked - allowed)]
    return found


def every_case() -> list[tuple[str, Hazard, int | None]]:
    """Every act, hazard and level for which there are words."""
    return [(act, hazard, level) for act in ACTS for hazard in Hazard for level in levels_for(hazard)]


__all__ = ["ACTS", "LANGUAGES", "STATUSES", "every_case", "gaps", "language_file", "level_key", "levels_for"]
