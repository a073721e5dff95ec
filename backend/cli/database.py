"""`yobikake db …`: brings the schema to this version of the house, or back (Flask-Migrate's commands)."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app, g
from flask.cli import with_appcontext
from flask_migrate import Migrate
from flask_migrate.cli import db as flask_migrate

from backend.cli import move
from database import db

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# This project has its migrations: nothing is to be laid out anew.
LEFT_OUT = {"init", "list-templates"}


@click.group("db")
@with_appcontext
def command() -> None:
    """Bring the schema to this version, or back: upgrade, downgrade, check, current; move to PostgreSQL."""
    Migrate(current_app, db, directory=str(MIGRATIONS))
    # What Flask-Migrate's own group would have set from its options.
    g.directory, g.x_arg = str(MIGRATIONS), ()


for _name, _command in flask_migrate.commands.items():
    if _name not in LEFT_OUT:
        command.add_command(_command, _name)
command.add_command(move.command)
