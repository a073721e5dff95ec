"""What people edit in place: one at a time, nobody's change overwritten unseen, every state kept in the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, request

from backend import clock, journaling
from backend.console import door, history
from backend.console.history import Said
from backend.console.language import say
from backend.errors import of_status
from backend.transaction import session
from content import revisions
from content.opendata.garbage_harvest import digest
from content.revisions import Revision
from geo.opendata.turn import take_turn

Body = dict[str, Any]
MOST_NAMED = 20  # changed fields that the journal or a page names
MOST_LOOKED_AT = 50


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
    kind: str, subject: str, seen: str, now: Body, labels: Mapping[str, str] | None = None
) -> tuple[Revision | None, list[Said]]:
    """Who kept the newest state, and what changed since the state of which a form was made, where that was kept."""
    kept = revisions.history(session(), kind, subject, MOST_LOOKED_AT)
    then = next((one.body for one in kept if mark_of(one.body) == seen), None)
    changes = revisions.changes(then, now) if then is not None else []
    return next(iter(kept), None), list(history.in_words(changes, labels))[:MOST_NAMED]


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
