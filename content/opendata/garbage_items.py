"""Lists of what goes where: target.csv of the 5374 format, with or without its header, and tables of other cities."""

from __future__ import annotations

import re
from collections.abc import Sequence

import jaconv

from content.opendata.garbage_harvest import Harvest, ItemRow, label, tidy, words
from content.opendata.garbage_tables import Table, open_table
from geo.opendata.report import Report
from geo.opendata.sheet import header_key

_NAME = ("name", "品目", "品名", "品目名", "ごみの品目", "ゴミの品目", "ごみの名称", "ゴミの名称", "名称")
_CATEGORY = (
    "label", "type", "classification", "分別", "分別区分", "区分", "種別", "分類", "ごみの区分", "ゴミの種類",
)  # fmt: skip
_NOTE = ("notice", "note", "備考", "注意点", "出し方", "出し方のポイント", "注意事項")
_READING = ("furigana", "よみ", "読み", "ふりがな", "フリガナ", "品目カナ", "品名カナ", "kana", "50音", "五十音")
_ALL_KANA = re.compile("^[ぁ-ゖァ-ヶー・･ ]+$")


def is_items(keys: Sequence[str]) -> bool:
    """Whether a header is that of a list of items: a name and a category."""
    return any(header_key(name) in keys for name in _NAME) and any(header_key(name) in keys for name in _CATEGORY)


def read_items(data: bytes, harvest: Harvest, report: Report, *, headless: bool = False) -> None:
    """Items of a list. Without a header the columns are those of target.csv: category, name, notice, furigana."""
    table = open_table(data, is_items, headless=headless)
    report.encoding = table.encoding
    columns = _columns(table)
    if not table.header:
        report.warn(None, "no_header", "見出しの行がないため、列の順（区分・品目・備考・ふりがな）で読みました")
    known, counts = set(harvest.categories), dict[str, int]()
    strange: dict[str, int] = {}
    said: dict[tuple[str, str], int] = {}
    for line, cells in table.rows(report):
        category, name, note, kana = (cells[at] if at is not None and at < len(cells) else "" for at in columns)
        name, category = tidy(name), label(category)
        if name.startswith("#") or not name or not category:
            report.refuse(line, "name" if not name else "label", name or category, "missing", "品目か区分が空です")
            report.refused_rows += 1
            continue
        if category not in known:
            strange.setdefault(category, line)
        harvest.category(category, report)
        identity, note = f"{label(name)}|{category}", tidy(note)
        if (identity, note) in said:
            report.warn(
                line, "repeated", f"「{name}」（{category}）は{said[identity, note]}行目と同じです。一度だけ残しました"
            )
            report.unchanged += 1
            continue
        said[identity, note] = line
        counts[identity] = counts.get(identity, 0) + 1
        if counts[identity] > 1:
            report.warn(line, "doubled", f"「{name}」（{category}）が違う説明で重なっています。両方を残しました")
            identity += f"|{counts[identity]}"
        kana = jaconv.kata2hira(label(kana)).replace(" ", "")
        reading = kana if len(kana) > 1 else (jaconv.kata2hira(name) if _ALL_KANA.match(name) else "")
        harvest.items.append(ItemRow(report, identity, {"ja": name}, category, reading, kana[:1], notes=words(note)))
    if known:
        for category, line in strange.items():
            report.warn(line, "unknown_category", f"区分「{category}」には収集日がありません")


def _columns(table: Table) -> tuple[int | None, int | None, int | None, int | None]:
    if not table.header:
        return 0, 1, 2, 3
    return table.at(*_CATEGORY), table.at(*_NAME), table.at(*_NOTE), table.at(*_READING)
