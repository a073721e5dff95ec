"""The store of the rate limits: counters in SQL of their own, the same for every web process."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from limits.storage import Storage
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable

SCHEMA = "yobikake_limits"  # PostgreSQL only: out of sight of the migrations
BUSY_S = 1  # better no limit than a phone that waits

_metadata = sa.MetaData()
_counters = sa.Table(
    "counters",
    _metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False, index=True),  # seconds since 1970
)
_salts = sa.Table(
    "salts", _metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("salt", sa.LargeBinary, nullable=False)
)


class Counters(Storage):
    """A storage for the fixed windows of the `limits` library, which ships none on SQL.

    A SQLite file (WAL) or a schema in PostgreSQL. It opens itself at the first use, so a store that is down when
    the application starts only has to come back. Every method raises SQLAlchemyError while it cannot be used.
    """

    STORAGE_SCHEME = None

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        super().__init__(url)
        self._clock, self._url = clock, sa.make_url(url)
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._salt = b""

    @property
    def base_exceptions(self) -> type[Exception]:
        """What an unusable store raises."""
        return sa.exc.SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counts in one statement, atomic among processes; a window that is over begins again. The new count."""
        now = self._clock()
        with self._connection() as connection:
            dialect = connection.dialect.name
            insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(_counters)
            insert = insert.values(key=key, count=amount, expires_at=now + expiry)
            over, so_far = _counters.c.expires_at <= now, _counters.c["count"]
            count = connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["key"],
                    set_={
                        "count": sa.case(
                            (over, insert.excluded.count), else_=_counters.c.count + insert.excluded.count
                        ),
                        "expires_at": sa.case((over, insert.excluded.expires_at), else_=_counters.c.expires_at),
                    },
                ).returning(so_far)
            ).scalar_one()
            if count == amount:  # a window began: time to forget those that ended
                connection.execute(sa.delete(_counters).where(_counters.c.expires_at <= now))
        return int(count)

    def get(self, key: str) -> int:
        """The count of the current window."""
        return int(self._row(key)[0])

    def get_expiry(self, key: str) -> float:
        """When the current window ends; now when there is none."""
        return float(self._row(key)[1])

    def check(self) -> bool:
        """Whether the store can be used."""
        try:
            self.get("")
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def reset(self) -> int | None:
        """Forgets everything; the number of counters there were."""
        with self._connection() as connection:
            return connection.execute(sa.delete(_counters)).rowcount

    def clear(self, key: str) -> None:
        """Forgets one counter."""
        with self._connection() as connection:
            connection.execute(sa.delete(_counters).where(_counters.c.key == key))

    def salt(self) -> bytes:
        """32 random bytes of this store, with which addresses are hashed before they become keys."""
        if not self._salt:
            with self._connection() as connection:
                dialect = connection.dialect.name
                insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(_salts)
                connection.execute(insert.values(id=1, salt=secrets.token_bytes(32)).on_conflict_do_nothing())
                self._salt = bytes(connection.execute(sa.select(_salts.c.salt)).scalar_one())
        return self._salt

    def close(self) -> None:
        """Lets go of the connections; the next use opens the store again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _row(self, key: str) -> Any:
        now = self._clock()
        query = sa.select(_counters.c["count"], _counters.c.expires_at)
        with self._connection() as connection:
            row = connection.execute(query.where(_counters.c.key == key, _counters.c.expires_at > now)).one_or_none()
        return (0, now) if row is None else row

    def _connection(self) -> Connection:
        with self._lock:
            if self._engine is None:
                self._engine = _open(self._url)
            return self._engine.connect()


def _open(url: sa.URL) -> Engine:
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True, "pool_timeout": BUSY_S}
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_S}, **options)
        sa.event.listen(engine, "connect", _set_up_sqlite)
        statements: list[Any] = []
    else:
        limits = f"-c statement_timeout={BUSY_S * 1000} -c synchronous_commit=off"
        options |= {"pool_pre_ping": True, "execution_options": {"schema_translate_map": {None: SCHEMA}}}
        engine = sa.create_engine(url, connect_args={"connect_timeout": 2, "options": limits}, **options)
        # Two processes that create the same thing at once collide in spite of IF NOT EXISTS.
        statements = [sa.text("SELECT pg_advisory_lock(20261121)"), sa.schema.CreateSchema(SCHEMA, if_not_exists=True)]
    for table in _metadata.sorted_tables:
        statements.append(CreateTable(table, if_not_exists=True))
        statements.extend(CreateIndex(index, if_not_exists=True) for index in table.indexes)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_unlock_all()"))
    return engine


def _set_up_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")  # counters of an hour: a power cut may take them
