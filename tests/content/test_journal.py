"""The journal is one chain: whatever is altered, taken out or put in between is found, and where."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from content import editors, journal
from content.editors import Role
from content.journal import Entry
from database import transaction

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


def write(session: Session, count: int = 5) -> None:
    actor = editors.add(session, "山田", Role.AUTHOR, NOW)[0]
    for turn in range(count):
        journal.append(
            session,
            now=NOW + dt.timedelta(minutes=turn),
            actor=actor,
            door="console",
            action="alerts.draft",
            subject=f"alert {turn}",
            detail={"level": 4, "share": 1.0, "note": "=1+1", "none": None},
        )


def test_what_was_done_is_read_back_newest_first_and_the_chain_holds(session: Session) -> None:
    write(session)
    session.expire_all()
    assert [entry.number for entry in journal.search(session)] == [5, 4, 3, 2, 1]
    verdict = journal.verify(session)
    assert (verdict.sound, verdict.entries) == (True, 5)
    assert verdict.hash == session.get_one(Entry, 5).hash


def test_an_empty_journal_is_sound(session: Session) -> None:
    assert journal.verify(session) == journal.Verdict(0, journal.BEGINNING)


@pytest.mark.parametrize(
    ("by_hand", "number", "reason"),
    [
        ("UPDATE journal SET name = '田中' WHERE number = 3", 3, "altered"),
        ("UPDATE journal SET subject = '' WHERE number = 1", 1, "altered"),
        ("UPDATE journal SET hash = previous WHERE number = 2", 2, "altered"),
        ("DELETE FROM journal WHERE number = 4", 4, "missing"),
        ("DELETE FROM journal WHERE number = 5", 5, "missing"),
        ("DELETE FROM journal", 1, "missing"),
        ("UPDATE journal SET number = number + 1 WHERE number = 5", 5, "missing"),
        ("UPDATE journal_heads SET entries = 4", 5, "not the last"),
    ],
)
def test_a_row_touched_by_hand_is_named(session: Session, by_hand: str, number: int, reason: str) -> None:
    write(session)
    session.execute(sa.text(by_hand))
    verdict = journal.verify(session)
    assert (verdict.sound, verdict.number) == (False, number)
    assert reason in verdict.reason


def test_the_house_itself_never_rewrites_an_entry(session: Session) -> None:
    write(session, 1)
    session.get_one(Entry, 1).name = "田中"
    with pytest.raises(RuntimeError, match="history"):
        session.flush()


def test_entries_are_found_by_words_by_days_and_page_by_page(session: Session) -> None:
    write(session)
    minute = dt.timedelta(minutes=1)
    assert [one.number for one in journal.search(session, text="alert 3")] == [4]
    assert len(journal.search(session, text="山田")) == 5
    assert not journal.search(session, text="100%")
    assert [one.number for one in journal.search(session, who="山田", action="draft", subject="alert 2")] == [3]
    assert not journal.search(session, who="alert 2")
    assert not journal.search(session, action="山田")
    assert [one.number for one in journal.search(session, since=NOW + minute, until=NOW + 3 * minute)] == [3, 2]
    assert [one.number for one in journal.search(session, before=4, most=2)] == [3, 2]


def test_people_who_write_at_once_make_one_chain(engine: Engine) -> None:
    with transaction(engine) as session:
        write(session, 1)

    def work() -> None:
        for _ in range(5):
            with transaction(engine) as session:
                journal.append(session, now=NOW, actor=None, door="command", action="staff.add", name="command")

    crowd = [threading.Thread(target=work) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    with transaction(engine, "read") as session:
        assert journal.verify(session).entries == 21
        assert journal.verify(session).sound
