"""Phones are noted as heard of: any call counts, a day has one write, a read waits for none."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from backend import presence
from backend.presence import Presence
from database import transaction
from notifications.devices import Device
from tests.backend.api.town import Town
from tests.notifications.builders import NOW, make_phones


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def _seen(town) -> list[dt.datetime]:
    with transaction(town.engine, "read") as session:
        return list(session.scalars(sa.select(Device.seen_at).order_by(Device.id)))


def _read_inbox(town, phone) -> None:
    town.call("GET", "/v1/devices/me/inbox", by=phone).close()


def test_a_phone_that_only_reads_is_written_down_once_a_day(town, clock):
    phone = town.phone()
    registered = clock()
    clock.pass_(hours=23)
    for _ in range(2):
        _read_inbox(town, phone)
        clock.pass_(seconds=11)
    assert _seen(town) == [registered]
    clock.pass_(hours=1)
    _read_inbox(town, phone)
    assert _seen(town) == [registered], "it waits for others"
    clock.pass_(seconds=11)
    _read_inbox(town, phone)
    written = clock()
    assert _seen(town) == [written]
    clock.pass_(hours=1)
    _read_inbox(town, phone)
    assert _seen(town) == [written]


def test_many_phones_are_one_statement(engine, monkeypatch):
    monkeypatch.setattr(presence, "MOST", 5)
    with transaction(engine) as session:
        make_phones(session, 7)
        phones = list(session.scalars(sa.select(Device).order_by(Device.id)))
    day = dt.timedelta(days=1)
    noted, statements = Presence(), []
    for number, phone in enumerate(phones[:5], 1):
        noted.note(phone, NOW + day)
        assert noted.due(NOW + day) == (number == 5)
    sa.event.listen(engine, "after_cursor_execute", lambda *call: statements.append(call[2]))
    noted.write(engine, NOW + day)
    noted.write(engine, NOW + day)
    assert len([one for one in statements if one.startswith("UPDATE")]) == 1
    with transaction(engine, "read") as session:
        seen = list(session.scalars(sa.select(Device.seen_at).order_by(Device.id)))
    assert seen == [NOW + day] * 5 + [NOW] * 2


def test_one_that_another_transaction_holds_is_left_for_another_day(engine):
    """On PostgreSQL; SQLite has one writer."""
    if engine.dialect.name != "postgresql":
        return
    with transaction(engine) as session:
        make_phones(session, 2)
        phones = list(session.scalars(sa.select(Device).order_by(Device.id)))
    noted, later = Presence(), NOW + dt.timedelta(days=2)
    for phone in phones:
        noted.note(phone, later)
    with transaction(engine) as holder:
        holder.execute(sa.update(Device).where(Device.id == phones[0].id).values(language="en"))
        noted.write(engine, later)
    with transaction(engine, "read") as session:
        assert list(session.scalars(sa.select(Device.seen_at).order_by(Device.id))) == [NOW, later]


def test_a_store_that_refuses_fails_nobodys_request(bare_app):
    with bare_app.app_context():
        from database import db

        noted = Presence()
        noted.note(Device(id=1, seen_at=NOW), NOW + dt.timedelta(days=2))
        noted.write(db.engine, NOW)  # a store without any table
        assert not noted.due(NOW + dt.timedelta(days=9))
