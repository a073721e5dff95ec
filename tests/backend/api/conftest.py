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
from tests.conftest import Store

NOON = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def planted(request: pytest.FixtureRequest) -> Iterator[tuple[Flask, Clock, Engine]]:
    store: Store = request.getfixturevalue(f"{request.param}_store")
    clock = Clock()
    clock.moment = NOON
    for app in opened(Settings(database_url=store.filled(plant)[0]), clock):
        with app.app_context():
            engine = db.engine
        yield app, clock, engine


def plant(engine: Engine) -> None:
    with transaction(engine) as session:
        seed.plant(session, NOON)


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
