"""Garbage calendars: areas found, a month with its reasons, rules and exceptions edited with a look at what changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling
from backend.config import settings
from backend.console import door, edited, garbage_areas, garbage_calendar, garbage_form, garbage_words, history
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.garbage_form import Typed
from backend.console.garbage_rows import KINDS, WRITTEN
from backend.console.garbage_words import CHANGES
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content import calendar
from content.garbage import areas, categories, picker, rules, sources
from content.garbage.areas import GarbageArea
from content.garbage.categories import GarbageCategory
from content.opendata import garbage_edit
from content.opendata.garbage_edit import Body
from content.texts import ENDONYMS, LANGUAGES
from geo.opendata.faults import EditRefused

PAGE = 50
AREA, SHARED = "garbage_area", "garbage_shared"
STALE = mark(
    "ほかの人が先に変更しました。あなたの入力は残っています。まだ保存されていません。"
    "もう一度「変わる日を確かめる」を押し、いまの内容との違いを見てから保存してください。"
)
UNSEEN = mark("内容が変わりました。変わる日を確かめてから保存してください。")


@page("/garbage", "read", name="garbage")
def listed() -> ResponseReturnValue:
    """Areas by name, reading, town or ward, with the rules in force."""
    q, ward = request.args.get("q", "")[:100], request.args.get("ward", "")[:100]
    every = areas.present(session())
    found = picker.narrowed(every, ward=ward or None, q=q if q.strip() else None)
    number = request.args.get("page", "1")
    at = max(1, int(number)) if number.isdecimal() and len(number) < 5 else 1
    shown = found[(at - 1) * PAGE : at * PAGE]
    wards = list(dict.fromkeys(area.ward for area in every if area.ward))
    return _show(
        "garbage.html", shown=shown, many=len(found), at=at, pages=-(-len(found) // PAGE), q=q, ward=ward,
        wards=wards, rules=rules.of_areas(session(), shown), kinds=_kinds(), today=_today(),
        sources=list(dict.fromkeys(area.source for area in every)), withdrawn=garbage_areas.withdrawn(),
    )  # fmt: skip


@page("/garbage/areas/<int:area_id>", "read", name="garbage_area")
def look(area_id: int) -> ResponseReturnValue:
    """A month of an area."""
    area, today = _area(area_id), _today()
    first = garbage_calendar.read_month(request.args.get("month", ""), today)
    found = garbage_calendar.days(rules.of_area(session(), area), first, _kinds(withdrawn=True))
    return _show(
        "garbage_area.html", area=area, first=first, days=found, today=today,
        earlier=garbage_calendar.month_of(first, -1), later=garbage_calendar.month_of(first, 1),
        links=areas.links_of(session(), area.id), source=sources.get(session(), area.source),
        here=list({line.category.id: line.category for day in found for line in day.lines}.values()),
    )  # fmt: skip


@page("/garbage/areas/<int:area_id>/edit", "edit", name="garbage_area_edit")
def edit(area_id: int) -> ResponseReturnValue:
    """The form of an area's own rules and exceptions."""
    area = _area(area_id)
    body = garbage_edit.area_body(session(), area)
    return _form(area, garbage_form.of_body(body, edited.mark_of(body)))


@page("/garbage/areas/<int:area_id>/edit", "edit", post=True, name="garbage_area_save", keeps=True)
def save(area_id: int) -> ResponseReturnValue:
    """Adds a row, shows what would change, or keeps it."""
    edited.turn()
    area = _area(area_id)
    before = garbage_edit.area_body(session(), area)
    shared = garbage_edit.shared_body(session(), area.source)

    def keep(body: Body) -> None:
        changed = garbage_edit.save_area(session(), area, body, clock.now())
        after = garbage_edit.area_body(session(), area)
        edited.keep(AREA, str(area.id), area.full_name, before, after, calendar_changed=changed)

    typed = garbage_form.read(request.form, shared=False)
    done = _step(area, typed, before, lambda body: garbage_edit.planned(session(), area, body, shared), keep)
    return done or redirect(url_for("console.garbage_area", area_id=area.id), 303)


@page("/garbage/sources/<source>/edit", "edit", name="garbage_shared_edit")
def edit_shared(source: str) -> ResponseReturnValue:
    """The form of what holds for every area of a source."""
    area = _example(source)
    body = garbage_edit.shared_body(session(), source)
    return _form(area, garbage_form.of_body(body, edited.mark_of(body)))


@page("/garbage/sources/<source>/edit", "edit", post=True, name="garbage_shared_save", keeps=True)
def save_shared(source: str) -> ResponseReturnValue:
    """As for one area; the preview is of an area that was chosen."""
    edited.turn()
    area = _example(source)
    before, own = garbage_edit.shared_body(session(), source), garbage_edit.area_body(session(), area)

    def keep(body: Body) -> None:
        changed = garbage_edit.save_shared(session(), source, body, clock.now())
        after = garbage_edit.shared_body(session(), source)
        edited.keep(SHARED, source, source, before, after, calendar_changed=changed)

    typed = garbage_form.read(request.form, shared=True)
    done = _step(area, typed, before, lambda body: garbage_edit.planned(session(), area, own, body), keep)
    return done or redirect(url_for("console.garbage"), 303)


@page("/garbage/areas/<int:area_id>/history", "read", name="garbage_area_history")
def area_history(area_id: int) -> ResponseReturnValue:
    """Who changed an area's calendar, and how."""
    area = _area(area_id, withdrawn=True)
    gone = area.withdrawn_at is not None
    back = url_for("console.garbage") if gone else url_for("console.garbage_area", area_id=area.id)
    restore = edited.way_back("garbage_area_restore", area_id=area.id)
    return _history(AREA, str(area.id), area.full_name, back, restore)


@page("/garbage/areas/<int:area_id>/restore/<int:number>", "edit", post=True, name="garbage_area_restore")
def restore_area(area_id: int, number: int) -> ResponseReturnValue:
    """Opens the form with an old state in it: it is looked at before it is kept, as any change is."""
    area = _area(area_id, withdrawn=True)
    old = edited.old_body(AREA, str(area.id), number)
    if area.withdrawn_at is not None:
        return garbage_areas.bring_back(area, number)
    journaling.nothing()
    if old == garbage_areas.OUT:
        return redirect(url_for("console.garbage_area_gone", area_id=area.id), 303)
    now = garbage_edit.area_body(session(), area)
    told = say("第%(number)s版の内容です。まだ保存されていません。", number=number)
    return _form(area, garbage_form.of_body(old, edited.mark_of(now)), told=told)


@page("/garbage/sources/<source>/history", "read", name="garbage_shared_history")
def shared_history(source: str) -> ResponseReturnValue:
    """Who changed what all areas share, and how."""
    _example(source)
    restore = edited.way_back("garbage_shared_restore", source=source)
    return _history(SHARED, source, say("全地区の休み・振替・臨時"), url_for("console.garbage"), restore)


@page("/garbage/sources/<source>/restore/<int:number>", "edit", post=True, name="garbage_shared_restore")
def restore_shared(source: str, number: int) -> ResponseReturnValue:
    """Opens the form with an old state in it."""
    area = _example(source)
    old = edited.old_body(SHARED, source, number)
    journaling.nothing()
    now = garbage_edit.shared_body(session(), source)
    told = say("第%(number)s版の内容です。まだ保存されていません。", number=number)
    return _form(area, garbage_form.of_body(old, edited.mark_of(now)), told=told)


def _step(
    area: GarbageArea, typed: Typed, before: Body, plan: Callable[[Body], Any], keep: Callable[[Body], None]
) -> ResponseReturnValue | None:
    """One press of a button; None when it was kept."""
    step = request.form.get("do", "preview")
    if typed.apply(step):
        journaling.nothing()
        return _form(area, typed)
    body, wrong = typed.body(before)
    if not wrong and not typed.shared and (typed.ward, typed.name) != (area.ward, area.name):
        others = (one for one in areas.present(session(), area.source) if one.id != area.id)
        if any((one.ward, one.name) == (typed.ward, typed.name) for one in others):
            wrong = [("name", say("地区の名前"), say(garbage_areas.SAME))]
    if not wrong:
        try:
            after = plan(body)
        except EditRefused as error:
            wrong = [("", "", reason) for _, reason in error.errors]
    if wrong:
        return _form(area, typed, wrong=wrong, status=422)
    kind, subject = (SHARED, area.source) if typed.shared else (AREA, str(area.id))
    if other := edited.stale(kind, subject, typed, before, garbage_words.LABELS, STALE):
        return _form(area, typed, **other)
    now, seen = edited.mark_of(before), edited.mark_of(body)
    if step == "save" and typed.previewed == seen:
        keep(body)
        door.tell(say("保存しました。通知済みの日が変わったときは、その人に訂正が届きます。"))
        return None
    journaling.nothing()
    unseen = [("", "", say(UNSEEN))] if step == "save" else []
    typed.previewed = seen
    compared = garbage_calendar.compare(rules.of_area(session(), area), after, _today(), _kinds(withdrawn=True))
    return _form(area, typed, wrong=unseen, compared=compared, same=seen == now)


def _form(
    area: GarbageArea, typed: Typed, *, wrong: Wrong | tuple[()] = (), status: int = 200, **more: Any
) -> ResponseReturnValue:
    every = areas.present(session(), area.source) if typed.shared else []
    kinds = categories.listed(session(), area.source)
    return _show(
        "garbage_form.html", status, area=area, typed=typed, wrong=wrong, kinds=kinds,
        examples=every, centres=sorted({one.centre for one in every if one.centre}), KINDS=KINDS, CHANGES=CHANGES,
        WRITTEN=WRITTEN, **more,
    )  # fmt: skip


def _show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    words = {"say": garbage_words, "endonyms": ENDONYMS, "languages": LANGUAGES, "section": "console.garbage"}
    return render_template(f"console/{template}", **words, **values), status


def _words(path: str, value: Any) -> str | None:
    return garbage_words.stored(path, value, categories.every(session()))


def _history(kind: str, subject: str, title: str, back: str, restore: Callable[[int], str] | None) -> str:
    return history.history_page(
        kind, subject, title, back, restore, labels=garbage_words.LABELS, words=_words, section="console.garbage"
    )


def _area(area_id: int, *, withdrawn: bool = False) -> GarbageArea:
    found = session().get(GarbageArea, area_id) if area_id < 2**63 else None
    if found is None or (found.withdrawn_at is not None and not withdrawn):
        raise of_status(404)
    return found


def _example(source: str) -> GarbageArea:
    """The area of a source that previews are of: the one that was chosen, or its first; 404 for no such source."""
    found = areas.present(session(), source)
    wanted = request.values.get("example", "")
    if not found:
        raise of_status(404)
    return next((area for area in found if str(area.id) == wanted), found[0])


def _kinds(*, withdrawn: bool = False) -> dict[int, GarbageCategory]:
    every = categories.every(session()) if withdrawn else categories.listed(session())
    return {one.id: one for one in every}


def _today() -> Any:
    return calendar.day_of(clock.now(), settings().zone)
