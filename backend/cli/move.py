"""`yobikake db move`: from SQLite on one machine to PostgreSQL, with everything that is stored."""

from __future__ import annotations

import click
import sqlalchemy as sa

from backend import config
from backend.cli.worker import only_one
from backend.moving import CannotMove, move
from backend.values import database_address
from database import open_engine


@click.command("move")
@click.option("--to", required=True, metavar="URL", help="The PostgreSQL database: empty, and brought to this version.")
def command(to: str) -> None:
    """Copy everything from the SQLite file of YOBIKAKE_DATABASE_URL into an empty PostgreSQL database.

    Stop web server and worker first. The SQLite file stays as it is. All or nothing: rows and checksums
    of every table are compared before anything is committed.
    """
    try:
        address = database_address(to)
    except ValueError as reason:
        raise click.BadParameter(str(reason), param_hint="--to") from None
    source, target = open_engine(config.settings().database_url), open_engine(address)
    try:
        with only_one(source):
            moved = move(source, target, click.echo)
    except CannotMove as reason:
        raise click.ClickException(f"{reason}. Nothing was moved.") from None
    except sa.exc.DBAPIError as error:
        raise click.ClickException(f"{str(error.orig).strip()}. Nothing was moved.") from None
    finally:
        source.dispose()
        target.dispose()
    click.echo(
        f"{sum(moved.values())} rows in {len(moved)} tables arrived, each table compared."
        " Now set YOBIKAKE_DATABASE_URL to the new database on every machine; keep the file until you are sure."
    )
