"""From an act, a level, a hazard and an area to texts in every language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from content.texts import EASY, LANGUAGES, Text, Texts
from geo.hazards import Hazard
from notifications.wording.templates import language_file, level_key, levels_for

DRILL_MARK = "【訓練】"  # leads in every language; each adds its own word
ISSUER_MAX = 40
AREA_MAX = 2_000


class Act(StrEnum):
    """What an alert says of itself."""

    ORDER = "order"
    UPDATE = "update"
    CANCEL = "cancel"  # it was issued in error
    ALL_CLEAR = "all_clear"  # 解除: the order is lifted


class WordingError(ValueError):
    """There are no words for this; `field` names what to change."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Values:
    """What the templates need beside level, hazard and area: who speaks, by language, Japanese at least."""

    issuer: Mapping[str, str]

    @staticmethod
    def of(plain: Mapping[str, str | Mapping[str, str]]) -> Values:
        """From plain values: `{"issuer": "仙台市"}`, or with a name for each language."""
        if set(plain) != {"issuer"}:
            raise WordingError("values", f"must name the issuer and nothing else, not {', '.join(sorted(plain))}")
        issuer = plain["issuer"]
        return Values({"ja": issuer} if isinstance(issuer, str) else issuer)


def render(
    *,
    act: Act | str,
    level: int | None,
    hazard: Hazard | str,
    area_names: Mapping[str, str],
    drill: bool,
    values: Values | Mapping[str, str | Mapping[str, str]],
) -> Texts:
    """Title and body in every language of content.texts.LANGUAGES.

    `area_names` and `values.issuer` are by language; a language without a name takes the Japanese one.
    The title carries level, name of the order and the area (cut at a separator when long), the body begins
    with what to do. A drill has 【訓練】 first in every title and says so at both ends of every body.
    Raises WordingError naming the field: unknown act or hazard, a level this hazard does not
    have, no Japanese name, or a name that is not plain text on one line.
    """
    if act not in tuple(Act):
        raise WordingError("act", f"{act!r} is not one of {', '.join(Act)}")
    if hazard not in tuple(Hazard):
        raise WordingError("hazard", f"{hazard!r} is not one of {', '.join(Hazard)}")
    hazard = Hazard(hazard)
    if isinstance(level, bool) or level not in levels_for(hazard):
        possible = ", ".join("null" if each is None else str(each) for each in levels_for(hazard))
        raise WordingError("level", f"an order for {hazard.value} has the level {possible}, not {level!r}")
    values = values if isinstance(values, Values) else Values.of(values)
    _check_names("area_names", area_names, AREA_MAX)
    _check_names("issuer", values.issuer, ISSUER_MAX)
    texts: Texts = {}
    for language in LANGUAGES:
        area, issuer = _name(area_names, language), _name(values.issuer, language)
        texts[language] = _render(language, Act(act), level, hazard, area, issuer, drill)
    return texts


def _render(language: str, act: Act, level: int | None, hazard: Hazard, area: str, issuer: str, drill: bool) -> Text:
    file = language_file(language)
    texts = file["hazards"][hazard.value]
    parts: dict[str, Any] = {"order": file["orders"][level_key(level)], "hazard": texts["name"], "issuer": issuer}
    parts["after"] = texts["after"]
    if level is None:
        parts |= {"action": texts["action"], "situation": texts["situation"], "who": "", "do": texts["do"]}
    else:
        parts |= {"action": file["actions"][str(level)], "situation": texts[f"situation_{level}"]}
        parts |= {"who": file["who"][str(level)], "do": texts["stay" if level == 5 else "leave"]}
    # One pass of format: braces in a name stay what they are.
    title = file["titles"][act].format(**parts, area=shorten(area, file["area_title"], file["area_more"]))
    body = file["bodies"][act].strip().format(**parts, area=shorten(area, file["area_body"], file["area_more"]))
    text: Text = {"title": title, "body": body}
    return as_drill(language, text) if drill else text


def as_drill(language: str, text: Mapping[str, Any]) -> Text:
    """A text with the drill's mark before its title and the drill's sentences around its body; once, however often."""
    words = language_file(language)["drill"]
    title, body = str(text["title"]).strip(), str(text["body"]).strip()
    if not title.startswith(words["mark"]):
        title = words["mark"] + title.removeprefix(DRILL_MARK)
    if not body.startswith(words["lead"]):
        body = f"{words['lead']}\n{body}"
    if not body.endswith(words["tail"]):
        body = f"{body}\n{words['tail']}"
    return {"title": title, "body": body}


def shorten(names: str, limit: int, more: str) -> str:
    """Names in at most `limit` characters, cut between two of them where possible: 「荒井、七郷ほか」."""
    if len(names) <= limit:
        return names
    room = limit - len(more)
    # Never inside a bracket: 「青葉区〔宮城…」 without its 「除く」 would say the opposite.
    cuts = [hit.start() for hit in re.finditer(r"[、，,・;；/／]", names[: room + 1])]
    for cut in reversed(cuts):
        head = names[:cut].rstrip()
        if head and sum(head.count(c) for c in "〔（([「") == sum(head.count(c) for c in "〕）)]」"):
            return head + more
    head = names[: limit - 1]
    if not names[limit - 1].isspace() and " " in head[limit // 2 :]:
        head = head[: head.rindex(" ")]  # not inside a word
    opened = re.search(r"^[^〔（(\[「]+", head)
    balanced = all(head.count(a) == head.count(b) for a, b in ("〔〕", "（）", "()", "[]", "「」"))
    return (head if balanced or opened is None else opened.group()).rstrip() + "…"


def _name(names: Mapping[str, str], language: str) -> str:
    if language == EASY and not names.get(EASY):
        return names["ja"]
    return names.get(language) or names["ja"]


def _check_names(field: str, names: Mapping[str, str], longest: int) -> None:
    if not names.get("ja", "").strip():
        raise WordingError(field, "the Japanese name is missing")
    for language, name in names.items():
        if language not in LANGUAGES:
            raise WordingError(field, f"unknown language {language!r}")
        if len(name) > longest:
            raise WordingError(field, f"{language}: {len(name)} characters, at most {longest}")
        if not name.isprintable() or name != name.strip():
            raise WordingError(field, f"{language}: must be one line without blanks at its ends")
