"""Kinds of garbage: names, bag, limits, how to put them out and until when, in every language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from backend import clock
from backend.console import door, edited, garbage_words, history
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.garbage_rows import filled, texts
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content.garbage import categories
from content.garbage.categories import TEXTS, GarbageCategory
from content.opendata import garbage_edit
from content.opendata.garbage_edit import Body
from content.opendata.garbage_harvest import label
from content.texts import ENDONYMS, LANGUAGES
from geo.opendata.faults import EditRefused

KIND = "garbage_category"
PARTS = {
    "names": mark("名前"),
    "bag": mark("袋・容器"),
    "limits": mark("大きさ・量の制限"),
    "how": mark("出し方"),
    "note": mark("注記"),
}
# Fields by their names in the store, for the history.
LABELS = {
    **PARTS,
    "cutoff": mark("何時までに出すか"),
    "colour": mark("色"),
    "link": mark("申込みなどのページ"),
    "key": mark("内部の名前"),
}
NO_COLOUR = "#767c88"  # a field of colours is never empty


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    texts: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in PARTS})
    cutoff: str = ""
    colour: str = ""
    link: str = ""
    seen: str = ""

    @classmethod
    def of(cls, body: Body, seen: str) -> Typed:
        """The form of a stored kind."""
        said = {name: dict(body.get(name, {})) for name in PARTS}
        plain = {name: body.get(name, "") for name in ("cutoff", "colour", "link")}
        return cls(said, seen=seen, **plain)

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> Typed:
        """What was typed, right or wrong."""
        plain = {name: form.get(name, "").strip() for name in ("cutoff", "colour", "link")}
        if plain["colour"].lower() == NO_COLOUR:
            plain["colour"] = ""
        return cls({name: texts(form, name) for name in PARTS}, seen=form.get("seen", ""), **plain)

    def body(self, key: str) -> tuple[Body, Wrong]:
        """The whole state that was typed, and what is wrong with it."""
        wrong: Wrong = []
        if not self.texts["names"].get("ja"):
            wrong.append(("names.ja", say("名前"), say("日本語の名前を書いてください。")))
        if self.cutoff and not re.fullmatch("([01]?[0-9]|2[0-3]):[0-5][0-9]", self.cutoff):
            wrong.append(("cutoff", say("何時までに出すか"), say("08:30 のように書いてください。")))
        if self.link and not self.link.startswith("https://"):
            wrong.append(("link", say("申込みなどのページ"), say("https:// で始まるアドレスを書いてください。")))
        if self.colour and not re.fullmatch("#[0-9a-fA-F]{6}", self.colour):
            wrong.append(("colour", say("色"), say("#2f7d32 のように書いてください。")))
        plain = {"cutoff": self.cutoff.rjust(5, "0") if self.cutoff else "", "colour": self.colour, "link": self.link}
        return filled({"key": key or label(self.texts["names"].get("ja", "")), **self.texts, **plain}), wrong


@page("/garbage/categories", "read", name="garbage_kinds")
def kinds() -> ResponseReturnValue:
    """All kinds in their order, with the languages that are missing."""
    found = categories.listed(session())
    missing = {one.id: [tag for tag in LANGUAGES if not one.names.get(tag)] for one in found}
    return _show("garbage_kinds.html", found=found, missing=missing, TEXTS=TEXTS)


@page("/garbage/categories/<int:category_id>/edit", "edit", name="garbage_kind_edit")
def edit_kind(category_id: int) -> ResponseReturnValue:
    """The form of a kind."""
    found = _one(category_id)
    body = garbage_edit.category_body(session(), found)
    return _form(found, Typed.of(body, edited.mark_of(body)))


@page("/garbage/categories/<int:category_id>/edit", "edit", post=True, name="garbage_kind_save", keeps=True)
def save_kind(category_id: int) -> ResponseReturnValue:
    """Keeps a kind."""
    edited.turn()
    found = _one(category_id)
    before, typed = garbage_edit.category_body(session(), found), Typed.read(request.form)
    body, wrong = typed.body(found.key)
    if wrong:
        return _form(found, typed, wrong=wrong, status=422)
    if other := edited.stale(KIND, str(found.id), typed, before, LABELS):
        return _form(found, typed, **other)
    garbage_edit.save_category(session(), found.source, body, clock.now())
    after = garbage_edit.category_body(session(), found)
    edited.keep(KIND, str(found.id), found.names["ja"], before, after)
    door.tell(say("保存しました。"))
    return redirect(url_for("console.garbage_kinds"), 303)


@page("/garbage/sources/<source>/categories/new", "edit", name="garbage_kind_new")
def new_kind(source: str) -> ResponseReturnValue:
    """An empty form."""
    _known(source)
    return _form(None, Typed(), source=source)


@page("/garbage/sources/<source>/categories/new", "edit", post=True, name="garbage_kind_create", keeps=True)
def create_kind(source: str) -> ResponseReturnValue:
    """Adds a kind."""
    edited.turn()
    _known(source)
    typed = Typed.read(request.form)
    body, wrong = typed.body("")
    known = categories.listed(session(), source)
    if not wrong and any(body["key"] == one.key or body["names"]["ja"] == one.names.get("ja") for one in known):
        wrong = [("names.ja", say("名前"), say("同じ名前の区分がもうあります。"))]
    try:
        if not wrong:
            garbage_edit.save_category(session(), source, body, clock.now())
    except EditRefused as error:
        wrong = [("", "", reason) for _, reason in error.errors]
    if wrong:
        return _form(None, typed, wrong=wrong, source=source, status=422)
    made = next(one for one in categories.listed(session(), source) if one.key == body["key"])
    edited.keep(KIND, str(made.id), made.names["ja"], None, garbage_edit.category_body(session(), made))
    door.tell(say("保存しました。"))
    return redirect(url_for("console.garbage_kinds"), 303)


@page("/garbage/categories/<int:category_id>/history", "read", name="garbage_kind_history")
def kind_history(category_id: int) -> ResponseReturnValue:
    """Who changed a kind, and how."""
    found = _one(category_id)
    restore = edited.way_back("garbage_kind_restore", category_id=found.id)
    back = url_for("console.garbage_kinds")
    title = garbage_words.category_name(found)
    return history.history_page(KIND, str(found.id), title, back, restore, labels=LABELS, section="console.garbage")


@page("/garbage/categories/<int:category_id>/restore/<int:number>", "edit", post=True, name="garbage_kind_restore")
def restore_kind(category_id: int, number: int) -> ResponseReturnValue:
    """Brings back an old state."""
    edited.turn()
    found = _one(category_id)
    edited.bring_back(
        KIND, str(found.id), number, found.names["ja"], lambda: garbage_edit.category_body(session(), found),
        lambda old: garbage_edit.save_category(session(), found.source, {**old, "key": found.key}, clock.now()),
    )  # fmt: skip
    return redirect(url_for("console.garbage_kind_history", category_id=found.id), 303)


def _form(found: GarbageCategory | None, typed: Typed, *, status: int = 200, **more: Any) -> ResponseReturnValue:
    return _show("garbage_kind.html", status, found=found, typed=typed, PARTS=PARTS, **more)


def _show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    words = {"say": garbage_words, "endonyms": ENDONYMS, "languages": LANGUAGES, "section": "console.garbage"}
    return render_template(f"console/{template}", **words, **values), status


def _one(category_id: int) -> GarbageCategory:
    found = categories.by_id(session(), [category_id]).get(category_id) if category_id < 2**63 else None
    if found is None or found.withdrawn_at is not None:
        raise of_status(404)
    return found


def _known(source: str) -> None:
    if not categories.listed(session(), source):
        raise of_status(404)
