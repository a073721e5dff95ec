"""Runs the migrations: called by `yobikake db …` inside the app, or by tests with an engine of their own."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine

from database import Base, UtcDateTime

# Every module that declares a table; tests/house/test_migrations.py finds one that is missing here.
TABLES = (
    "content.accounts",
    "content.childcare.guides",
    "content.childcare.programmes",
    "content.editors",
    "content.events",
    "content.garbage.areas",
    "content.garbage.categories",
    "content.garbage.dictionary",
    "content.garbage.rules",
    "content.garbage.sources",
    "content.journal",
    "content.known_browsers",
    "content.notice_index",
    "content.notice_table",
    "content.opendata.intake_lines",
    "content.opendata.intakes",
    "content.revisions",
    "content.sign_ins",
    "content.signing",
    "content.workflow",
    "geo.areas",
    "geo.postcodes",
    "geo.sites",
    "geo.statuses",
    "notifications.alerts",
    "notifications.children",
    "notifications.dangers",
    "notifications.devices",
    "notifications.dispatch.batches",
    "notifications.dispatch.census",
    "notifications.dispatch.duties",
    "notifications.dispatch.governor",
    "notifications.dispatch.groups",
    "notifications.dispatch.incidents",
    "notifications.dispatch.summaries",
    "notifications.dispatch.worker",
    "notifications.everyday",
    "notifications.garbage_days",
    "notifications.messages",
    "notifications.places",
    "notifications.preferences",
    "notifications.receipts",
    "notifications.reminders.clocks",
    "notifications.reminders.garbage",
    "notifications.reviews",
    "notifications.told",
    "notifications.topics",
)
LOCK = 0x796F6269  # one migration at a time; any number that no other program takes on this database
log = logging.getLogger("alembic.env")


def engine() -> Engine:
    """The engine a test hands over, else the app's."""
    given: Engine | None = context.config.attributes.get("engine")
    if given is not None:
        return given
    from flask import current_app

    own: Engine = current_app.extensions["migrate"].db.engine
    return own


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Writes the house's own types in SQLAlchemy's words: a migration must not change when `database.py` does."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sa.JSON) and not isinstance(item, JSONB):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def compare_type(
    migration: MigrationContext,
    _inspected: sa.Column[Any],
    _declared: sa.Column[Any],
    inspected_type: sa.types.TypeEngine[Any],
    declared_type: sa.types.TypeEngine[Any],
) -> bool | None:
    """SQLite keeps JSON and 64-bit integers under names of its own; everything else is compared by Alembic."""
    if migration.dialect.name == "sqlite":
        pair = (type(inspected_type), type(declared_type.dialect_impl(migration.dialect)))
        if issubclass(pair[0], sa.Integer) and issubclass(pair[1], sa.Integer):
            return False
    return None


def nothing_for_nothing(
    _migration: MigrationContext, _revision: str | Iterable[str | None] | Iterable[str], scripts: list[MigrationScript]
) -> None:
    """Writes no file when models and schema are equal already."""
    if getattr(context.config.cmd_opts, "autogenerate", False):
        operations = scripts[0].upgrade_ops
        if operations is not None and operations.is_empty():
            scripts.clear()
            log.warning("models and schema are equal: no migration was written")


def migrate(connection: Connection) -> None:
    """All steps in one transaction on both stores; on failure the schema stays as it was."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A batch step rebuilds a table; with foreign keys on, dropping the old one would delete its children.
        # The switch does nothing inside a transaction, so it goes past SQLAlchemy, which would begin one.
        _raw(connection, "PRAGMA foreign_keys=OFF")
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=compare_type,
            render_as_batch=True,
            render_item=render_item,
            process_revision_directives=nothing_for_nothing,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            if not sqlite:
                # Two releases started at once: the second waits here and then finds nothing left to do.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                # Waiting longer for a table would queue every reader of it behind us.
                connection.execute(sa.text("SET LOCAL lock_timeout = '10s'"))
            context.run_migrations()
            if sqlite:
                orphans = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
                if orphans:
                    raise RuntimeError(f"the migration leaves rows that point to nothing: {orphans[:5]}")
    finally:
        if sqlite:
            _raw(connection, "PRAGMA foreign_keys=ON")


def _raw(connection: Connection, statement: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(statement)


for module in TABLES:
    importlib.import_module(module)
if context.is_offline_mode():
    raise SystemExit("SQL without a database is not offered: migrations look at the schema they find")
with engine().connect() as connection:
    migrate(connection)
