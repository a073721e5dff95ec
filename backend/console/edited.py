"""What people edit in place: one at a time, nobody's change overwritten unseen, every state kept in the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import g, request, url_for

from backend import clock, journaling
from backend.console import door, history
from backend.console.history import Said
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content import revisions
from content.opendata.garbage_harvest import digest
from content.revisions import Revision
from geo.opendata.turn import take_turn

Body = dict[str, Any]
Wrong = list[tuple[str, str, str]]  # id on the page, name, reason
MOST_NAMED = 20  # changed fields that the journal or a page names
MOST_LOOKED_AT = 50
STALE = mark(
    "ほかの人が先に変更しました。あなたの入力は残っています。まだ保存されていません。"
    "下の違いを確かめ、よければもう一度保存してください。"
)


class Typed(Protocol):
    """What stands in a form's fields: it keeps the mark of the state that it was made of."""

    seen: str


def mark_of(body: Mapping[str, Any]) -> str:
    """What a form keeps of the state that it was made of."""
    return digest(body)


def turn() -> None:
    """Waits for whoever is editing or importing; call it before anything is read that the form will change."""
    take_turn(session())


def keep(kind: str, subject: str, name: str, before: Body | None, after: Body, **detail: Any) -> None:
    """Puts a saved state into the history and its changed fields into the journal."""
    args: dict[str, Any] = {"kind": kind, "subject": subject, "name": name, "who": g.editor.name, "body": after}
    revisions.record(session(), clock.now(), before=before, **args)
    named = [change.path for change in revisions.changes(before, after)]
    journaling.note(f"{kind} {subject}", name=name, changed=named[:MOST_NAMED], changes=len(named), **detail)


def since(
    kind: str,
    subject: str,
    seen: str,
    now: Body,
    labels: Mapping[str, str] | None = None,
    words: history.Words | None = None,
) -> tuple[Revision | None, list[Said]]:
    """Who kept the newest state, and what changed since the state of which a form was made, where that was kept."""
    kept = revisions.history(session(), kind, subject, MOST_LOOKED_AT)
    then = next((one.body for one in kept if mark_of(one.body) == seen), None)
    changes = revisions.changes(then, now) if then is not None else []
    return next(iter(kept), None), list(history.in_words(changes, labels, words))[:MOST_NAMED]


def stale(
    kind: str, subject: str, typed: Typed, before: Body, labels: Mapping[str, str], words: str = STALE
) -> dict[str, Any]:
    """What a form says when somebody else saved since it was made, as its page takes it; empty when nobody did.

    From now on the form is of the present state: pressed again, it is saved. What was previewed must be looked at anew.
    """
    seen, typed.seen = typed.seen, mark_of(before)
    if seen == typed.seen:
        return {}
    if hasattr(typed, "previewed"):
        typed.previewed = ""
    last, said = since(kind, subject, seen, before, labels)
    return {"wrong": [("", "", say(words))], "status": 409, "stale": last, "since": said}


def way_back(endpoint: str, action: str = "edit", **values: Any) -> Callable[[int], str] | None:
    """Where the form of an earlier state goes, by its number; None for who may not restore."""
    return (lambda number: url_for(f"console.{endpoint}", number=number, **values)) if door.may(action) else None


def bring_back(
    kind: str, subject: str, number: int, name: str, body: Callable[[], Body], save: Callable[[Body], object]
) -> None:
    """Restores the state of a number by its owner's own way of saving; who had not seen the newest is told instead."""
    old, before = asked_back(kind, subject, number), body()
    if old is not None:
        save(old)
        keep(kind, subject, name, before, body(), restored=number)
        door.tell(say("%(number)s版に戻しました。", number=number))


def old_body(kind: str, subject: str, number: int) -> Body:
    """The state of a number, to be restored; 404 for none."""
    found = revisions.one(session(), kind, subject, number)
    if found is None:
        raise of_status(404)
    return found.body


def asked_back(kind: str, subject: str, number: int) -> Body | None:
    """As `old_body`, for who saw the newest state before asking; others are told and get None."""
    newest = next(iter(revisions.history(session(), kind, subject, 1)), None)
    if request.form.get("seen") != str(newest.number if newest else 0):
        door.tell(say("ほかの人が先に変更しました。何も戻していません。いまの状態を見てください。"), "warning")
        return None
    return old_body(kind, subject, number)


def met(
    kind: str, subject: str, seen: str, now: Body, labels: Mapping[str, str], words: history.Words | None = None
) -> dict[str, Any] | None:
    """Who saved since a form was made, and what; None where it may be kept: nobody did, or he ticked that he saw it."""
    if seen == mark_of(now) and ("met" not in request.form or "overwrite" in request.form):
        return None
    last, said = since(kind, subject, seen, now, labels, words)
    return {"who": last.who if last is not None else "", "said": said}
