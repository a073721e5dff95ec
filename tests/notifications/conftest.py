"""Fixtures for tests of notifications: people, and one clock for leases on both stores."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import UtcDateTime
from notifications.dispatch import leases
from tests.notifications.builders import make_people


@pytest.fixture
def people(session):
    return make_people(session)


@pytest.fixture(autouse=True)
def one_clock(request, monkeypatch):
    """PostgreSQL judges leases by its own clock; here the test's clock is the truth on both stores.

    A test that carries `store_clock` keeps the store's own.
    """
    if "store_clock" in request.fixturenames:
        return
    monkeypatch.setattr(leases, "clock", lambda session, now: sa.literal(now, UtcDateTime))
    monkeypatch.setattr(leases, "reckoned", lambda session, now, lease: now + lease)


@pytest.fixture
def store_clock():
    """Asks for the store's own clock."""
