"""Whether the templates are whole, and whether an alert's texts may be submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from content.texts import LANGUAGES, missing
from geo.hazards import Hazard
from notifications.wording.rendering import Act, Values, render
from notifications.wording.templates import every_case, gaps, language_file, level_key

# Title and body of one language together, UTF-8: leaves room for shelters, area and links in a push of 4,096 bytes.
TEXT_BYTES_MAX = 1_400
_DRILL_WORDS = ("訓練", "くんれん", "Drill", "drill", "演习", "훈련")


def templates_missing() -> list[str]:
    """What keeps the template files from rendering every act, hazard and level in every language; must be empty."""
    found = [gap for language in LANGUAGES for gap in gaps(language)]
    if not found:
        for act, hazard, level in every_case():
            names = {"ja": "区域"}
            texts = render(act=act, level=level, hazard=hazard, area_names=names, drill=True, values=Values(names))
            found += [f"{act}/{hazard}/{level}: {problem}" for problem in texts_complete(texts)]
    return found


def texts_complete(texts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What an alert's texts lack, each naming its language; empty when they may be submitted.

    Every language has a title and a body, nothing is unreplaced, and each fits a push. Dates, placeholders of
    people and abolished words are the proofreader's (content.texts.lint).
    """
    found = [f"{language}: title and body are required" for language in missing(texts, LANGUAGES)]
    found += [f"{language}: unknown language" for language in texts if language not in LANGUAGES]
    for language, text in texts.items():
        for field in ("title", "body"):
            if "{" in str(text.get(field, "")) or "}" in str(text.get(field, "")):
                found.append(f"{language}: {field} holds an unreplaced placeholder")
        size = len(f"{text.get('title', '')}{text.get('body', '')}".encode())
        if size > TEXT_BYTES_MAX:
            found.append(f"{language}: {size} bytes of text, at most {TEXT_BYTES_MAX}")
    return found


def texts_agree(
    texts: Mapping[str, Mapping[str, Any]], *, act: Act | str, level: int | None, hazard: Hazard | str, drill: bool
) -> list[str]:
    """Where edited texts no longer say what the alert is; empty when they agree.

    Every title names the order and its level as officially worded; a drill begins with its mark and says
    in the body that it is one; what is no drill mentions none; an order says the level's action; a cancel or an
    all-clear is recognisable as such.
    """
    found = []
    for language in (language for language in LANGUAGES if language in texts):
        file, title, body = language_file(language), str(texts[language]["title"]), str(texts[language]["body"])
        order = file["orders"][level_key(level)]
        if order not in title:
            found.append(f"{language}: the title does not name 「{order}」")
        other = [name for key, name in file["orders"].items() if key not in ("none", level_key(level))]
        found += [f"{language}: names another level: 「{name}」" for name in other if name in title + body]
        marked = title.startswith(file["drill"]["mark"]) and file["drill"]["lead"] in body
        if drill and not marked:
            found.append(f"{language}: a drill begins with {file['drill']['mark']} and says in the body that it is one")
        if not drill and any(word in title + body for word in _DRILL_WORDS):
            found.append(f"{language}: speaks of a drill, and this is none")
        if act in (Act.ORDER, Act.UPDATE):
            action = file["actions"][str(level)] if level else file["hazards"][Hazard(hazard).value]["action"]
            if action not in body:
                found.append(f"{language}: the body does not say 「{action}」")
        else:
            sign = file["titles"][act].split("{")[0]
            if sign not in title:
                found.append(f"{language}: the title does not begin with {sign.strip()}")
    return found
