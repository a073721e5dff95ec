"""The API describes itself: valid OpenAPI 3.1, problems on every operation, a page that needs no other server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from backend import examples


@pytest.fixture
def client(bare_app: Flask) -> FlaskClient:
    return bare_app.test_client()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method} {path}", operation


def test_the_document_is_valid_openapi(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_it_says_in_both_languages_what_push_is_and_is_not(client: FlaskClient) -> None:
    words = client.get("/openapi.json").get_json()["info"]["description"]
    assert "伝達手段のひとつ" in words
    assert "one outlet among several" in words
    assert "Firebase Cloud Messaging" in words


def test_every_operation_documents_problems_and_says_what_it_does(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    shape = document["components"]["schemas"]["Problem"]["properties"]
    assert {"type", "title", "status", "detail", "errors"} <= set(shape)
    for name, operation in operations(document):
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}, name
        assert operation.get("summary"), name
    for name, response in document["components"]["responses"].items():
        assert list(response.get("content", {"application/problem+json": 0})) == ["application/problem+json"], name


def test_every_v1_route_is_in_the_document(client: FlaskClient) -> None:
    documented = set(client.get("/openapi.json").get_json()["paths"])
    routes = {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/v1")
    }
    assert routes == {path for path in documented if path.startswith("/v1")}


def test_the_document_is_cached_by_its_tag(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    assert client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_pages_load_everything_from_this_server(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert "見本市" in page.text
    assert '<html lang="ja">' in page.text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []  # the policy forbids inline scripts
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert link.startswith("/"), link
    for link in re.findall(r'(?:src=|rel="[^"]+" href=)"([^"]+)"', page.text):
        assert client.get(link).status_code == 200, link


def test_only_the_assets_of_the_page_are_served(client: FlaskClient) -> None:
    for name in ("index.css", "../__init__.py", "LICENSE"):
        assert client.get(f"/docs/{name}").status_code == 404


def test_every_operation_shows_an_example_that_its_own_schema_accepts_with_japanese_where_words_are(
    client: FlaskClient,
) -> None:
    document = client.get("/openapi.json").get_json()
    spoken = 0
    for name, operation in operations(document):
        bodies = [
            *(body.get("content", {}) for code, body in operation["responses"].items() if code.startswith("2")),
            operation.get("requestBody", {}).get("content", {}),
        ]
        for media in (body["application/json"] for body in bodies if "application/json" in body):
            schema = {**media["schema"], "components": document["components"]}
            wrong = [error.message for error in Draft202012Validator(schema).iter_errors(media["example"])]
            assert wrong == [], f"{name}: {media['example']}"
            spoken += bool(re.search("[ぁ-んァ-ヶ一-龠]", json.dumps(media["example"], ensure_ascii=False)))
    assert spoken > 40


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "example": "荒井"}, "荒井"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": ["integer", "null"], "minimum": 3}, None),
        ({"anyOf": [{"type": "null"}, {"enum": [None, "open"]}]}, "open"),
        ({"type": "array", "items": {"type": "string", "format": "date"}}, ["2026-11-21"]),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, {"見本": False}),
        ({"$ref": "#/components/schemas/Tree"}, {"below": [], "name": "見本市"}),
    ],
)
def test_an_example_is_made_of_what_a_schema_says(schema: dict[str, Any], expected: Any) -> None:
    itself = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    tree = {"type": "object", "properties": {"below": itself, "name": {"type": "string"}}}
    assert examples.of(schema, {"Tree": tree}) == expected
