"""The move: every row of a SQLite file into an empty PostgreSQL database, all or nothing, compared at the end."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine, Row

import content
import geo
import notifications
from database import Base, transactions

ROWS_AT_ONCE = 1_000
KEPT = {"alembic_version"}  # the target has its own, equal one


class CannotMove(Exception):
    """Nothing was changed; the text says why and what to do."""


def move(source: Engine, target: Engine, say: Callable[[str], None]) -> dict[str, int]:
    """Copies everything from `source` (SQLite) to `target` (PostgreSQL); returns rows by table.

    The source is read in one snapshot, and nobody can write to it meanwhile. On the target it is one
    transaction, committed only when counts and checksums of every table agree. Raises CannotMove.
    """
    if (source.dialect.name, target.dialect.name) != ("sqlite", "postgresql"):
        raise CannotMove(
            f"the way is from SQLite to PostgreSQL, not from {source.dialect.name} to {target.dialect.name}"
        )
    tables = _tables()
    with transactions("write"), source.begin() as old, target.begin() as new:
        _check(old, new, tables)
        moved: dict[str, int] = {}
        for table in tables:
            moved[table.name] = _copy(old, new, table)
            say(f"{table.name}: {moved[table.name]} rows")
        _continue_ids(old, new, tables)
        for table in tables:
            before, after = _sum(old, table), _sum(new, table)
            if before != after:
                raise CannotMove(
                    f"{table.name}: {before[0]} rows were read and {after[0]} arrived, or not the same ones"
                )
    return moved


def _tables() -> list[sa.Table]:
    """Every table of the house, those that others refer to first."""
    for package in (geo, content, notifications):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return list(Base.metadata.sorted_tables)


def _check(old: Connection, new: Connection, tables: Sequence[sa.Table]) -> None:
    versions = [MigrationContext.configure(connection).get_current_heads() for connection in (old, new)]
    if not versions[0] or versions[0] != versions[1]:
        words = [", ".join(heads) or "nothing" for heads in versions]
        raise CannotMove(
            f"the source is at {words[0]}, the target at {words[1]}: run yobikake db upgrade with"
            " YOBIKAKE_DATABASE_URL set to the one, then to the other"
        )
    known = {table.name for table in tables}
    for connection, name in ((old, "source"), (new, "target")):
        found = set(sa.inspect(connection).get_table_names()) - KEPT
        if found != known:
            raise CannotMove(f"the {name} has other tables than this version: {', '.join(sorted(found ^ known))}")
    # Nobody else may write into the target until this is over.
    new.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    names = ", ".join(new.dialect.identifier_preparer.format_table(table) for table in tables)
    new.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
    full = [table.name for table in tables if new.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first()]
    if full:
        raise CannotMove(f"the target is not empty: there are rows in {', '.join(sorted(full))}")


def _copy(old: Connection, new: Connection, table: sa.Table) -> int:
    """Streams one table; returns how many rows."""
    # JSON as its text: in a value of Python NULL and JSON's null would be the same.
    columns = {column.name: _is_json(column) for column in table.columns}
    values = {
        name: sa.cast(sa.bindparam(f"v_{name}", type_=sa.Text), JSONB) if is_json
        else sa.bindparam(f"v_{name}", type_=table.columns[name].type)
        for name, is_json in columns.items()
    }  # fmt: skip
    insert, count = sa.insert(table).values(values), 0
    for rows in _rows(old, table):
        try:
            new.execute(insert, [{f"v_{name}": value for name, value in row._mapping.items()} for row in rows])
        except sa.exc.DBAPIError as error:
            first, last = (tuple(row[: len(table.primary_key)]) for row in (rows[0], rows[-1]))
            raise CannotMove(f"{table.name}, rows {first} to {last}: {error.orig}") from None
        count += len(rows)
    return count


def _rows(connection: Connection, table: sa.Table) -> Iterator[Sequence[Row[Any]]]:
    """All rows in the order of their keys, so that what a row of the same table refers to comes first."""
    columns = [
        sa.type_coerce(column, sa.Text).label(column.name)
        if _is_json(column) and connection.dialect.name == "sqlite"
        else sa.cast(column, sa.Text).label(column.name)
        if _is_json(column)
        else column
        for column in [*table.primary_key, *(one for one in table.columns if not one.primary_key)]
    ]
    query = sa.select(*columns).order_by(*table.primary_key)
    yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query).partitions()


def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.JSON)


def _continue_ids(old: Connection, new: Connection, tables: Sequence[sa.Table]) -> None:
    """New ids begin after the highest that was ever given, also to rows that are deleted since: none is given twice."""
    used: dict[str, int] = {}
    if "sqlite_sequence" in sa.inspect(old).get_table_names(sqlite_include_internal=True):
        used = {row.name: row.seq for row in old.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")}
    for table in tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = new.scalar(sa.func.pg_get_serial_sequence(f'"{table.name}"', column.name))
        highest = max(used.get(table.name, 0), new.scalar(sa.select(sa.func.max(column))) or 0)
        if sequence is not None and highest > 0:
            new.execute(sa.select(sa.func.setval(sequence, highest, True)))


def _sum(connection: Connection, table: sa.Table) -> tuple[int, int]:
    """How many rows there are, and a checksum over them that does not depend on their order."""
    count = total = 0
    json_columns = {column.name for column in table.columns if _is_json(column)}
    names = sorted(column.name for column in table.columns)
    for rows in _rows(connection, table):
        for row in rows:
            plain = [_plain(row._mapping[name], name in json_columns) for name in names]
            digest = hashlib.blake2b(repr(plain).encode(), digest_size=16).digest()
            total = (total + int.from_bytes(digest, "big")) % 2**128
        count += len(rows)
    return count, total


def _plain(value: Any, is_json: bool) -> Any:
    """A value as both stores have it: JSON without the order of members, moments in UTC."""
    if is_json and value is not None:
        return json.dumps(_numbers(json.loads(value)), sort_keys=True)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return bytes(value) if isinstance(value, memoryview) else value


def _numbers(value: Any) -> Any:
    """PostgreSQL may write 1e2 as 100: equal numbers shall be equal."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _numbers(inner) for name, inner in value.items()}
    return [_numbers(inner) for inner in value] if isinstance(value, list) else value
