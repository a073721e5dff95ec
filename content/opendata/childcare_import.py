"""A file of guides and programmes into the store: all of it or nothing, each version once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.childcare import document
from content.childcare.document import DocumentError, Entry
from content.childcare.guides import Guide
from content.childcare.programmes import Programme
from geo import areas
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from geo.opendata.turn import take_turn
from geo.sites import bump_revision

MAX_BYTES = 8_000_000
REVISION = "childcare"
_TABLES: Mapping[str, type[Guide] | type[Programme]] = {"guides": Guide, "programmes": Programme}
Identity = tuple[str, str, int]  # part, key, version


@dataclass(frozen=True, slots=True)
class Options:
    """How to take a file in. The defaults change nothing when anything at all is refused."""

    skip_refused: bool = False
    complete_for: str | None = None  # entries of this source absent from the file are withdrawn
    dry_run: bool = False


def import_childcare(session: Session, data: bytes, now: dt.datetime, options: Options | None = None) -> Report:
    """Reads a TOML or JSON file and brings the store to what it says, in the caller's transaction.

    Idempotent on (source, id, version); an entry that is listed again is restored. Raises `OpenDataError` for a
    file that cannot be used at all; refused entries are in the report with line, place and reason.
    """
    options = options or Options()
    form, source, entries = _read(data)
    key: str = source["key"]
    if options.complete_for not in (None, key):
        raise OpenDataError(
            "not_in_file", f"complete-for の出典「{options.complete_for}」ではなく「{key}」のファイルです"
        )
    if not options.dry_run:
        take_turn(session)
    report = Report(f"childcare-{form}", "子育ての案内と制度", "utf-8", dry_run=options.dry_run, sources=[key])
    change = _Change(session, report, source, now)
    for entry in entries:
        report.read += 1
        change.take(entry)
    if options.complete_for is not None and not report.refused_rows:
        change.find_withdrawn()
    if report.refused_rows and not options.skip_refused:
        report.why_not = (
            f"拒否した項目が{report.refused_rows:,}件あるため、何も変えません。"
            "直すか、残りだけを取り込むには skip-refused を指定してください"
        )
        return report
    report.applied = not options.dry_run
    if report.applied and report.writes:
        change.write()
        bump_revision(session, REVISION, now)
    return report


class _Change:
    """The difference between a file and the store."""

    def __init__(self, session: Session, report: Report, source: Mapping[str, Any], now: dt.datetime) -> None:
        self.session, self.report, self.source, self.now = session, report, source, now
        self.stored: dict[Identity, Guide | Programme] = {}
        self.foreign: set[tuple[str, str]] = set()
        for part, table in _TABLES.items():
            rows: Any = session.scalars(sa.select(table).where(table.source == source["key"]))
            self.stored |= {(part, row.key, row.version): row for row in rows}
            others = sa.select(table.key).where(table.source != source["key"], table.withdrawn_at.is_(None))
            self.foreign |= {(part, other) for other in session.scalars(others)}
        self.named: dict[Identity, str] = {}
        self.inserts: list[Guide | Programme] = []
        self.updates: list[tuple[Guide | Programme, dict[str, Any]]] = []
        self.withdrawn: list[Guide | Programme] = []

    def take(self, entry: Entry) -> None:
        """Compares one entry with the store."""
        faults = list(entry.faults) or self._faults(entry)
        if faults or entry.columns is None:
            for place, reason in faults:
                self.report.refuse(entry.line, place, entry.key, "invalid", reason)
            self.report.refused_rows += 1
            return
        facts = self._facts(entry.columns)
        identity = (entry.part, facts["key"], facts["version"])
        self.named[identity] = entry.place
        known = self.stored.get(identity)
        if known is None:
            self.report.added += 1
            self.report.differs("added", _said(identity), _title(facts), after=facts)
            self.inserts.append(_TABLES[entry.part](**facts, source=self.source["key"], imported_at=self.now))
        elif known.withdrawn_at is not None:
            self.report.restored += 1
            self.report.differs("restored", _said(identity), _title(facts), _before(known, facts), facts)
            self.updates.append((known, facts))
        elif known.content_hash != facts["content_hash"]:
            self.report.changed += 1
            self.report.differs("changed", _said(identity), _title(facts), _before(known, facts), facts)
            self.updates.append((known, facts))
        else:
            self.report.unchanged += 1

    def find_withdrawn(self) -> None:
        """What this source no longer lists."""
        self.withdrawn = [
            row for identity, row in self.stored.items() if identity not in self.named and row.withdrawn_at is None
        ]
        self.report.withdrawn = len(self.withdrawn)
        for row in self.withdrawn:
            part = next(name for name, table in _TABLES.items() if isinstance(row, table))
            self.report.differs("withdrawn", _said((part, row.key, row.version)), _title({"texts": row.texts}))

    def write(self) -> None:
        """Writes in the caller's transaction."""
        self.session.add_all(self.inserts)
        for row, facts in self.updates:
            for name, value in facts.items():
                setattr(row, name, value)
            row.imported_at, row.withdrawn_at = self.now, None
        for row in self.withdrawn:
            row.withdrawn_at = self.now
        self.session.flush()

    def _faults(self, entry: Entry) -> list[tuple[str, str]]:
        """What is wrong beyond the entry itself."""
        facts = entry.columns or {}
        faults = []
        first = self.named.get((entry.part, facts["key"], facts["version"]))
        if first is not None:
            faults.append((f"{entry.place}.id", f"{first} と同じ id と version です"))
        if (entry.part, facts["key"]) in self.foreign:
            faults.append((f"{entry.place}.id", "別の出典が同じ id を使っています"))
        for number, code in enumerate(facts["areas"]):
            if areas.get(self.session, code) is None:
                faults.append((f"{entry.place}.areas[{number}]", f"区域「{code[:40]}」は登録されていません"))
        periods = [period["id"] for period in facts.get("periods", ())]
        faults += [
            (f"{entry.place}.periods[{at}].id", "同じ id の期間が二つあります")
            for at, period in enumerate(periods)
            if period in periods[:at]
        ]
        return faults

    def _facts(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(columns)
        facts = {
            **{f"source_{name}": given.pop(f"source_{name}", self.source[name]) for name in ("name", "url")},
            **{name: given.pop(name, self.source[name]) for name in ("licence", "as_of")},
            "sample": self.source["sample"],
            **given,
        }
        facts["areas"] = [areas.canonical_code(code) for code in facts["areas"]]
        stated = json.dumps(facts, ensure_ascii=False, sort_keys=True, default=str)
        return facts | {"content_hash": hashlib.blake2b(stated.encode(), digest_size=16).hexdigest()}


def _said(identity: Identity) -> str:
    part, key, version = identity
    return f"{part}/{key}/{version}"


def _title(facts: Mapping[str, Any]) -> str:
    texts = facts.get("texts") or {}
    return str((texts.get("ja") or {}).get("title", ""))


def _before(known: Guide | Programme, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(known, name) for name in facts}


def _read(data: bytes) -> tuple[str, dict[str, Any], list[Entry]]:
    if len(data) > MAX_BYTES:
        raise OpenDataError("too_large", f"ファイルが大きすぎます（上限{MAX_BYTES:,}バイト）")
    try:
        return document.read(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise OpenDataError("unknown_encoding", "UTF-8で保存してください") from None
    except DocumentError as error:
        raise OpenDataError(error.code, str(error), line=error.line) from None
