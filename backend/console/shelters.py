"""The board of shelters: what somebody hears on the telephone is one press; whole wards are two. It never rings."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import journaling, sheltering
from backend.api.shelter_sights import KINDS
from backend.console import door, shelter_board
from backend.console.door import page
from backend.console.language import current, say
from backend.console.shelter_board import Board, Wish
from backend.errors import of_status
from backend.transaction import session
from geo import sites, statuses
from geo.hazards import hazards_in
from geo.sites import Crowding, Site, SiteStatus, StaleSite
from notifications import wording


@page("/shelters", "read")
def shelters() -> ResponseReturnValue:
    """The places that were asked for, thirty a page."""
    return _board(shelter_board.board(shelter_board.read(request.args)))


@page("/shelters/<int:site_id>/status", "site_status", post=True, keeps=True)
def say_of_shelter(site_id: int) -> ResponseReturnValue:
    """One press: what is so now. Whoever was slower is told, sees what stands now, and keeps what was typed."""
    wish = shelter_board.read(request.args)
    before = sheltering.one(site_id)
    meant = shelter_board.said(request.form.get("say", "note"), before)
    note = _note(request.form.get("note", ""))
    alone, own_page = "row" in request.form, "own" in request.args
    if meant is None:
        raise of_status(400)
    try:
        site = sheltering.say(
            site_id, status=meant[0], crowding=meant[1], note=note, version=_version(request.form.get("version", ""))
        )
    except StaleSite:
        journaling.nothing()
        now = session().get_one(Site, site_id, populate_existing=True)
        words = say(
            "%(who)s が先に「%(what)s」にしました。まだ保存していません。よければ、もう一度押してください。",
            who=now.status_by or "–",
            what=shelter_board.described(now.status, now.crowding),
        )
        told = {"wrong": {site_id: words}, "typed": {site_id: note or ""}}
        if alone:
            return _row(now, wish, **told), 409
        if own_page:
            return _one(now, **told), 409
        board = shelter_board.board(wish)
        if all(row.id != site_id for row in board.rows):
            board = shelter_board.one(now, wish)
        return _board(board, **told), 409
    journaling.note(site.name, action="shelters.status", site=site.id, status=site.status, crowding=site.crowding)
    if alone:
        return _row(site, wish, saved=site_id)
    if own_page:
        door.tell(say("保存しました。"))
        return redirect(url_for("console.shelter", site_id=site_id), 303)
    if wish.state in ("", site.status):
        return redirect(url_for("console.shelters", **wish.query(), saved=site_id, _anchor=f"site-{site_id}"), 303)
    # It has left the list that is worked through.
    what = shelter_board.described(site.status, site.crowding)
    door.tell(say("%(name)s を「%(what)s」にしました。", name=site.name, what=what))
    return redirect(url_for("console.shelters", **wish.query()), 303)


@page("/shelters/all", "site_status", name="shelters_all")
def look_at_all() -> ResponseReturnValue:
    """Before a word about many: which places change, which are so already."""
    wish, to = shelter_board.read(request.args), request.args.get("to", "")
    if to not in tuple(SiteStatus):
        return redirect(url_for("console.shelters", **wish.query()), 303)
    return _all(wish, SiteStatus(to))


@page("/shelters/all", "site_status", post=True, name="shelters_say_all")
def say_of_all() -> ResponseReturnValue:
    """A word about every place that is ticked and still as it was looked at."""
    wish, to = shelter_board.read(request.args), request.form.get("to", "")
    if to not in tuple(SiteStatus):
        raise of_status(400)
    chosen = [pair for pair in map(_pair, request.form.getlist("site")) if pair is not None]
    status, note = SiteStatus(to), _note(request.form.get("note", ""))
    if not chosen or len(chosen) > shelter_board.MOST_AT_ONCE:
        journaling.nothing()
        return _all(wish, status, wrong=[("", say("変える所に、一つ以上印を付けてください。"))]), 422
    done = sheltering.say_of_many(chosen, status=status, note=note, keep_notes="keep_notes" in request.form)
    many = len(done.changed)
    journaling.note(
        wish.ward or wish.q or "", action="shelters.status_of_many", status=status.value, changed=many,
        left=len(done.left), sites=[site.id for site in done.changed],
    )  # fmt: skip
    door.tell(say("%(many)s か所を「%(what)s」にしました。", many=many, what=say(shelter_board.STATUSES[status])))
    if done.left:
        left = [site.name for site_id in done.left if (site := sites.get(session(), site_id)) is not None]
        words = say(
            "%(many)s か所は、その間にほかの人が変えたので、そのままです: %(names)s",
            many=len(done.left),
            names=shelter_board.listed(left[:10]) + ("…" if len(left) > 10 else ""),
        )
        door.tell(words, "warning")
    return redirect(url_for("console.shelters", **wish.query(state="", page="")), 303)


@page("/shelters/<int:site_id>", "read")
def shelter(site_id: int) -> ResponseReturnValue:
    """One place: what is published, what was said of it, by whom and when."""
    return _one(sheltering.one(site_id))


def _board(board: Board, **told: Any) -> str:
    saved = request.args.get("saved", "")
    told.setdefault("saved", int(saved) if saved.isascii() and saved.isdecimal() and len(saved) < 19 else None)
    return _rendered("shelters.html", board, **told)


def _row(site: Site, wish: Wish, **told: Any) -> str:
    return _rendered("shelter_row.html", shelter_board.one(site, wish), **told)


def _one(site: Site, **told: Any) -> str:
    words = statuses.history(session(), site.id)
    names = [wording.hazard_name(hazard, current()) for hazard in hazards_in(site.hazards)]
    board = shelter_board.one(site, Wish())
    hazards = shelter_board.listed(names)
    return _rendered("shelter.html", board, site=site, words=words, hazards=hazards, own=True, **told)


def _all(wish: Wish, to: SiteStatus, wrong: Any = ()) -> str:
    board = shelter_board.found(wish)
    change = [site for site in board.rows if site.status != to.value]
    return _rendered(
        "shelters_all.html", board, to=to, wrong=list(wrong), change=change, same=board.total - len(change),
        most=shelter_board.MOST_AT_ONCE, note=request.form.get("note", ""),
    )  # fmt: skip


def _rendered(template: str, board: Board, **values: Any) -> str:
    names = {
        "statuses": shelter_board.STATUSES, "crowdings": shelter_board.CROWDINGS, "kinds": KINDS,
        "kind_names": shelter_board.KIND_NAMES, "orders": shelter_board.ORDERS, "age": shelter_board.age,
        "described": shelter_board.described, "note_max": sheltering.NOTE_MAX, "Crowding": Crowding,
    }  # fmt: skip
    section = "console.shelters"
    return render_template(f"console/{template}", board=board, wish=board.wish, section=section, **names, **values)


def _note(typed: str) -> str | None:
    return " ".join(typed.replace("\0", "").split())[: sheltering.NOTE_MAX] or None


def _version(typed: str) -> int:
    """The version that was looked at; -1, which no row has, for anything else."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else -1


def _pair(typed: str) -> tuple[int, int] | None:
    """「12.3」: the id and the version of a place."""
    site_id, _, version = typed.partition(".")
    both = all(part.isascii() and part.isdecimal() and len(part) < 19 for part in (site_id, version))
    return (int(site_id), int(version)) if both else None
