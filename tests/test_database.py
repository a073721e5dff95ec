"""The stone keeps its promises: kinds of transaction, moments in UTC, ignored inserts."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from content.editors import Editor
from database import insert_ignore, insert_ignore_all, transaction

NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)


def row(name: str, at: dt.datetime = NOW) -> dict[str, object]:
    return {"name": name, "role": "author", "created_at": at}


def test_a_reading_transaction_cannot_write_and_the_next_writing_one_can(engine: Engine) -> None:
    with pytest.raises(DBAPIError), transaction(engine, "read") as session:
        insert_ignore(session, Editor, row("閲覧だけ"))
    with transaction(engine) as session:
        assert insert_ignore(session, Editor, row("起案 花子"))
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(Editor.name)).all() == ["起案 花子"]


def test_whatever_raises_leaves_nothing_behind(engine: Engine) -> None:
    def half() -> None:
        with transaction(engine) as session:
            insert_ignore(session, Editor, row("半分"))
            raise LookupError

    with pytest.raises(LookupError):
        half()
    with transaction(engine, "read") as session:
        assert session.scalars(sa.select(Editor.name)).all() == []


def test_a_taken_key_is_ignored_and_said(session: Session) -> None:
    assert insert_ignore(session, Editor, row("承認 太郎"))
    assert not insert_ignore(session, Editor, row("承認 太郎"))
    insert_ignore_all(session, Editor, [row("承認 太郎"), row("起案 花子")])
    assert sorted(session.scalars(sa.select(Editor.name))) == sorted(["承認 太郎", "起案 花子"])


def test_a_moment_comes_back_in_utc_and_one_without_a_zone_is_refused(session: Session) -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    insert_ignore(session, Editor, row("東京", dt.datetime(2026, 11, 21, 12, 0, tzinfo=tokyo)))
    stored = session.scalars(sa.select(Editor.created_at)).one()
    assert stored == NOW
    assert stored.utcoffset() == dt.timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="without a zone"):
        insert_ignore(session, Editor, row("どこでもない", dt.datetime(2026, 11, 21, 12, 0)))  # noqa: DTZ001
