"""The page of a subject's history: who changed what and when, line by line, and the way back to an earlier state."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for

from backend.console.language import day, mark, moment, say
from backend.transaction import session
from content import revisions
from content.revisions import ABSENT, Change, Revision
from content.texts import ENDONYMS

PAGE = 20
SHOWN_AT_ONCE = 12
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Words = Callable[[str, Any], str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what changed; `sign` is "+", "-" or " " for a line that stayed."""

    sign: str
    text: object  # words, or markup of a moment


@dataclass(frozen=True, slots=True)
class Said:
    """One change in words."""

    label: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Step:
    """One saved state and how it differs from the one before it."""

    revision: Revision
    said: list[Said]
    first: bool  # nothing is known of what was before


def history_page(
    kind: str,
    subject: str,
    title: str,
    back_url: str,
    restore_url_of_number: Callable[[int], str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    words: Words | None = None,
    section: str = "",
) -> str:
    """The page of one subject's history, newest first, twenty states at a time (`?before=`).

    `labels` names fields for people by their path without numbers ("rules[].weekday"), in Japanese that is marked
    for the catalogue (`language.mark`); languages of texts have their names by themselves. `words(path, value)`
    gives words for a value (a weekday, a state), or None for the plain value. `restore_url_of_number` is where
    the form of an earlier state is posted to, with the number that the reader saw as the newest in `seen`: the owner
    saves the old body by its own function, so that every check holds. `section` is the endpoint of the navigation's
    item that the page belongs to.
    """
    before = request.args.get("before", "")
    start = int(before) if before.isascii() and before.isdecimal() and len(before) < 10 else None
    found = revisions.history(session(), kind, subject, PAGE + 1, before=start)
    pairs = [(one, found[place + 1] if place + 1 < len(found) else None) for place, one in enumerate(found)]
    steps = [
        Step(one, list(in_words(revisions.changes(last.body if last else None, one.body), labels, words)), last is None)
        for one, last in pairs[:PAGE]
    ]
    newest = found[0].number if found and start is None else None
    if newest is None:
        latest = revisions.history(session(), kind, subject, 1)
        newest = latest[0].number if latest else 0
    older = None
    if len(found) > PAGE and request.endpoint is not None:
        older = url_for(request.endpoint, **{**(request.view_args or {}), "before": found[PAGE - 1].number})
    return render_template(
        "console/history.html", title=title, back_url=back_url, steps=steps, newest=newest, older=older,
        restore=restore_url_of_number, at_once=SHOWN_AT_ONCE, section=section or None,
    )  # fmt: skip


def in_words(
    found: list[Change], labels: Mapping[str, str] | None = None, words: Words | None = None
) -> Iterator[Said]:
    """Changes in the reader's words: what was added or taken away as a whole field by field, long text line by line."""
    for change in found:
        for leaf in _leaves(change):
            pattern = pattern_of(leaf.path)
            values = [_shown(value, pattern, words) for value in (leaf.before, leaf.after)]
            yield Said(label_of(leaf.path, labels or {}), list(_lines(*values)))


def label_of(path: str, labels: Mapping[str, str]) -> str:
    """A field's name for people: 「収集の決まり（3番目） › 曜日」 for `rules[2].weekday`."""
    names: list[str] = []
    pattern = ""
    for part in revisions.parts(path):
        if isinstance(part, int):
            pattern += "[]"
            order = say("（%(number)s番目）", number=part + 1)
            names[-1:] = [(names[-1] if names else "") + order]
            continue
        pattern = f"{pattern}.{part}" if pattern else part
        names.append(say(labels[pattern]) if pattern in labels else ENDONYMS.get(part) or say(_COMMON.get(part, part)))
    return " › ".join(name for name in names if name)


def pattern_of(path: str) -> str:
    """A path without its numbers: `rules[].weekday` for `rules[2].weekday`."""
    pattern = ""
    for part in revisions.parts(path):
        pattern += "[]" if isinstance(part, int) else f".{part}" if pattern else part
    return pattern


# Names that many things share.
_COMMON = {
    "title": mark("題"), "body": mark("本文"), "name": mark("名前"), "texts": "", "note": mark("備考"),
}  # fmt: skip


def _leaves(change: Change) -> Iterator[Change]:
    """What was added or taken away with all that is in it, field by field; lists of plain values stay whole."""
    whole = change.after if change.before is ABSENT else change.before
    if (change.before is ABSENT or change.after is ABSENT) and _nested(whole):
        inner = {"": whole}
        old, new = ({}, inner) if change.before is ABSENT else (inner, {})
        items = whole.items() if isinstance(whole, dict) else enumerate(whole)
        for key, value in items:
            below = f"[{key}]" if isinstance(key, int) else _key(change.path, key)
            yield from _leaves(Change(change.path + below, ABSENT if not old else value, ABSENT if not new else value))
    else:
        yield change


def _key(path: str, key: str) -> str:
    below = revisions.changes({}, {key: 0})[0].path
    return below if below.startswith("[") or not path else f".{below}"


def _nested(value: Any) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return bool(inner) and (isinstance(value, dict) or any(isinstance(one, (dict, list)) for one in inner))


def _shown(value: Any, pattern: str, words: Words | None) -> object:
    """A value for people; "" where there is none."""
    if value is ABSENT or value is None or value in ("", [], {}):
        return ""
    said = words(pattern, value) if words is not None else None
    if said is not None:
        return said
    match value:
        case bool():
            return say("はい") if value else say("いいえ")
        case list():
            return "、".join(str(_shown(one, f"{pattern}[]", words)) for one in value)
        case str() if _MOMENT.fullmatch(value):
            return moment(dt.datetime.fromisoformat(value))
        case str() if _DAY.fullmatch(value):
            return day(dt.date.fromisoformat(value))
    return str(value)


def _lines(before: object, after: object) -> Iterator[Line]:
    """The old and the new value; of texts with several lines only those that changed and their neighbours."""
    if not (isinstance(before, str) and isinstance(after, str) and "\n" in before + after):
        yield from (Line(sign, said) for sign, said in (("-", before), ("+", after)) if said != "")
        if before == after == "":
            yield Line(" ", say("（空）"))
        return
    for at, line in enumerate(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=1)):
        if at < 2:
            continue  # the names of two files
        yield Line(" ", "…") if line.startswith("@@") else Line(line[0], line[1:])
