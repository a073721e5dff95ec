"""What staff do by the API and on the server is in the journal; what fails or only reads is not."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from backend import journaling
from backend.cli import staff
from content import journal
from database import transaction
from tests.backend.api.town import Town
from tests.backend.conftest import Clock


def test_the_staff_api_writes_who_did_what_to_what(client: FlaskClient, engine: Engine, clock: Clock) -> None:
    town = Town(client, engine, clock)
    town.phone(at=True)
    draft = town.draft()
    town.call("GET", f"/v1/staff/alerts/{draft['id']}", by="author")
    town.call("POST", f"/v1/staff/alerts/{draft['id']}/approve", {"content_hash": draft["content_hash"]}, by="approver")
    town.approve(town.submit(draft))
    with transaction(engine, "read") as session:
        found = [(one.name, one.door, one.action, one.subject) for one in reversed(journal.search(session))]
        assert found == [
            ("author", "api", "alerts.create", draft["id"]),
            ("author", "api", "alerts.submit", draft["id"]),
            ("approver", "api", "alerts.approve", draft["id"]),
        ]
        assert journal.search(session, most=1)[0].detail["content_hash"] == draft["content_hash"]
        assert journal.verify(session).sound


def test_what_is_done_on_the_server_is_written_too(app: Flask, engine: Engine) -> None:
    run = app.test_cli_runner()
    assert run.invoke(staff.command, ["add", "--name", "A", "--role", "approver"]).exit_code == 0
    assert "login has" in run.invoke(staff.command, ["invite", "A"]).output
    link = run.invoke(staff.command, ["invite", "A", "--login", "a1"]).stdout.strip()
    assert "/console/welcome/" in link
    assert app.test_client().get(link.partition("8000")[2]).status_code == 200
    with transaction(engine, "read") as session:
        assert [one.action for one in journal.search(session)] == ["people.invite", "people.create"]
        assert link.rpartition("/")[2] not in str([one.detail for one in journal.search(session)])


@pytest.mark.parametrize(
    ("method", "rule", "name"),
    [
        ("POST", "/v1/staff/alerts", "alerts.create"),
        ("PATCH", "/v1/staff/alerts/<public_id>", "alerts.edit"),
        ("POST", "/v1/staff/drills/<public_id>/all-clear", "drills.all-clear"),
        ("PUT", "/v1/staff/shelters/<int:site_id>/status", "shelters.status"),
        ("POST", "/v1/staff/imports/sites", "imports.sites"),
        ("DELETE", "/v1/staff/alerts/<public_id>", "alerts.delete"),
        ("POST", "/console/alerts/<public_id>/submit", "alerts.submit"),
        ("POST", "/console/people", "people.create"),
    ],
)
def test_an_action_has_one_name_at_every_door(method: str, rule: str, name: str) -> None:
    assert journaling.action_of(method, rule) == name
