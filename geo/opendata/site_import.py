"""A published list of places into the store: all of it or nothing, and nothing that it does not name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.municipality import MunicipalityError, six_digits
from geo.opendata.columns import Columns
from geo.opendata.dialects import DIALECTS, recognise
from geo.opendata.encoding import MAX_BYTES
from geo.opendata.facts import KEEP
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from geo.opendata.rows import Identity, SiteRow, SiteRows
from geo.opendata.sheet import open_sheet
from geo.point import Point, distance_m
from geo.sites import Site, SiteStatus, bump_revision

_SITE: sa.Table = Site.__table__  # type: ignore[assignment]
_CHUNK = 500  # ids in one IN list: below the oldest limit on bound values
_LOCK = 0x596F6269  # any constant: one import at a time on PostgreSQL
_RENUMBERED_M = 300.0
_MANY_WITHDRAWN = 10

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to take a file in. The defaults change nothing when anything at all is refused."""

    source: str | None = None  # instead of the format's own key
    municipality: str | None = None  # code for rows that state none
    licence: str | None = None
    as_of: dt.date | None = None
    skip_refused: bool = False
    complete_for: str | None = None  # rows of this source absent from the file are withdrawn
    withdraw_many: bool = False  # even when that is a large part of the source
    dry_run: bool = False


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
    source = _checked_source(options.source)
    municipality = _checked_municipality(options.municipality)
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
    file = SiteRows(columns, report, source=source)
    rows = file.read()
    report.sources = sorted({name for name, _ in file.named})
    if options.complete_for is not None and options.complete_for not in report.sources:
        known = "、".join(report.sources) or "なし"
        raise OpenDataError(
            "not_in_file",
            f"--complete-for の出典「{options.complete_for}」の行がファイルにありません（あるもの: {known}）",
        )
    if session.get_bind().dialect.name == "postgresql" and not options.dry_run:
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    change = _Change(session, columns, report, options, now)
    change.compare(rows, file)
    report.why_not = _why_not(report, change, options)
    if report.why_not is None:
        report.applied = not options.dry_run
        if report.applied and report.writes:
            change.write()
            bump_revision(session)
    return report


def _why_not(report: Report, change: _Change, options: ImportOptions) -> str | None:
    if report.refused_rows and not options.skip_refused:
        return (
            f"拒否した行が{report.refused_rows:,}行あるため、何も変えません。"
            "直すか、--skip-refused で残りだけを取り込んでください"
        )
    if change.too_many_withdrawn and not options.withdraw_many:
        return (
            f"取り下げが{report.withdrawn:,}件と多すぎるため、何も変えません（不完全なファイルの疑い）。"
            "正しければ --withdraw-many を付けてください"
        )
    return None


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    content_hash: str
    withdrawn: bool
    licence: str | None
    as_of: dt.date | None


class _Change:
    """What has to be written so that the store says what the file says."""

    def __init__(
        self, session: Session, columns: Columns, report: Report, options: ImportOptions, now: dt.datetime
    ) -> None:
        self.session, self.columns, self.report, self.options, self.now = session, columns, report, options, now
        self.inserts: list[SiteRow] = []
        self.updates: list[dict[str, Any]] = []
        self.redated: list[int] = []
        self.withdrawn: list[int] = []
        self.too_many_withdrawn = False

    def compare(self, rows: Sequence[SiteRow], file: SiteRows) -> None:
        stored = {source: self._stored(source) for source in self.report.sources}
        doubtful: list[tuple[SiteRow, _Stored]] = []
        for row in rows:
            source, source_id = row.identity
            known = stored[source].get(source_id)
            if known is None:
                self.inserts.append(row)
            elif known.content_hash == row.content_hash and not known.withdrawn:
                self._same(known)
            else:
                doubtful.append((row, known))
        self.report.added = len(self.inserts)
        for chunk in _chunks(doubtful):
            self._compare_facts(chunk)
        self.report.redated = len(self.redated)
        if self.options.as_of is not None:
            newest = max((one.as_of for known in stored.values() for one in known.values() if one.as_of), default=None)
            if newest is not None and newest > self.options.as_of:
                said = f"登録済みのデータ（{newest}時点）より古いファイルです（{self.options.as_of}時点）"
                self.report.warn(None, "older_than_stored", said)
        if self.options.complete_for is not None:
            self._find_withdrawn(stored[self.options.complete_for], self.options.complete_for, file)

    def write(self) -> None:
        """Writes in the caller's transaction, in bulk."""
        insert = sa.insert(_SITE)
        for chunk in _chunks(self.inserts, 5000):
            self.session.execute(insert, [self._new(row) for row in chunk])
        if self.updates:
            facts = [name for name in self.updates[0] if name != "b_id"]
            update = (
                sa.update(_SITE)
                .where(_SITE.c.id == sa.bindparam("b_id"))
                .values({name: sa.bindparam(name) for name in facts} | {"version": _SITE.c.version + 1})
            )
            for some in _chunks(self.updates, 5000):
                self.session.execute(update, some)
        for ids in _chunks(self.redated):
            self._touch(ids, **self._dating())
        for ids in _chunks(self.withdrawn):
            self._touch(ids, withdrawn_at=self.now)
        self.session.expire_all()

    def _touch(self, ids: Sequence[int], **values: Any) -> None:
        self.session.execute(sa.update(_SITE).where(_SITE.c.id.in_(ids)).values(version=_SITE.c.version + 1, **values))

    def _stored(self, source: str) -> dict[str, _Stored]:
        wanted = sa.select(
            Site.source_id, Site.id, Site.content_hash, Site.withdrawn_at, Site.licence, Site.as_of
        ).where(Site.source == source)
        return {
            one.source_id: _Stored(one.id, one.content_hash, one.withdrawn_at is not None, one.licence, one.as_of)
            for one in self.session.execute(wanted)
        }

    def _same(self, known: _Stored) -> None:
        self.report.unchanged += 1
        if any(getattr(known, name) != value for name, value in self._dating().items()):
            self.redated.append(known.id)

    def _dating(self) -> dict[str, Any]:
        given = {"licence": self.options.licence, "as_of": self.options.as_of}
        return {name: value for name, value in given.items() if value is not None}

    def _compare_facts(self, chunk: Sequence[tuple[SiteRow, _Stored]]) -> None:
        wanted = sa.select(_SITE).where(_SITE.c.id.in_([known.id for _, known in chunk]))
        now_stored = {one["id"]: one for one in self.session.execute(wanted).mappings()}
        for row, known in chunk:
            before = now_stored[known.id]
            after = self._merged(row, before)
            differs = any(before[name] != value for name, value in after.items())
            if not differs and not known.withdrawn:
                self._same(known)
                continue
            if self._renumbered(row, before, after):
                continue
            self.report.restored += known.withdrawn
            self.report.changed += not known.withdrawn
            facts = {name: before[name] for name in _published()} | after | self._dating()
            facts |= {"content_hash": row.content_hash, "imported_at": self.now, "withdrawn_at": None}
            self.updates.append({"b_id": known.id, **facts})

    def _merged(self, row: SiteRow, before: Any) -> dict[str, Any]:
        after = {name: value for name, value in zip(self.columns.fields, row.values, strict=True) if value is not KEEP}
        if "hazards" in after:  # hazards the file has no column for keep their stored designation
            after["hazards"] |= before["hazards"] & ~self.columns.hazards_known
        return after

    def _renumbered(self, row: SiteRow, before: Any, after: dict[str, Any]) -> bool:
        """True after refusing a row whose id now means another place while staff say something about the old one.

        Ids in many municipal lists are mere row numbers; an inserted row shifts them, and an
        "open" would then stand at a place that is not.
        """
        moved = distance_m(Point(before["lat"], before["lon"]), Point(after["lat"], after["lon"]))
        if before["name"] == after["name"] or moved < _RENUMBERED_M:
            return False
        said = (
            f"ID「{row.identity[1]}」が別の場所になりました（「{before['name']}」→「{after['name']}」、{moved:,.0f} m）"
        )
        if before["status"] == SiteStatus.UNKNOWN.value:
            self.report.warn(row.line, "maybe_renumbered", f"{said}。番号の振り直しの疑いがあります")
            return False
        reason = f"{said}。開設状況が登録されているため拒否しました。状況を「不明」に戻してから取り込んでください"
        self.report.refuse(row.line, self.columns.header("id"), row.identity[1], "renumbered", reason)
        self.report.refused_rows += 1
        return True

    def _find_withdrawn(self, stored: dict[str, _Stored], source: str, file: SiteRows) -> None:
        present = [one for one in stored.items() if not one[1].withdrawn]
        gone: list[Identity] = [(source, key) for key, _ in present if (source, key) not in file.named]
        if gone and file.nameless:
            said = f"IDの読めない行が{file.nameless:,}行あるため、取り下げは行いません"
            self.report.warn(None, "nothing_withdrawn", said)
            return
        self.withdrawn = [stored[key].id for _, key in gone]
        self.report.withdrawn = len(gone)
        self.too_many_withdrawn = len(gone) > _MANY_WITHDRAWN and len(gone) * 3 > len(present)

    def _new(self, row: SiteRow) -> dict[str, Any]:
        facts: dict[str, Any] = dict.fromkeys(_published()) | {"hazards": 0, "also_shelter": False}
        stated = zip(self.columns.fields, row.values, strict=True)
        facts |= {name: value for name, value in stated if value is not KEEP}
        source, source_id = row.identity
        return facts | {
            "source": source,
            "source_id": source_id,
            "licence": self.options.licence,
            "as_of": self.options.as_of,
            "content_hash": row.content_hash,
            "imported_at": self.now,
            "withdrawn_at": None,
            "status": SiteStatus.UNKNOWN.value,
            "version": 1,
        }


def _published() -> tuple[str, ...]:
    """The columns an import may write, besides its own book-keeping."""
    facts = ("kind", "name", "name_kana", "name_en", "address", "lat", "lon", "hazards", "also_shelter", "capacity")
    return (*facts, "accepts", "note", "phone", "url", "elevation_m", "municipality_code", "licence", "as_of")


def _checked_source(source: str | None) -> str | None:
    if source is not None and not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", source):
        raise OpenDataError("bad_source", "出典のキーは英小文字・数字・-._ で64文字までにしてください")
    return source


def _checked_municipality(code: str | None) -> str | None:
    try:
        return six_digits(code) if code else None
    except MunicipalityError as fault:
        raise OpenDataError(fault.code, str(fault)) from fault


def _chunks(items: Sequence[Item], size: int = _CHUNK) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
