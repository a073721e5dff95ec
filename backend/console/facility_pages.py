"""Everyday places: child-rearing and public facilities, AEDs; found, and their opening hours edited."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock
from backend.console import door, edited, garbage_words, history
from backend.console.door import page
from backend.console.edited import Wrong
from backend.console.language import current, mark, say
from backend.errors import of_status
from backend.transaction import session
from content.folding import fold
from geo import facilities, hours
from geo.facilities import EDITED, KINDS
from geo.hours import Hours, HoursError
from geo.sites import Site

KIND = "facility"
PAGE = 50
NAMES = {
    "childcare_facility": mark("子育て施設"),
    "public_facility": mark("公共施設"),
    "aed": mark("AED"),
}
LABELS = {
    "available_days": mark("利用できる曜日"),
    "available_from": mark("始まる時刻"),
    "available_until": mark("終わる時刻"),
    "available_note": mark("休みなどの注記"),
    "phone": mark("電話"),
    "url": mark("ページ"),
    "ages": mark("受け入れる年齢"),
    "note": mark("備考"),
}


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    said: dict[str, str] = field(default_factory=dict)
    seen: str = ""

    def body(self) -> tuple[dict[str, str | None], Wrong]:
        """The state that was typed, and what is wrong with it."""
        wrong: Wrong = []
        found = {name: self.said.get(name) or None for name in EDITED}
        if found["url"] and not found["url"].startswith(("https://", "http://")):
            wrong.append(("url", say(LABELS["url"]), say("https:// で始まるアドレスを書いてください。")))
        given = [bool(found[name]) for name in ("available_days", "available_from", "available_until")]
        if any(given) and not all(given):
            name = say(LABELS["available_days"])
            wrong.append(("available_days", name, say("曜日と始まり・終わりの時刻は、三つとも書いてください。")))
        try:
            _read(found)
        except HoursError as error:
            wrong.append(("available_days", say(LABELS["available_days"]), str(error)))
        return found, wrong


@page("/facilities", "read", name="facilities")
def listed() -> ResponseReturnValue:
    """Facilities by name, reading, address; those whose hours cannot be read are marked."""
    q, kind = request.args.get("q", "")[:100], request.args.get("kind", "")
    number = request.args.get("page", "1")
    at = max(1, int(number)) if number.isdecimal() and len(number) < 5 else 1
    kinds = [one.value for one in KINDS if kind in ("", one.value)]
    wanted = sa.select(Site).where(Site.withdrawn_at.is_(None), Site.kind.in_(kinds))
    rows = session().scalars(wanted.order_by(Site.kind, Site.name_kana, Site.id))
    key = fold(q)
    found = [site for site in rows if key in fold(f"{site.name} {site.name_kana or ''} {site.address or ''}")]
    shown = found[(at - 1) * PAGE : at * PAGE]
    return _show(
        "facilities.html", shown=shown, many=len(found), at=at, pages=-(-len(found) // PAGE), q=q, kind=kind,
        read={site.id: _spoken(facilities.body(site)) for site in shown},
    )  # fmt: skip


@page("/facilities/<int:site_id>/edit", "edit", name="facility_edit")
def edit(site_id: int) -> ResponseReturnValue:
    """The form of a facility's hours and how to reach it."""
    site = _one(site_id)
    body = facilities.body(site)
    return _form(site, Typed({name: said or "" for name, said in body.items()}, edited.mark_of(body)))


@page("/facilities/<int:site_id>/edit", "edit", post=True, name="facility_save", keeps=True)
def save(site_id: int) -> ResponseReturnValue:
    """Keeps it; nobody is notified."""
    edited.turn()
    site = _one(site_id)
    before = facilities.body(site)
    said = {name: request.form.get(name, "").replace("\r\n", "\n").strip()[:1000] for name in EDITED}
    typed = Typed(said, request.form.get("seen", ""))
    body, wrong = typed.body()
    if wrong:
        return _form(site, typed, wrong, 422)
    if other := edited.stale(KIND, str(site.id), typed, before, LABELS):
        return _form(site, typed, **other)
    facilities.put(session(), site, body, clock.now())
    edited.keep(KIND, str(site.id), site.name, before, facilities.body(site))
    door.tell(say("「%(name)s」を保存しました。", name=site.name))
    return redirect(url_for("console.facility_edit", site_id=site.id), 303)


@page("/facilities/<int:site_id>/history", "read", name="facility_history")
def facility_history(site_id: int) -> ResponseReturnValue:
    """Who changed it, and how."""
    site = _one(site_id)
    restore = edited.way_back("facility_restore", site_id=site.id)
    back = url_for("console.facilities")
    return history.history_page(
        KIND, str(site.id), site.name, back, restore, labels=LABELS, section="console.childcare"
    )


@page("/facilities/<int:site_id>/restore/<int:number>", "edit", post=True, name="facility_restore")
def restore(site_id: int, number: int) -> ResponseReturnValue:
    """Brings back an old state."""
    edited.turn()
    site = _one(site_id)
    edited.bring_back(
        KIND, str(site.id), number, site.name, lambda: facilities.body(site),
        lambda old: facilities.put(session(), site, old, clock.now()),
    )  # fmt: skip
    return redirect(url_for("console.facility_history", site_id=site.id), 303)


def _read(body: dict[str, str | None]) -> Hours | None:
    days, opens, closes = (body[name] for name in ("available_days", "available_from", "available_until"))
    return hours.parse(days, opens, closes, body["available_note"])


def _spoken(body: dict[str, str | None]) -> tuple[str, bool]:
    """How residents are told of the hours, and whether they can be relied on."""
    try:
        found = _read(body)
    except HoursError:
        return say("読めません。住民には「不明」と出ます。"), False
    if found is None:
        return say("書かれていません。住民には「不明」と出ます。"), False
    named = (garbage_words.weekday(one) for one in sorted(found.days))
    days = say("毎日") if len(found.days) == 7 else (", " if current() == "en" else "・").join(named)
    clock_of = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (found.opens, found.closes))
    words = [days, "–".join(clock_of)]
    if found.unclear:
        return " ".join([*words, say("注記を読めないため、住民には「不明」と出ます。")]), False
    if found.only_at_most:
        return " ".join([*words, say("開く日が限られるため、時間の内は「不明」、外は「閉」と住民に出ます。")]), False
    if found.on_holidays is not None:
        words.append(say("祝日も開く") if found.on_holidays else say("祝日は休み"))
    return " ".join(words), True


def _form(
    site: Site, typed: Typed, wrong: Wrong | tuple[()] = (), status: int = 200, **more: Any
) -> ResponseReturnValue:
    plain = {name: unicodedata.normalize("NFKC", typed.said.get(name, "")) or None for name in EDITED}
    return _show("facility.html", status, site=site, typed=typed, wrong=wrong, spoken=_spoken(plain), **more)


def _show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    more = {"NAMES": NAMES, "LABELS": LABELS, "section": "console.childcare", "say": garbage_words}
    return render_template(f"console/{template}", **more, **values), status


def _one(site_id: int) -> Site:
    found = session().get(Site, site_id) if site_id < 2**63 else None
    if found is None or found.withdrawn_at is not None or found.kind not in {one.value for one in KINDS}:
        raise of_status(404)
    return found
