"""The sample city behind its doors, planted once for a module on each store; who changes it puts it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from backend.cli import seed
from backend.config import Settings
from database import db, transaction
from tests.backend.conftest import Clock, opened

NOON = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def planted(request: pytest.FixtureRequest) -> Iterator[tuple[Flask, Clock, Engine]]:
    store = request.getfixturevalue(f"{request.param}_store")
    clock = Clock()
    clock.moment = NOON
    for app in opened(Settings(database_url=store.fresh_url()), clock):
        with app.app_context():
            engine = db.engine
            with transaction(engine) as session:
                seed.plant(session, NOON)
        yield app, clock, engine


@pytest.fixture
def city(planted: tuple[Flask, Clock, Engine]) -> FlaskClient:
    """A client of the sample city on 21 November 2026, noon in Japan."""
    planted[1].moment = NOON
    return planted[0].test_client()


@pytest.fixture
def city_clock(planted: tuple[Flask, Clock, Engine]) -> Clock:
    return planted[1]


@pytest.fixture
def city_engine(planted: tuple[Flask, Clock, Engine]) -> Engine:
    return planted[2]
