"""The `yobikake` command: Flask's own group with ours in it.

Commands run inside the application context (Flask pushes it) and open their own transaction:

    with database.transaction(engine()) as session:          # "read" as second argument when nothing is written
        sites.set_status(session, …, now=clock.now())
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from flask.cli import FlaskGroup
from sqlalchemy.engine import Engine

from backend.app import create_app
from backend.config import SettingError
from database import db

# Modules whose `command` (a click command or group) belongs to `yobikake`. Add a line when yours lands.
COMMANDS = [
    "backend.cli.database",
    "backend.cli.seed",
    "backend.cli.demo",
    "backend.cli.staff",
    "backend.cli.doctor",
    "backend.cli.standin",
    "backend.cli.worker",
    "backend.cli.exports",
    "backend.cli.imports",
]
OURS: dict[str, click.Command] = {found.name: found for found in (import_module(name).command for name in COMMANDS)}


def engine() -> Engine:
    """The prepared engine of the running command's application."""
    return db.engine


class Group(FlaskGroup):
    """Flask's group, in which our commands win over other packages' and a bad setting is no traceback."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Ours first: Flask-Migrate announces a `db` as well."""
        return OURS.get(name) or super().get_command(ctx, name)

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
    create_app=create_app,
    add_default_commands=True,
    load_dotenv=False,
    set_debug_flag=False,
)
for _command in OURS.values():
    cli.add_command(_command)

if __name__ == "__main__":
    cli()
