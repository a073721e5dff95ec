"""A published list of events into the store: all of it or nothing; what moved or was called off stays visible."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.events import Event
from content.opendata import event_exported
from content.opendata.event_columns import FORMATS, EventFormat, recognise
from content.opendata.event_rows import EventRow, checked_columns, fingerprint, moved, status_after
from geo.municipality import MunicipalityError, six_digits
from geo.opendata import cells
from geo.opendata.encoding import MAX_BYTES
from geo.opendata.faults import OpenDataError, checked_licence, checked_source
from geo.opendata.report import Act, Report
from geo.opendata.sheet import Sheet, open_sheet
from geo.opendata.turn import take_turn
from geo.sites import bump_revision

REVISION = "events"
Row = tuple[int, dict[str, Any]]  # line and facts


@dataclass(frozen=True, slots=True)
class EventOptions:
    """How to take a list in. The defaults change nothing when anything at all is refused."""

    source: str | None = None  # instead of the format's own key
    municipality: str | None = None  # code for rows that state none
    licence: str | None = None
    as_of: dt.date | None = None  # also decides the year of days that are written without one
    skip_refused: bool = False
    complete_for: str | None = None  # events of this source absent from the list are withdrawn
    dry_run: bool = False
    as_exported: bool = False  # one of our own exports: each event keeps its own source, licence, date and past


def import_events(
    session: Session,
    data: bytes,
    now: dt.datetime,
    options: EventOptions | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> Report:
    """Reads a list of any known format and brings the store to what it says, in the caller's transaction.

    Idempotent on (source, source id). An event whose day, time or place differs from what is stored becomes
    `changed` and keeps what was; 【中止】 in a name, or 開催状況, makes it cancelled. Days without a year need their
    weekday and are the nearest to `as_of` (or `now`). Raises `OpenDataError` for a file that cannot be used at all.
    """
    options = options or EventOptions()
    source = checked_source(options.source)
    checked_licence(options.licence)
    municipality = _municipality(options.municipality)
    sheet = open_sheet(data, lambda keys: recognise(keys) is not None, max_bytes=max_bytes)
    form = recognise(frozenset(sheet.keys))
    if form is None:
        found = "、".join(name for name in sheet.columns if name)[:500] or "なし"
        known = "、".join(one.ja for one in FORMATS)
        raise OpenDataError("unknown_format", f"知らない形式です。見つかった列: {found}。取り込める形式: {known}")
    report = Report(form.key, form.ja, sheet.encoding, dry_run=options.dry_run)
    checked_columns(sheet, form, report)
    if options.as_exported:
        if source is not None:
            raise OpenDataError("not_exported", "as-exported では出典を行ごとに読みます。source は指定できません")
        event_exported.check_columns(sheet.columns)
    rows = _rows(sheet, form, report, options.as_of or now.date(), municipality, as_exported=options.as_exported)
    by_source = _by_source(rows, form, source or (f"{form.key}-{municipality}" if municipality else None), options)
    report.sources = sorted(by_source)
    if options.complete_for is not None and options.complete_for not in by_source:
        known = "、".join(report.sources)
        raise OpenDataError(
            "not_in_file", f"complete-for の出典「{options.complete_for}」ではなく「{known}」のファイルです"
        )
    if not options.dry_run:
        take_turn(session)
    changes = [_Change(session, report, own, options, now) for own in report.sources]
    for change in changes:
        change.compare(by_source[change.source])
    if report.refused_rows and not options.skip_refused:
        report.why_not = (
            f"拒否した行が{report.refused_rows:,}行あるため、何も変えません。"
            "直すか、残りだけを取り込むには skip-refused を指定してください"
        )
        return report
    report.applied = not options.dry_run
    if report.applied and report.writes:
        for change in changes:
            change.write()
        bump_revision(session, REVISION, now)
    return report


def _rows(
    sheet: Sheet, form: EventFormat, report: Report, near: dt.date, municipality: str | None, *, as_exported: bool
) -> list[Row]:
    """Line and facts of every row that can be taken; both of a doubled pair are refused."""
    taken: dict[tuple[str | None, str], Row] = {}
    doubled: dict[tuple[str | None, str], int] = {}
    for record in sheet.records():
        report.read += 1
        if record.geometry is None and all(map(cells.is_blank, record.cells)):
            report.blank += 1
            continue
        row = EventRow(sheet, form, record, report, near)
        facts = row.facts()
        if facts is not None and as_exported:
            facts = event_exported.exported(row, facts)
        if facts is None:
            report.refused_rows += 1
            continue
        key = facts.get("source"), facts["id"]
        facts["municipality_code"] = facts["municipality_code"] or municipality
        if key in taken:
            doubled[key] = taken[key][0]
            report.refuse(record.line, "ID", key[1], "duplicate_id", f"{taken[key][0]}行目と同じIDです")
            report.refused_rows += 1
        else:
            taken[key] = (record.line, facts)
    for key, line in doubled.items():
        report.refuse(line, "ID", key[1], "duplicate_id", "同じIDの行がほかにもあります")
        report.refused_rows += 1
        del taken[key]
    return list(taken.values())


class _Change:
    """The difference between a list and the store."""

    def __init__(self, session: Session, report: Report, source: str, options: EventOptions, now: dt.datetime) -> None:
        self.session, self.report, self.source, self.options, self.now = session, report, source, options, now
        found = session.scalars(sa.select(Event).where(Event.source == source))
        self.stored = {event.source_id: event for event in found}
        self.inserts: list[Event] = []
        self.updates: list[tuple[Event, dict[str, Any]]] = []

    def compare(self, rows: Sequence[Row]) -> None:
        named = set()
        for _, stated in rows:
            facts = dict(stated)
            key = facts.pop("id")
            named.add(key)
            kept = {name: facts.pop(name) for name in event_exported.KEPT if name in facts}
            kept.pop("source", None)
            facts |= {"content_hash": fingerprint(facts), **kept}
            known = self.stored.get(key)
            if known is None:
                self.report.added += 1
                self.report.differs("added", key, facts["name"], after=facts)
                dating = {"licence": self.options.licence, "as_of": self.options.as_of}
                new = {"source": self.source, "source_id": key, "imported_at": self.now, **dating, **facts}
                self.inserts.append(Event(**new))
            elif _stays(known) and known.content_hash == facts["content_hash"]:
                self._same(known)
            else:
                self.report.restored += known.withdrawn_at is not None
                self.report.changed += known.withdrawn_at is None
                act: Act = "changed" if known.withdrawn_at is None else "restored"
                before = {name: getattr(known, name) for name in facts}
                self.report.differs(act, key, known.name, before, facts)
                self.updates.append((known, facts if kept else facts | self._fate(known, facts)))
        if self.options.complete_for == self.source and not self.report.refused_rows:
            gone = [one for key, one in self.stored.items() if key not in named and one.withdrawn_at is None]
            self.updates += [(one, {"withdrawn_at": self.now}) for one in gone]
            self.report.withdrawn = len(gone)
            for one in gone:
                self.report.differs("withdrawn", one.source_id, one.name, after={"starts_on": one.starts_on})

    def write(self) -> None:
        """Writes in the caller's transaction."""
        self.session.add_all(self.inserts)
        for event, facts in self.updates:
            for name, value in facts.items():
                setattr(event, name, value)
            if "content_hash" in facts:
                event.imported_at, event.withdrawn_at, event.withdrawn_by = self.now, None, None
                self._date(event)
        self.session.flush()

    def _same(self, known: Event) -> None:
        self.report.unchanged += 1
        given = {"licence": self.options.licence, "as_of": self.options.as_of}
        fresh = {name: value for name, value in given.items() if value is not None and getattr(known, name) != value}
        if fresh:
            self.report.redated += 1
            self.updates.append((known, fresh))

    def _fate(self, known: Event, facts: dict[str, Any]) -> dict[str, Any]:
        lost = moved(known, facts)
        status = status_after(known, facts, lost)
        touched = lost is not None or status != known.status
        return {
            "status": status,
            "was": {**lost, **(known.was or {})} if lost else known.was,  # what was published first stays
            "changed_at": self.now if touched else known.changed_at,
        }

    def _date(self, event: Event) -> None:
        event.licence = self.options.licence or event.licence
        event.as_of = self.options.as_of or event.as_of


def _stays(known: Event) -> bool:
    """Whether an unchanged row leaves it as it is: it is shown, or a person took it away."""
    return known.withdrawn_at is None or known.withdrawn_by is not None


def _by_source(rows: Sequence[Row], form: EventFormat, own: str | None, options: EventOptions) -> dict[str, list[Row]]:
    """The rows of each source; of one alone unless they are taken as exported."""
    if not options.as_exported:
        return {own or _own_source(rows, form): list(rows)}
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[1]["source"], []).append(row)
    return found


def _own_source(rows: Sequence[Row], form: EventFormat) -> str:
    """The format's key, completed by the municipality where its rows name one: ids count from 1 in every city."""
    codes = {facts["municipality_code"] for _, facts in rows}
    if not form.key.startswith("standard"):
        return form.key
    if rows and (len(codes) != 1 or None in codes):
        raise OpenDataError("needs_source", "団体コードが一つに決まらないため、source か municipality の指定が必要です")
    return f"{form.key}-{codes.pop()}" if codes else form.key


def _municipality(code: str | None) -> str | None:
    try:
        return six_digits(code) if code else None
    except MunicipalityError as fault:
        raise OpenDataError(fault.code, str(fault)) from fault
