"""The sorting dictionary: found as residents find it, tried as they would, edited and added to."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import jaconv
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from backend import clock
from backend.console import door, edited, garbage_words, history
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.garbage_rows import filled, texts
from backend.console.language import current, mark, say
from backend.errors import of_status
from backend.transaction import session
from content.garbage import categories, cautions, dictionary
from content.garbage.dictionary import GarbageItem
from content.opendata import garbage_edit
from content.opendata.garbage_edit import Body
from content.opendata.garbage_harvest import label
from content.texts import ENDONYMS, LANGUAGES
from geo.opendata.faults import EditRefused

KIND = "garbage_item"
PAGE, TRIED = 50, 10
PARTS = {"names": mark("名前"), "size_rule": mark("大きさで変わるとき"), "notes": mark("出し方・注記")}
# Fields by their names in the store, for the history.
LABELS = {
    **PARTS,
    "reading": mark("読み"),
    "aliases": mark("ほかの呼び方"),
    "category": mark("区分"),
    "cautions": mark("注意"),
    "link": mark("くわしいページ"),
    "withdrawn": mark("辞典から外した"),
    "sort_key": mark("並び順"),
    "key": mark("内部の名前"),
}
LIKELY = mark("言葉からは「%(name)s」の注意が要りそうです。付けなくてよいか確かめてください。")
OUT: Body = {"withdrawn": True}
FITS = (mark("ぴったり"), mark("言葉の初め"), mark("読みの初め"), mark("途中の言葉"))


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    texts: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in PARTS})
    reading: str = ""
    aliases: str = ""
    category: str = ""
    cautions: list[str] = field(default_factory=list)
    link: str = ""
    seen: str = ""

    @classmethod
    def of(cls, body: Body, seen: str) -> Typed:
        """The form of a stored item."""
        plain = {name: body.get(name, "") for name in ("reading", "category", "link")}
        said = {name: dict(body.get(name, {})) for name in PARTS}
        lines = "\n".join(body.get("aliases", []))
        return cls(said, aliases=lines, cautions=list(body.get("cautions", [])), seen=seen, **plain)

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> Typed:
        """What was typed, right or wrong."""
        plain = {name: form.get(name, "").strip() for name in ("aliases", "category", "link")}
        reading = jaconv.kata2hira(unicodedata.normalize("NFKC", form.get("reading", "").strip()))
        said = {name: texts(form, name) for name in PARTS}
        marked = [one for one in cautions.codes() if one in form.getlist("caution")]
        return cls(said, reading=reading, cautions=marked, seen=form.get("seen", ""), **plain)

    def body(self, before: Body) -> tuple[Body, Wrong]:
        """The whole state that was typed, and what is wrong with it."""
        wrong: Wrong = []
        if not self.texts["names"].get("ja"):
            wrong.append(("names.ja", say("名前"), say("日本語の名前を書いてください。")))
        if self.link and not self.link.startswith(("https://", "http://")):
            wrong.append(("link", say("くわしいページ"), say("https:// で始まるアドレスを書いてください。")))
        lines = [line.strip() for line in self.aliases.splitlines()]
        found = {"reading": self.reading, "aliases": list(dict.fromkeys(filter(None, lines))), "link": self.link}
        key = before.get("key") or f"{label(self.texts['names'].get('ja', ''))}|{self.category}"
        body = filled({"key": key, **self.texts, **found, "category": self.category})
        if all(body.get(name) == before.get(name) for name in ("reading", "names")) and "sort_key" in before:
            body["sort_key"] = before["sort_key"]  # its place in a printed list; another name has another place
        return {**body, "cautions": self.cautions}, wrong

    @property
    def likely(self) -> list[str]:
        """Dangers that the words speak of and that are not ticked."""
        words = [*self.texts["names"].values(), *self.aliases.splitlines()]
        return [code for code in cautions.of_words(words) if code not in self.cautions]


@page("/garbage/items", "read", name="garbage_items")
def items() -> ResponseReturnValue:
    """The dictionary, found by the residents' own search; and what they would be told."""
    q, tried = request.args.get("q", "")[:100], request.args.get("try", "")[:100]
    language = request.args.get("language", "")
    category = request.args.get("category", "")
    category_id = int(category) if category.isdecimal() and len(category) < 18 else None
    wanted: dict[str, Any] = {"category_id": category_id, "after": _after(request.args.get("after", ""))}
    found = dictionary.search(session(), q if q.strip() else None, limit=PAGE + 1, **wanted)
    hits = dictionary.search(session(), tried, limit=TRIED) if tried.strip() else []
    answers = [(hit, _answer(hit.item, language if language in LANGUAGES else current())) for hit in hits]
    place = found[PAGE - 1].place if len(found) > PAGE else None
    return _show(
        "garbage_items.html", found=found[:PAGE], q=q, category=category, tried=tried, answers=answers, FITS=FITS,
        language=language, onward="|".join(map(str, place)) if place else "", searched=bool(q.strip()),
        sources=sorted({one.source for one in categories.listed(session())}),
    )  # fmt: skip


@page("/garbage/items/<int:item_id>/edit", "edit", name="garbage_item_edit")
def edit_item(item_id: int) -> ResponseReturnValue:
    """The form of an item."""
    item = _one(item_id)
    body = garbage_edit.item_body(session(), item)
    return _form(item, item.source, Typed.of(body, edited.mark_of(body)))


@page("/garbage/items/<int:item_id>/edit", "edit", post=True, name="garbage_item_save", keeps=True)
def save_item(item_id: int) -> ResponseReturnValue:
    """Keeps an item."""
    edited.turn()
    item = _one(item_id)
    before, typed = garbage_edit.item_body(session(), item), Typed.read(request.form)
    if other := edited.stale(KIND, str(item.id), typed, before, LABELS):
        return _form(item, item.source, typed, **other)
    return _kept(item, item.source, typed, before)


@page("/garbage/sources/<source>/items/new", "edit", name="garbage_item_new")
def new_item(source: str) -> ResponseReturnValue:
    """An empty form, or one with the words that were searched for in vain."""
    _known(source)
    typed = Typed()
    typed.texts["names"] = {"ja": said} if (said := request.args.get("name", "")[:100]) else {}
    return _form(None, source, typed)


@page("/garbage/sources/<source>/items/new", "edit", post=True, name="garbage_item_create", keeps=True)
def create_item(source: str) -> ResponseReturnValue:
    """Adds an item."""
    edited.turn()
    _known(source)
    return _kept(None, source, Typed.read(request.form), {})


@page("/garbage/items/<int:item_id>/withdraw", "edit", post=True, name="garbage_item_withdraw")
def withdraw_item(item_id: int) -> ResponseReturnValue:
    """Takes an item out; its history can bring it back."""
    edited.turn()
    item = _one(item_id)
    body = garbage_edit.item_body(session(), item)
    if request.form.get("sure") != "yes":
        wrong = [("sure", say("辞典から外す"), say("外すには「外してよい」に印を付けてください。"))]
        return _form(item, item.source, Typed.of(body, edited.mark_of(body)), wrong, status=422)
    garbage_edit.save(session(), item.source, clock.now(), {}, gone=[item])
    edited.keep(KIND, str(item.id), item.names["ja"], body, OUT)
    door.tell(say("「%(name)s」を辞典から外しました。", name=item.names["ja"]))
    return redirect(url_for("console.garbage_items"), 303)


@page("/garbage/items/<int:item_id>/history", "read", name="garbage_item_history")
def item_history(item_id: int) -> ResponseReturnValue:
    """Who changed an item, and how."""
    item = _one(item_id, withdrawn=True)
    restore = edited.way_back("garbage_item_restore", item_id=item.id)
    back = url_for("console.garbage_items")
    name = item.names["ja"]
    return history.history_page(KIND, str(item.id), name, back, restore, labels=LABELS, section="console.garbage")


@page("/garbage/items/<int:item_id>/restore/<int:number>", "edit", post=True, name="garbage_item_restore")
def restore_item(item_id: int, number: int) -> ResponseReturnValue:
    """Brings back an old state, also of what was taken out."""
    edited.turn()
    item = _one(item_id, withdrawn=True)

    def save(old: Body) -> None:
        parts, gone = ({}, [item]) if old == OUT else ({"items": [old]}, [])
        garbage_edit.save(session(), item.source, clock.now(), parts, gone=gone)

    def body() -> Body:
        return OUT if item.withdrawn_at is not None else garbage_edit.item_body(session(), item)

    edited.bring_back(KIND, str(item.id), number, item.names["ja"], body, save)
    return redirect(url_for("console.garbage_item_history", item_id=item.id), 303)


def _kept(item: GarbageItem | None, source: str, typed: Typed, before: Body) -> ResponseReturnValue:
    body, wrong = typed.body(before)
    known = dictionary.by_key(session(), source, body["key"]) if item is None else item
    if item is None and known is not None and known.withdrawn_at is None:
        wrong.append(("names.ja", say("名前"), say("同じ名前と区分の品目がもうあります。")))
    try:
        if not wrong:
            garbage_edit.save(session(), source, clock.now(), {"items": [body]})
    except EditRefused as error:
        wrong = [("", "", reason) for _, reason in error.errors]
    if wrong:
        return _form(item, source, typed, wrong, status=422)
    kept = item or dictionary.by_key(session(), source, body["key"])
    if kept is None:
        raise of_status(409)
    edited.keep(KIND, str(kept.id), kept.names["ja"], before or None, garbage_edit.item_body(session(), kept))
    door.tell(say("「%(name)s」を保存しました。", name=kept.names["ja"]))
    for code in typed.likely:
        name = say(garbage_words.CAUTIONS[code])
        door.tell(
            say("言葉からは「%(name)s」の注意が要りそうです。付けなくてよいか確かめてください。", name=name), "warning"
        )
    found: dict[str, Any] = {"q": kept.names["ja"], "try": kept.names["ja"]}
    return redirect(url_for("console.garbage_items", **found), 303)


def _answer(item: GarbageItem, language: str) -> dict[str, Any]:
    """What a resident reads."""
    kind = categories.by_id(session(), [item.category_id]).get(item.category_id) if item.category_id else None
    warned = [cautions.text(code, (language,)) for code in item.cautions]
    return {"kind": kind, "warned": warned, "language": language}


def _after(written: str) -> tuple[int, str, int] | None:
    rank, _, rest = written.partition("|")
    name, _, last = rest.rpartition("|")
    return (int(rank), name, int(last)) if rank in tuple("0123") and last.isdecimal() and len(last) < 18 else None


def _form(
    item: GarbageItem | None, source: str, typed: Typed, wrong: Wrong | tuple[()] = (), **more: Any
) -> ResponseReturnValue:
    return _show(
        "garbage_item.html", item=item, source=source, typed=typed, wrong=wrong, PARTS=PARTS, codes=cautions.codes(),
        choices=categories.listed(session(), source), **more,
    )  # fmt: skip


def _show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    words = {"say": garbage_words, "endonyms": ENDONYMS, "languages": LANGUAGES, "section": "console.garbage"}
    kinds = {one.id: one for one in categories.listed(session())}
    return render_template(f"console/{template}", kinds=kinds, **words, **values), status


def _one(item_id: int, *, withdrawn: bool = False) -> GarbageItem:
    found = session().get(GarbageItem, item_id) if item_id < 2**63 else None
    if found is None or (found.withdrawn_at is not None and not withdrawn):
        raise of_status(404)
    return found


def _known(source: str) -> None:
    if not categories.listed(session(), source):
        raise of_status(404)
