"""What has to be written so that the store says what a list of places says, and nothing more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.opendata.columns import Columns
from geo.opendata.facts import KEEP
from geo.opendata.report import Act, Report
from geo.opendata.rows import Identity, SiteRow, SiteRows
from geo.point import Point, distance_m
from geo.sites import Site, SiteStatus

_SITE: sa.Table = Site.__table__  # type: ignore[assignment]
_CHUNK = 500  # ids in one IN list: below the oldest limit on bound values
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
    as_exported: bool = False  # one of our own exports: each row keeps its own source, licence and date
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    content_hash: str
    withdrawn: bool
    licence: str | None
    as_of: dt.date | None


class SiteChange:
    """The difference between a file and the store: `compare` finds it and fills the report, `write` writes it."""

    def __init__(
        self, session: Session, columns: Columns, report: Report, options: ImportOptions, now: dt.datetime
    ) -> None:
        self.session, self.columns, self.report, self.options, self.now = session, columns, report, options, now
        self.inserts: list[SiteRow] = []
        self.updates: list[dict[str, Any]] = []
        self.redated: dict[tuple[tuple[str, Any], ...], list[int]] = {}  # ids by what they are given
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
                facts = self._facts(row) if self.report.lists("added") else {}
                self.report.differs("added", source_id, str(facts.get("name", "")), after=facts)
            elif known.content_hash == row.content_hash and not known.withdrawn:
                self._same(known, row)
            else:
                doubtful.append((row, known))
        self.report.added = len(self.inserts)
        for chunk in _chunks(doubtful):
            self._compare_facts(chunk)
        self.report.redated = sum(map(len, self.redated.values()))
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
        for given, all_ids in self.redated.items():
            for ids in _chunks(all_ids):
                self._touch(ids, **dict(given))
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

    def _same(self, known: _Stored, row: SiteRow) -> None:
        self.report.unchanged += 1
        given = self._dating(row)
        if any(getattr(known, name) != value for name, value in given.items()):
            self.redated.setdefault(tuple(given.items()), []).append(known.id)

    def _dating(self, row: SiteRow) -> dict[str, Any]:
        given = {"licence": self.options.licence, "as_of": self.options.as_of}
        return {**row.dating, **{name: value for name, value in given.items() if value is not None}}

    def _compare_facts(self, chunk: Sequence[tuple[SiteRow, _Stored]]) -> None:
        wanted = sa.select(_SITE).where(_SITE.c.id.in_([known.id for _, known in chunk]))
        now_stored = {one["id"]: one for one in self.session.execute(wanted).mappings()}
        for row, known in chunk:
            before = now_stored[known.id]
            after = self._merged(row, before)
            differs = any(before[name] != value for name, value in after.items())
            if not differs and not known.withdrawn:
                self._same(known, row)
                continue
            if self._renumbered(row, before, after):
                continue
            self.report.restored += known.withdrawn
            self.report.changed += not known.withdrawn
            act: Act = "restored" if known.withdrawn else "changed"
            self.report.differs(act, row.identity[1], before["name"], dict(before), after)
            facts = {name: before[name] for name in _published()} | after | self._dating(row)
            facts |= {"content_hash": row.content_hash, "imported_at": self.now, "withdrawn_at": None}
            self.updates.append({"b_id": known.id, **facts})

    def _facts(self, row: SiteRow) -> dict[str, Any]:
        stated = zip(self.columns.fields, row.values, strict=True)
        return {name: value for name, value in stated if value is not KEEP}

    def _merged(self, row: SiteRow, before: Any) -> dict[str, Any]:
        after = self._facts(row)
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
        for ids in _chunks(self.withdrawn):
            leaving = sa.select(_SITE.c.source_id, _SITE.c.name, _SITE.c.address).where(_SITE.c.id.in_(ids))
            for key, name, address in self.session.execute(leaving.order_by(_SITE.c.id)):
                self.report.differs("withdrawn", key, name, after={"address": address})
        self.report.withdrawn = len(gone)
        self.too_many_withdrawn = len(gone) > _MANY_WITHDRAWN and len(gone) * 3 > len(present)

    def _new(self, row: SiteRow) -> dict[str, Any]:
        facts: dict[str, Any] = dict.fromkeys(_published()) | {"hazards": 0, "also_shelter": False}
        facts |= self._facts(row)
        source, source_id = row.identity
        return facts | {
            "source": source,
            "source_id": source_id,
            "licence": None,
            "as_of": None,
            **self._dating(row),
            "content_hash": row.content_hash,
            "imported_at": self.now,
            "withdrawn_at": None,
            "status": SiteStatus.UNKNOWN.value,
            "version": 1,
        }


def _published() -> tuple[str, ...]:
    """The columns an import may write, besides its own book-keeping."""
    facts = ("kind", "name", "name_kana", "name_en", "address", "lat", "lon", "hazards", "also_shelter", "capacity")
    opening = ("category", "ages", "available_days", "available_from", "available_until", "available_note")
    about = ("accepts", "note", "phone", "url", "elevation_m", "municipality_code", "licence", "as_of")
    return (*facts, *opening, *about)


def _chunks(items: Sequence[Item], size: int = _CHUNK) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
