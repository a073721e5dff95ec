"""Registrations and test pushes are bounded, across processes, without storing an address; reading never is."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask, g
from flask.testing import FlaskClient

from backend import limits
from backend.config import Settings
from tests.backend.conftest import Clock, opened


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, registrations_per_hour=3, test_pushes_per_hour=2)


def with_routes(app: Flask) -> FlaskClient:
    @app.post("/registrations")
    @limits.registrations
    def registration() -> tuple[str, int]:
        return "registered", 201

    @app.post("/test-push/<int:device>")
    def test_push(device: int) -> str:
        g.device = SimpleNamespace(id=device)
        return limited()

    @limits.test_pushes
    def limited() -> str:
        return "on its way"

    return app.test_client()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return with_routes(app)


def register(client: FlaskClient, address: str = "203.0.113.7") -> int:
    return client.post("/registrations", environ_base={"REMOTE_ADDR": address}).status_code


def test_an_address_is_bounded_for_an_hour_and_told_how_long(client: FlaskClient, clock: Clock) -> None:
    assert [register(client) for _ in range(3)] == [201, 201, 201]
    clock.pass_(minutes=10)
    refused = client.post("/registrations", environ_base={"REMOTE_ADDR": "203.0.113.7"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3000"
    assert refused.get_json()["type"] == "/problems/too-many-requests"
    assert register(client, "203.0.113.8") == 201
    clock.pass_(seconds=3000)
    assert register(client) == 201


def test_two_processes_count_together(client: FlaskClient, settings: Settings, clock: Clock) -> None:
    second = opened(settings, clock)
    other = with_routes(next(second))
    assert [register(client), register(other), register(client), register(other)] == [201, 201, 201, 429]
    next(second, None)


def test_a_phone_is_bounded_by_itself_wherever_it_is(client: FlaskClient) -> None:
    assert [client.post("/test-push/1").status_code for _ in range(3)] == [200, 200, 429]
    assert client.post("/test-push/2").status_code == 200


def test_the_store_is_another_than_the_cities_database_and_holds_no_address(
    settings: Settings, client: FlaskClient
) -> None:
    register(client)
    engine = sa.create_engine(str(settings.limits_url))
    if engine.dialect.name == "sqlite":
        assert settings.limits_url != settings.database_url
        table = "counters"
    else:
        assert not sa.inspect(engine).has_table("counters")  # migrations look at the default schema only
        table = "yobikake_limits.counters"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT key, count FROM {table}")).all()
    engine.dispose()
    assert [row.count for row in rows] == [1]
    assert re.fullmatch(r"registrations/[0-9a-f]{64}/3/1/hour", rows[0].key)


def test_counters_that_are_over_are_forgotten(
    settings: Settings, client: FlaskClient, clock: Clock, app: Flask
) -> None:
    for last in range(5):
        register(client, f"203.0.113.{last}")
    clock.pass_(hours=2)
    register(client, "198.51.100.1")
    counters = app.extensions["yobikake.limits"].counters
    assert counters.reset() == 1


def test_a_store_that_cannot_be_used_lets_everybody_through(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "limits.db"
    folder.mkdir()  # no file can be opened there
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'city.db'}", limits_url=f"sqlite:///{folder}", registrations_per_hour=1
    )
    for app in _once(settings, clock):
        client = with_routes(app)
        assert [register(client) for _ in range(3)] == [201, 201, 201]
        assert app.extensions["yobikake.limits"].counters.check() is False
        folder.rmdir()  # it comes back
        assert [register(client) for _ in range(2)] == [201, 429]


def test_a_store_that_another_process_holds_lets_everybody_through(tmp_path: Path, clock: Clock) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'city.db'}", registrations_per_hour=1)
    for app in _once(settings, clock):
        client = with_routes(app)
        assert register(client) == 201
        holder = sqlite3.connect(tmp_path / "city-limits.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert register(client) == 201
        holder.close()
        assert register(client) == 429


def _once(settings: Settings, clock: Clock) -> Iterator[Flask]:
    yield from opened(settings, clock)


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_who_counts_as_one(address: str | None, who: str) -> None:
    assert limits.client(address) == who


def forwarded(client: FlaskClient, header: str) -> int:
    return client.post(
        "/registrations", headers={"X-Forwarded-For": header}, environ_base={"REMOTE_ADDR": "10.0.0.1"}
    ).status_code


def test_a_forwarded_address_is_believed_only_from_as_many_proxies_as_there_are(tmp_path: Path, clock: Clock) -> None:
    plain = Settings(database_url=f"sqlite:///{tmp_path / 'a.db'}", registrations_per_hour=1)
    for app in _once(plain, clock):
        client = with_routes(app)
        assert [forwarded(client, "203.0.113.1"), forwarded(client, "203.0.113.2")] == [201, 429]
    behind = Settings(database_url=f"sqlite:///{tmp_path / 'b' / 'b.db'}", registrations_per_hour=1, trusted_proxies=1)
    for app in _once(behind, clock):
        client = with_routes(app)
        assert [forwarded(client, "203.0.113.1"), forwarded(client, "203.0.113.2")] == [201, 201]
        # What a client writes in front of the proxy's own word changes nothing.
        assert forwarded(client, "192.0.2.99, 203.0.113.2") == 429


def test_no_reading_route_is_limited(bare_app: Flask) -> None:
    for rule in bare_app.url_map.iter_rules():
        view = bare_app.view_functions[rule.endpoint]
        resource = getattr(view, "view_class", None)
        for method in (rule.methods or set()) & {"GET", "HEAD"}:
            handler = getattr(resource, method.lower(), None) if resource else view
            assert not getattr(handler, "_limited", False), rule.rule
