"""Published areas into the store: all of a file or nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.areas import Area, AreaKind, canonical_code, search_key
from geo.municipality import MunicipalityError, five_digits, prefecture_of
from geo.opendata.area_exported import exported_rows
from geo.opendata.area_files import (
    CODE,
    AreaFile,
    AreaRow,
    above_of,
    boundary_row,
    implied,
    n03_rows,
    open_area_file,
    town_rows,
    zone_rows,
)
from geo.opendata.encoding import MAX_BYTES
from geo.opendata.faults import OpenDataError, checked_licence, checked_source
from geo.opendata.report import Report
from geo.opendata.turn import take_turn
from geo.sites import bump_revision

_COUNTY = re.compile("^[^郡]+郡(?=.+[町村]$)")  # a town is named without the county it lies in
_STATED = ("kind", "name", "name_kana", "names", "parent_code", "lat", "lon", "geometry")


@dataclass(frozen=True, slots=True)
class AreaOptions:
    """How to take a file in. The defaults change nothing when anything at all is refused."""

    parent: str | None = None  # the municipality of a list of towns, the area above zones
    code: str | None = None  # of the one area in a file that has only a name
    source: str | None = None
    licence: str | None = None
    as_of: dt.date | None = None
    skip_refused: bool = False
    complete_for: str | None = None  # areas of this source absent from the file are withdrawn
    dry_run: bool = False
    as_exported: bool = False  # one of our own exports: each area keeps its own source, licence and date


def import_areas(
    session: Session, data: bytes, now: dt.datetime, options: AreaOptions | None = None, *, max_bytes: int = MAX_BYTES
) -> Report:
    """Reads a file of areas of any known format and brings the store to what it says, in the caller's transaction.

    Idempotent on the code; what a file does not state (a reading, a boundary) stays as stored. Raises
    `OpenDataError` for a file that cannot be used at all; everything else is in the report.
    """
    options = options or AreaOptions()
    file = open_area_file(data, max_bytes)
    report = Report(file.format, file.format_ja, file.encoding, dry_run=options.dry_run)
    source = checked_source(options.source) or file.format
    checked_licence(options.licence)
    for code in (options.parent, options.code):
        if code is not None and not CODE.fullmatch(code):
            raise OpenDataError("not_a_code", "区域のコードに空白や / などは使えません")
    if not options.dry_run:
        take_turn(session)
    rows = exported_rows(file, report) if options.as_exported else _rows(session, file, report, options)
    report.sources = sorted({row.provenance.get("source", source) for row in rows}) or [source]
    inserts, updates = _compare(session, rows, report, options, source)
    withdrawn = _absent(session, rows, options, source, report)
    if report.refused_rows and not options.skip_refused:
        report.why_not = f"拒否した区域が{report.refused_rows:,}件あるため、何も変えません"
    report.applied = report.why_not is None and not options.dry_run
    if report.applied and report.writes:
        session.add_all(inserts)
        for area, values in updates:
            for name, value in values.items():
                setattr(area, name, value)
        for area in withdrawn:
            area.withdrawn_at = now
        session.flush()
        bump_revision(session, "areas", now)
    return report


def _rows(session: Session, file: AreaFile, report: Report, options: AreaOptions) -> list[AreaRow]:
    if file.format == "n03":
        return n03_rows(file, report)
    if file.format == "zones":
        return zone_rows(file, report, canonical_code(options.parent) if options.parent else None)
    if file.format == "towns":
        return town_rows(file, report, _town_parent(session, options))
    row = boundary_row(file, report)
    return [] if row is None else _resolved(session, row, options)


def _town_parent(session: Session, options: AreaOptions) -> str:
    if options.parent is None:
        raise OpenDataError("needs_parent", "町名の一覧には parent（市区町村コード）が必要です")
    try:
        parent = five_digits(options.parent)
    except MunicipalityError as error:
        raise OpenDataError(error.code, str(error)) from error
    if session.get(Area, parent) is None:
        raise OpenDataError("unknown_parent", f"区域{parent}がまだありません。先に境界を取り込んでください")
    return parent


def _resolved(session: Session, row: AreaRow, options: AreaOptions) -> list[AreaRow]:
    """Gives an area that came with a name only its code: the one asked for, or that of the known area so named."""
    code = canonical_code(options.code) if options.code else _code_named(session, row.name)
    prefecture = prefecture_of(row.name)
    if code.isascii() and code.isdecimal() and len(code) <= 6:
        try:
            row.code = five_digits(code, row.name)
        except MunicipalityError as error:
            raise OpenDataError(error.code, str(error)) from error
        if prefecture is not None and row.code[:2] != prefecture:
            raise OpenDataError("wrong_code", f"コード{row.code}は「{row.name}」の都道府県と合いません")
        above = list(implied(row.code, row.line))
        for one in above:
            row.name = row.name.removeprefix(one.name)
        row.name = _COUNTY.sub("", row.name)
        row.kind = AreaKind.WARD if row.name.endswith("区") else AreaKind.CITY
        row.parent_code = above_of(row.code)
        return [*above, row]
    row.code, row.parent_code = code, canonical_code(options.parent) if options.parent else None
    return [row]


def _code_named(session: Session, full_name: str) -> str:
    kinds = (AreaKind.CITY.value, AreaKind.WARD.value)
    wanted = sa.select(Area.code, Area.search_name).where(Area.kind.in_(kinds))
    if (prefecture := prefecture_of(full_name)) is not None:
        wanted = wanted.where(Area.code.startswith(prefecture))
    names: dict[str, str] = {one.code: one.search_name for one in session.execute(wanted)}
    key = search_key(full_name)
    found = []
    for code, name in names.items():
        above = names.get(above_of(code), "")
        if key.endswith(above + name) and (not above or len(key) >= len(above + name)):
            found.append((len(above + name), code))
    found.sort()
    if not found or (len(found) > 1 and found[-1][0] == found[-2][0]):
        raise OpenDataError("needs_code", f"「{full_name}」のコードが分かりません。code を指定してください")
    return found[-1][1]


def _compare(
    session: Session, rows: Sequence[AreaRow], report: Report, options: AreaOptions, source: str
) -> tuple[list[Area], list[tuple[Area, dict[str, Any]]]]:
    inserts: list[Area] = []
    updates: list[tuple[Area, dict[str, Any]]] = []
    dated = {"licence": options.licence, "as_of": options.as_of}
    dated = {name: value for name, value in dated.items() if value is not None}
    for row in rows:
        stated = {name: value for name in _STATED if (value := getattr(row, name)) is not None}
        stored = session.get(Area, row.code)
        if stored is None:
            own = {"source": source, **dated, **row.provenance}
            inserts.append(Area(code=row.code, search_name=search_key(row.name), **stated, **own))
            report.added += 1
            report.differs("added", row.code, row.name, after=stated)
            continue
        if row.implied and stored.withdrawn_at is None:
            continue
        if row.names is not None:
            stated["names"] = {**stored.names, **row.names}
        values = {**stated, **dated, "source": source, "search_name": search_key(row.name), **row.provenance}
        values = {name: value for name, value in values.items() if getattr(stored, name) != value}
        before = {name: getattr(stored, name) for name in values}
        if stored.withdrawn_at is not None:
            report.restored += 1
            report.differs("restored", row.code, row.name, before, values)
            updates.append((stored, {**values, "withdrawn_at": None}))
        elif values:
            report.changed += 1
            report.differs("changed", row.code, row.name, before, values)
            updates.append((stored, values))
        else:
            report.unchanged += 1
    return inserts, updates


def _absent(
    session: Session, rows: Sequence[AreaRow], options: AreaOptions, source: str, report: Report
) -> Sequence[Area]:
    if options.complete_for is None:
        return ()
    if options.complete_for != source or not rows:
        raise OpenDataError("not_in_file", f"complete-for はこのファイルの出典「{source}」にだけ使えます")
    if report.refused_rows:
        report.warn(None, "nothing_withdrawn", "拒否した区域があるため、取り下げは行いません")
        return ()
    present = sa.select(Area).where(Area.source == source, Area.withdrawn_at.is_(None))
    named = {row.code for row in rows}
    gone = [area for area in session.scalars(present) if area.code not in named]
    report.withdrawn = len(gone)
    for area in gone:
        report.differs("withdrawn", area.code, area.name)
    return gone
