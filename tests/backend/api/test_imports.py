"""Staff take lists in over HTTP: only looking by default, all or nothing, with every refusal in the answer."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import database
from content import editors
from content.editors import Role
from database import db
from geo.sites import Site
from tests.backend.conftest import Clock
from tests.geo.opendata.lists import gsi, gsi_bytes

PATH = "/v1/staff/imports/sites"


@pytest.fixture
def keys(app: Flask, clock: Clock) -> dict[Role, str]:
    """One key a role."""
    with app.app_context(), database.transaction(db.engine) as session:
        return {role: editors.add(session, f"見本 {role}", role, clock())[1] for role in Role}


def send(client: FlaskClient, key: str | None, data: bytes, **options: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    form = {"file": (io.BytesIO(data), "避難場所.csv"), **options}
    return client.post(PATH, headers=headers, data=form, content_type="multipart/form-data")


def stored(app: Flask) -> int:
    with app.app_context(), database.transaction(db.engine, "read") as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Site)) or 0


def test_by_default_it_only_looks(app: Flask, client: FlaskClient, keys: dict[Role, str]) -> None:
    answer = send(client, keys[Role.ADMINISTRATOR], gsi_bytes(gsi(1), gsi(2)))
    assert answer.status_code == 200
    assert (answer.json["dry_run"], answer.json["applied"], answer.json["added"]) == (True, False, 2)
    assert stored(app) == 0


def test_told_to_it_takes_the_list_in_and_twice_changes_nothing(
    app: Flask, client: FlaskClient, keys: dict[Role, str]
) -> None:
    how = {"dry_run": "false", "licence": "CC BY 4.0", "as_of": "2026-08-01"}
    data = gsi_bytes(gsi(1), gsi(2), encoding="cp932")
    first = send(client, keys[Role.ADMINISTRATOR], data, **how)
    assert (first.status_code, first.json["applied"], first.json["added"]) == (200, True, 2)
    again = send(client, keys[Role.ADMINISTRATOR], data, **how)
    assert (again.json["unchanged"], again.json["changed"], again.json["redated"]) == (2, 0, 0)
    assert stored(app) == 2


def test_a_refused_row_stops_it_and_the_answer_names_the_cell(
    app: Flask, client: FlaskClient, keys: dict[Role, str]
) -> None:
    data = gsi_bytes(gsi(1), gsi(2, 洪水="?"))
    answer = send(client, keys[Role.ADMINISTRATOR], data, dry_run="false")
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/nothing-imported")
    assert answer.json["report"]["refused"][0] | {"reason": ""} == {
        "line": 3,
        "column": "洪水",
        "value": "?",
        "code": "unknown_flag",
        "reason": "",
    }
    assert stored(app) == 0
    rest = send(client, keys[Role.ADMINISTRATOR], data, dry_run="false", skip_refused="true")
    assert (rest.status_code, rest.json["added"], rest.json["refused_rows"]) == (200, 1, 1)
    assert stored(app) == 1


def test_a_look_at_a_bad_list_is_no_error(client: FlaskClient, keys: dict[Role, str]) -> None:
    answer = send(client, keys[Role.ADMINISTRATOR], gsi_bytes(gsi(1, 洪水="?")))
    assert (answer.status_code, answer.json["refused_rows"]) == (200, 1)


@pytest.mark.parametrize(
    "data", [b"garbage", b"", b"PK\x03\x04", b'{"type":"FeatureCollection","features":[', b"\xff\xfe"]
)
def test_a_file_of_another_kind_is_refused(client: FlaskClient, keys: dict[Role, str], data: bytes) -> None:
    answer = send(client, keys[Role.ADMINISTRATOR], data, dry_run="false")
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/unusable-file")
    assert answer.json["code"]


@pytest.mark.parametrize("options", [{"dry_run": "perhaps"}, {"as_of": "yesterday"}, {"complete_for": "x" * 65}])
def test_an_option_that_cannot_be_read_is_named(
    client: FlaskClient, keys: dict[Role, str], options: dict[str, str]
) -> None:
    answer = send(client, keys[Role.ADMINISTRATOR], gsi_bytes(gsi(1)), **options)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == list(options)


def test_without_a_file_it_says_so(client: FlaskClient, keys: dict[Role, str]) -> None:
    headers = {"Authorization": f"Bearer {keys[Role.ADMINISTRATOR]}"}
    answer = client.post(PATH, headers=headers, data={"dry_run": "true"}, content_type="multipart/form-data")
    assert [error["field"] for error in answer.json["errors"]] == ["file"]


def test_only_those_who_may_import_do(client: FlaskClient, keys: dict[Role, str]) -> None:
    data = gsi_bytes(gsi(1))
    may = {role for role, key in keys.items() if send(client, key, data).status_code == 200}
    assert may == {role for role in Role if editors.Action.IMPORT in editors.PERMISSIONS[role]}
    assert send(client, None, data).status_code == 401
    assert Role.MACHINE not in may


def test_a_list_larger_than_other_bodies_may_come(client: FlaskClient, keys: dict[Role, str], app: Flask) -> None:
    data = gsi_bytes(*(gsi(number, 備考="長い備考" * 300) for number in range(1, 700)))
    assert len(data) > app.config["MAX_CONTENT_LENGTH"]
    assert send(client, keys[Role.ADMINISTRATOR], data).json["added"] == 699
    assert send(client, None, data).status_code in (401, 413)  # strangers send nothing large


def test_an_export_of_ours_comes_back_with_the_source_of_each_row(
    app: Flask, client: FlaskClient, keys: dict[Role, str]
) -> None:
    key = keys[Role.ADMINISTRATOR]
    send(client, key, gsi_bytes(gsi(1), gsi(2)), dry_run="false", source="elsewhere")
    exported = client.get("/opendata/evacuation_sites.csv").data
    answer = send(client, key, exported, as_exported="true")
    assert (answer.json["sources"], answer.json["unchanged"], answer.json["changed"]) == (["elsewhere"], 2, 0)
    assert send(client, key, exported).json["added"] == 2
    both = send(client, key, exported, as_exported="true", source="city")
    assert (both.status_code, both.json["code"]) == (422, "not_exported")
