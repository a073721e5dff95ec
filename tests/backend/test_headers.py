"""Browsers and caches are told what they may do with each answer."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.api import caching
from backend.headers import is_below


@pytest.fixture
def client(bare_app: Flask) -> FlaskClient:
    def answer() -> dict[str, int]:
        return {"n": 1}

    for number, path in enumerate(("/v1/alerts-of-test", "/v1/staff/x", "/v1/devices/x", "/v1/devices-list")):
        bare_app.add_url_rule(path, f"plain{number}", answer, methods=["GET", "POST"])
    bare_app.add_url_rule("/v1/cached", "cached", caching.public(max_age=10)(answer))
    return bare_app.test_client()


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/openapi.json", "/v1/alerts-of-test", "/nothing"])
def test_every_answer_is_guarded(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"].partition("style-src")[0]


def test_public_reads_are_open_to_every_site_and_private_ones_to_none(client: FlaskClient) -> None:
    assert client.get("/v1/alerts-of-test").headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/v1/nothing").headers["Access-Control-Allow-Origin"] == "*"
    preflight = client.options(
        "/v1/alerts-of-test", headers={"Origin": "https://x", "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code == 200
    assert "If-None-Match" in preflight.headers["Access-Control-Allow-Headers"]
    assert "POST" not in preflight.headers["Access-Control-Allow-Methods"]
    for response in (client.get("/v1/staff/x"), client.get("/v1/devices/x"), client.post("/v1/alerts-of-test")):
        assert "Access-Control-Allow-Origin" not in response.headers


def test_private_answers_are_never_stored(client: FlaskClient) -> None:
    for path in ("/v1/staff/x", "/v1/devices/x"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
    assert client.post("/v1/alerts-of-test").headers["Cache-Control"] == "no-store"
    assert client.get("/v1/alerts-of-test").headers["Cache-Control"] == "no-cache"


def test_a_prefix_is_a_folder_not_the_beginning_of_a_word() -> None:
    assert is_below("/v1/staff", ("/v1/staff",))
    assert is_below("/v1/staff/alerts", ("/v1/staff",))
    assert not is_below("/v1/staffing", ("/v1/staff",))


def test_a_cached_read_is_fresh_for_a_while_and_better_old_than_none(client: FlaskClient) -> None:
    response = client.get("/v1/cached")
    control = response.cache_control
    assert (control.public, control.max_age, control["stale-if-error"]) == (True, 10, "86400")
    again = client.get("/v1/cached", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == response.headers["Cache-Control"]
    assert client.get("/v1/cached", headers={"If-None-Match": '"other"'}).status_code == 200
