"""The API keeps what its own description says, whatever is sent: no fault, only documented shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import database
from backend.config import Settings
from content import editors
from content.editors import Role
from database import db
from notifications import devices
from tests.backend.conftest import Clock, opened
from tests.tables import create_tables

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Flask, dict[str, str]]]:
    """An application on an empty city, with a key for each kind of door."""
    generous = Settings(database_url=f"sqlite:///{tmp_path / 'city.db'}", registrations_per_hour=1_000_000)
    clock = Clock()
    for app in opened(generous, clock):
        with app.app_context():
            create_tables(db.engine)
            with database.transaction(db.engine) as session:
                _editor, key = editors.add(session, "佐藤", Role.DUTY_OFFICER, clock())
                phone = devices.register(
                    session,
                    platform=devices.Platform.ANDROID,
                    language="ja",
                    app_version="1",
                    token="t" * 40,
                    now=clock(),
                )
        yield app, {"/v1/staff": key, "/v1/devices/me": phone.secret}


def try_out(operation: Any, keys: dict[str, str]) -> None:
    """Sends what the description allows, drawn at random, and compares each answer with the description."""
    needed = [key for prefix, key in keys.items() if operation.path.startswith(prefix)]

    @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answered(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {needed[0]}"} if needed else {}, checks=CHECKS)

    answered()


def test_whatever_is_sent_is_answered_as_described(served: tuple[Flask, dict[str, str]]) -> None:
    app, keys = served
    # A phone that deletes itself has no secret for the next call.
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app).exclude(method="DELETE", path="/v1/devices/me")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        try_out(operation, keys)
