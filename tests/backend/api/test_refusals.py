"""Whatever the storeys below refuse is one kind of problem; and a reading request never writes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.api import refusals
from content.drafts import NoticeRefused
from content.texts import TextsError
from content.workflow import NotAllowed
from database import db
from notifications.dangers import AreaRefused
from notifications.devices import TokenError
from notifications.drafting import Conflict, DraftRefused
from notifications.topics import UnknownTopics
from tests.backend.api.town import Town

FORBIDDEN = ("role", "machine", "own_work", "system_only")


@pytest.mark.parametrize(
    ("error", "status", "slug", "named"),
    [
        *[(NotAllowed(code, "why"), 403, "not-allowed", None) for code in FORBIDDEN],
        *[
            (NotAllowed(code, "why"), 409, "not-allowed", None)
            for code in ("wrong_state", "content_changed", "lapsed", "not_submitted", "hash_missing")
        ],
        (DraftRefused([("a", "x"), ("b", "y")]), 422, "invalid", ["a", "b"]),
        (NoticeRefused([("texts.ja", "x")]), 422, "invalid", ["texts.ja"]),
        (AreaRefused("area.polygon", "crosses", 38.0, 140.0), 422, "invalid", ["area.polygon"]),
        (AreaRefused("area", "empty"), 422, "invalid", ["area"]),
        (TokenError("odd"), 422, "invalid", ["token"]),
        (TextsError("odd", "ja", "title"), 422, "invalid", ["texts"]),
        (UnknownTopics(["x"]), 422, "invalid", ["topics"]),
        (Conflict(), 409, "conflict", None),
    ],
    ids=lambda value: getattr(value, "code", type(value).__name__) if isinstance(value, Exception) else "",
)
def test_a_refusal_says_what_where_and_why(error, status, slug, named):
    problem = refusals.problem_of(error)
    assert (problem.status, problem.slug) == (status, slug)
    assert problem.detail
    assert named is None or [entry["field"] for entry in problem.extra["errors"]] == named
    if isinstance(error, AreaRefused):
        (entry,) = problem.extra["errors"]
        assert (entry.get("lat"), entry.get("lon")) == (error.lat, error.lon)
        assert ("lat" in entry) == (error.lat is not None)


def test_every_refusal_of_the_list_has_its_problem_and_nothing_else_does():
    assert all(issubclass(kind, Exception) for kind in refusals.REFUSALS)
    with pytest.raises(KeyError):
        refusals.problem_of(KeyError("not ours"))


def test_a_reading_request_never_writes(app, client, engine, clock):
    """Every GET there is, with what is there to be read, while each statement is looked at."""
    town = Town(client, engine, clock)
    phone = town.phone(at=True)
    live, drill = town.issue(), town.issue(part="drills")
    town.work()
    clock.pass_(hours=7)  # and something is overdue to be written down
    statements: list[str] = []

    def remember(_connection, _cursor, statement, *_rest):
        statements.append(statement.split(None, 1)[0].upper())

    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", remember)
    calls = 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.rule.startswith("/v1/"):
            continue
        alert = drill if "/drills/" in rule.rule else live
        path = rule.rule.replace("<public_id>", alert["id"]).replace("<place>", "home")
        if "<" in path:
            continue
        answer = town.call("GET", path, by="author" if "/staff/" in path else phone)
        assert answer.status_code < 500, (path, answer.get_data(as_text=True))
        calls += 1
    assert calls >= 12
    assert set(statements) <= {"SELECT", "BEGIN", "SET", "PRAGMA", "WITH"}, set(statements)
