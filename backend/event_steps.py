"""City hall's steps with an event: put right, called off, added, taken away; every state kept."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import g

from backend import clock
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import calendar, event_edits, events, revisions
from content.events import Event, EventStatus
from geo.opendata.turn import take_turn

KIND = "event"  # in the history of what people edit
_DAYS = event_edits.DAYS


def one(event_id: int) -> Event:
    """The event of this id, a withdrawn one too; raises Problem 404."""
    event = events.get(session(), event_id) if event_id < 2**63 else None
    if event is None:
        raise of_status(404, "There is no event with this id.")
    return event


def turn() -> None:
    """Waits for whoever is editing or importing; call it before anything is read that will be changed."""
    take_turn(session())


def add(facts: Mapping[str, Any]) -> Event:
    """Adds an event that no list has. Raises EventRefused."""
    now = clock.now()
    event = event_edits.create(session(), facts, secrets.token_hex(8), now, calendar.day_of(now, settings().zone))
    _record(event, None)
    return event


def change(event: Event, facts: Mapping[str, Any]) -> None:
    """Puts it right. Raises EventRefused."""
    now = clock.now()
    with _kept(event):
        event_edits.change(session(), event, facts, now, calendar.day_of(now, settings().zone))


def offer(event: Event, *, shown: bool) -> bool:
    """Takes it away, or shows it again; False when it already is so."""
    if (event.withdrawn_at is None) == shown:
        return False
    with _kept(event):
        if shown:
            event_edits.bring_back(session(), event, clock.now())
        else:
            event_edits.withdraw(session(), event, g.editor.name, clock.now())
    return True


def restore(event: Event, body: Mapping[str, Any]) -> None:
    """Makes an earlier state the present one; that it moved stays visible. Raises EventRefused."""
    change(event, facts_of(body))


def body_of(event: Event) -> dict[str, Any]:
    """An event as the history keeps it."""
    body = event_edits.said(event) | {"withdrawn": event.withdrawn_at is not None}
    return body | {name: body[name].isoformat() if body[name] is not None else None for name in _DAYS}


def facts_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is edited, of a state that the history keeps."""
    facts = {name: body.get(name) for name in event_edits.SAID}
    day = dt.date.fromisoformat
    facts |= {name: day(str(facts[name])) if facts[name] is not None else None for name in _DAYS}
    # That it changed is found out anew.
    return facts | ({"status": EventStatus.SCHEDULED.value} if facts["status"] == EventStatus.CHANGED else {})


@contextmanager
def _kept(event: Event) -> Iterator[None]:
    before = body_of(event)
    yield
    _record(event, before)


def _record(event: Event, before: dict[str, Any] | None) -> None:
    args: dict[str, Any] = {"kind": KIND, "subject": str(event.id), "name": event.name, "who": g.editor.name}
    revisions.record(session(), clock.now(), body=body_of(event), before=before, **args)
