"""An alert's page, whoever asks for it: everything of it, what was refused, and what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from backend import clock
from backend.api.progress_sights import alert_progress
from backend.console import alert_sight
from backend.transaction import session
from content.texts import ENDONYMS, LANGUAGES
from notifications import reviews
from notifications.alerts import Act, Alert, State
from notifications.dispatch import by_outlet
from notifications.dispatch.by_outlet import OutletProgress
from notifications.messages import Message
from notifications.reviews import Verdict

SEEN = ("seen_area", "seen_texts", "seen_reach")


def show(template: str, status: int = 200, *, drill: bool, **values: Any) -> ResponseReturnValue:
    """A page of the alerts' or the drills' part."""
    part = "drills" if drill else "alerts"
    words = {"sight": alert_sight, "endonyms": ENDONYMS, "languages": LANGUAGES, "State": State, "Act": Act}
    section = f"console.{part}"
    return render_template(f"console/{template}", part=part, drill=drill, section=section, **words, **values), status


def outlets_of(alert: Alert) -> Sequence[OutletProgress]:
    """How the sending of an alert fares outlet by outlet."""
    message = session().get(Message, alert.message_id) if alert.message_id is not None else None
    return by_outlet.of_message(session(), message, clock.now()) if message is not None else ()


def look(alert: Alert, wrong: Iterable[tuple[str, str]] = (), status: int = 200, **typed: str) -> ResponseReturnValue:
    """The page of one; `wrong` is what was refused, `typed` what stood in its fields."""
    seen = alert_sight.sight_of(alert)
    if request.form.get("content_hash") == seen.content_hash:  # what was ticked was ticked for these very words
        typed |= {name: "yes" for name in SEEN if name in request.form}
    progress = alert_progress(alert) if alert.issued_at is not None else None
    outlets = outlets_of(alert) if alert.issued_at is not None else ()
    review = reviews.of_alert(session(), alert) if alert.issued_at is not None else None
    return show(
        "alert.html", status, drill=alert.drill, seen=seen, alert=alert, wrong=list(wrong), progress=progress,
        SEEN=SEEN, outlets=outlets, review=review, untouched=review is None or reviews.untouched(session(), review),
        Verdict=Verdict, typed=typed,
    )  # fmt: skip
