"""Events: found by day, place and words; put right, called off, added, taken away; each with its history."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, event_steps, journaling
from backend.config import settings
from backend.console import door, edited, event_form, history, refusals
from backend.console.door import page
from backend.console.event_form import LABELS, Typed
from backend.console.language import mark, say
from backend.transaction import session
from content import calendar, event_edits, events
from content.event_edits import EventRefused
from content.events import Event, EventStatus
from content.texts import ENDONYMS
from geo import areas
from geo.areas import AreaError
from geo.within import Within

PAGE = 40
SECTION = "console.events"


@page("/events", "read", name="events")
def listed() -> ResponseReturnValue:
    """By their first day, from today on unless another day was asked for; a page at a time."""
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("q", "since", "until", "area", "only")}
    today = calendar.day_of(clock.now(), settings().zone)
    since, until = _day(asked["since"]), _day(asked["until"])
    if not asked["since"] and asked["only"] != "withdrawn":
        since, asked["since"] = today, today.isoformat()
    named = areas.find(session(), asked["area"], limit=1) if asked["area"] else ()
    within, lost = _within(named[0].code) if named else None, bool(asked["area"])
    at = request.args.get("from", "0")
    first = int(at) if at.isascii() and at.isdecimal() and len(at) < 7 else 0
    found: list[Event] = []
    passed = 0
    for event in events.between(session(), since, until, words=asked["q"], withdrawn=asked["only"] == "withdrawn"):
        if within is not None and not _inside(event, within):
            continue
        passed += 1
        if passed > first:
            found.append(event)
        if len(found) > PAGE:
            break
    more = f"{url_for(SECTION)}?{urlencode({**asked, 'from': first + PAGE})}" if len(found) > PAGE else None
    return _show(
        "events.html", found=found[:PAGE], more=more, asked=asked, area=named[0] if named else None,
        lost=lost and within is None, statuses=event_form.STATUSES,
        narrowed=since != today or any(asked[name] for name in ("until", "area", "only")),
    )  # fmt: skip


@page("/events/new", "edit", name="events_new")
def new() -> ResponseReturnValue:
    """An empty form."""
    return _form(Typed())


@page("/events/new", "edit", post=True, name="events_create", keeps=True)
def create() -> ResponseReturnValue:
    """Adds an event that no list has."""
    typed = event_form.read(request.form)
    if request.form.get("do") == "look":
        return _look(typed)
    event_steps.turn()
    try:
        event = event_steps.add(event_form.facts_of(typed, {}))
    except EventRefused as error:
        return _form(typed, error=error, status=422)
    journaling.note(str(event.id), action="events.create", name=event.name)
    door.tell(say("イベントを加えました。"))
    return redirect(url_for("console.events_one", event_id=event.id), 303)


@page("/events/<int:event_id>", "read", name="events_one")
def look(event_id: int) -> ResponseReturnValue:
    """An event as residents see it."""
    event = event_steps.one(event_id)
    was: dict[str, Any] = event.was or {}
    return _show(
        "event.html", event=event, labels=LABELS, statuses=event_form.STATUSES, was=was,
        was_days={name: dt.date.fromisoformat(said) for name, said in was.items() if name.endswith("_on") and said},
    )  # fmt: skip


@page("/events/<int:event_id>/edit", "edit", name="events_edit")
def edit(event_id: int) -> ResponseReturnValue:
    """The form of an event."""
    event = event_steps.one(event_id)
    body = event_steps.body_of(event)
    return _form(event_form.of_body(body, edited.mark_of(body)), event=event)


@page("/events/<int:event_id>/edit", "edit", post=True, name="events_save", keeps=True)
def save(event_id: int) -> ResponseReturnValue:
    """Keeps the changes, unless somebody else was faster."""
    event_steps.turn()
    event, typed = event_steps.one(event_id), event_form.read(request.form)
    if request.form.get("do") == "look":
        return _look(typed, event)
    now = event_steps.body_of(event)
    if met := edited.met(event_steps.KIND, str(event.id), typed.seen, now, LABELS, _in_words):
        typed.seen = edited.mark_of(now)  # whoever ticks it below has been shown this state, and only this
        return _form(typed, event=event, met=met, status=409)
    try:
        event_steps.change(event, event_form.facts_of(typed, now))
    except EventRefused as error:
        return _form(typed, event=event, error=error, status=422)
    journaling.note(str(event.id), action="events.edit", name=event.name, status=event.status)
    door.tell(say("保存しました。イベントの変更は通知されません。知らせるときは、お知らせを書いてください。"))
    return redirect(url_for("console.events_one", event_id=event.id), 303)


@page("/events/<int:event_id>/withdraw", "edit", post=True, name="events_withdraw")
def withdraw(event_id: int) -> ResponseReturnValue:
    """Takes it away."""
    return _offered(event_id, shown=False)


@page("/events/<int:event_id>/show", "edit", post=True, name="events_bring_back")
def bring_back(event_id: int) -> ResponseReturnValue:
    """Shows it again."""
    return _offered(event_id, shown=True)


def _offered(event_id: int, *, shown: bool) -> ResponseReturnValue:
    event_steps.turn()
    event = event_steps.one(event_id)
    if event_steps.offer(event, shown=shown):
        journaling.note(str(event.id), name=event.name)
        door.tell(say("もう一度、載せました。") if shown else say("取り下げました。"))
    else:
        journaling.nothing()
        was = say("ほかの人が先にもう一度載せました。") if shown else say("ほかの人が先に取り下げました。")
        door.tell(was, "warning")
    return redirect(url_for("console.events_one", event_id=event.id), 303)


@page("/events/<int:event_id>/history", "read", name="events_history")
def changes(event_id: int) -> ResponseReturnValue:
    """Every state of it, and what changed."""
    event = event_steps.one(event_id)

    def address(number: int) -> str:
        return url_for("console.events_restore", event_id=event_id, number=number)

    return history.history_page(
        event_steps.KIND, str(event.id), event.name, url_for("console.events_one", event_id=event_id),
        address if door.may("edit") else None, labels=LABELS, words=_in_words, section=SECTION,
    )  # fmt: skip


@page("/events/<int:event_id>/history/<int:number>", "edit", post=True, name="events_restore")
def restore(event_id: int, number: int) -> ResponseReturnValue:
    """Makes an earlier state the present one."""
    event_steps.turn()
    event = event_steps.one(event_id)
    body = edited.asked_back(event_steps.KIND, str(event.id), number)
    if body is None:
        return redirect(url_for("console.events_history", event_id=event_id), 303)
    try:
        event_steps.restore(event, body)
    except EventRefused as error:
        return _form(event_form.of_body(body), event=event, error=error, status=422)
    journaling.note(str(event.id), restored=number)
    door.tell(say("%(number)s 版の内容に戻しました。", number=number))
    return redirect(url_for("console.events_one", event_id=event_id), 303)


_NEW, _EDIT = mark("イベントを加える"), mark("イベントを直す")


def _look(typed: Typed, event: Event | None = None) -> ResponseReturnValue:
    """The form again, and above it what residents would see; nothing is kept."""
    journaling.nothing()
    kept = event_steps.body_of(event) if event is not None else {}
    try:
        look = event_edits.checked(event_form.facts_of(typed, kept), event)
    except EventRefused as error:
        return _form(typed, event=event, error=error, status=422)
    return _form(typed, event=event, look=look)


def _form(
    typed: Typed,
    *,
    event: Event | None = None,
    look: Any = None,
    error: EventRefused | None = None,
    met: Any = None,
    status: int = 200,
) -> ResponseReturnValue:
    faults = error.errors if error is not None else []
    wrong = [(_label(name), refusals.reason(reason)) for name, reason in faults]
    return _show(
        "event_form.html", status, typed=typed, event=event, wrong=wrong, fields={name for name, _ in faults}, met=met,
        look=look, heading=_EDIT if event is not None else _NEW, fates=event_form.FATES, others=event_form.OTHERS,
        labels=LABELS,
    )  # fmt: skip


def _label(name: str) -> str:
    return say(LABELS[name]) if name in LABELS else refusals.field(name)


def _show(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    return render_template(f"console/{template}", section=SECTION, endonyms=ENDONYMS, **values), status


def _in_words(path: str, value: Any) -> str | None:
    return say(event_form.STATUSES[EventStatus(value)]) if path == "status" and value in set(EventStatus) else None


def _day(written: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        return None
    return day if 1900 < day.year < 9000 else None


def _within(code: str) -> Within | None:
    try:
        return Within.area(session(), code)
    except AreaError:
        return None


def _inside(event: Event, within: Within) -> bool:
    return event.lat is not None and event.lon is not None and (event.lat, event.lon) in within
