"""The move from SQLite to PostgreSQL: everything arrives as it was, ids go on, nothing at all in any doubt."""

from __future__ import annotations

import datetime as dt
import fcntl
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from backend import moving
from backend.app import create_app
from backend.cli import database as db_commands
from backend.cli import seed
from backend.config import Settings
from backend.moving import CannotMove
from database import open_engine, transaction
from geo.sites import Site
from notifications import devices
from notifications.alerts import Alert
from notifications.audiences import Audience
from notifications.devices import Device, Platform
from notifications.dispatch import batches
from notifications.dispatch.batches import Batch
from notifications.messages import Message
from tests.notifications.builders import NOW, make_alert, make_message, make_people, make_phones, plan
from tests.tables import table_modules


@pytest.fixture
def settled(sqlite_store):
    url, city = sqlite_store.filled(settle)
    engine = open_engine(url)
    yield engine, city
    engine.dispose()


@pytest.fixture
def old(settled):
    """A small city in the middle of its work."""
    return settled[0]


@pytest.fixture
def city(settled):
    return settled[1]


@pytest.fixture
def new(postgresql_store):
    engine = open_engine(postgresql_store.fresh_url())
    yield engine
    engine.dispose()


def url(engine):
    return engine.url.render_as_string(hide_password=False)


def register(session, token=None):
    return devices.register(session, platform=Platform.IOS, language="ko", app_version="2.1", token=token, now=NOW)


def settle(engine):
    """A small city in the middle of its work; the phone that came last has deleted itself."""
    with transaction(engine) as session:
        seed.plant(session, NOW)
        make_phones(session, 700)
        alert, _ = make_alert(session, make_people(session))
        plan(session)
        make_message(session, Audience(everyone=True))
        plan(session)
        mine, gone = register(session, "a-token-that-moves-along-000001"), register(session)
        devices.erase(session, gone.device)
        return SimpleNamespace(secret=mine.secret, highest=gone.device.id, alert_id=alert.id)


def everything(engine, table):
    with transaction(engine, "read") as session:
        return session.execute(sa.select(table.__table__).order_by(*table.__table__.primary_key)).all()


def test_every_row_arrives_as_it_was(old, city, new):
    said = []
    moved = moving.move(old, new, said.append)
    assert moved["devices"] == 701
    assert f"devices: {moved['devices']} rows" in said
    for table in (Device, Message, Batch, Alert, Site):
        assert everything(old, table), table
        assert everything(new, table) == everything(old, table)
    with transaction(new, "read") as session:
        found = devices.by_secret(session, city.secret)
        assert found is not None
        assert found.created_at == NOW
        # JSON's null and SQL's NULL stay two things.
        kinds = sa.text("SELECT count(*) FILTER (WHERE hull = 'null'), count(candidates), count(*) FROM messages")
        with transaction(old, "read") as before:
            sqlite = sa.text("SELECT sum(hull = 'null'), count(candidates), count(*) FROM messages")
            assert tuple(session.execute(kinds).one()) == tuple(before.execute(sqlite).one())


def test_no_table_is_forgotten(old):
    names = {table.name for table in moving._tables()}
    assert names == set(sa.inspect(old).get_table_names()) - moving.KEPT
    assert len(names) >= len(table_modules())


def test_ids_go_on_after_the_highest_that_was_ever_given(old, city, new):
    moving.move(old, new, lambda _line: None)
    with transaction(new, "read") as session:
        assert session.scalar(sa.select(sa.func.max(Device.id))) < city.highest
    with transaction(new) as session:
        assert register(session).device.id == city.highest + 1
        make_phones(session, 2)
        message = make_message(session, Audience(everyone=True))
        assert message.id == max(row.id for row in everything(old, Message)) + 1
        plan(session)
        assert batches.open_ones(session, [message.id]) >= 2


def test_into_a_database_with_rows_nothing_is_moved(old, new):
    with transaction(new) as session:
        register(session)
    with pytest.raises(CannotMove, match="not empty: there are rows in devices"):
        moving.move(old, new, lambda _line: None)
    assert len(everything(new, Device)) == 1
    assert everything(new, Site) == []


def test_into_a_database_that_was_not_brought_to_this_version_nothing_is_moved(old, postgresql_store):
    empty = open_engine(postgresql_store.empty_url())
    with pytest.raises(CannotMove, match="target at nothing: run yobikake db upgrade"):
        moving.move(old, empty, lambda _line: None)
    empty.dispose()


def test_what_postgresql_cannot_keep_is_named_and_nothing_is_moved(old, new):
    with transaction(old) as session:
        session.execute(sa.update(Device).where(Device.id == 3).values(app_version="1\x00"))
    with pytest.raises(CannotMove, match="devices, rows"):
        moving.move(old, new, lambda _line: None)
    assert everything(new, Site) == []


def test_a_difference_at_the_end_undoes_everything(old, new, monkeypatch):
    real = moving._copy

    def careless(before, after, table):
        count = real(before, after, table)
        if table.name == "devices":
            after.execute(sa.update(Device).where(Device.id == 5).values(language="en"))
        return count

    monkeypatch.setattr(moving, "_copy", careless)
    with pytest.raises(CannotMove, match="devices: 701 rows were read and 701 arrived, or not the same ones"):
        moving.move(old, new, lambda _line: None)
    assert everything(new, Site) == []


def test_the_way_back_is_not_offered(old, new):
    with pytest.raises(CannotMove, match="not from postgresql to sqlite"):
        moving.move(new, old, lambda _line: None)


class Command:
    def __init__(self, old):
        self.app = create_app(Settings(database_url=url(old)))

    def __call__(self, *words):
        with self.app.app_context():
            return CliRunner().invoke(db_commands.command, ["move", *words])


def test_the_command_moves_and_says_what_to_do_next(old, city, new):
    done = Command(old)("--to", url(new).replace("+psycopg", ""))
    assert done.exit_code == 0, done.output
    assert "devices: 701 rows" in done.output
    assert "YOBIKAKE_DATABASE_URL" in done.output
    with transaction(new, "read") as session:
        assert devices.by_secret(session, city.secret) is not None


def test_while_a_worker_is_at_work_the_command_refuses(old, new):
    with open(f"{old.url.database}.worker.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = Command(old)("--to", url(new))
    assert done.exit_code == 1
    assert "another worker is at work" in done.output
    assert everything(new, Site) == []


def test_a_target_that_is_none_is_refused_without_its_password(old):
    done = Command(old)("--to", "postgresql://city:geheim@127.0.0.1:1/none?connect_timeout=1")
    assert done.exit_code == 1
    assert "Nothing was moved" in done.output
    assert "geheim" not in done.output
    assert Command(old)("--to", "mysql://somewhere/else").exit_code == 2


def test_moments_are_compared_as_moments():
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert moving._plain(NOW.astimezone(tokyo), False) == moving._plain(NOW, False)
    assert moving._plain('{"b": 1e2, "a": [null]}', True) == moving._plain('{"a":[null],"b":100}', True)
    assert moving._plain("null", True) != moving._plain(None, True)
