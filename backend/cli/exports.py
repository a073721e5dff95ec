"""`yobikake export …`: what the city knows, as files that anybody can reuse."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click
from flask.cli import with_appcontext

import database
from backend import clock
from backend.config import settings
from backend.opendata.dataset import DataSet, Publisher
from backend.opendata.sets import SETS
from database import db
from geo.opendata.site_export import csv_text, geojson_text, published
from geo.sites import SiteKind

_SOURCE = click.option("--source", metavar="KEY", help="Only this source's rows.")
_OUTPUT = click.option(
    "--output", "-o", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file, or - ."
)


@click.group("export")
def command() -> None:
    """Write open data in the national standard columns: the same files as /opendata."""


@command.command("sites")
@click.option("--format", "form", type=click.Choice(["csv", "geojson"]), default="csv", show_default=True)
@_SOURCE
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in SiteKind]), help="Only these."
)
@_OUTPUT
@with_appcontext
def sites(form: str, source: str | None, kinds: tuple[str, ...], output: IO[str]) -> None:
    """Places of every kind as the 2023 standard table of evacuation sites, withdrawn ones left out."""
    write = csv_text if form == "csv" else geojson_text
    with database.transaction(db.engine, "read") as session:
        for piece in write(published(session, source=source, kinds=[SiteKind(kind) for kind in kinds])):
            output.write(piece)


@command.command("all")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def everything(folder: Path) -> None:
    """Every set that has a row into FOLDER, in every form; JSON one file a source."""
    folder.mkdir(parents=True, exist_ok=True)
    by = _publisher()
    with database.transaction(db.engine, "read") as session:
        for one in SETS.values():
            sources = sorted({origin.source for origin in one.origins(session, by)})
            for form, write in one.forms.items() if sources else ():
                for source in sources if form in one.one_source else [None]:
                    name = f"{one.name}.{source}.{form}" if source is not None else f"{one.name}.{form}"
                    with (folder / name).open("w", encoding="utf-8", newline="") as file:
                        file.writelines(write(session, by, source))
                    click.echo(name)


def _add(one: DataSet) -> None:
    forms = list(one.forms)

    @command.command(one.name, help=f"{one.ja} ({one.en}).")
    @click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)
    @_SOURCE
    @_OUTPUT
    @with_appcontext
    def write(form: str, source: str | None, output: IO[str]) -> None:
        by = _publisher()
        with database.transaction(db.engine, "read") as session:
            sources = sorted({origin.source for origin in one.origins(session, by)})
            known = ", ".join(sources) or "none"
            if source is not None and source not in sources:
                raise click.ClickException(f"nothing of it comes from {source!r}; its sources: {known}")
            if form in one.one_source and len([source] if source is not None else sources) != 1:
                raise click.ClickException(f"a file holds one source: say --source; its sources: {known}")
            for piece in one.forms[form](session, by, source):
                output.write(piece)


for _one in SETS.values():
    _add(_one)


def _publisher() -> Publisher:
    return Publisher(settings().city_name, settings().open_data_licence, clock.now())
