"""Browsers that are known: a row for each person, a new token each time, forgotten with the password or a year on."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from content import editors, known_browsers
from content.editors import Editor, Role

NOW = dt.datetime(2026, 11, 21, 6, tzinfo=dt.UTC)


@pytest.fixture
def people(session: Session) -> tuple[Editor, Editor]:
    one, other = (editors.add(session, f"当直 {number}", Role.DUTY_OFFICER, NOW)[0] for number in (1, 2))
    return one, other


def test_a_shared_browser_knows_each_of_its_people(session: Session, people: tuple[Editor, Editor]) -> None:
    one, other = people
    first = known_browsers.know(session, None, one, NOW)
    second = known_browsers.know(session, first, other, NOW)
    assert known_browsers.of(session, first, one.id, NOW) is None
    assert known_browsers.of(session, second, one.id, NOW) is not None
    assert known_browsers.of(session, second, other.id, NOW) is not None
    for token in (None, "", "made up", "\udcff", "\0"):
        assert known_browsers.of(session, token, one.id, NOW) is None
    known_browsers.forget(session, one)
    assert known_browsers.of(session, second, one.id, NOW) is None
    assert known_browsers.of(session, second, other.id, NOW) is not None


def test_a_planted_token_is_never_the_one_that_becomes_known(session: Session, people: tuple[Editor, Editor]) -> None:
    one, _ = people
    token = known_browsers.know(session, "planted by somebody", one, NOW)
    assert token != "planted by somebody"
    assert known_browsers.of(session, "planted by somebody", one.id, NOW) is None


def test_after_a_year_and_beyond_twenty_the_oldest_are_strangers(
    session: Session, people: tuple[Editor, Editor]
) -> None:
    one, _ = people
    old = known_browsers.know(session, None, one, NOW)
    assert known_browsers.of(session, old, one.id, NOW + dt.timedelta(days=364)) is not None
    assert known_browsers.of(session, old, one.id, NOW + dt.timedelta(days=365)) is None
    for minute in range(1, known_browsers.MOST + 1):
        newest = known_browsers.know(session, None, one, NOW + dt.timedelta(minutes=minute))
    session.expire_all()
    assert known_browsers.of(session, old, one.id, NOW) is None
    assert known_browsers.of(session, newest, one.id, NOW) is not None
