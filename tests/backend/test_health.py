"""Alive without touching anything; ready only with a database at this code's schema; each check says what it saw."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

import database
from backend import health
from backend.config import Settings
from database import db
from notifications.dispatch import incidents
from notifications.dispatch.worker import WorkerBeat
from tests.backend.conftest import Clock, opened


def test_alive_asks_no_database(bare_app: Flask) -> None:
    asked: list[object] = []
    with bare_app.app_context():
        event.listen(db.engine, "connect", lambda *_: asked.append(1))
    response = bare_app.test_client().get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "alive"})
    assert asked == []


def stamp(app: Flask, revisions: frozenset[str]) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        for revision in revisions:
            connection.execute(sa.text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})


def test_ready_with_the_schema_of_this_code(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_heads", lambda: frozenset({"0042"}))
    stamp(app, frozenset({"0042"}))
    response = client.get("/readyz")
    body = response.get_json()
    assert (response.status_code, body["status"]) == (200, "ready"), body
    assert body["checks"]["migrations"] == {"ok": True, "detail": "0042"}
    assert body["checks"]["sender"]["active"] == "none"
    assert body["checks"]["limits"]["kept"] is True


def test_not_ready_with_another_schema_and_told_what_to_do(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_heads", lambda: frozenset({"0042"}))
    stamp(app, frozenset({"0041"}))
    response = client.get("/readyz")
    assert response.status_code == 503
    found = response.get_json()["checks"]["migrations"]
    assert found["ok"] is False
    assert "database at 0041, code at 0042: run yobikake db upgrade" in found["detail"]


def test_workers_and_open_incidents_are_told_and_turn_no_traffic_away(
    app: Flask, client: FlaskClient, engine: Engine, clock: Clock
) -> None:
    body = client.get("/readyz").get_json()
    assert body["status"] == "ready"
    assert body["checks"]["worker"]["alive"] == 0
    assert body["checks"]["incidents"]["open"] == []
    with database.transaction(engine) as session:
        session.add(WorkerBeat(id="w1", started_at=clock(), beat_at=clock(), sender="fcm"))
        incidents.report(session, "credentials", "the key was refused", clock())
    clock.pass_(seconds=7)
    response = client.get("/readyz")
    assert response.status_code == 200
    checks = response.get_json()["checks"]
    assert checks["worker"] == {"ok": None, "detail": "1 at work", "alive": 1, "heard_s_ago": 7.0, "senders": ["fcm"]}
    assert checks["incidents"]["open"] == ["credentials"]
    assert "the key was refused" not in response.text  # details are for operators, not for whoever asks
    clock.pass_(minutes=5)
    assert client.get("/readyz").get_json()["checks"]["worker"]["alive"] == 0


def test_not_ready_without_its_database_and_nothing_of_the_address_is_said(tmp_path: Path, clock: Clock) -> None:
    settings = Settings(
        database_url="postgresql+psycopg://city:pa55word@127.0.0.1:1/house",
        limits_url=f"sqlite:///{tmp_path / 'limits.db'}",
    )
    for app in opened(settings, clock):
        response = app.test_client().get("/readyz")
        assert response.status_code == 503
        assert response.get_json()["checks"]["reachable"]["ok"] is False
        assert "pa55word" not in response.text
        assert app.test_client().get("/healthz").status_code == 200


def test_the_active_sender_is_named(tmp_path: Path) -> None:
    none = Settings()
    some = dataclasses.replace(none, fcm_credentials=tmp_path / "key.json")
    assert health.sender_name(none) == "none"
    assert health.sender_name(dataclasses.replace(some, fcm_endpoint="http://127.0.0.1:8085")) == "standin"
    assert health.sender_name(dataclasses.replace(some, fcm_endpoint="https://fcm.googleapis.com")) in (
        "curl",
        "library",
    )
    assert health.sender_name(dataclasses.replace(some, fcm_sender="library")) == "library"
    assert health.sender_name(some) in ("curl", "library")
    assert set(health.SENDERS) == {"none", "standin", "curl", "library"}
