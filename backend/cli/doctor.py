"""`yobikake doctor`: looks at settings, clock, database, sender and worker, and says what is wrong."""

from __future__ import annotations

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

import database
from backend import channel, clock, config, health
from backend.config import Settings
from database import db

MARKS = {True: "ok   ", False: "FAIL ", None: "     "}


@click.command("doctor")
@with_appcontext
def command() -> None:
    """Says whether this installation can serve and push, and what to do when not. Ends with 1 when it cannot."""
    settings = config.settings()
    click.echo("settings (docs/settings.md; what is not the default):")
    for line in changed(settings) or ["all as shipped"]:
        click.echo(f"      {line}")
    click.echo("checks:")
    now = clock.now()
    click.echo(
        f"      clock: {now:%Y-%m-%d %H:%M:%S} UTC, {now.astimezone(settings.zone):%H:%M} in {settings.time_zone}"
    )
    found = [_opens(settings), *_findings(settings)]
    for finding in found:
        click.echo(f"{MARKS[finding.ok]} {finding.name}: {finding.detail}")
    if any(finding.ok is False for finding in found):
        raise SystemExit(1)


def changed(settings: Settings) -> list[str]:
    """The settings that differ from their defaults, passwords and keys hidden."""
    shipped = Settings()
    lines = []
    for name, field in config.variables().items():
        value = getattr(settings, field.name)
        if value != getattr(shipped, field.name):
            lines.append(f"{name}={_shown(name, value)}")
    return lines


def _shown(name: str, value: object) -> object:
    """A value without what it hides: passwords in URLs, keys."""
    if name.endswith("_TOKEN"):
        return "…"
    return sa.make_url(str(value)).render_as_string() if name.endswith("_URL") else value


def _opens(settings: Settings) -> health.Finding:
    """Opens the outlets as the worker would: credentials, project, endpoint and keys must fit together."""
    try:
        opened = channel.outlets(settings)
    except (ValueError, OSError) as error:
        return health.Finding("credentials", False, str(error))
    for one in opened.values():
        one.close()
    if not opened:
        return health.Finding("credentials", None, "none")
    return health.Finding("credentials", True, f"of {', '.join(opened)} fit together (nobody was contacted)")


def _findings(settings: Settings) -> list[health.Finding]:
    try:
        with database.transaction(db.engine, "read") as session:
            return health.findings(session, settings, clock.now())
    except sa.exc.SQLAlchemyError as error:
        return [health.Finding("database", False, str(getattr(error, "orig", error)).strip())]
