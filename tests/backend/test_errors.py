"""Every refusal and every fault has one shape: problem+json with a stable type, the field and the reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from flask import Flask, abort, redirect, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend import errors
from backend.api.blueprint import Blueprint
from backend.errors import Problem

ROOT = Path(__file__).parents[2]


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The body of a problem, checked for its shape."""
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = response.get_json()
    assert body["status"] == status
    assert body["type"].startswith("/problems/")
    assert body["title"]
    return body


class Inner(ma.Schema):
    lat = ma.fields.Float(required=True)


class Body(ma.Schema):
    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 5))
    places = ma.fields.List(ma.fields.Nested(Inner))


class Query(ma.Schema):
    limit = ma.fields.Integer(validate=ma.validate.Range(1, 10))


@pytest.fixture
def client(bare_app: Flask) -> FlaskClient:
    blp = Blueprint("things", __name__)

    @blp.post("/things")
    @blp.arguments(Body)
    @blp.response(201, Body)
    def things(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @blp.get("/things")
    @blp.arguments(Query, location="query")
    @blp.response(200, Query)
    def listed(query: dict[str, Any]) -> dict[str, Any]:
        return query

    bare_app.register_blueprint(blp)

    @bare_app.get("/fault")
    def fault() -> str:
        raise LookupError("token=abc of somebody")

    @bare_app.get("/database-fault")
    def database_fault() -> str:
        raise sa.exc.OperationalError("SELECT secret", {}, _SqliteError("no such table: x"))

    @bare_app.get("/status/<int:status>")
    def status(status: int) -> str:
        abort(status)

    @bare_app.get("/moved")
    def moved() -> Any:
        return redirect("/things")

    @bare_app.post("/raw")
    def raw() -> str:
        return str(len(request.get_data()))

    return bare_app.test_client()


class _SqliteError(Exception):
    sqlite_errorname = "SQLITE_ERROR"


def test_an_address_with_nothing_and_a_method_not_taken(client: FlaskClient) -> None:
    assert problem(client.get("/v1/nothing"), 404)["type"] == "/problems/not-found"
    refused = client.delete("/things")
    assert problem(refused, 405)["detail"] == "It takes GET, HEAD, OPTIONS, POST."
    assert {"GET", "POST"} <= set(refused.headers["Allow"].split(", "))


def test_fields_are_named_with_their_path_and_the_reason(client: FlaskClient) -> None:
    body = problem(client.post("/things", json={"name": "", "age": 3, "places": [{"lat": 1}, {"lat": "x"}]}), 422)
    assert body["type"] == "/problems/invalid"
    assert body["errors"] == [
        {"field": "name", "reason": "Length must be between 1 and 5."},
        {"field": "places.1.lat", "reason": "Not a valid number."},
        {"field": "age", "reason": "Unknown field."},
    ]
    assert "places.1.lat: Not a valid number." in body["detail"]


def test_a_query_is_named_the_same_way(client: FlaskClient) -> None:
    body = problem(client.get("/things?limit=11"), 422)
    assert [error["field"] for error in body["errors"]] == ["limit"]


@pytest.mark.parametrize("sent", [b"", b"null", b"[]", b'"text"', b"3"])
def test_a_body_that_is_no_object_is_refused_as_a_whole(client: FlaskClient, sent: bytes) -> None:
    body = problem(client.post("/things", data=sent, content_type="application/json"), 422)
    assert body["errors"]


def test_malformed_json_is_located(client: FlaskClient) -> None:
    body = problem(client.post("/things", data=b'{\n "name": ,}', content_type="application/json"), 400)
    assert body["type"] == "/problems/malformed-json"
    assert (body["line"], body["column"]) == (2, 10)


@pytest.mark.parametrize("sent", [b'{"name": NaN}', b'{"name": "\xff"}', b"{'name': 1}", b"\xff\xfe{"])
def test_what_is_nearly_json_is_refused(client: FlaskClient, sent: bytes) -> None:
    problem(client.post("/things", data=sent, content_type="application/json"), 400)


@pytest.mark.parametrize("depth", [33, 1000, 100_000])
def test_a_body_that_is_nested_too_deep_is_refused(client: FlaskClient, depth: int) -> None:
    sent = b"[" * depth + b"]" * depth
    body = problem(client.post("/things", data=sent, content_type="application/json"), 400)
    assert body["type"] == "/problems/too-deep"


def test_another_content_type_is_refused(client: FlaskClient) -> None:
    body = problem(client.post("/things", data="name=x", content_type="text/plain"), 415)
    assert body["detail"] == "Send application/json, not text/plain."
    problem(client.post("/things", data="name=x"), 415)


def test_json_with_a_vendor_type_and_charset_is_json(client: FlaskClient) -> None:
    for content_type in ("application/json; charset=utf-8", "application/merge-patch+json"):
        assert client.post("/things", data='{"name": "荒井"}', content_type=content_type).status_code == 201


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    limit = client.application.config["MAX_CONTENT_LENGTH"]
    body = problem(client.post("/raw", data=b"x" * (limit + 1)), 413)
    assert body["type"] == "/problems/too-large"


def test_a_fault_shows_nothing_of_its_inside(client: FlaskClient) -> None:
    for path in ("/fault", "/database-fault"):
        response = client.get(path)
        body = problem(response, 500)
        assert response.headers["X-Request-Id"]
        for inside in ("LookupError", "token", "SELECT", "table", "Traceback"):
            assert inside not in response.text
        assert body["type"] == "/problems/internal"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 408, 409, 410, 412, 414, 416, 418, 428, 431, 501, 503])
def test_every_status_has_the_shape(client: FlaskClient, status: int) -> None:
    problem(client.get(f"/status/{status}"), status)


def test_what_is_no_error_passes(client: FlaskClient) -> None:
    assert client.get("/moved").status_code == 302


def test_a_problem_carries_its_field_its_headers_and_further_members(bare_app: Flask) -> None:
    raised = Problem(409, "shelter-full", "Full", "No room.", field="site", headers={"Retry-After": "5"}, capacity=80)
    with bare_app.app_context():
        response = raised.response()
    assert response.get_json() == {
        "type": "/problems/shelter-full",
        "title": "Full",
        "status": 409,
        "detail": "No room.",
        "errors": [{"field": "site", "reason": "No room."}],
        "capacity": 80,
    }
    assert response.headers["Retry-After"] == "5"


def test_waiting_is_said_in_whole_seconds_and_never_zero() -> None:
    assert errors.too_many(0.2, "").headers["Retry-After"] == "1"
    assert errors.too_many(61.5, "").headers["Retry-After"] == "62"


def test_the_document_and_the_code_name_the_same_problems() -> None:
    document = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `/problems/([\w-]+)` \| ([\d, ]+) \|", document, re.MULTILINE)
    documented = {slug: {int(status) for status in statuses.split(", ")} for slug, statuses in rows}
    assert len(documented) == len(rows), "a problem has two rows"
    coded: dict[str, set[int]] = {slug: {status} for status, (slug, _title) in errors.TITLES.items()} | _raised()
    assert documented.keys() == coded.keys()
    assert {slug: coded[slug] - documented[slug] for slug in coded if coded[slug] - documented[slug]} == {}


def _raised() -> dict[str, set[int]]:
    """Statuses by slug of every `Problem(...)` in the doors; the slug must be written out."""
    found: dict[str, set[int]] = {}
    for path in sorted((ROOT / "backend").rglob("*.py")):
        if path.name == "errors.py":  # the general ones: their slugs are in the table
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Problem":
                status, slug = node.args[:2]
                assert isinstance(slug, ast.Constant), f"{path.relative_to(ROOT)}:{node.lineno}: write the slug out"
                found.setdefault(slug.value, set()).update({status.value} if isinstance(status, ast.Constant) else ())
    return found
