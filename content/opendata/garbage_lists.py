"""Garbage data as tables for spreadsheets: areas, rules, exceptions, and the dictionary in the columns of cities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from content.garbage import sources
from content.opendata import garbage_export
from geo.opendata import provenance
from geo.opendata.provenance import PROVENANCE

Record = dict[str, Any]
_WEEKDAYS = "月火水木金土日"
AREAS = (
    *("地区ID", "区", "町", "番地等", "名称", "読み", "センター", "注意", "連絡先名称", "連絡先電話番号", "連絡先URL"),
    *("区域コード", "郵便番号", *PROVENANCE),
)
RULES = (
    *("地区ID", "地区名", "区分ID", "区分", "収集日", "毎週の曜日", "第n回", "月", "隔週の間隔", "起点日", "指定日"),
    *("開始日", "終了日", "祝日も収集", "臨時", "理由", "備考", *PROVENANCE),
)
CHANGES = (
    *("例外ID", "種類", "初日", "最終日", "振替日", "センター", "地区ID", "区分ID", "なくなる回", "代わりの回", "理由"),
    *PROVENANCE,
)
# The columns of the lists of 江東区, 新宿区 and others, and our own after them.
ITEMS = (
    *("全国地方公共団体コード", "ID", "地方公共団体名", "ゴミの品目", "分別区分", "注意点", "料金種別", "料金"),
    *("料金備考", "備考", "読み", "別名", "品目_英字", "大きさ", "注意コード", "URL", *PROVENANCE),
)
_KINDS = {"closed": "休み", "moved": "振替", "added": "追加"}


def areas(session: Session, wanted: Sequence[str]) -> Iterator[Record]:
    """Collection areas of these sources."""
    for source in wanted:
        own = _provenance(session, source)
        for one in garbage_export.area_elements(session, source):
            contact = one.get("contact", {})
            yield {
                "地区ID": one["key"],
                **{column: one.get(name) for column, name in _AREA.items()},
                "注意": _ja(one, "note"),
                **{f"連絡先{column}": contact.get(name) for column, name in _CONTACT.items()},
                "区域コード": _list(one.get("areas")),
                "郵便番号": _list(one.get("postcodes")),
                **own,
            }


def rules(session: Session, wanted: Sequence[str]) -> Iterator[Record]:
    """Rules, one a row; those for every area of a source name none."""
    for source in wanted:
        own, kinds = _provenance(session, source), _category_names(session, source)
        for area in garbage_export.area_elements(session, source):
            for rule in area.get("rules", ()):
                place = {"地区ID": area["key"], "地区名": f"{area.get('ward', '')}{area['name']}"}
                yield {**place, **_rule(rule, kinds), **own}
        for rule in garbage_export.overlay_elements(session, source):
            yield {**_rule({**rule, "overlay": True}, kinds), **own}


def changes(session: Session, wanted: Sequence[str]) -> Iterator[Record]:
    """Exceptions: closed, moved and added days."""
    for source in wanted:
        own = _provenance(session, source)
        for one in garbage_export.change_elements(session, source):
            yield {
                "例外ID": one["key"],
                "種類": _KINDS[one["kind"]],
                **{column: one.get(name) for column, name in _CHANGE.items()},
                "理由": _ja(one, "reason"),
                **own,
            }


def items(session: Session, wanted: Sequence[str]) -> Iterator[Record]:
    """What goes where."""
    for source in wanted:
        own, kinds = _provenance(session, source), _category_names(session, source)
        for one in garbage_export.item_elements(session, source):
            yield {
                "ID": one["key"],
                "ゴミの品目": one["names"].get("ja"),
                "分別区分": kinds.get(one.get("category", "")),
                "注意点": _ja(one, "notes"),
                "読み": one.get("reading"),
                "別名": _list(one.get("aliases")),
                "品目_英字": one["names"].get("en"),
                "大きさ": _ja(one, "size_rule"),
                "注意コード": _list(one.get("cautions")),
                "URL": one.get("link"),
                **own,
            }


_AREA = {"区": "ward", "町": "town", "番地等": "block", "名称": "name", "読み": "reading", "センター": "centre"}
_CONTACT = {"名称": "name", "電話番号": "phone", "URL": "url"}
_CHANGE = {
    "初日": "first", "最終日": "last", "振替日": "to", "センター": "centre", "地区ID": "area", "区分ID": "category",
    "なくなる回": "lost_nth", "代わりの回": "new_nth",
}  # fmt: skip


def _rule(rule: Record, kinds: dict[str, str]) -> Record:
    return {
        "区分ID": rule["category"],
        "区分": kinds.get(rule["category"]),
        "収集日": days_ja(rule),
        "毎週の曜日": _list([_WEEKDAYS[day] for day in rule.get("weekdays", ())]),
        "第n回": _list(rule.get("nths")),
        "月": _list(rule.get("months")),
        "隔週の間隔": rule.get("every"),
        "起点日": rule.get("base"),
        "指定日": _list(rule.get("dates")),
        "開始日": rule.get("first"),
        "終了日": rule.get("last"),
        "祝日も収集": 1 if rule.get("on_holidays", True) else 0,
        "臨時": 1 if rule.get("overlay") else None,
        "理由": _ja(rule, "reason"),
        "備考": _ja(rule, "note"),
    }


def days_ja(rule: Record) -> str:
    """The days of a rule in words: 「毎週月・木」「第1・第3火」「2026-11-03から2週ごと」."""
    days = "・".join(_WEEKDAYS[day] for day in rule.get("weekdays", ()))
    if rule.get("dates"):
        said = f"{len(rule['dates'])}日を指定"
    elif "base" in rule:
        said = f"{rule['base']}から{rule['every']}週ごと"
    elif not days:
        said = "収集しません"
    elif rule.get("nths"):
        said = "・".join(f"第{nth}" for nth in rule["nths"]) + days
    else:
        said = f"毎週{days}"
    months = "・".join(map(str, rule.get("months", ())))
    return f"{months}月の{said}" if months else said


def _category_names(session: Session, source: str) -> dict[str, str]:
    found = garbage_export.category_elements(session, source)
    return {one["key"]: one["names"].get("ja", one["key"]) for one in found}


def _provenance(session: Session, source: str) -> Record:
    known = sources.get(session, source)
    return provenance.columns(source, known.licence if known else None, known.as_of if known else None)


def _ja(one: Record, name: str) -> str | None:
    text: str | None = one.get(name, {}).get("ja")
    return text


def _list(values: Sequence[Any] | None) -> str | None:
    return ";".join(map(str, values)) if values else None
