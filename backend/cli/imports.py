"""`yobikake import …`: published files into the store, with a report that says what was refused and why."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

import database
from backend import clock, importing
from content.opendata import kinds
from database import db
from geo.opendata.encoding import MAX_BYTES
from geo.opendata.faults import OpenDataError

Files = tuple[Path, ...]
_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
_JSON = click.option("--json", "as_json", is_flag=True, help="The reports as JSON, for programs.")
_SKIP = click.option("--skip-refused", is_flag=True, help="Take the other rows when some are refused.")
_LICENCE = click.option("--licence", metavar="TEXT", help="The licence under which the list is published.")
_AS_EXPORTED = click.option(
    "--as-exported", is_flag=True, help="An export of Yobikake: each row keeps its own source, licence and date."
)
_AS_OF = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day the list is true of.")


@click.group("import")
def command() -> None:
    """Read published files: recognised by content, all of a file or nothing."""


@command.command("sites")
@_FILES
@_DRY_RUN
@_JSON
@_SKIP
@_AS_EXPORTED
@click.option("--complete-for", metavar="SOURCE", help="Withdraw this source's places that the file no longer lists.")
@click.option("--withdraw-many", is_flag=True, help="Even when that is a large part of them.")
@click.option("--source", metavar="KEY", help="Under which source to keep the rows, instead of the format's own key.")
@click.option("--municipality", metavar="CODE", help="Municipality of rows that state none.")
@_LICENCE
@_AS_OF
@with_appcontext
def sites(files: Files, dry_run: bool, as_json: bool, as_of: dt.datetime | None, **given: Any) -> None:
    """Evacuation sites, shelters, AEDs, facilities: CSV or GeoJSON of any known format."""
    _run("sites", files, dry_run, as_json, as_of=as_of.date() if as_of else None, **given)


@command.command("areas")
@_FILES
@_DRY_RUN
@_JSON
@_SKIP
@_AS_EXPORTED
@click.option("--parent", metavar="CODE", help="Municipality of a list of towns, or the area above zones.")
@click.option("--code", metavar="CODE", help="Code of the one area in a file that has only a name.")
@click.option("--source", metavar="KEY", help="Under which source to keep the areas.")
@click.option("--complete-for", metavar="SOURCE", help="Withdraw this source's areas that the file no longer has.")
@_LICENCE
@_AS_OF
@with_appcontext
def areas(files: Files, dry_run: bool, as_json: bool, as_of: dt.datetime | None, **given: Any) -> None:
    """Wards, towns, zones: N03 or other GeoJSON with boundaries, or a JSON list of towns."""
    _run("areas", files, dry_run, as_json, as_of=as_of.date() if as_of else None, **given)


@command.command("postcodes")
@_FILES
@_DRY_RUN
@_JSON
@_SKIP
@with_appcontext
def postcodes(files: Files, dry_run: bool, as_json: bool, skip_refused: bool) -> None:
    """日本郵便's KEN_ALL, UTF-8 or classic; areas without a reading get theirs from it."""
    _run("postcodes", files, dry_run, as_json, skip_refused=skip_refused)


@command.command("childcare")
@_FILES
@_DRY_RUN
@_JSON
@_SKIP
@click.option("--complete-for", metavar="SOURCE", help="Withdraw this source's entries that the file no longer has.")
@with_appcontext
def childcare(files: Files, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Guides and dated programmes, written as TOML or JSON. Facilities come in by `import sites`."""
    _run("childcare", files, dry_run, as_json, **given)


@command.command("events")
@_FILES
@_DRY_RUN
@_JSON
@_SKIP
@_AS_EXPORTED
@click.option("--complete-for", metavar="SOURCE", help="Withdraw this source's events that the list no longer has.")
@click.option("--source", metavar="KEY", help="Under which source to keep the events.")
@click.option("--municipality", metavar="CODE", help="Municipality of rows that state none.")
@_LICENCE
@_AS_OF
@with_appcontext
def events(files: Files, dry_run: bool, as_json: bool, as_of: dt.datetime | None, **given: Any) -> None:
    """Lists of events in the national standard columns, or Takamatsu's."""
    _run("events", files, dry_run, as_json, as_of=as_of.date() if as_of else None, **given)


@command.command("garbage")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@_DRY_RUN
@_JSON
@_SKIP
@click.option("--source", metavar="KEY", help="Under which source to keep the data; else the folder's name.")
@click.option("--municipality", metavar="CODE", help="Municipality whose towns are meant.")
@click.option(
    "--effective-from", type=click.DateTime(["%Y-%m-%d"]), help="New rules hold from this day, the stored ones until."
)
@click.option("--complete-for", metavar="SOURCE", help="Withdraw what this source's files no longer have.")
@_LICENCE
@_AS_OF
@with_appcontext
def garbage(
    paths: Files,
    dry_run: bool,
    as_json: bool,
    as_of: dt.datetime | None,
    effective_from: dt.datetime | None,
    **given: Any,
) -> None:
    """Garbage days and dictionaries: folders of the 5374 format or of JSON, Sendai's table, our own JSON.

    A folder is one city, and so are files given together: all of it is taken or nothing.
    """
    begin = effective_from.date() if effective_from else None
    options = {"as_of": as_of.date() if as_of else None, "effective_from": begin, **given}
    reports: list[dict[str, Any]] = []
    failed = False
    for name, files in _cities(paths):
        try:
            content = {file.name: _bytes(file) for file in files}
            with database.transaction(db.engine, "read" if dry_run else "write") as session:
                found = kinds.take(session, "garbage", content, clock.now(), options, dry_run=dry_run, name=name)
        except OpenDataError as error:
            failed = True
            reports.append({"file": name, "error": {"code": error.code, "line": error.line, "reason": str(error)}})
            _say(as_json, (f"{name}: 取り込めません", f"  {error}"))
            continue
        for file, report in found.items():
            failed = failed or bool(report.refused_rows) or report.why_not is not None
            reports.append({"file": f"{name}/{file}" if name else file, **report.to_json()})
            _say(as_json, report.lines_ja(f"{name}/{file}" if name else file))
    if as_json:
        click.echo(json.dumps(reports, ensure_ascii=False, indent=2))
    if failed:
        raise SystemExit(1)


@command.command("work", hidden=True)
@with_appcontext
def work() -> None:
    """Reads or takes in the long files that wait on the console's page; the worker calls it."""
    os.nice(10)  # alerts go first
    importing.work(db.engine, clock.now)


def _cities(paths: Files) -> Iterable[tuple[str, list[Path]]]:
    """Each folder as one city, and the loose files together as one."""
    loose = [path for path in paths if path.is_file()]
    for folder in (path for path in paths if path.is_dir()):
        yield (
            folder.resolve().name,
            sorted(file for file in folder.iterdir() if file.suffix.lower() in (".csv", ".json")),
        )
    if loose:
        yield "", loose


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:  # before it fills the memory
        raise OpenDataError("too_large", f"{file.name}: ファイルが大きすぎます（上限{MAX_BYTES:,}バイト）")
    return file.read_bytes()


def _run(kind: str, files: Files, dry_run: bool, as_json: bool, **options: Any) -> None:
    """One transaction a file; exit code 1 when a file was not taken or a row of it refused."""
    reports: list[dict[str, Any]] = []
    failed = False
    for file in files:
        try:
            if file.stat().st_size > MAX_BYTES:  # before it fills the memory
                raise OpenDataError("too_large", f"ファイルが大きすぎます（上限{MAX_BYTES:,}バイト）")
            with database.transaction(db.engine, "read" if dry_run else "write") as session:
                content = {file.name: file.read_bytes()}
                (report,) = kinds.take(session, kind, content, clock.now(), options, dry_run=dry_run).values()
        except OpenDataError as error:
            failed = True
            reports.append({"file": file.name, "error": {"code": error.code, "line": error.line, "reason": str(error)}})
            _say(as_json, (f"{file.name}: 取り込めません", f"  {error}"))
            continue
        failed = failed or bool(report.refused_rows) or report.why_not is not None
        reports.append({"file": file.name, **report.to_json()})
        _say(as_json, report.lines_ja(file.name))
    if as_json:
        click.echo(json.dumps(reports, ensure_ascii=False, indent=2))
    if failed:
        raise SystemExit(1)


def _say(as_json: bool, lines: Iterable[str]) -> None:
    if not as_json:
        for line in lines:
            click.echo(line)
