"""Our own JSON of garbage data, in which everything can be said: see docs/garbage.md."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from content.garbage import cautions
from content.garbage.pattern import Pattern, PatternError
from content.opendata import garbage_cell
from content.opendata.garbage_harvest import (
    AreaRow,
    CategoryRow,
    ChangeRow,
    Harvest,
    ItemRow,
    Origin,
    OverlayRow,
    RuleRow,
    digest,
    label,
)
from content.opendata.json_rows import JsonText
from content.opendata.place_names import key_of, town_and_block
from geo.opendata.faults import CellFault, OpenDataError, checked_licence, checked_source
from geo.opendata.report import Report

FORMAT = "yobikake-garbage"
_RULE = {"category", "days", "first", "last", "on_holidays", "overlay", "reason", "note"}
_PATTERN = {"weekdays", "nths", "months", "every", "base", "dates"}
_FIELDS = {
    "categories": {"key", "names", "bag", "limits", "how", "note", "cutoff", "colour", "link"},
    "areas": {
        "key", "ward", "town", "block", "name", "names", "reading", "centre", "note", "contact", "rules", "areas",
        "postcodes",
    },
    "changes": {
        "key", "kind", "first", "last", "to", "centre", "area", "category", "lost_nth", "new_nth", "reason",
    },
    "overlays": {"key", *_RULE, *_PATTERN} - {"overlay"},
    "items": {
        "key", "names", "category", "reading", "aliases", "notes", "size_rule", "cautions", "link", "sort_key",
    },
}  # fmt: skip
_TEXTS = {"names", "bag", "limits", "how", "note", "reason", "notes", "size_rule"}
_CUTOFF, _COLOUR = re.compile("^([01][0-9]|2[0-3]):[0-5][0-9]$"), re.compile("^#[0-9a-fA-F]{6}$")
One = Mapping[str, Any]


def is_house(text: str) -> bool:
    """Whether a JSON text says that it is ours."""
    return re.match(r'\s*\{\s*"format"\s*:\s*"' + FORMAT + '"', text.removeprefix("\ufeff")) is not None


def read_house(text: str, harvest: Harvest, report: Report) -> None:
    """Every part of the document; an element with a fault is refused whole, with its line and the field."""
    members = JsonText(text).members()
    unknown = set(members) - {"format", "source", *_FIELDS}
    if unknown:
        raise OpenDataError("unknown_format", f"知らない項目です: {min(unknown)}", line=members[min(unknown)][0])
    if "source" in members:
        harvest.origin = _origin(*members["source"])
    for part, reader in _readers().items():
        line, found = members.get(part, (0, []))
        if not isinstance(found, list):
            raise OpenDataError("not_json", f"{part}は一覧ではありません", line=line)
        for at, one in found:
            _take(part, reader, at, one, harvest, report)


def read_parts(parts: Mapping[str, Sequence[One]], harvest: Harvest, report: Report) -> None:
    """Elements as an export writes them; one with a fault is refused under its place in its list, from 0."""
    for part, reader in _readers().items():
        for at, one in enumerate(parts.get(part, ())):
            _take(part, reader, at, one, harvest, report)


def _readers() -> dict[str, Callable[[int, One, Harvest, Report], None]]:
    return {"categories": _category, "areas": _area, "overlays": _overlay, "changes": _change, "items": _item}


def _take(part: str, reader: Callable[..., None], at: int, one: Any, harvest: Harvest, report: Report) -> None:
    report.read += 1
    try:
        reader(at, _checked(part, one), harvest, report)
    except (CellFault, PatternError) as fault:
        report.refuse(at, part, None, fault.code, str(fault))
        report.refused_rows += 1


def _checked(part: str, one: Any) -> One:
    if not isinstance(one, dict):
        raise CellFault("not_an_object", "項目の組ではありません")
    unknown = set(one) - _FIELDS[part]
    if unknown:
        raise CellFault("unknown_field", f"知らない項目です: {min(unknown)}")
    for name, value in one.items():
        if name in _TEXTS and not (isinstance(value, dict) and all(isinstance(text, str) for text in value.values())):
            raise CellFault("not_texts", f"{name}は言語ごとの文の組にしてください")
    return one


def _category(_line: int, one: One, harvest: Harvest, report: Report) -> None:
    key = label(_text(one, "key", needed=True))
    if not one.get("names", {}).get("ja"):
        raise CellFault("missing", "names に ja がありません")
    row = CategoryRow(key, report)
    for name in ("names", "bag", "limits", "how", "note"):
        if name in one:
            setattr(row, name, _said(one[name]))
    # Stated as empty, it is taken away; left out, it stays as stored.
    row.cutoff, row.colour, row.link = (_text(one, n) if n in one else None for n in ("cutoff", "colour", "link"))
    if row.cutoff and not _CUTOFF.match(row.cutoff):
        raise CellFault("not_a_time", f"cutoff は 08:30 のように書いてください: {row.cutoff[:10]}")
    if row.colour and not _COLOUR.match(row.colour):
        raise CellFault("not_a_colour", f"colour は #rrggbb と書いてください: {row.colour[:10]}")
    if row.link and not row.link.startswith("https://"):
        raise CellFault("not_a_link", "link は https:// で始めてください")
    if key in harvest.categories:
        raise CellFault("duplicate_id", f"区分「{key}」がもうあります")
    harvest.categories[key] = row


def _rule(one: One, harvest: Harvest, *, overlay: bool) -> list[RuleRow]:
    category = label(_text(one, "category", needed=True))
    if category not in harvest.categories:
        raise CellFault("unknown_category", f"区分「{category}」が categories にありません")
    unknown = set(one) - _RULE - _PATTERN - {"key"}
    if unknown:
        raise CellFault("unknown_field", f"知らない項目です: {min(unknown)}")
    pattern = {name: one[name] for name in _PATTERN if name in one}
    if "days" in one and pattern:
        raise CellFault("not_a_pattern", "days とほかの曜日の項目は一緒に書けません")
    patterns = garbage_cell.read(_text(one, "days")).patterns if "days" in one else [Pattern.from_json(pattern)]
    first, last = _date(one, "first"), _date(one, "last")
    if first is not None and last is not None and first > last:
        raise CellFault("not_a_span", "first が last より後です")
    if overlay and (first is None or last is None):
        raise CellFault("not_a_span", "臨時の規則には first と last の両方が必要です")
    holidays = one.get("on_holidays", True)
    if type(holidays) is not bool:
        raise CellFault("not_a_flag", "on_holidays は true か false です")
    words = _said(one.get("reason", {})), _said(one.get("note", {}))
    return [RuleRow(category, each, first, last, holidays, overlay, *words) for each in patterns]


def _area(line: int, one: One, harvest: Harvest, report: Report) -> None:
    ward, town, block = (_text(one, name) for name in ("ward", "town", "block"))
    name = _text(one, "name") or f"{town}{block}"
    if not name:
        raise CellFault("missing", "town も name もありません")
    if not town:
        town, block = town_and_block(name)
    key = label(_text(one, "key")) or key_of(ward, name)
    _once(harvest, "areas", key, f"地区「{key}」がもうあります")
    row = AreaRow(line, report, key, name, town, block, ward)
    row.names = _said(one.get("names", {}))
    row.reading, row.centre = _text(one, "reading"), label(_text(one, "centre")) or None
    row.note = _said(one.get("note", {}))
    contact = one.get("contact", {})
    if not isinstance(contact, dict) or not all(isinstance(value, str) for value in contact.values()):
        raise CellFault("not_texts", "contact は name, phone, url の組にしてください")
    row.contact = {name: contact[name] for name in ("name", "phone", "url") if contact.get(name)}
    row.codes, row.postcodes = set(_list(one, "areas")), set(_list(one, "postcodes"))
    for rule in one.get("rules", []):
        if not isinstance(rule, dict):
            raise CellFault("not_an_object", "rules は規則の一覧にしてください")
        row.rules += _rule(rule, harvest, overlay=rule.get("overlay", False) is True)
    harvest.areas.append(row)


def _overlay(_line: int, one: One, harvest: Harvest, report: Report) -> None:
    key = label(_text(one, "key", needed=True))
    for number, rule in enumerate(_rule(one, harvest, overlay=True)):
        harvest.overlays.append(OverlayRow(report, f"{key}#{number}" if number else key, rule))


def _change(line: int, one: One, harvest: Harvest, report: Report) -> None:
    kind, key = _text(one, "kind", needed=True), label(_text(one, "key"))
    first, last, to = _date(one, "first"), _date(one, "last"), _date(one, "to")
    if kind not in ("closed", "moved", "added"):
        raise CellFault("unknown_kind", f"kind は closed, moved, added のどれかです: {kind[:20]}")
    if first is None:
        raise CellFault("missing", "first がありません")
    last = last or first
    if not first <= last or (last - first).days > 366 or (kind != "closed" and last != first):
        raise CellFault("not_a_span", "期間が逆か長すぎます（moved と added は一日です）")
    if (kind == "moved") != (to is not None):
        raise CellFault("missing", "to は moved にだけ、必ず書いてください")
    category, centre, area = (label(_text(one, name)) or None for name in ("category", "centre", "area"))
    if category is not None and category not in harvest.categories:
        raise CellFault("unknown_category", f"区分「{category}」が categories にありません")
    if kind == "added" and category is None:
        raise CellFault("missing", "added には category が必要です")
    nths = one.get("lost_nth"), one.get("new_nth")
    if (nths[0] is None) != (nths[1] is None) or any(n is not None and n not in (1, 2, 3, 4, 5) for n in nths):
        raise CellFault("not_an_occurrence", "lost_nth と new_nth は1～5で、両方を書いてください")
    if nths[0] is not None and kind != "closed":
        raise CellFault("not_an_occurrence", "lost_nth は closed にだけ書けます")
    key = key or digest([kind, first, last, to, category, centre, area])[:12]
    _once(harvest, "changes", key, f"例外「{key}」がもうあります")
    reason = _said(one.get("reason", {}))
    row = ChangeRow(line, report, key, kind, first, last, to, centre, area, category, *nths, reason)
    harvest.changes.append(row)


def _item(_line: int, one: One, harvest: Harvest, report: Report) -> None:
    names = _said(one.get("names", {}))
    if not names.get("ja"):
        raise CellFault("missing", "names に ja がありません")
    category = label(_text(one, "category")) or None
    if category is not None and category not in harvest.categories:
        raise CellFault("unknown_category", f"区分「{category}」が categories にありません")
    marked = _list(one, "cautions") if "cautions" in one else None
    if strange := set(marked or ()) - set(cautions.codes()):
        raise CellFault("unknown_caution", f"知らない注意です: {min(strange)}")
    key = _text(one, "key") or f"{label(names['ja'])}|{category or ''}"
    _once(harvest, "items", key, f"「{names['ja']}」がもうあります")
    row = ItemRow(report, key, names, category, _text(one, "reading"), "", _list(one, "aliases"))
    row.notes, row.size_rule = _said(one.get("notes", {})), _said(one.get("size_rule", {}))
    row.cautions, row.link = marked, _text(one, "link") or None
    row.sort_key = _text(one, "sort_key") or None
    harvest.items.append(row)


def _once(harvest: Harvest, part: str, key: str, reason: str) -> None:
    if (part, key) in harvest.keys:
        raise CellFault("duplicate_id", reason)
    harvest.keys.add((part, key))


def _origin(line: int, raw: Any) -> Origin:
    """Whose data they are, as an export says it. Raises `OpenDataError`."""
    if not isinstance(raw, dict) or set(raw) - {"key", "licence", "as_of"}:
        raise OpenDataError("unknown_format", "source は key、licence、as_of の組です", line=line)
    try:
        key, licence = _text(raw, "key", needed=True), _text(raw, "licence") or None
        return Origin(str(checked_source(key)), checked_licence(licence), _date(raw, "as_of"))
    except CellFault as fault:
        raise OpenDataError(fault.code, f"source: {fault}", line=line) from fault


def _said(raw: Mapping[str, str]) -> dict[str, str]:
    """Texts by language exactly as written, so that an export reads back the same; empty ones are left out."""
    return {tag: text.replace("\0", "") for tag, text in raw.items() if text.strip()}


def _text(one: One, name: str, *, needed: bool = False) -> str:
    value = one.get(name, "")
    if not isinstance(value, str) or "\0" in value or len(value) > 2_000:
        raise CellFault("not_text", f"{name}は文字列にしてください")
    if needed and not value.strip():
        raise CellFault("missing", f"{name}がありません")
    return str(value).strip()


def _list(one: One, name: str) -> list[str]:
    value = one.get(name, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and "\0" not in text for text in value):
        raise CellFault("not_a_list", f"{name}は文字列の一覧にしてください")
    return list(value)


def _date(one: One, name: str) -> dt.date | None:
    return garbage_cell.date_of(text) if (text := _text(one, name)) else None
