"""A phone is known by its secret, a person by their key; every guarded route asks for the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from werkzeug.routing import IntegerConverter, Rule

import database
from backend.auth import device_required, staff_required
from content import editors
from content.editors import Role
from notifications import devices
from tests.backend.conftest import Clock


def guarded(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Every route behind a door that needs a key: its rule, method and the kind of key."""
    for rule in app.url_map.iter_rules():
        scheme = (
            "staff" if rule.rule.startswith("/v1/staff") else "device" if rule.rule.startswith("/v1/devices/me") else ""
        )
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            if scheme:
                yield rule, method, scheme


def handler(app: Flask, rule: Rule, method: str) -> Callable[..., Any]:
    view = app.view_functions[rule.endpoint]
    resource = getattr(view, "view_class", None)
    found: Callable[..., Any] = getattr(resource, method.lower()) if resource else view
    return found


def test_every_route_of_staff_and_of_a_phone_asks_for_that_key(bare_app: Flask) -> None:
    for rule, method, scheme in guarded(bare_app):
        assert getattr(handler(bare_app, rule, method), "_required", None) == scheme, f"{method} {rule.rule}"


def test_no_other_route_asks_for_a_key(bare_app: Flask) -> None:
    behind = {(rule.rule, method) for rule, method, _scheme in guarded(bare_app)}
    for rule in bare_app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            asks = hasattr(handler(bare_app, rule, method), "_required")
            assert asks == ((rule.rule, method) in behind), f"{method} {rule.rule}"


def test_the_key_is_asked_for_before_anything_else_is_looked_at(app: Flask) -> None:
    for rule, method, scheme in guarded(app):
        url = rule.rule
        for name in rule.arguments:
            converter = rule._converters[name]
            sample = "1" if isinstance(converter, IntegerConverter) else "x"
            url = url.replace(next(part for part in _placeholders(url) if part.rstrip(">").endswith(name)), sample)
        response = app.test_client().open(url, method=method, data=b"{", content_type="application/json")
        assert response.status_code == 401, f"{method} {rule.rule}"
        assert response.headers["WWW-Authenticate"] == f'Bearer realm="{scheme}"'


def _placeholders(url: str) -> list[str]:
    return [f"<{part.split('>')[0]}>" for part in url.split("<")[1:]]


def test_openapi_says_which_key_a_route_needs(bare_app: Flask) -> None:
    document = bare_app.test_client().get("/openapi.json").get_json()
    assert set(document["components"]["securitySchemes"]) == {"device", "staff"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "patch", "delete"):
                wanted = (
                    [{"staff": []}]
                    if path.startswith("/v1/staff")
                    else [{"device": []}]
                    if path.startswith("/v1/devices/me")
                    else None
                )
                assert operation.get("security") == wanted, f"{method} {path}"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    @app.get("/who/device")
    @device_required
    def who_device() -> str:
        return str(g.device.public_id)

    @app.get("/who/staff")
    @staff_required()
    def who_staff() -> str:
        return str(g.editor.name)

    @app.get("/who/approver")
    @staff_required("read", "approve")
    def who_approver() -> str:
        return str(g.editor.name)

    return app.test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_phone_is_known_by_its_secret(client: FlaskClient, engine: Engine, clock: Clock) -> None:
    with database.transaction(engine) as session:
        registered = devices.register(
            session, platform=devices.Platform.ANDROID, language="ja", app_version="1", token=None, now=clock()
        )
    assert client.get("/who/device", headers=bearer(registered.secret)).text == registered.device.public_id
    assert client.get("/who/device", headers={"Authorization": f"bearer  {registered.secret} "}).status_code == 200
    assert client.get("/who/staff", headers=bearer(registered.secret)).status_code == 401


def test_a_person_is_known_by_their_key_until_it_is_revoked(client: FlaskClient, engine: Engine, clock: Clock) -> None:
    with database.transaction(engine) as session:
        _editor, key = editors.add(session, "佐藤", Role.AUTHOR, clock())
    assert client.get("/who/staff", headers=bearer(key)).text == "佐藤"
    assert client.get("/who/device", headers=bearer(key)).status_code == 401


def test_a_role_that_may_not_is_refused_naming_what(client: FlaskClient, engine: Engine, clock: Clock) -> None:
    with database.transaction(engine) as session:
        _author, author = editors.add(session, "佐藤", Role.AUTHOR, clock())
        _approver, approver = editors.add(session, "鈴木", Role.APPROVER, clock())
    refused = client.get("/who/approver", headers=bearer(author))
    assert refused.status_code == 403
    assert refused.get_json()["action"] == "approve"
    assert client.get("/who/approver", headers=bearer(approver)).text == "鈴木"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic eDp5", "yks_abc", "Bearer unknown", "Bearer " + "x" * 5000, "Bearer é"]
)
@pytest.mark.parametrize("kind", ["device", "staff"])
def test_what_is_no_key_is_refused_with_a_challenge(client: FlaskClient, kind: str, header: str) -> None:
    response = client.get(f"/who/{kind}", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith(f'Bearer realm="{kind}"')
    assert response.headers["Cache-Control"] == "no-store"
