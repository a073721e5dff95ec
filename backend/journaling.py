"""What staff did goes into the journal in the very transaction in which it was done: no view can forget it."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from backend import clock
from backend.headers import is_below
from content import journal
from content.editors import Editor
from content.journal import Door

_DOORS: dict[str, Door] = {"/v1/staff": "api", "/console": "console"}
_VERBS = {"POST": "create", "PATCH": "edit", "PUT": "put", "DELETE": "delete"}
# What an answer of the API says of the thing, where it says it: enough to find what it was like.
_TOLD = ("act", "state", "version", "hazard", "level", "exercise", "content_hash", "status", "crowding", "dry_run")
_SHORT = 200  # characters of a value that is kept


def register(app: Flask) -> None:
    """Lets `backend.transaction` call `write` before each commit."""
    app.extensions.setdefault("yobikake.before_commit", []).append(write)


def note(subject: str = "", *, action: str = "", actor: Editor | None = None, **detail: Any) -> None:
    """Says more of what this request does: its subject, plain values; another name of the action, or who it was.

    Call it as often as you like; what is said later is added. Never a secret, a token or a phone's place.
    """
    said = g.setdefault("journal", {"detail": {}})
    said["subject"] = subject or said.get("subject", "")
    said["action"] = action or said.get("action", "")
    said["actor"] = actor or said.get("actor")
    said["detail"] |= detail


def nothing() -> None:
    """This request changes nothing, though its method might: a search by POST."""
    g.journal = None


def write(session: Session, response: Response) -> None:
    """Appends what the request did, if a person of city hall did something."""
    said: dict[str, Any] | None = g.get("journal", {"detail": {}})
    if said is None or (request.method not in _VERBS and "journal" not in g):
        return
    door = next((door for root, door in _DOORS.items() if is_below(request.path, (root,))), None)
    actor = said.get("actor") or g.get("editor")
    if door is None or (actor is None and "journal" not in g):
        return
    told = _told(response)
    journal.append(
        session,
        now=clock.now(),
        actor=actor,
        door=door,
        action=said.get("action") or action_of(request.method, str(request.url_rule)),
        subject=said.get("subject") or str(next(iter((request.view_args or {}).values()), told.pop("id", ""))),
        detail=told | said["detail"],
    )


def action_of(method: str, rule: str) -> str:
    """`alerts.approve` for POST /v1/staff/alerts/<public_id>/approve, `alerts.edit` for PATCH …/<public_id>."""
    parts = [part for part in rule.removeprefix("/v1/staff").removeprefix("/console").split("/") if part]
    names = [part for part in parts if not part.startswith("<")]
    if len(names) < 2 or parts[-1].startswith("<"):
        names.append(_VERBS.get(method, method.lower()))
    return ".".join(names)


def _told(response: Response) -> dict[str, Any]:
    body = response.get_json(silent=True) if response.is_json else None
    if not isinstance(body, dict):
        return {}
    kept = {name: body[name] for name in ("id", *_TOLD) if isinstance(body.get(name), (str, int, bool))}
    return {name: value[:_SHORT] if isinstance(value, str) else value for name, value in kept.items()}
