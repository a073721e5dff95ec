"""The API keeps what its own description says, whatever is sent: no fault, only documented shapes.

A short look at every operation here. A long one, for hours if wanted, with other examples each time:

    CONTRACT_EXAMPLES=300 python3 tasks.py test tests/backend/test_contract.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import database
from backend.cli import seed
from backend.config import Settings
from content import editors
from content.editors import Role
from content.notices import Notice
from database import db
from notifications import devices
from tests.backend.conftest import Clock, opened
from tests.tables import create_tables

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "3"))
# What stands in addresses and is there, so that not every second answer is a 404.
THERE = {
    "site_id": 1, "event_id": 1, "area_id": 1, "code": "04993", "slug": "garbage", "cell": "57403629431",
    "key": "check.2m",
}  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Flask, dict[str, str], dict[str, Any]]]:
    """An application on the sample city, with a key for each kind of door and what is there."""
    generous = Settings(database_url=f"sqlite:///{tmp_path / 'city.db'}", registrations_per_hour=1_000_000)
    clock = Clock()
    for app in opened(generous, clock):
        with app.app_context():
            create_tables(db.engine)
            with database.transaction(db.engine) as session:
                seed.plant(session, clock())
                _editor, key = editors.add(session, "佐藤", Role.DUTY_OFFICER, clock())
                notice = session.scalar(sa.select(Notice.public_id).limit(1))
                phone = devices.register(
                    session,
                    platform=devices.Platform.ANDROID,
                    language="ja",
                    app_version="1",
                    token="t" * 40,
                    now=clock(),
                )
        keys = {"/v1/staff": key, "/v1/devices/me": phone.secret}
        yield app, keys, {**THERE, "public_id": notice}


def try_out(operation: Any, keys: dict[str, str], there: dict[str, Any]) -> None:
    """Sends what the description allows, drawn at random, and compares each answer with the description."""
    needed = [key for prefix, key in keys.items() if operation.path.startswith(prefix)]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), known=st.booleans())
    def answered(case: Any, known: bool) -> None:
        if known:
            case.path_parameters = {name: there.get(name, value) for name, value in case.path_parameters.items()}
        case.call_and_validate(headers={"Authorization": f"Bearer {needed[0]}"} if needed else {}, checks=CHECKS)

    answered()


def test_whatever_is_sent_is_answered_as_described(served: tuple[Flask, dict[str, str], dict[str, Any]]) -> None:
    app, keys, there = served
    # A phone that deletes itself has no secret for the next call.
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app).exclude(method="DELETE", path="/v1/devices/me")
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) > 60
    for operation in operations:
        try_out(operation, keys, there)


@pytest.mark.parametrize("path", ["shelters/{}", "facilities/{}", "events/{}", "garbage/areas/{}/next"])
def test_a_number_larger_than_the_store_s_is_an_address_without_anything(bare_app: Flask, path: str) -> None:
    answer = bare_app.test_client().get(f"/v1/{path.format(2**63)}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_every_number_in_an_address_says_how_large_it_may_be(bare_app: Flask) -> None:
    paths = bare_app.test_client().get("/openapi.json").get_json()["paths"]
    numbers = [
        parameter["schema"]
        for path in paths.values()
        for parameter in path.get("parameters", ())
        if parameter["in"] == "path" and parameter["schema"]["type"] == "integer"
    ]
    assert numbers
    assert all(one["maximum"] == 2**63 - 1 and one["minimum"] == 0 for one in numbers)
