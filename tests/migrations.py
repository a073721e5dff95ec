"""Runs the project's migrations on an engine, without an app."""

from __future__ import annotations

import io

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from tests.tables import ROOT

FOLDER = ROOT / "migrations"


def configuration(engine: Engine | None = None) -> Config:
    """Alembic's configuration for this project, on that engine."""
    config = Config(FOLDER / "alembic.ini", stdout=io.StringIO())
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = engine
    return config


def revisions() -> list[str]:
    """All revisions, first to last; empty while none is written."""
    script = ScriptDirectory.from_config(configuration())
    return [step.revision for step in script.walk_revisions()][::-1]


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the schema up to that revision."""
    command.upgrade(configuration(engine), revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Brings the schema down to that revision."""
    command.downgrade(configuration(engine), revision)
