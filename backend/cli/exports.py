"""`yobikake export …`: what the city knows, as files that anybody can reuse."""

from __future__ import annotations

from typing import IO

import click
from flask.cli import with_appcontext

import database
from database import db
from geo.opendata.site_export import csv_text, geojson_text, published
from geo.sites import SiteKind


@click.group("export")
def command() -> None:
    """Write open data in the national standard columns."""


@command.command("sites")
@click.option("--format", "form", type=click.Choice(["csv", "geojson"]), default="csv", show_default=True)
@click.option("--source", metavar="KEY", help="Only this source's places.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in SiteKind]), help="Only these."
)
@click.option("--output", "-o", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file, or - .")
@with_appcontext
def sites(form: str, source: str | None, kinds: tuple[str, ...], output: IO[str]) -> None:
    """Evacuation sites and shelters as the 2023 standard table, withdrawn ones left out."""
    write = csv_text if form == "csv" else geojson_text
    with database.transaction(db.engine, "read") as session:
        for piece in write(published(session, source=source, kinds=[SiteKind(kind) for kind in kinds])):
            output.write(piece)
