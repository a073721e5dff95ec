"""`yobikake housekeeping`: forgets now what is due to be forgotten; a worker does it every hour by itself."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from backend import clock
from backend.config import settings
from backend.keeping import keeping
from database import db
from notifications.dispatch import housekeeping

WORDS = {
    "groups": "rows that said who was shown which shelters",
    "batches": "batches summed up",
    "receipts": "receipts summed up",
    "told": "blocks of who was told",
    "tests": "tests of single phones",
    "danger_areas": "shapes that no alert has",
    "reservations": "seconds of the governor",
    "tokens": "tokens without contact dropped",
    "devices": "phones without contact erased",
}


@click.command("housekeeping")
@click.option("--dry-run", is_flag=True, help="Count what would be touched, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_appcontext
def command(dry_run: bool, as_json: bool) -> None:
    """Forgets what is due (docs/operations/ledger.md). Safe at any time; cut off, the next run goes on."""
    report = housekeeping.housekeep(db.engine, clock.now(), keeping(settings()), dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "finished": report.finished, "rows": report.rows}))
        return
    for name, number in report.rows.items():
        click.echo(f"{number:>9}  {WORDS[name]}")
    if not report.rows:
        click.echo("nothing is due")
    elif dry_run:
        click.echo("counted by message and phone; nothing was changed")
