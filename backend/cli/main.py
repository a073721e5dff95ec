"""The `yobikake` command: Flask's own group with ours in it.

Commands run inside the application context (Flask pushes it) and open their own transaction:

    with database.transaction(engine()) as session:          # "read" as second argument when nothing is written
        sites.set_status(session, …, now=clock.now())
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy.engine import Engine

from backend.config import SettingError
from database import db

# The commands of `yobikake` and the modules whose `command` they are. Add a line when yours lands.
# Only the one that is called is imported: a worker that was killed is back a second sooner.
COMMANDS = {
    "audit": "backend.cli.audit",
    "authenticator": "backend.cli.authenticator",
    "db": "backend.cli.database",
    "demo": "backend.cli.demo",
    "doctor": "backend.cli.doctor",
    "export": "backend.cli.exports",
    "housekeeping": "backend.cli.housekeeping",
    "import": "backend.cli.imports",
    "seed": "backend.cli.seed",
    "staff": "backend.cli.staff",
    "standin": "backend.cli.standin",
    "webpush": "backend.cli.webpush",
    "worker": "backend.cli.worker",
}


def _create_app() -> Flask:
    from backend.app import create_app

    return create_app()


def engine() -> Engine:
    """The prepared engine of the running command's application."""
    return db.engine


class Group(FlaskGroup):
    """Flask's group, in which our commands win over other packages' and a bad setting is no traceback."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Ours first: Flask-Migrate announces a `db` as well."""
        if name in COMMANDS:
            command: click.Command = import_module(COMMANDS[name]).command
            return command
        return super().get_command(ctx, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in the order of their names."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command line."""
        try:
            return super().main(*args, **kwargs)
        except SettingError as error:
            click.echo(f"yobikake: {error}", err=True)
            raise SystemExit(2) from None


cli = Group(
    name="yobikake",
    help="Yobikake: a city's words to its residents' phones.",
    create_app=_create_app,
    add_default_commands=True,
    load_dotenv=False,
    set_debug_flag=False,
)

if __name__ == "__main__":
    cli()
