"""One record of a list of places as the facts of a site; what cannot be understood is refused."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from geo import hours
from geo.municipality import MunicipalityError, check_digit, six_digits
from geo.opendata import cells, provenance
from geo.opendata.cells import Flag
from geo.opendata.columns import Columns
from geo.opendata.faults import CellFault
from geo.opendata.report import Report
from geo.opendata.sheet import Record
from geo.sites import SiteKind

KIND_JA: Final = {
    SiteKind.EMERGENCY_EVACUATION_SITE: "指定緊急避難場所",
    SiteKind.SHELTER: "指定避難所",
    SiteKind.WELFARE_SHELTER: "福祉避難所",
    SiteKind.TSUNAMI_REFUGE: "津波避難施設",
    SiteKind.AED: "AED",
    SiteKind.CHILDCARE_FACILITY: "子育て施設",
    SiteKind.PUBLIC_FACILITY: "公共施設",
}
_KINDS = {name: kind for kind, name in KIND_JA.items()}
# Written where everybody is received; any other 受入対象者 marks a designated welfare shelter, for
# which alone the law has those received published (災害対策基本法施行規則, since 2021).
_EVERYBODY = frozenset(
    {"なし", "無し", "一般", "一般避難者", "一般の避難者", "避難者", "被災者"}
    | {"住民", "地域住民", "市民", "町民", "村民", "全員", "全て"}
)
_GSI_ID = re.compile(r"E([0-9]{5})[0-9A-Z]{8}")
_OUT_OF_USE = re.compile("使用不可|使用できません|利用不可|利用できません|休止中|閉鎖中|改修工事中")
_MARKS = {"": Flag.NO, "1": Flag.YES, "○": Flag.YES, "×": Flag.NO}
_SIGNS = {Flag.YES: "○", Flag.NO: "×", Flag.CONDITIONAL: "△"}


class Keep:
    """A fact that the file does not state for this row: the stored one stays."""

    def __repr__(self) -> str:
        return "keep"


KEEP: Final = Keep()


class Reading:
    """One record under a plan of columns. What is refused goes to the report, once a cell."""

    __slots__ = ("_marks", "columns", "conditional", "record", "refused", "report")

    def __init__(self, columns: Columns, record: Record, report: Report) -> None:
        self.columns, self.record, self.report = columns, record, report
        self.refused: set[str | None] = set()
        self.conditional = 0  # marks △ seen
        self._marks: list[list[Flag | None]] | None = None

    def values(self) -> tuple[Any, ...]:
        """The facts in the order of the plan's `fields`; of no use when `refused` is not empty."""
        lat, lon = self._position()
        given = {"kind": self._kind(), "name": self._name(), "lat": lat, "lon": lon}
        found = []
        for field in self.columns.fields:
            if field in given:
                found.append(given[field])
            else:
                take = _TAKERS.get(field)
                found.append(take(self) if take is not None else self.text(field))
        return tuple(found)

    def refuse(self, column: str | None, value: Any, code: str, reason: str) -> None:
        """Refuses a cell, or with column None the whole row."""
        if column not in self.refused:
            self.refused.add(column)
            self.report.refuse(self.record.line, column, value, code, reason)

    def text(self, field: str) -> str | None:
        """The first filled column of a field."""
        for at in self.columns.at.get(field, ()):
            found = self._cell(at, cells.text)
            if found is not None:
                return str(found)
        return None

    def identifier(self) -> str | None:
        """The publisher's id; None when there is none, or after refusing."""
        for at in self.columns.at.get("id", ()):
            found = self._cell(at, cells.identifier)
            if found is not None:
                return str(found)
        return None

    def key(self) -> str:
        """A stable key for a row without an id: its name and address, however wide they are written."""
        named = (self.text("name"), self._address())
        plain = ("".join(unicodedata.normalize("NFKC", part or "").split()) for part in named)
        return "key-" + hashlib.blake2b("\n".join(plain).encode("utf-8", "replace"), digest_size=10).hexdigest()

    def code(self, field: str) -> str | None:
        """A six-digit municipality code from the columns of `code` or `place_code`."""
        for at in self.columns.at.get(field, ()):
            written = self.record.cells[at]
            if cells.is_blank(written):
                continue
            try:
                return six_digits(str(written), self.text("prefecture") or self.text("address"))
            except MunicipalityError as fault:
                self.refuse(self.columns.sheet.columns[at], written, fault.code, str(fault))
                return None
        return None

    def source(self) -> str | None:
        """The row's own source; None after refusing."""
        found: str | None = self._cell(self.columns.at["source"][0], provenance.read_source)
        return found

    def dating(self) -> dict[str, Any]:
        """The row's own licence and date, None where its cells are empty."""
        parsers = {"licence": provenance.read_licence, "as_of": provenance.read_day}
        return {
            name: self._cell(self.columns.at[name][0], parse) if self.columns.has(name) else None
            for name, parse in parsers.items()
        }

    def _cell(self, at: int, parse: Callable[[Any], Any]) -> Any:
        try:
            return parse(self.record.cells[at])
        except CellFault as fault:
            self.refuse(self.columns.sheet.columns[at], self.record.cells[at], fault.code, str(fault))
            return None

    def _name(self) -> str | None:
        found = self.text("name")
        if found is None:
            self.refuse(self.columns.header("name"), None, "missing", "名称が空です")
            return None
        if _OUT_OF_USE.search(found):
            reason = f"名称に使えない旨の語があります。開設状況の登録を検討してください: {found}"
            self.report.warn(self.record.line, "maybe_out_of_use", reason)
        if found[0] in "=@" or found.startswith(("+", "-")):
            self.report.warn(self.record.line, "formula", f"名称が表計算ソフトの数式に見えます: {found}")
        return found

    def _kind(self) -> str | None:
        written = self.text("kind")
        if written is not None:
            if written in _KINDS:
                return _KINDS[written].value
            reason = f"施設区分が分かりません（使えるもの: {'、'.join(_KINDS)}）"
            self.refuse(self.columns.header("kind"), written, "unknown_kind", reason)
            return None
        if self.columns.dialect.kind is SiteKind.SHELTER and (self.text("accepts") or "一般") not in _EVERYBODY:
            return SiteKind.WELFARE_SHELTER.value
        return self.columns.dialect.kind.value

    def _address(self) -> str | None:
        parts = (self._cell(at, cells.text) for at in self.columns.at.get("address_parts", ()))
        address = self.text("address") or "".join(part for part in parts if part) or None
        return " ".join(part for part in (address, self.text("building")) if part) or None

    def _phone(self) -> str | None:
        phone, extension = self.text("phone"), self.text("extension")
        return f"{phone}（内線{extension}）" if phone and extension else phone

    def _position(self) -> tuple[float | None, float | None]:
        columns = self.columns
        if self.record.geometry is not None:
            where = "geometry"
            try:
                lon, lat = point_of(self.record.geometry)
            except CellFault as fault:
                self.refuse(where, self.record.geometry, fault.code, str(fault))
                return None, None
        elif columns.has("lat") and columns.has("lon"):
            where = f"{columns.header('lat')}・{columns.header('lon')}"
            lat = self._cell(columns.at["lat"][0], cells.number)
            lon = self._cell(columns.at["lon"][0], cells.number)
            if lat is None or lon is None:
                return None, None
        else:
            self.refuse("geometry", None, "missing", "位置がありません（geometryが空です）")
            return None, None
        try:
            cells.position(lat, lon)
        except CellFault as fault:
            self.refuse(where, f"{lat}, {lon}", fault.code, str(fault))
        return lat, lon

    def _hazards(self) -> int:
        mask = 0
        for (hazard, _), marks in zip(self.columns.hazards, self._hazard_marks(), strict=True):
            if marks.count(Flag.YES) == len(marks):
                mask |= hazard.bit
        return mask

    def _hazard_marks(self) -> list[list[Flag | None]]:
        if self._marks is None:
            found = self.record.cells
            # Most cells are one of the known marks as they stand: a look-up instead of a call, eight times a row.
            self._marks = [
                [known if (known := _MARKS.get(str(found[at]))) else self._cell(at, cells.flag) for at in places]
                for _, places in self.columns.hazards
            ]
        return self._marks

    def _also_shelter(self) -> bool:
        return self._cell(self.columns.at["also_shelter"][0], cells.flag) is Flag.YES

    def _soft(self, field: str, parse: Callable[[Any], Any]) -> Any:
        """A number nobody's life hangs on: unreadable, it is left as stored and remarked on, not refused."""
        at = self.columns.at[field][0]
        try:
            return parse(self.record.cells[at])
        except CellFault as fault:
            column, value = self.columns.sheet.columns[at], str(self.record.cells[at])[:40]
            reason = f"「{column}」の値「{value}」は{fault}。この項目だけ取り込みません"
            self.report.warn(self.record.line, fault.code, reason)
            return KEEP

    def _note(self) -> str | Keep | None:
        written = ((label, self._cell(at, cells.text)) for label, at in self.columns.notes)
        parts = [label + found for label, found in written if found is not None]
        conditions = self._conditions()
        if conditions is not None and conditions not in "\n".join(parts):
            parts.append(conditions)
        if not parts and not self.columns.notes and self.columns.dialect.notes:
            return KEEP  # the format has a column for notes, this file leaves it out
        return "\n".join(parts) or None

    def _conditions(self) -> str | None:
        """The published marks of hazards that are neither a plain yes nor a plain no, for the resident."""
        told: list[str] = []
        for (hazard, places), marks in zip(self.columns.hazards, self._hazard_marks(), strict=True):
            if len(marks) == 1 and marks[0] is not Flag.CONDITIONAL:
                continue
            self.conditional += marks.count(Flag.CONDITIONAL)
            if Flag.CONDITIONAL in marks or len(set(marks)) > 1:
                for at, mark in zip(places, marks, strict=True):
                    label = self.columns.dialect.hazard_labels.get(self.columns.sheet.columns[at], hazard.ja)
                    told.append(label + _SIGNS[mark or Flag.NO])
        if not told:
            return None
        ending = "△は条件付きです。条件は市町村の案内で確認してください。" if self.conditional else ""
        return f"公表資料の記号: {'、'.join(told)}。{ending}"

    def _ages(self) -> str | None:
        begin, end = self.text("ages"), self.text("ages_to")
        return f"{begin or ''}～{end}" if end else begin

    def _until(self) -> str | None:
        """The last column of the opening hours; says in a remark when the three make no sense together."""
        until = self.text("available_until")
        try:
            hours.parse(self.text("available_days"), self.text("available_from"), until, None)
        except hours.HoursError as fault:
            self.report.warn(self.record.line, "unclear_hours", f"{fault}。開いているかは「不明」とします")
        return until

    def _municipality(self) -> str | Keep | None:
        if self.columns.dialect.id_required:  # the digits after the E of a 共通ID
            match = _GSI_ID.fullmatch(self.text("id") or "")
            return match[1] + check_digit(match[1]) if match else KEEP
        return self.code("place_code") or self.code("code") or self.columns.municipality


_TAKERS: dict[str, Callable[[Reading], Any]] = {
    "address": Reading._address,
    "phone": Reading._phone,
    "hazards": Reading._hazards,
    "also_shelter": Reading._also_shelter,
    "capacity": lambda reading: reading._soft("capacity", cells.count),
    "elevation_m": lambda reading: reading._soft("elevation_m", cells.elevation),
    "note": Reading._note,
    "ages": Reading._ages,
    "available_until": Reading._until,
    "municipality_code": Reading._municipality,
}


def point_of(geometry: Any) -> tuple[float, float]:
    """(longitude, latitude) of a GeoJSON point; a height is left out. Raises `CellFault`."""
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        kind = geometry.get("type") if isinstance(geometry, dict) else geometry
        raise CellFault("not_a_point", f"点（Point）ではありません: {str(kind)[:40]}")
    numbers = geometry.get("coordinates")
    if not isinstance(numbers, list) or len(numbers) < 2:
        raise CellFault("missing", "位置がありません（coordinatesが空です）")
    return cells.number(numbers[0]), cells.number(numbers[1])
