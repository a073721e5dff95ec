"""`yobikake audit …`: whether the journal is as it was written."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

from content import journal
from content.journal import Entry
from database import db, transaction


@click.group("audit")
def command() -> None:
    """The journal of everything anyone did."""


@command.command("verify")
@click.option("--expect", help="The hash of an entry, printed by an earlier run and kept elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_appcontext
def verify(expect: str | None, as_json: bool) -> None:
    """Walks the whole chain; names the first entry that was altered, taken out or put in between (exit code 1).

    Keep what it prints in another place: with --expect the next run also finds a journal that was written anew.
    """
    with transaction(db.engine, "read") as session:
        verdict = journal.verify(session)
        known = expect is None or session.scalar(sa.select(Entry.number).where(Entry.hash == expect)) is not None
    if as_json:
        click.echo(json.dumps({**asdict(verdict), "sound": verdict.sound, "expected": known}))
    elif verdict.sound:
        click.echo(f"sound: {verdict.entries} entries, the last with the hash {verdict.hash}")
    else:
        click.echo(f"entry {verdict.number} {verdict.reason}; the {verdict.entries} before it are sound", err=True)
    if not known:
        click.echo(f"no entry has the hash {expect}: this is not the journal that was verified then", err=True)
    if not (verdict.sound and known):
        raise SystemExit(1)
