"""One history for both stores: up from nothing, equal to the models, down to nothing, and up again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from database import open_engine
from tests import migrations
from tests.conftest import Store
from tests.tables import ROOT, create_tables, table_modules


@pytest.fixture
def empty(store: Store) -> Iterator[Engine]:
    engine = open_engine(store.empty_url())
    yield engine
    engine.dispose()


def schema(engine: Engine) -> dict[str, Any]:
    """Everything of a schema that can differ, in an order that cannot."""
    found = sa.inspect(engine)
    tables: dict[str, Any] = {}
    for name in sorted(set(found.get_table_names()) - {"alembic_version"}):
        columns = {
            column["name"]: (str(column["type"]), column["nullable"], bool(column.get("autoincrement") is True))
            for column in found.get_columns(name)
        }
        parts: dict[str, Any] = {
            "indexes": found.get_indexes(name),
            "unique": found.get_unique_constraints(name),
            "foreign": found.get_foreign_keys(name),
            "check": found.get_check_constraints(name),
        }
        tables[name] = {
            "columns": columns,
            "primary": found.get_pk_constraint(name),
            # SQLite never gives an id a second time only with this word.
            "ids never reused": engine.dialect.name != "sqlite" or "AUTOINCREMENT" in written(engine, name),
            **{kind: sorted(map(plain, rows), key=lambda row: str(row.get("name"))) for kind, rows in parts.items()},
        }
    return tables


def plain(value: Any) -> Any:
    """Conditions of partial indexes are clauses that equal only themselves: compare their words."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, sa.TextClause) else value


def written(engine: Engine, table: str) -> str:
    with engine.connect() as connection:
        words = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
        return str(connection.scalar(words, {"name": table})).upper()


def test_the_history_is_one_line() -> None:
    assert len(ScriptDirectory.from_config(migrations.configuration()).get_heads()) == 1


def test_every_module_with_a_table_is_known_to_the_migrations() -> None:
    source = (ROOT / "migrations" / "env.py").read_text(encoding="utf-8")
    listed = next(
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TABLES"
    )
    assert list(listed) == table_modules()


def test_migrated_from_nothing_the_schema_equals_the_models(empty: Engine, store: Store) -> None:
    migrations.upgrade(empty)
    command.check(migrations.configuration(empty))

    declared = open_engine(store.empty_url())
    create_tables(declared)
    assert schema(empty) == schema(declared)
    declared.dispose()


def test_down_to_nothing_and_up_again(empty: Engine) -> None:
    migrations.upgrade(empty)
    first = schema(empty)
    assert first

    migrations.downgrade(empty)
    assert schema(empty) == {}

    migrations.upgrade(empty)
    assert schema(empty) == first


def test_every_single_step_goes_down_and_up(empty: Engine) -> None:
    for revision in migrations.revisions():
        migrations.upgrade(empty, revision)
        above = schema(empty)
        migrations.downgrade(empty, "-1")
        assert schema(empty) != above
        migrations.upgrade(empty, revision)
        assert schema(empty) == above


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    migrations.upgrade(empty)
    before = schema(empty)
    migrations.upgrade(empty)
    assert schema(empty) == before


def test_a_step_that_fails_leaves_the_schema_as_it_was(empty: Engine) -> None:
    taken = sorted(created_first())[-1]
    with empty.begin() as connection:
        connection.exec_driver_sql(f'CREATE TABLE "{taken}" (something INTEGER)')
    with pytest.raises(sa.exc.DBAPIError):
        migrations.upgrade(empty)
    assert set(sa.inspect(empty).get_table_names()) - {"alembic_version"} == {taken}


def created_first() -> set[str]:
    """Tables that the first step creates."""
    first = ScriptDirectory.from_config(migrations.configuration()).get_revision(migrations.revisions()[0])
    assert first is not None
    return set(re.findall(r"op\.create_table\(\s*[\"'](\w+)", (ROOT / first.path).read_text(encoding="utf-8")))
