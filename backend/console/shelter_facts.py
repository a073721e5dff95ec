"""The published facts of a shelter: mended by a form, with what was before, and the way back."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling, sheltering
from backend.console import door, edited, history, refusals
from backend.console.door import page
from backend.console.language import current, mark, say
from backend.transaction import session
from geo import site_facts
from geo.hazards import Hazard
from geo.site_facts import Facts, FactsRefused
from geo.sites import Site
from notifications import wording

KIND = "site"
LABELS = {
    "name": mark("名前"),
    "name_kana": mark("よみ（カタカナ）"),
    "name_en": mark("名前（英語）"),
    "address": mark("住所"),
    "lat": mark("緯度"),
    "lon": mark("経度"),
    "hazards": mark("使える災害"),
    "also_shelter": mark("指定避難所を兼ねる"),
    "capacity": mark("定員（人）"),
    "accepts": mark("受け入れる人"),
    "note": mark("備考（住民に見えます）"),
    "phone": mark("電話"),
    "url": mark("ホームページ"),
}


@page("/shelters/<int:site_id>/facts", "shape", name="shelter_facts")
def look(site_id: int) -> ResponseReturnValue:
    """The form."""
    site = sheltering.one(site_id)
    now = site_facts.of(site)
    return _form(site, now, edited.mark_of(now))


@page("/shelters/<int:site_id>/facts", "shape", post=True, name="shelter_facts_save", keeps=True)
def save(site_id: int) -> ResponseReturnValue:
    """Keeps what was typed, unless somebody else was faster or something of it cannot be."""
    edited.turn()
    site = sheltering.one(site_id)
    before, typed, seen = site_facts.of(site), _typed(), request.form.get("seen", "")
    if seen != edited.mark_of(before):
        last, changes = edited.since(KIND, str(site.id), seen, before, LABELS)
        words = say("ほかの人が先に変更しました。まだ保存していません。違いを見て、よければもう一度保存してください。")
        who = "" if last is None else say("変えた人: %(who)s", who=last.who)
        return _form(site, typed, edited.mark_of(before), changes=changes, told=f"{words} {who}"), 409
    try:
        after = site_facts.write(session(), site, typed, clock.now())
    except FactsRefused as error:
        wrong = [(say(LABELS[name]), refusals.reason(reason)) for name, reason in error.errors]
        return _form(site, typed, seen, wrong), 422
    edited.keep(KIND, str(site.id), site.name, before, after)
    door.tell(say("保存しました。通知はされません。"))
    return redirect(url_for("console.shelter", site_id=site.id), 303)


@page("/shelters/<int:site_id>/facts/history", "read", name="shelter_facts_history")
def past(site_id: int) -> ResponseReturnValue:
    """Who changed the facts of a place, and how."""
    site = sheltering.one(site_id)

    def address(number: int) -> str:
        return url_for("console.shelter_facts_restore", site_id=site.id, number=number)

    restore = address if door.may("shape") else None
    back = url_for("console.shelter", site_id=site.id)
    return history.history_page(
        KIND, str(site.id), site.name, back, restore, labels=LABELS, words=_words, section="console.shelters"
    )


@page("/shelters/<int:site_id>/facts/restore/<int:number>", "shape", post=True, name="shelter_facts_restore")
def restore(site_id: int, number: int) -> ResponseReturnValue:
    """Opens the form with an old state in it: it is looked at before it is kept."""
    site = sheltering.one(site_id)
    old = edited.old_body(KIND, str(site.id), number)
    journaling.nothing()
    told = say("第%(number)s版の内容です。まだ保存されていません。", number=number)
    return _form(site, old, edited.mark_of(site_facts.of(site)), told=told)


def _typed() -> Facts:
    plain: Facts = {name: request.form.get(name, "").replace("\r\n", "\n") for name in LABELS if name != "hazards"}
    return plain | {"hazards": request.form.getlist("hazards"), "also_shelter": "also_shelter" in request.form}


def _form(site: Site, facts: Facts, seen: str, wrong: Any = (), changes: Any = (), *, told: str = "") -> str:
    names = {hazard.value: wording.hazard_name(hazard, current()) for hazard in Hazard}
    return render_template(
        "console/shelter_facts.html", site=site, facts=facts, seen=seen, wrong=list(wrong), changes=changes, told=told,
        labels=LABELS, hazard_names=names, most=site_facts.TEXTS, section="console.shelters",
    )  # fmt: skip


def _words(pattern: str, value: Any) -> str | None:
    if pattern == "hazards[]" and value in tuple(Hazard):
        return wording.hazard_name(Hazard(value), current())
    return None
