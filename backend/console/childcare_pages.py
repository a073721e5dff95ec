"""Child-rearing: guides and dated programmes with their windows, edited with a look at a family's timeline."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling
from backend.config import settings
from backend.console import childcare_form, childcare_timeline, door, edited, garbage_calendar, garbage_words, history
from backend.console.childcare_form import LABELS, Typed
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.garbage_pages import UNSEEN
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content import calendar
from content.childcare import programmes
from content.folding import fold
from content.opendata import childcare_edit
from content.opendata.childcare_edit import PARTS, Body
from content.texts import ENDONYMS, LANGUAGES
from geo.opendata.faults import EditRefused
from notifications import topics

ADD = {"guides": mark("案内を加える"), "programmes": mark("制度を加える")}
NAMES = {"guides": mark("子育ての案内"), "programmes": mark("健診・予防接種・手当など")}
OUT: Body = {"withdrawn": True}


@page("/childcare", "read", name="childcare")
def listed() -> ResponseReturnValue:
    """Guides and programmes, every version that is not withdrawn; found by any word of their texts."""
    q, today = request.args.get("q", "")[:100], _today()
    found: dict[str, list[Any]] = {}
    for part, table in PARTS.items():
        wanted = sa.select(table).where(table.withdrawn_at.is_(None))
        rows = session().scalars(wanted.order_by(table.position, table.key, table.version))
        found[part] = [row for row in rows if fold(q) in _words(row)]
    return _show("childcare.html", found=found, q=q, today=today, NAMES=NAMES, ADD=ADD, KINDS=childcare_form.KINDS)


def _pages(part: str) -> None:
    """Adds the pages of guides or of programmes."""
    kind = f"childcare_{part}"

    def one(row_id: int, *, withdrawn: bool = False) -> Any:
        found = childcare_edit.one(session(), part, row_id)
        if found is None or (found.withdrawn_at is not None and not withdrawn):
            raise of_status(404)
        return found

    def subject(row: Any) -> str:
        return f"{row.source}/{row.key}/{row.version}"

    def form(
        row: Any, typed: Typed, wrong: Wrong | tuple[()] = (), status: int = 200, **more: Any
    ) -> ResponseReturnValue:
        versions = childcare_edit.versions(session(), row) if row is not None else []
        typed.born = typed.born or f"{_today() - dt.timedelta(days=120):%Y-%m}"
        first = garbage_calendar.read_month(typed.born, _today())
        return _show(
            "childcare_form.html", status, part=part, row=row, typed=typed, wrong=wrong, versions=versions,
            today=_today(), heading=NAMES[part], add=ADD[part], born_in=garbage_words.month(first),
            KINDS=childcare_form.KINDS, ENDS=childcare_form.ENDS, INTERVAL=childcare_form.INTERVAL,
            PLAIN=childcare_form.PLAIN, topics=topics.tree(session()), **more,
        )  # fmt: skip

    def step(row: Any, before: Body, typed: Typed, *, new: bool) -> ResponseReturnValue:
        """One press of a button: adds a row, shows the timeline, keeps."""
        pressed = request.form.get("do", "save")
        if typed.apply(pressed):
            journaling.nothing()
            return form(row, typed, new=new)
        body, now = typed.body(before, part), edited.mark_of(before)
        more: dict[str, Any] = {"new": new}
        try:
            if part == "programmes":
                more |= {"rows": _preview(row, body, typed.born, new=new), "same": body == before}
        except EditRefused as error:
            return form(row, typed, childcare_form.wrong_of(error.errors), 422, **more)
        except ValueError:
            return form(row, typed, [("born", say("生まれた月"), say("2026-08 のように書いてください。"))], 422, **more)
        if row is not None and typed.seen != now:
            return form(row, typed, **edited.stale(kind, subject(row), typed, before, LABELS), **more)
        looked = part == "guides" or (pressed == "save" and typed.previewed == edited.mark_of(body))
        if not looked:
            journaling.nothing()
            typed.previewed = edited.mark_of(body)
            unseen: Wrong = [("", "", say(UNSEEN))] if pressed == "save" else []
            return form(row, typed, unseen, **more)
        try:
            kept = keep(row, body, before, new=new)
        except EditRefused as error:
            return form(row, typed, childcare_form.wrong_of(error.errors), 422, **more)
        door.tell(say("保存しました。"))
        return redirect(url_for(f"console.childcare_{part}_edit", row_id=kept.id), 303)

    def keep(row: Any, body: Body, before: Body, *, new: bool) -> Any:
        """Writes it as a file would be; a new version ends the one before it the day before."""
        source = {"key": row.source, "name": row.source_name} if row is not None else _source()
        entries = [body]
        if new and row is not None and body.get("effective_from"):
            day_before = dt.date.fromisoformat(body["effective_from"]) - dt.timedelta(days=1)
            if row.effective_to is None or row.effective_to > day_before:
                entries.append({**childcare_edit.body(row), "effective_to": day_before.isoformat()})
        befores = {one["version"]: childcare_edit.body(row) for one in entries[1:]}
        childcare_edit.save(session(), part, source, entries, clock.now())
        table = PARTS[part]
        kept = []
        for entry in entries:
            same = (table.source == source["key"], table.key == entry["id"], table.version == entry["version"])
            found: Any = session().scalars(sa.select(table).where(*same)).one()
            was = befores.get(entry["version"], None if new or row is None else before)
            title = found.texts["ja"]["title"]
            edited.keep(kind, subject(found), title, was, childcare_edit.body(found))
            kept.append(found)
        return kept[0]

    def following(row: Any) -> Body:
        newest = childcare_edit.versions(session(), row)[0].version
        return {**childcare_edit.body(row), "version": newest + 1}

    @page(f"/childcare/{part}/new", "edit", name=f"childcare_{part}_new")
    def new_entry() -> ResponseReturnValue:
        """An empty form."""
        typed = Typed(sample=False)
        typed.apply("add-period")
        return form(None, typed, new=True)

    @page(f"/childcare/{part}/new", "edit", post=True, name=f"childcare_{part}_create", keeps=True)
    def create() -> ResponseReturnValue:
        """Adds a guide or programme."""
        edited.turn()
        typed, table = Typed.read(request.form), PARTS[part]
        if session().scalar(sa.select(table.id).where(table.key == typed.key, table.withdrawn_at.is_(None)).limit(1)):
            wrong: Wrong = [("key", say("内部の名前"), say("同じ名前のものがもうあります。"))]
            return form(None, typed, wrong, 422, new=True)
        return step(None, {}, typed, new=True)

    @page(f"/childcare/{part}/<int:row_id>/edit", "edit", name=f"childcare_{part}_edit")
    def edit(row_id: int) -> ResponseReturnValue:
        """The form of a version."""
        row = one(row_id)
        body = childcare_edit.body(row)
        return form(row, Typed.of(body, edited.mark_of(body)))

    @page(f"/childcare/{part}/<int:row_id>/edit", "edit", post=True, name=f"childcare_{part}_save", keeps=True)
    def save(row_id: int) -> ResponseReturnValue:
        """Keeps a version."""
        edited.turn()
        row = one(row_id)
        return step(row, childcare_edit.body(row), Typed.read(request.form), new=False)

    @page(f"/childcare/{part}/<int:row_id>/version", "edit", name=f"childcare_{part}_version")
    def new_version(row_id: int) -> ResponseReturnValue:
        """The form of a version that follows this one."""
        row = one(row_id)
        body = following(row)
        typed = Typed.of({**body, "effective_from": "", "effective_to": ""}, edited.mark_of(body))
        return form(row, typed, new=True)

    @page(f"/childcare/{part}/<int:row_id>/version", "edit", post=True, name=f"childcare_{part}_follow", keeps=True)
    def follow(row_id: int) -> ResponseReturnValue:
        """Keeps a following version, from a day on."""
        edited.turn()
        row, typed = one(row_id), Typed.read(request.form)
        if not typed.plain["effective_from"]:
            name = say(LABELS["effective_from"])
            wrong: Wrong = [("effective_from", name, say("新しい版には、始まりの日が要ります。"))]
            return form(row, typed, wrong, 422, new=True)
        return step(row, following(row), typed, new=True)

    @page(f"/childcare/{part}/<int:row_id>/withdraw", "edit", post=True, name=f"childcare_{part}_withdraw")
    def withdraw(row_id: int) -> ResponseReturnValue:
        """Takes a version out; its history can bring it back."""
        edited.turn()
        row = one(row_id)
        before = childcare_edit.body(row)
        if request.form.get("sure") != "yes":
            raise of_status(422)
        childcare_edit.withdraw(session(), row, clock.now())
        edited.keep(kind, subject(row), row.texts["ja"]["title"], before, OUT)
        door.tell(say("取り下げました。"))
        return redirect(url_for("console.childcare"), 303)

    @page(f"/childcare/{part}/<int:row_id>/history", "read", name=f"childcare_{part}_history")
    def version_history(row_id: int) -> ResponseReturnValue:
        """Who changed a version, and how."""
        row = one(row_id, withdrawn=True)
        restore = edited.way_back(f"childcare_{part}_restore", row_id=row.id)
        title = garbage_words.text_of({language: text.get("title", "") for language, text in row.texts.items()})
        back = url_for("console.childcare")
        return history.history_page(
            kind, subject(row), title, back, restore, labels=LABELS, section="console.childcare"
        )

    @page(f"/childcare/{part}/<int:row_id>/restore/<int:number>", "edit", post=True, name=f"childcare_{part}_restore")
    def restore(row_id: int, number: int) -> ResponseReturnValue:
        """Brings back an old state."""
        edited.turn()
        row = one(row_id, withdrawn=True)

        def save(old: Body) -> None:
            if old == OUT:
                childcare_edit.withdraw(session(), row, clock.now())
            else:
                source = {"key": row.source, "name": row.source_name}
                childcare_edit.save(session(), part, source, [old], clock.now())

        def body() -> Body:
            return OUT if row.withdrawn_at is not None else childcare_edit.body(row)

        edited.bring_back(kind, subject(row), number, row.texts["ja"]["title"], body, save)
        return redirect(url_for(f"console.childcare_{part}_history", row_id=row.id), 303)


def _preview(row: Any, body: Body, born: str, *, new: bool) -> list[childcare_timeline.Row]:
    """The timeline of a month with this entry instead of the stored one."""
    typed = childcare_edit.plan_of(body)
    before = programmes.plans(session())
    after = [one for one in before if (one.key, one.version) != (typed.key, typed.version)]
    if new and row is not None and typed.effective_from is not None:
        ends = typed.effective_from - dt.timedelta(days=1)
        after = [_ended(one, ends) if (one.key, one.version) == (row.key, row.version) else one for one in after]
    return childcare_timeline.compare(before, [*after, typed], born, _today())


def _ended(plan: Any, last: dt.date) -> Any:
    return replace(plan, effective_to=min(plan.effective_to or last, last))


def _words(row: Any) -> str:
    return fold(" ".join([row.key, *(text[part] for text in row.texts.values() for part in ("title", "body"))]))


def _source() -> dict[str, str]:
    """Whose word a new entry is: the city's own."""
    return {"key": "city", "name": settings().city_name}


def _show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    words = {"say": garbage_words, "endonyms": ENDONYMS, "languages": LANGUAGES, "section": "console.childcare"}
    return render_template(f"console/{template}", **words, **values), status


def _today() -> dt.date:
    return calendar.day_of(clock.now(), settings().zone)


for _part in PARTS:
    _pages(_part)
