"""Sendai's published table: ward, beginning of the reading, town and block, then the days of each kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import jaconv

from content.garbage.pattern import Pattern
from content.opendata.garbage_cell import WEEKDAYS
from content.opendata.garbage_harvest import AreaRow, Harvest, RuleRow, label
from content.opendata.garbage_tables import open_table
from content.opendata.place_names import key_of, town_and_block
from geo.opendata.faults import CellFault, OpenDataError
from geo.opendata.report import Report

_WARD, _READING, _TOWN = ("区", "行政区"), ("50音", "五十音", "読み", "よみ"), ("町名", "町丁名", "住所")
_FILLER = re.compile("毎月|毎週|第|回目?の?|曜日?|の|[ 　]")
_CELL = re.compile(f"^(?P<nths>[1-5](?:[・,、][1-5])*)?(?P<days>[{WEEKDAYS}](?:[・,、]?[{WEEKDAYS}])*)$")


def is_table(keys: Sequence[str]) -> bool:
    """Whether a header is Sendai's: a ward, a town, and at least one kind of garbage."""
    found = [key for key in keys if key in (*_WARD, *_READING, *_TOWN)]
    return len(keys) > len(found) and any(key in keys for key in _WARD) and any(key in keys for key in _TOWN)


def read_cell(text: str) -> Pattern | None:
    """「月・木」 every Monday and Thursday, 「1･3金」 the first and third Friday; None for an empty cell.

    Raises `CellFault` for anything else.
    """
    plain = _FILLER.sub("", unicodedata.normalize("NFKC", text).replace("･", "・"))
    if plain in ("", "-", "ー", "なし"):
        return None
    # The numbers may stand before each day as well: 「1金・3金」.
    each = re.findall(f"([1-5])([{WEEKDAYS}])", plain)
    if each and re.fullmatch(f"(?:[1-5][{WEEKDAYS}][・,、]?)+", plain) and len({day for _, day in each}) == 1:
        return Pattern(weekdays=(WEEKDAYS.index(each[0][1]),), nths=tuple(int(number) for number, _ in each))
    found = _CELL.match(plain)
    if not found:
        raise CellFault("not_a_day", f"「{text[:20]}」は収集日の書き方ではありません")
    days = tuple(WEEKDAYS.index(char) for char in found["days"] if char in WEEKDAYS)
    return Pattern(weekdays=days, nths=tuple(int(char) for char in found["nths"] or "" if char.isdecimal()))


def read_table(data: bytes, harvest: Harvest, report: Report) -> None:
    """Areas with their rules; a row with an unreadable cell is refused whole, both rows of one place are."""
    table = open_table(data, is_table)
    report.encoding = table.encoding
    ward_at, reading_at, town_at = table.at(*_WARD), table.at(*_READING), table.at(*_TOWN)
    if ward_at is None or town_at is None:
        raise OpenDataError("unknown_format", "区と町名の列がありません")
    own = {ward_at, reading_at, town_at}
    columns = [(at, label(name)) for at, name in enumerate(table.header) if at not in own and name]
    if len({name for _, name in columns}) < len(columns):
        raise OpenDataError("doubled_column", "同じ名前のごみの区分の列が二つあります")
    for _, name in columns:
        harvest.category(name, report)
    lines: dict[str, AreaRow] = {}
    doubled: set[str] = set()
    for line, cells in table.rows(report):
        cells += [""] * (len(table.header) - len(cells))
        before = report.refused_cells
        if any(cells[len(table.header) :]):
            report.refuse(line, None, cells[len(table.header)], "too_many_cells", "見出しより列が多くあります")
        ward, name = cells[ward_at], cells[town_at]
        if not ward or not name:
            report.refuse(line, table.header[town_at if ward else ward_at], "", "missing", "区か町名が空です")
        town, block = town_and_block(name)
        reading = str(jaconv.hira2kata(label(cells[reading_at]))) if reading_at is not None else ""
        row = AreaRow(line, report, key_of(ward, name), name, town, block, ward, reading=reading)
        for at, category in columns:
            try:
                pattern = read_cell(cells[at])
            except CellFault as fault:
                report.refuse(line, table.header[at], cells[at], fault.code, str(fault))
                continue
            if pattern is None:
                report.warn(line, "no_days", f"「{category}」の収集日がありません")
            else:
                row.rules.append(RuleRow(category, pattern))
        if report.refused_cells == before and row.key in lines:
            doubled.add(row.key)
            report.refuse(line, table.header[town_at], name, "duplicate_id", "同じ区・町名の行がほかにもあります")
        if report.refused_cells > before:
            report.refused_rows += 1
            continue
        lines[row.key] = row
    for key in doubled:
        row = lines.pop(key)
        report.refuse(row.line, table.header[town_at], row.name, "duplicate_id", "同じ区・町名の行がほかにもあります")
        report.refused_rows += 1
    harvest.areas += lines.values()
