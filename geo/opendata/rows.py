"""The rows of a list of places, each with its identity; doubled and unreadable ones are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geo.opendata import cells
from geo.opendata.columns import Columns
from geo.opendata.facts import Reading
from geo.opendata.faults import OpenDataError
from geo.opendata.provenance import own_id
from geo.opendata.report import Report
from geo.opendata.sheet import Record

Identity = tuple[str, str]  # (source, source id)


@dataclass(slots=True)
class SiteRow:
    """One place as its list states it: values in the order of the plan's `fields`."""

    line: int
    identity: Identity
    values: tuple[Any, ...]
    content_hash: str
    dating: Mapping[str, Any] = field(default_factory=dict)  # licence and as_of where the row has its own


class SiteRows:
    """Reads one sheet.

    Without `source` the format names it, completed by the municipality's code where ids count
    from 1 in every municipality; `as_exported` takes each row's own. `named` holds every identity
    that stands in the file, taken or refused, with its line; `doubled` those that stand twice;
    `nameless` counts refused rows whose identity could not be read.
    """

    def __init__(self, columns: Columns, report: Report, *, source: str | None, as_exported: bool = False) -> None:
        self.columns, self.report, self.source, self.as_exported = columns, report, source, as_exported
        self.named: dict[Identity, int] = {}
        self.doubled: dict[Identity, int] = {}
        self.nameless = 0
        if as_exported:
            if not columns.has("source"):
                raise OpenDataError("not_exported", "書き出したファイルではありません（「出典」の列がありません）")
        elif (
            columns.dialect.per_municipality
            and source is None
            and not columns.municipality
            and not columns.has("code", "place_code")
        ):
            raise OpenDataError("needs_source", "団体コードの列がないため、source か municipality の指定が必要です")

    def read(self) -> list[SiteRow]:
        """Every row that can be taken; the report receives the others."""
        taken: list[SiteRow] = []
        conditional = 0
        for record in self.columns.sheet.records():
            self.report.read += 1
            if record.geometry is None and all(map(cells.is_blank, record.cells)):
                self.report.blank += 1
                continue
            reading = Reading(self.columns, record, self.report)
            row = self._row(reading)
            conditional += reading.conditional
            if reading.refused:
                self.report.refused_rows += 1
            elif row is not None:
                taken.append(row)
        if conditional:
            said = f"条件付き（△）の適否が{conditional:,}件あります。適合とは数えず、備考に残しました"
            self.report.warn(None, "conditional", said)
        if self.doubled:
            taken = [row for row in taken if not self._also_doubled(row)]
        return taken

    def _row(self, reading: Reading) -> SiteRow | None:
        if not self._whole(reading):
            self.nameless += 1
            return None
        values = reading.values()
        identity = self._identity(reading)
        if identity is None:
            self.nameless += 1
            return None
        if identity in self.named:
            first = self.named[identity]
            self.doubled.setdefault(identity, reading.record.line)
            self._refuse_doubled(reading, identity, first)
            return None
        self.named[identity] = reading.record.line
        stated = repr((self.columns.fields, self.columns.hazards_known, values)).encode("utf-8", "replace")
        content = hashlib.blake2b(stated, digest_size=16).hexdigest()
        dating = reading.dating() if self.as_exported else {}
        return SiteRow(reading.record.line, identity, values, content, dating)

    def _whole(self, reading: Reading) -> bool:
        found, width = reading.record.cells, len(self.columns.sheet.columns)
        if len(found) < width:
            reading.refuse(None, None, "too_few_cells", f"列が足りません（{width}列のうち{len(found)}列）")
            return False
        if len(found) > width and not all(map(cells.is_blank, found[width:])):
            reason = f"見出しより列が多くあります（{width}列に対して{len(found)}列。引用符の誤りの疑い）"
            reading.refuse(None, None, "too_many_cells", reason)
            return False
        return True

    def _identity(self, reading: Reading) -> Identity | None:
        header = self.columns.header("id")
        own = reading.identifier()
        if own is None:
            if header in reading.refused:
                return None
            if self.columns.dialect.id_required:
                reading.refuse(header, None, "missing", "IDが空です")
                return None
            own = reading.key()
        if self.as_exported:
            origin = reading.source()
            return (origin, own_id(origin, own)) if origin is not None else None
        if self.source is not None:
            return self.source, own
        source = self.columns.dialect.key
        if self.columns.dialect.per_municipality:
            code = reading.code("code") or reading.code("place_code") or self.columns.municipality
            if code is None:
                column = self.columns.header("code") or self.columns.header("place_code")
                reading.refuse(column, None, "missing", "団体コードが空です")
                return None
            source = f"{source}-{code}"
        return source, own

    def _refuse_doubled(self, reading: Reading, identity: Identity, line: int) -> None:
        reason = f"{line}行目と同じID（IDがなければ同じ名称と住所）です"
        reading.refuse(self.columns.header("id"), identity[1], "duplicate_id", reason)

    def _also_doubled(self, row: SiteRow) -> bool:
        """Refuses the first of a doubled pair too: nobody can say which of them is meant."""
        other = self.doubled.get(row.identity)
        if other is None:
            return False
        reading = Reading(self.columns, _line_only(row.line), self.report)
        self._refuse_doubled(reading, row.identity, other)
        self.report.refused_rows += 1
        return True


def _line_only(line: int) -> Record:
    return Record(line, ())
