"""One record of a list of events as the facts of an event; what cannot be understood is refused or remarked on."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Callable
from typing import Any

from content.events import EventStatus
from content.opendata import event_cells
from content.opendata.event_columns import EventFormat
from geo import mesh
from geo.municipality import MunicipalityError, six_digits
from geo.opendata import cells
from geo.opendata.facts import point_of
from geo.opendata.faults import CellFault, OpenDataError
from geo.opendata.report import Report
from geo.opendata.sheet import Record, Sheet, header_key

PLAIN = (
    *("name_kana", "name_en", "description", "category", "audience", "capacity", "apply_note", "organiser"),
    *("contact", "phone", "place_name", "access", "url", "note"),
)


class EventRow:
    """Reads one record. `facts` is None after a refusal."""

    def __init__(self, sheet: Sheet, form: EventFormat, record: Record, report: Report, near: dt.date) -> None:
        self.sheet, self.form, self.record, self.report, self.near = sheet, form, record, report, near
        self.refused = False
        self._at = {header_key(name): at for at, name in enumerate(sheet.columns)}

    def facts(self) -> dict[str, Any] | None:
        """The columns of `content.events.Event` that a list states, `id` and `code` beside them."""
        if len(self.record.cells) < len(self.sheet.columns):
            wide, found = len(self.sheet.columns), len(self.record.cells)
            self._refuse(None, None, "too_few_cells", f"列が足りません（{wide}列のうち{found}列）")
            return None
        name = self.text("name")
        if name is None:
            self._refuse(self._header("name"), None, "missing", "イベント名が空です")
        first, last, remark = self._days()
        facts: dict[str, Any] = {field: self.text(field) for field in PLAIN}
        facts |= {"name": name, "starts_on": first, "ends_on": last, **self._times(remark), **self._position()}
        facts["fee"] = _joined(self.text("fee"), self.text("fee_note"))
        facts["address"] = _joined(self.text("address"), self.text("building"), between=" ")
        facts["access"] = _joined(facts["access"], self.text("parking"))
        facts["apply_until"], facts["apply_note"] = self._application(facts["apply_note"])
        facts["status"] = self._parsed("status", lambda said: event_cells.status("", said))
        if facts["status"] is None and name is not None:
            facts["status"] = event_cells.status(name, None)
        facts["from_months"], facts["to_months"] = event_cells.ages(facts["audience"] or "") or (None, None)
        facts["municipality_code"] = self._code()
        facts["id"] = self._parsed("id", cells.identifier) or _key(facts)
        return None if self.refused else facts

    def text(self, field: str) -> str | None:
        """The first filled column of a field."""
        found: str | None = self._parsed(field, lambda text: text)
        return found

    def cell(self, column: str, parse: Callable[[Any], Any]) -> Any:
        """The cell of a column by its name, parsed; None after refusing it."""
        at = self._at[header_key(column)]
        try:
            return parse(self.record.cells[at])
        except CellFault as fault:
            self._refuse(self.sheet.columns[at], self.record.cells[at], fault.code, str(fault))
            return None

    def _parsed(self, field: str, parse: Callable[[str], Any]) -> Any:
        for name in self.form.columns.get(field, ()):
            at = self._at.get(header_key(name))
            if at is None:
                continue
            try:
                written = cells.text(self.record.cells[at])
                if written is not None:
                    return parse(written)
            except CellFault as fault:
                self._refuse(self.sheet.columns[at], self.record.cells[at], fault.code, str(fault))
                return None
        return None

    def _header(self, field: str) -> str | None:
        found = (self._at.get(header_key(name)) for name in self.form.columns.get(field, ()))
        return next((self.sheet.columns[at] for at in found if at is not None), None)

    def _refuse(self, column: str | None, value: Any, code: str, reason: str) -> None:
        self.refused = True
        self.report.refuse(self.record.line, column, value, code, reason)

    def _days(self) -> tuple[dt.date | None, dt.date | None, str | None]:
        if "both" in self.form.columns:
            field = "both"
            found = self._parsed("both", lambda text: event_cells.both_days(text, self.near)) or (None, None, None)
        else:
            field = "first"
            first = self._parsed("first", lambda text: event_cells.day(text, self.near))
            last = self._parsed("last", lambda text: event_cells.day(text, first or self.near))
            found = (first, last or first, None)
        if found[0] is None and not self.refused:
            self._refuse(self._header(field), None, "missing", "開催日が空です")
        if found[0] is not None and found[1] is not None and found[1] < found[0]:
            self._refuse(
                self._header("last" if field == "first" else field),
                str(found[1]),
                "ends_early",
                "終わりの日が始まりより前です",
            )
        return found

    def _times(self, remark: str | None) -> dict[str, str | None]:
        """Times that can be read; others stand in the remark as published, since people can read them."""
        facts: dict[str, str | None] = {}
        told = [self.text("time_note"), remark]
        for field, label in (("start_time", "開始"), ("end_time", "終了")):
            written = self.text(field)
            try:
                facts[field] = event_cells.time(written) if written is not None else None
            except CellFault as fault:
                facts[field] = None
                told.append(f"{label}: {written}")
                value = " ".join((written or "").split())[:30]
                said = f"「{self._header(field)}」の値「{value}」は{fault}。特記事項に残します"
                self.report.warn(self.record.line, fault.code, said)
        return facts | {"time_note": "\n".join(one for one in told if one) or None}

    def _position(self) -> dict[str, Any]:
        lat, lon = self._degrees()
        nowhere = {"lat": None, "lon": None, "cell": None}
        if lat is None or lon is None:
            if (lat is None) != (lon is None) and not self.refused:
                self._refuse(
                    f"{self._header('lat')}・{self._header('lon')}", None, "missing", "緯度・経度の一方が空です"
                )
            return nowhere
        try:
            point = cells.position(lat, lon)
        except CellFault as fault:
            self._refuse(f"{self._header('lat')}・{self._header('lon')}", f"{lat}, {lon}", fault.code, str(fault))
            return nowhere
        return {"lat": point.lat, "lon": point.lon, "cell": mesh.cell_of(point)}

    def _degrees(self) -> tuple[float | None, float | None]:
        """Of the geometry in GeoJSON, else of the two columns."""
        if self.record.geometry is None:
            return self._parsed("lat", cells.number), self._parsed("lon", cells.number)
        try:
            lon, lat = point_of(self.record.geometry)
        except CellFault as fault:
            self._refuse("geometry", str(self.record.geometry), fault.code, str(fault))
            return None, None
        return lat, lon

    def _application(self, note: str | None) -> tuple[dt.date | None, str | None]:
        """Until when to apply; a cell that is no day is left in words."""
        written = self.text("apply_until")
        time = self.text("apply_time")
        try:
            until = event_cells.day(written, self.near) if written is not None else None
        except CellFault as fault:
            self.report.warn(
                self.record.line, fault.code, f"参加申込終了日「{(written or '')[:30]}」は{fault}。文章として残します"
            )
            return None, _joined(note, f"申込締切: {written}")
        return until, _joined(note, f"締切日は{time}まで" if until and time else None)

    def _code(self) -> str | None:
        written = self.text("code")
        if written is None:
            return None
        try:
            return six_digits(written, self.text("prefecture") or self.text("address"))
        except MunicipalityError as fault:
            self._refuse(self._header("code"), written, fault.code, str(fault))
            return None


def checked_columns(sheet: Sheet, form: EventFormat, report: Report) -> None:
    """Warns of columns nobody reads. Raises `OpenDataError` for one that stands twice."""
    known = {header_key(name) for names in form.columns.values() for name in names}
    for name, key in zip(sheet.columns, sheet.keys, strict=True):
        if key in known and sheet.keys.count(key) > 1:
            raise OpenDataError("doubled_column", f"列「{name}」が二つあります")
    left = [
        name
        for name, key in zip(sheet.columns, sheet.keys, strict=True)
        if key and key not in known and key not in {header_key(one) for one in form.unused}
    ]
    if left:
        report.warn(None, "unused_columns", f"使わなかった列: {'、'.join(left)[:300]}")


def fingerprint(facts: dict[str, Any]) -> str:
    """A hash of everything a row states."""
    stated = repr(sorted((name, str(value)) for name, value in facts.items()))
    return hashlib.blake2b(stated.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _key(facts: dict[str, Any]) -> str:
    """A stable key for a row without an id: its name, first day and place, however wide they are written."""
    named = (facts["name"], str(facts["starts_on"]), facts["place_name"])
    plain = ("".join(unicodedata.normalize("NFKC", part or "").split()) for part in named)
    return "key-" + hashlib.blake2b("\n".join(plain).encode("utf-8", "replace"), digest_size=10).hexdigest()


def _joined(*parts: str | None, between: str = "\n") -> str | None:
    return between.join(part for part in parts if part) or None


MOVES = ("status", "starts_on", "ends_on", "start_time", "end_time", "place_name")


def moved(before: Any, after: dict[str, Any]) -> dict[str, Any] | None:
    """What of day, time and place an event has lost: the stored values that a new list changes, or None."""
    found = {name: getattr(before, name) for name in MOVES[1:] if getattr(before, name) != after[name]}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in found.items()} or None


def status_after(before: Any, after: dict[str, Any], lost: dict[str, Any] | None) -> str:
    """The status of an event that is listed again: what its list says, or changed when it moved."""
    said = EventStatus(after["status"])
    if said is not EventStatus.SCHEDULED:
        return said.value
    stays = before.status == EventStatus.CHANGED.value and before.was is not None
    return (EventStatus.CHANGED if lost or stays else said).value
