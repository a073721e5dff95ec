"""The shared fixtures keep what they promise: an empty schema for every test, on both stores."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import open_engine, transaction
from geo.sites import Revision


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Revision)) or 0


@pytest.mark.parametrize("round_", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(engine: Engine, round_: int) -> None:
    with transaction(engine) as session:
        assert count(session) == 0
        session.add(Revision(name="sites", version=round_))
    with transaction(engine, "read") as session:
        assert count(session) == 1


@pytest.mark.parametrize("round_", [1, 2])
def test_what_a_session_writes_is_rolled_back(session: Session, round_: int) -> None:
    assert session.in_transaction()
    assert count(session) == 0
    session.add(Revision(name="sites", version=round_))
    session.flush()
    assert count(session) == 1


def test_the_address_of_a_database_opens_for_a_second_engine(database_url: str, engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(Revision(name="sites", version=7))
    other = open_engine(database_url)
    with transaction(other, "read") as session:
        assert session.scalar(sa.select(Revision.version)) == 7
    other.dispose()
