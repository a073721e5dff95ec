"""Collection areas: one added, with the rules of another perhaps, and one withdrawn; each after a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling
from backend.config import settings
from backend.console import door, edited, garbage_calendar, garbage_words
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content import calendar
from content.garbage import areas, categories
from content.garbage.areas import GarbageArea
from content.opendata import garbage_edit
from content.opendata.garbage_edit import Body
from notifications import garbage_days

KIND = "garbage_area"
OUT: Body = {"withdrawn": True}
SHOWN_MONTHS = 2
SAME = mark("同じ名前の地区がもうあります。")
SAME_GONE = mark("同じ名前の地区が、取り下げた地区にあります。その履歴から戻してください。")


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields; `like` is the number of the area whose rules are taken."""

    ward: str = ""
    name: str = ""
    reading: str = ""
    like: str = ""

    @property
    def mark(self) -> str:
        """What was looked at, for the button that saves it."""
        return edited.mark_of({"ward": self.ward, "name": self.name, "reading": self.reading, "like": self.like})


@page("/garbage/sources/<source>/areas/new", "edit", name="garbage_area_new")
def new(source: str) -> ResponseReturnValue:
    """An empty form."""
    return _form(source, Typed())


@page("/garbage/sources/<source>/areas/new", "edit", post=True, name="garbage_area_create", keeps=True)
def create(source: str) -> ResponseReturnValue:
    """Shows the calendar that the area would have, or adds it."""
    edited.turn()
    typed = Typed(**{name: request.form.get(name, "").strip()[:200] for name in ("ward", "name", "reading", "like")})
    if not typed.name:
        return _form(source, typed, [("name", say("地区の名前"), say("名前を書いてください。"))], 422)
    like = next((one for one in _present(source) if str(one.id) == typed.like), None)
    element = garbage_edit.new_element(session(), source, typed.ward, typed.name, typed.reading, like)
    if wrong := _taken(source, element):
        return _form(source, typed, [("name", say("地区の名前"), say(wrong))], 422)
    if request.form.get("do") != "save" or request.form.get("previewed") != typed.mark:
        journaling.nothing()
        body: Body = {"area": element, "changes": []}
        shared = garbage_edit.shared_body(session(), source)
        rules = garbage_edit.planned(session(), GarbageArea(source=source, key=element["key"]), body, shared)
        today = calendar.day_of(clock.now(), settings().zone)
        kinds = {one.id: one for one in categories.every(session())}
        firsts = [garbage_calendar.month_of(today, step) for step in range(SHOWN_MONTHS)]
        return _form(source, typed, months=[garbage_calendar.days(rules, first, kinds) for first in firsts])
    area = garbage_edit.add_area(session(), source, element, clock.now())
    edited.keep(KIND, str(area.id), area.full_name, None, garbage_edit.area_body(session(), area))
    door.tell(say("「%(name)s」を加えました。", name=area.full_name))
    return redirect(url_for("console.garbage_area", area_id=area.id), 303)


@page("/garbage/areas/<int:area_id>/withdraw", "edit", name="garbage_area_gone")
def gone(area_id: int) -> ResponseReturnValue:
    """What withdrawing an area means, and for how many phones."""
    return _gone(_one(area_id))


@page("/garbage/areas/<int:area_id>/withdraw", "edit", post=True, name="garbage_area_withdraw")
def withdraw(area_id: int) -> ResponseReturnValue:
    """Withdraws an area; its history can bring it back."""
    edited.turn()
    area = _one(area_id)
    body = garbage_edit.area_body(session(), area)
    if request.form.get("sure") != "yes":
        words = say("取り下げるには「取り下げてよい」に印を付けてください。")
        return _gone(area, [("sure", say("地区を取り下げる"), words)], 422)
    if request.form.get("seen") != edited.mark_of(body):
        words = say("この地区はほかの人が変更しました。いまの内容を見てから取り下げてください。")
        return _gone(area, [("", "", words)], 409)
    garbage_edit.withdraw_area(session(), area, clock.now())
    edited.keep(KIND, str(area.id), area.full_name, body, OUT)
    door.tell(say("「%(name)s」を取り下げました。履歴から戻せます。", name=area.full_name))
    return redirect(url_for("console.garbage"), 303)


def bring_back(area: GarbageArea, number: int) -> ResponseReturnValue:
    """Restores a withdrawn area as it was; whoever had chosen it is reminded again."""
    edited.turn()

    def body() -> Body:
        return OUT if area.withdrawn_at is not None else garbage_edit.area_body(session(), area)

    def save(old: Body) -> None:
        if old != OUT:
            garbage_edit.save_area(session(), area, old, clock.now())

    edited.bring_back(KIND, str(area.id), number, area.full_name, body, save)
    return redirect(url_for("console.garbage_area_history", area_id=area.id), 303)


def withdrawn(limit: int = 100) -> list[GarbageArea]:
    """Areas that were withdrawn, the latest first."""
    wanted = sa.select(GarbageArea).where(GarbageArea.withdrawn_at.is_not(None))
    return list(session().scalars(wanted.order_by(GarbageArea.withdrawn_at.desc(), GarbageArea.id).limit(limit)))


def _taken(source: str, element: Body) -> str:
    full = f"{element.get('ward', '')}{element['name']}"
    if any(one.full_name == full for one in _present(source)):
        return SAME
    same = sa.select(GarbageArea.id).where(GarbageArea.source == source, GarbageArea.key == element["key"])
    return SAME_GONE if session().scalar(same) is not None else ""


def _gone(area: GarbageArea, wrong: Wrong | tuple[()] = (), status: int = 200) -> ResponseReturnValue:
    seen = edited.mark_of(garbage_edit.area_body(session(), area))
    many = garbage_days.chosen_by(session(), area.id)
    return _show("garbage_area_gone.html", status, area=area, many=many, wrong=wrong, seen=seen)


def _form(
    source: str, typed: Typed, wrong: Wrong | tuple[()] = (), status: int = 200, **more: Any
) -> ResponseReturnValue:
    every = _present(source)
    wards = list(dict.fromkeys(one.ward for one in every if one.ward))
    return _show(
        "garbage_area_new.html", status, source=source, typed=typed, wrong=wrong, every=every, wards=wards, **more
    )


def _show(template: str, status: int, **values: Any) -> tuple[str, int]:
    return render_template(f"console/{template}", say=garbage_words, section="console.garbage", **values), status


def _present(source: str) -> list[GarbageArea]:
    found = areas.present(session(), source)
    if not found:
        raise of_status(404)
    return found


def _one(area_id: int) -> GarbageArea:
    found = areas.get(session(), area_id)
    if found is None:
        raise of_status(404)
    return found
