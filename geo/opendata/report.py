"""What an import did, or would do: counts, every refused cell with its place and reason, and warnings."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

LISTED = 1000  # refused cells and warnings written out in full; all are counted
TOLD = 5_000  # differences written out of each act; all are counted and part of the outcome
LONGEST = 4_000  # characters of a value in a difference
# Columns that no person reads.
BOOKKEEPING = frozenset(
    ("content_hash", "position", "withdrawn_at", "withdrawn_by", "imported_at", "search_name", "sort_key", "changed_at")
)
SHOWN = 60  # characters of an offending value


@dataclass(frozen=True, slots=True)
class Refusal:
    """One cell, or one whole row (column None), that was not taken."""

    line: int  # physical line of the file on which the record starts, from 1
    column: str | None
    value: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something taken all the same that a person should look at."""

    line: int | None
    code: str
    message: str


Act = Literal["added", "changed", "restored", "withdrawn", "redated"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of the store that the file changes. Only the fields that differ are named, in plain JSON values."""

    act: Act
    key: str  # the source's own id
    name: str
    before: dict[str, Any]
    after: dict[str, Any]


# Who wants to see how far a reading has come is given each new report here.
watcher: ContextVar[Callable[[Report], None] | None] = ContextVar("report_watcher", default=None)


@dataclass(slots=True)
class Report:
    """The outcome of reading one file into the store."""

    format: str  # a stable key of the recognised format
    format_ja: str
    encoding: str
    dry_run: bool = False
    applied: bool = False  # True when the store now holds what the counts say
    sources: list[str] = field(default_factory=list)
    read: int = 0  # records after the header
    blank: int = 0
    added: int = 0
    changed: int = 0
    restored: int = 0  # had been withdrawn and are listed again
    unchanged: int = 0
    withdrawn: int = 0
    refused_rows: int = 0
    redated: int = 0  # facts unchanged, only the date or licence of the list moved
    refused: list[Refusal] = field(default_factory=list)
    refused_cells: int = 0
    warnings: list[Remark] = field(default_factory=list)
    warning_count: int = 0
    why_not: str | None = None  # why nothing was applied, when it was asked for
    differences: list[Difference] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    _seen: Any = field(default_factory=hashlib.sha256, repr=False, compare=False)

    def __post_init__(self) -> None:
        watch = watcher.get()
        if watch is not None:
            watch(self)

    def differs(
        self, act: Act, key: str, name: str, before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Tells one row that changes; the caller counts it. `before` and `after`: its fields, or the differing ones."""
        old, new = before or {}, after or {}
        names = [name for name in new if before is None or name not in old or old[name] != new[name]]
        was = {name: plain(old[name]) for name in names if name in old}
        self._seen.update(json.dumps([act, key, was], ensure_ascii=False, sort_keys=True).encode())
        if self.lists(act):
            shown_names = [name for name in names if name not in BOOKKEEPING]
            was = {name: was[name] for name in shown_names if name in was}
            now = {name: plain(new[name]) for name in shown_names}
            self.differences.append(Difference(act, key, name, was, now))
        self.told[act] = self.told.get(act, 0) + 1

    def lists(self, act: Act) -> bool:
        """Whether one more difference of this act would be written out."""
        return self.told.get(act, 0) < TOLD

    def outcome(self) -> str:
        """SHA-256 over everything but the remarks: another outcome of the same file means that the store moved."""
        said = self.to_json()
        for name in ("dry_run", "applied", "warnings", "warning_count"):
            said.pop(name)
        whole = self._seen.copy()
        whole.update(json.dumps(said, ensure_ascii=False, sort_keys=True).encode())
        return str(whole.hexdigest())

    def refuse(self, line: int, column: str | None, value: Any, code: str, reason: str) -> None:
        """Adds one refused cell; the caller counts its row."""
        self.refused_cells += 1
        if len(self.refused) < LISTED:
            self.refused.append(Refusal(line, column, shown(value), code, reason))

    def warn(self, line: int | None, code: str, message: str) -> None:
        """Adds one remark."""
        self.warning_count += 1
        if len(self.warnings) < LISTED:
            self.warnings.append(Remark(line, code, message))

    @property
    def writes(self) -> int:
        """Rows that the store has to touch for this file."""
        return self.added + self.changed + self.restored + self.withdrawn + self.redated

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values, keys as in the contract of the interface."""
        return {
            "format": self.format,
            "encoding": self.encoding,
            "sources": list(self.sources),
            "dry_run": self.dry_run,
            "applied": self.applied,
            "why_not": self.why_not,
            "read": self.read,
            "blank": self.blank,
            "added": self.added,
            "changed": self.changed,
            "restored": self.restored,
            "unchanged": self.unchanged,
            "withdrawn": self.withdrawn,
            "redated": self.redated,
            "refused_rows": self.refused_rows,
            "refused_cells": self.refused_cells,
            "refused": [
                {"line": one.line, "column": one.column, "value": one.value, "code": one.code, "reason": one.reason}
                for one in self.refused
            ],
            "warning_count": self.warning_count,
            "warnings": [{"line": one.line, "code": one.code, "message": one.message} for one in self.warnings],
        }

    def lines_ja(self, name: str) -> Iterable[str]:
        """The report for a person at a terminal, in Japanese."""
        stopped = "確認のみ（何も変えていません）" if self.dry_run else "中止しました（何も変えていません）"
        done = "取り込みました" if self.applied else stopped
        yield f"{name}: {done}"
        yield f"  形式       {self.format_ja}（{self.encoding}）"
        if self.sources:
            yield f"  出典       {'、'.join(self.sources)}"
        yield f"  読んだ行   {self.read:,}（うち空行 {self.blank:,}）"
        counts = (
            ("追加", self.added),
            ("変更", self.changed),
            ("復活", self.restored),
            ("変更なし", self.unchanged),
            ("取り下げ", self.withdrawn),
            ("拒否", self.refused_rows),
        )
        yield "  結果       " + "、".join(f"{label} {count:,}" for label, count in counts)
        if self.redated:
            yield f"  日付・ライセンスのみ更新  {self.redated:,}"
        for one in self.refused[:50]:
            column = f"「{one.column}」" if one.column else "行全体"
            value = f" 値「{one.value}」" if one.value else ""
            yield f"  拒否 {one.line}行目 {column}{value}: {one.reason}"
        if self.refused_cells > 50:
            yield f"  拒否 ほか{self.refused_cells - 50:,}件"
        for remark in self.warnings[:50]:
            yield "  注意 " + (f"{remark.line}行目: " if remark.line else "") + remark.message
        if self.warning_count > 50:
            yield f"  注意 ほか{self.warning_count - 50:,}件"
        if self.why_not:
            yield f"  {self.why_not}"


def plain(value: Any) -> Any:
    """A field's value as JSON keeps it; what is very long is cut, and its hash stands for the rest."""
    match value:
        case Enum():
            return value.value
        case dt.date() | dt.time():
            return value.isoformat()
        case None | bool() | int() | float():
            return value
    whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    if len(whole) <= LONGEST:
        return value if isinstance(value, str) else json.loads(whole)
    return f"{whole[:200]}… ({len(whole):,}; {hashlib.sha256(whole.encode()).hexdigest()[:12]})"


def shown(value: Any) -> str | None:
    """A value as it may be printed in a report: short, one line, no control or unpaired characters."""
    if value is None:
        return None
    text = "".join(
        "�" if unicodedata.category(char) in ("Cc", "Cs", "Cf") and char not in "\n\t" else char
        for char in str(value)[: SHOWN + 1]
    )
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
