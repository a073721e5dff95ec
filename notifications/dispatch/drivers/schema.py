"""The fleet engine's own tables: procrastinate's, in a schema of their own, of exactly one version."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
from procrastinate.schema import SchemaManager
from sqlalchemy.engine import Connection

NAME = "procrastinate"
# With another version comes a migration that removes the schema and installs it anew: jobs are only nudges.
PINNED = "3.10"


def install(connection: Connection) -> None:
    """Creates the schema with everything in it, in the caller's transaction. PostgreSQL only."""
    before = connection.exec_driver_sql("SELECT current_setting('search_path')").scalar_one()
    connection.exec_driver_sql(f"CREATE SCHEMA {NAME}")
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {NAME} IS '{NAME} {PINNED}'")
    connection.exec_driver_sql(f"SET LOCAL search_path = {NAME}")
    raw: Any = connection.connection.driver_connection
    raw.execute(SchemaManager.get_schema())  # many statements in one go, which SQLAlchemy would not pass on
    connection.execute(sa.text("SELECT set_config('search_path', :before, true)"), {"before": before})


def remove(connection: Connection) -> None:
    """Drops the schema and whatever jobs are in it: the ledger has all that they stood for."""
    connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {NAME} CASCADE")


def fault(connection: Connection) -> str | None:
    """Why the fleet cannot run on this database with this installation; None when it can."""
    library = ".".join(version(NAME).split(".")[:2])
    if library != PINNED:
        return f"{NAME} {library} is installed, this version of Yobikake is made for {PINNED}"
    found = connection.execute(
        sa.text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"), {"name": NAME}
    ).scalar_one_or_none()
    if found != f"{NAME} {PINNED}":
        return f"the database has {found or 'nothing'} where {NAME} {PINNED} must be: run yobikake db upgrade"
    return None
