"""The stone: the SQLAlchemy object, the naming convention, column types and the two kinds of transaction."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Literal
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# 64-bit keys everywhere; SQLite only gives AUTOINCREMENT (ids never reused) to INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """A moment in UTC. Refuses naive datetimes on the way in, returns aware ones on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        moment: dt.datetime = value
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """Every table of the house."""

    metadata = sa.MetaData(naming_convention=NAMING)


db = SQLAlchemy(metadata=Base.metadata)

Mode = Literal["read", "write"]
_mode: ContextVar[Mode] = ContextVar("transaction_mode", default="write")


@contextmanager
def transactions(mode: Mode) -> Iterator[None]:
    """Transactions begun inside are of this kind.

    `write` (the default) takes SQLite's writer at once (`BEGIN IMMEDIATE`): a deferred
    transaction that reads and then writes fails under concurrency. `read` sees one
    consistent snapshot and cannot write.
    """
    token = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(token)


@contextmanager
def transaction(engine: Engine, mode: Mode = "write") -> Iterator[Session]:
    """One session and one transaction: committed at the end, rolled back when anything raises.

    SQLite has one writer and no queue for it: whoever writes again and again would starve the
    others. Threads of one process therefore write in the order in which they came.
    """
    turn = _turn(engine) if mode == "write" and engine.dialect.name == "sqlite" else nullcontext()
    with turn, transactions(mode), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


SQLITE_WAITS_S = 30
_turns = threading.Condition()
_queues: WeakKeyDictionary[Engine, deque[object]] = WeakKeyDictionary()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    me = object()
    with _turns:
        queue = _queues.setdefault(engine, deque())
        queue.append(me)
        # Whoever waits in vain begins all the same: SQLite then says that it is locked.
        _turns.wait_for(lambda: queue[0] is me, SQLITE_WAITS_S)
    try:
        yield
    finally:
        with _turns:
            queue.remove(me)
            _turns.notify_all()


def unreachable(error: BaseException) -> bool:
    """Whether an error means that the database could not be reached or hung up, rather than a mistake of ours."""
    if not isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, sa.exc.TimeoutError)  # no connection of the pool came free
    return error.connection_invalidated or isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))


def prepare(engine: Engine) -> Engine:
    """Sets an engine up for the house: WAL and explicit BEGIN on SQLite, snapshot reads on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _open_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={SQLITE_WAITS_S * 1000}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16384",  # KiB of each connection; with four times as much planning was no faster
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = _mode.get() == "read"
    # PostgreSQL refuses writing in a transaction that only reads: here it must fail as well, and in every test.
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if _mode.get() == "read":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


IDLE_S = 2.0
# PostgreSQL: who cannot be reached is noticed within seconds; the system's own patience is hours.
KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


def open_engine(url: str, *, lets_go_after: dt.timedelta | None = None) -> Engine:
    """A prepared engine outside Flask, for workers and commands.

    `lets_go_after`, on PostgreSQL: the server ends transactions whose process says nothing for so
    long (frozen, or cut off), and with them their locks, which would keep others from the work.
    """
    options: dict[str, Any] = {}
    if not url.startswith("sqlite"):
        options = {"connect_args": {"connect_timeout": 5, **KEEPALIVE}}
    # Parameters of statements hold tokens and cells: they must not reach a log through an exception.
    engine = prepare(sa.create_engine(url, hide_parameters=True, **options))
    if engine.dialect.name == "postgresql":
        _ask_the_idle(engine)
    if lets_go_after is not None and engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _letting_go(lets_go_after))
    return engine


def _ask_the_idle(engine: Engine) -> None:
    """A kept connection is asked whether it still lives when nobody used it for a while: always would cost a trip."""

    def put_back(_connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["put_back"] = time.monotonic()

    def taken(connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        idle_s = time.monotonic() - entry.info.get("put_back", float("inf"))
        if idle_s > IDLE_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise sa.exc.DisconnectionError from error  # the pool opens another

    event.listen(engine, "checkin", put_back)
    event.listen(engine, "checkout", taken)


def _letting_go(after: dt.timedelta) -> Callable[[Any, ConnectionPoolEntry], None]:
    def tell(connection: Any, _entry: ConnectionPoolEntry) -> None:
        for setting, value in {
            "idle_in_transaction_session_timeout": int(after.total_seconds() * 1000),
            "tcp_keepalives_idle": KEEPALIVE["keepalives_idle"],
            "tcp_keepalives_interval": KEEPALIVE["keepalives_interval"],
            "tcp_keepalives_count": KEEPALIVE["keepalives_count"],
            "tcp_user_timeout": KEEPALIVE["tcp_user_timeout"],
        }.items():
            connection.execute(f"SET {setting} = {value}")
        connection.commit()

    return tell


def insert_ignore(session: Session, table: type[Base], row: dict[str, Any]) -> bool:
    """Inserts unless a unique key is taken; True when the row is new. Never try/except around IntegrityError."""
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    # Otherwise the count is lost (-1) on PostgreSQL, where RETURNING is added for the key.
    statement = insert(table).values(**row).on_conflict_do_nothing()
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement, execution_options={"preserve_rowcount": True}
    )
    return result.rowcount == 1


def insert_ignore_all(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows of the same columns in one go, leaving out those whose unique key is taken."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.connection().execute(insert(table.__table__).on_conflict_do_nothing(), list(rows))  # type: ignore[arg-type]
