"""A published list of places into the store: all of it or nothing, and nothing that it does not name."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from geo.municipality import MunicipalityError, six_digits
from geo.opendata.columns import Columns
from geo.opendata.dialects import DIALECTS, recognise
from geo.opendata.encoding import MAX_BYTES
from geo.opendata.faults import OpenDataError, checked_licence, checked_source
from geo.opendata.report import Report
from geo.opendata.rows import SiteRows
from geo.opendata.sheet import open_sheet
from geo.opendata.site_change import ImportOptions as ImportOptions
from geo.opendata.site_change import SiteChange
from geo.opendata.turn import take_turn
from geo.sites import bump_revision


def import_sites(
    session: Session,
    data: bytes,
    now: dt.datetime,
    options: ImportOptions | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> Report:
    """Reads a file of any known format and brings the store to what it says, in the caller's transaction.

    Idempotent on (source, source id). A row that is listed again is restored; opening status,
    crowding, other sources and facts the file has no column for are never touched. Raises
    `OpenDataError` for a file that cannot be used at all; everything else is in the report.
    """
    options = options or ImportOptions()
    source = checked_source(options.source)
    checked_licence(options.licence)
    municipality = _checked_municipality(options.municipality)
    if options.as_exported and source is not None:
        raise OpenDataError("not_exported", "as-exported では出典を行ごとに読みます。source は指定できません")
    sheet = open_sheet(data, lambda keys: recognise(keys) is not None, max_bytes=max_bytes)
    dialect = recognise(frozenset(sheet.keys))
    if dialect is None:
        found = "、".join(name for name in sheet.columns if name)[:500] or "なし"
        known = "、".join(one.ja for one in DIALECTS)
        raise OpenDataError("unknown_format", f"知らない形式です。見つかった列: {found}。取り込める形式: {known}")
    report = Report(dialect.key, dialect.ja, sheet.encoding, dry_run=options.dry_run)
    columns = Columns(sheet, dialect, municipality=municipality)
    if unused := columns.unused():
        report.warn(None, "unused_columns", f"使わなかった列: {'、'.join(unused)[:300]}")
    file = SiteRows(columns, report, source=source, as_exported=options.as_exported)
    rows = file.read()
    report.sources = sorted({name for name, _ in file.named})
    if options.complete_for is not None and options.complete_for not in report.sources:
        known = "、".join(report.sources) or "なし"
        raise OpenDataError(
            "not_in_file",
            f"complete-for の出典「{options.complete_for}」の行がファイルにありません（あるもの: {known}）",
        )
    if not options.dry_run:
        take_turn(session)
    change = SiteChange(session, columns, report, options, now)
    change.compare(rows, file)
    report.why_not = _why_not(report, change, options)
    if report.why_not is None:
        report.applied = not options.dry_run
        if report.applied and report.writes:
            change.write()
            bump_revision(session, now=now)
    return report


def _why_not(report: Report, change: SiteChange, options: ImportOptions) -> str | None:
    if report.refused_rows and not options.skip_refused:
        return (
            f"拒否した行が{report.refused_rows:,}行あるため、何も変えません。"
            "直すか、残りだけを取り込むには skip-refused を指定してください"
        )
    if change.too_many_withdrawn and not options.withdraw_many:
        return (
            f"取り下げが{report.withdrawn:,}件と多すぎるため、何も変えません（不完全なファイルの疑い）。"
            "正しければ withdraw-many を指定してください"
        )
    return None


def _checked_municipality(code: str | None) -> str | None:
    try:
        return six_digits(code) if code else None
    except MunicipalityError as fault:
        raise OpenDataError(fault.code, str(fault)) from fault
