"""What the storeys below refuse, as problems: one place, so that every resource answers alike."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response

from backend.errors import Problem, of_status
from content.notices import Conflict as NoticeConflict
from content.notices import NoticeRefused
from content.texts import TextsError
from content.workflow import NotAllowed
from notifications.dangers import AreaRefused
from notifications.devices import TokenError
from notifications.drafting import Conflict, DraftRefused
from notifications.topics import TopicRefused, UnknownTopics


def problem_of(error: Exception) -> Problem:
    """The problem that says what was refused, where and why."""
    match error:
        case NotAllowed():
            # The role, or the person, may not; everything else may be allowed at another time or to another content.
            status = 403 if error.code in ("role", "machine", "own_work", "system_only") else 409
            return Problem(status, "not-allowed", "This step is not allowed", error.reason, code=error.code)
        case DraftRefused() | NoticeRefused():
            errors = [{"field": field, "reason": reason} for field, reason in error.errors]
            return of_status(422, str(error), errors=errors)
        case AreaRefused():
            where: dict[str, Any] = {} if error.lat is None else {"lat": error.lat, "lon": error.lon}
            return of_status(422, error.reason, errors=[{"field": error.field, "reason": error.reason, **where}])
        case TokenError():
            return of_status(422, str(error), field="token")
        case TopicRefused():
            return of_status(422, str(error), errors=[{"field": error.field, "reason": error.reason}])
        case TextsError():
            return of_status(422, str(error), field="texts")
        case UnknownTopics():
            return of_status(422, str(error), field="topics", unknown=error.slugs)
        case Conflict() | NoticeConflict():
            return of_status(409, "Somebody else changed it in between: read it again.")
    raise error


REFUSALS = (
    NotAllowed,
    DraftRefused,
    NoticeRefused,
    AreaRefused,
    TokenError,
    TextsError,
    TopicRefused,
    UnknownTopics,
    Conflict,
    NoticeConflict,
)


def register(app: Flask) -> None:
    """Answers every refusal of the storeys below with its problem; the transaction is rolled back by then."""

    def answer(error: Exception) -> Response:
        return problem_of(error).response()

    for kind in REFUSALS:
        app.register_error_handler(kind, answer)
