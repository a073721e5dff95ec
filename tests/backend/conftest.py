"""Fixtures for the doors: an application on each store, its client, a clock that a test moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from backend.app import Yobikake, create_app
from backend.config import Settings
from database import db
from tests.conftest import unhurried


class RememberedRule(Rule):
    """To compile what writes an address is nearly all of an application's start: here once a test process."""

    _builders: ClassVar[dict[object, Any]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # It depends on nothing else: converters are looked up in the rule that it is bound to.
        key = (self.rule, *self._trace, repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


Yobikake.url_rule_class = RememberedRule


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.moment

    def pass_(self, **span: float) -> None:
        self.moment += dt.timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a server on a fresh database of this test alone, on both stores."""
    return Settings(database_url=database_url)


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Iterator[Flask]:
    yield from opened(settings, clock)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bare_app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """An application on an empty SQLite file, for what has nothing to do with the store."""
    yield from opened(Settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}"), clock)


def opened(settings: Settings, clock: Clock) -> Iterator[Flask]:
    app = create_app(settings, clock=clock)
    with app.app_context():
        unhurried(db.engine)
    yield app
    app.extensions["yobikake.limits"].counters.close()
    with app.app_context():
        db.engine.dispose()
