"""The 5374 format, a folder of CSV files: areas with their days, centres with their closures, remarks, items."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from content.garbage.pattern import Pattern
from content.opendata import garbage_cell
from content.opendata.garbage_harvest import AreaRow, ChangeRow, Harvest, RuleRow, label, tidy, words
from content.opendata.garbage_tables import Table, open_table
from content.opendata.place_names import district, key_of, town_and_block
from geo.opendata.faults import CellFault, OpenDataError
from geo.opendata.report import Report

FILES = ("area_days.csv", "center.csv", "description.csv", "remarks.csv", "target.csv")
_PLACE = ("地名", "地区", "地域", "町名", "地区名", "町丁名")
_NO_COLLECTION = re.compile(r"^収集[がの]?(?:ない|無い|なし)日?[はが:：\s]*(?P<dates>[0-9/\-\s,、・]+)。?$")
_COLOUR = re.compile("^#[0-9a-fA-F]{6}$")


def is_areas(keys: Sequence[str]) -> bool:
    """Whether a header is that of area_days.csv: a place, a centre, then kinds of garbage."""
    return len(keys) > 2 and keys[0] in _PLACE and keys[1].startswith("センター")


def read_remarks(data: bytes, report: Report) -> dict[str, str]:
    """Remarks by their ids, with or without a header."""
    table = open_table(data, lambda keys: keys[:1] == ["id"], headless=True)
    report.encoding = table.encoding
    found: dict[str, str] = {}
    for line, cells in table.rows(report):
        own = unicodedata.normalize("NFKC", cells[0]).removeprefix("*")
        if not own or len(cells) < 2 or not tidy(cells[1]):
            _refuse(report, line, "ID", cells[0], "missing", "IDと注意事項の両方が必要です")
        elif own in found:
            _refuse(report, line, "ID", cells[0], "duplicate_id", "同じIDの注意事項がもうあります")
        else:
            # A comma inside the text was not always quoted.
            found[own] = tidy(",".join(cell for cell in cells[1:] if cell))
            report.unchanged += 1
    return found


def read_areas(data: bytes, remarks: Mapping[str, str], harvest: Harvest, report: Report) -> None:
    """Areas and their rules. A row with one unreadable cell is refused whole: a kind left out would be a lie."""
    table = open_table(data, is_areas)
    report.encoding = table.encoding
    columns = [(at, label(name)) for at, name in enumerate(table.header) if at > 1 and name]
    for _, name in columns:
        harvest.category(name, report)
    if len({name for _, name in columns}) < len(columns):
        raise OpenDataError("doubled_column", "同じ名前のごみの区分の列が二つあります")
    lines: dict[str, int] = {}
    doubled: set[str] = set()
    for line, cells in table.rows(report):
        row = _area(table, columns, line, cells, remarks, harvest, report)
        if row is None:
            report.refused_rows += 1
        elif row.key in lines:
            doubled.add(row.key)
            _refuse(report, line, table.header[0], row.name, "duplicate_id", f"{lines[row.key]}行目と同じ地名です")
        else:
            lines[row.key] = line
            harvest.areas.append(row)
    for row in [row for row in harvest.areas if row.key in doubled]:
        harvest.areas.remove(row)
        _refuse(report, row.line, table.header[0], row.name, "duplicate_id", "同じ地名の行がほかにもあります")


def _area(
    table: Table,
    columns: Sequence[tuple[int, str]],
    line: int,
    cells: list[str],
    remarks: Mapping[str, str],
    harvest: Harvest,
    report: Report,
) -> AreaRow | None:
    name, width = cells[0], len(table.header)
    fine = True

    def refuse(column: str | None, value: str, code: str, reason: str) -> None:
        nonlocal fine
        fine = False
        report.refuse(line, column, value, code, reason)

    if not name:
        refuse(table.header[0], "", "missing", "地名が空です")
    if len(cells) < 3:
        refuse(None, "", "too_few_cells", f"列が足りません（{width}列のうち{len(cells)}列）")
    for at, cell in enumerate(cells[2:], start=2):
        if cell and (at >= width or not table.header[at]):
            refuse(None, cell, "too_many_cells", f"{at + 1}列目に見出しがありません")
    ward, rest = district(name)
    town, block = town_and_block(rest)
    centre = label(cells[1]) if len(cells) > 1 else ""
    row = AreaRow(line, report, key_of("", name), rest, town, block, ward, centre=centre or None)
    for at, category in columns:
        try:
            read = garbage_cell.read(cells[at] if at < len(cells) else "")
        except CellFault as fault:
            refuse(table.header[at], cells[at], fault.code, str(fault))
            continue
        for code, said in read.warnings:
            report.warn(line, code, f"「{table.header[at]}」{said}")
        note = _note(read.remarks, remarks, line, report)
        row.rules += [RuleRow(category, pattern, note=words(note)) for pattern in read.patterns]
        if note and not read.patterns:
            row.rules.append(RuleRow(category, Pattern(), note=words(note)))
        for mark in read.remarks:
            _closures(remarks.get(mark, ""), row, category, harvest, report)
    return row if fine else None


def _note(marks: Sequence[str], remarks: Mapping[str, str], line: int, report: Report) -> str:
    for mark in marks:
        if mark not in remarks:
            report.warn(line, "unknown_remark", f"注意事項「*{mark}」がremarks.csvにありません")
    return "\n".join(remarks[mark] for mark in marks if mark in remarks)


def _closures(text: str, row: AreaRow, category: str, harvest: Harvest, report: Report) -> None:
    """A remark that is nothing but days without a collection closes them."""
    found = _NO_COLLECTION.match(unicodedata.normalize("NFKC", text))
    if not found:
        return
    for written in re.split(r"[\s,、・]+", found["dates"].strip()):
        try:
            day = garbage_cell.date_of(written)
        except CellFault as fault:
            report.warn(row.line, fault.code, f"注意事項の{fault}")
            continue
        key = f"remark:{row.key}:{category}:{day.isoformat()}"
        change = ChangeRow(row.line, report, key, "closed", day, day, area=row.key, category=category, counted=False)
        change.reason = words(text)
        harvest.changes.append(change)


def read_centres(data: bytes, harvest: Harvest, report: Report) -> None:
    """Closures of centres: pairs of first and last day, or single days where the header says 休止日."""
    table = open_table(data, lambda keys: keys[:1] == ["名称"], headless=True)
    report.encoding = table.encoding
    single = any(key.startswith("休止日") for key in table.keys)
    known = {row.centre for row in harvest.areas}
    for line, cells in table.rows(report):
        name, written = label(cells[0]), [cell for cell in cells[1:] if cell]
        try:
            days = [garbage_cell.date_of(cell) for cell in written]
        except CellFault as fault:
            _refuse(report, line, "休止日", ",".join(written), fault.code, str(fault))
            continue
        spans = [(day, day) for day in days] if single else list(zip(days[::2], days[1::2], strict=False))
        if not name:
            _refuse(report, line, "名称", "", "missing", "センターの名称が空です")
        elif not single and len(days) % 2:
            _refuse(report, line, "休止終了日", "", "missing", "開始日と終了日が組になっていません")
        elif any(first > last or (last - first).days > 366 for first, last in spans):
            _refuse(report, line, "休止終了日", ",".join(written), "not_a_span", "休止の期間が逆か、1年を超えています")
        else:
            if name not in known:
                report.warn(line, "unknown_centre", f"「{name}」のセンターを使う地区がありません")
            for first, last in spans:
                key = f"centre:{name}:{first.isoformat()}:{last.isoformat()}"
                if all(change.key != key for change in harvest.changes):
                    change = ChangeRow(line, report, key, "closed", first, last, centre=name)
                    change.counted = first == spans[0][0]  # a row is one, however many days it names
                    harvest.changes.append(change)


def read_descriptions(data: bytes, harvest: Harvest, report: Report) -> None:
    """Categories: their order, how to put them out, their colour."""
    table = open_table(data, lambda keys: keys[:1] == ["label"], headless=True)
    report.encoding = table.encoding
    named: set[str] = set()
    for line, cells in table.rows(report):
        name = label(cells[0])
        cells += [""] * (5 - len(cells))
        if not name:
            _refuse(report, line, "label", "", "missing", "区分の名前が空です")
            continue
        if name in named:
            _refuse(report, line, "label", name, "duplicate_id", "同じ区分がもうあります")
            continue
        named.add(name)
        category = harvest.category(name, report)
        how = "\n".join(text for text in (tidy(cells[1]), tidy(cells[2])) if text)
        category.how, category.counted = words(how), True
        colour = cells[4].lower()
        if _COLOUR.match(colour):
            category.colour = colour
        elif colour:
            report.warn(line, "not_a_colour", f"色として読めません: {colour[:20]}")


def _refuse(report: Report, line: int, column: str | None, value: str, code: str, reason: str) -> None:
    report.refuse(line, column, value, code, reason)
    report.refused_rows += 1
