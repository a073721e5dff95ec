"""Sets of JSON files as Sakaiminato publishes them: areas, routines of a garbage year, items in three languages."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from content import calendar
from content.garbage.pattern import Pattern
from content.opendata.garbage_harvest import AreaRow, ChangeRow, Harvest, ItemRow, RuleRow, digest, label, tidy
from content.opendata.json_rows import Element, JsonText
from content.opendata.place_names import key_of, town_and_block
from geo.opendata.encoding import decodings
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report

NEEDED = ("area.json", "areaName.json", "routineDetail.json", "routineClassificationName.json")
# Of the rest only what residents need is read; the other files are pictures and words of the app itself.
ITEMS = ("garbage.json", "garbageName.json", "classificationName.json")
READ = (*NEEDED, *ITEMS, "center.json", "centerName.json", "language.json")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LANGUAGES = (("日本語", "ja"), ("english", "en"), ("tiếng việt", "vi"), ("中文", "zh-Hans"), ("한국", "ko"))
Tables = Mapping[str, list[Element]]


def is_set(names: set[str]) -> bool:
    """Whether a folder holds such a set."""
    return set(NEEDED) <= names


def elements(data: bytes, report: Report) -> list[Element]:
    """The objects of one file with their lines; others are refused."""
    encoding, text = next(iter(decodings(data)))
    report.encoding = encoding
    found: list[Element] = []
    for line, value in JsonText(text).elements():
        report.read += 1
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            found.append((line, value))
        else:
            _refuse(report, line, None, value, "not_an_object", "項目の組ではありません")
    return found


def read_set(tables: Tables, reports: Mapping[str, Report], harvest: Harvest) -> None:
    """Everything of a set whose files were read by `elements`."""
    languages = _languages(tables)
    categories = _named(tables, "routineClassificationName.json", "routineClassificationId", languages)
    report = reports["routineClassificationName.json"]
    keys: dict[int, str] = {}
    for number, names in categories.items():
        keys[number] = label(names.get("ja") or next(iter(names.values())))
        category = harvest.category(keys[number], report)
        category.names, category.counted = names, True
    rules, stops = _rules(tables["routineDetail.json"], keys, reports["routineDetail.json"])
    _areas(tables, reports, languages, rules, stops, harvest)
    if all(name in tables for name in ITEMS):
        _items(tables, reports, languages, harvest)


def _languages(tables: Tables) -> dict[int, str]:
    found: dict[int, str] = {}
    for _, one in tables.get("language.json", []):
        name = str(one.get("languageName", "")).casefold()
        tag = next((tag for mark, tag in _LANGUAGES if mark in name), None)
        if tag is not None and isinstance(one.get("id"), int):
            found[one["id"]] = tag
    return found or {0: "ja", 1: "en"}


def _named(
    tables: Tables, file: str, key: str, languages: Mapping[int, str], field: str | None = None
) -> dict[int, dict[str, str]]:
    """{id: {language: text}} of a file of names."""
    field = field or file.removesuffix(".json")
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for _, one in tables.get(file, []):
        tag, text = languages.get(one.get("languageId", -1)), one.get(field)
        if tag is not None and isinstance(one.get(key), int) and isinstance(text, str) and tidy(text):
            found[one[key]][tag] = tidy(text)
    return dict(found)


def _rules(
    details: list[Element], keys: Mapping[int, str], report: Report
) -> tuple[dict[int, list[RuleRow]], dict[int, list[tuple[str, dt.date]]]]:
    """Rules by routine, and the days on which an irregular row calls one off."""
    same: dict[tuple[int, str, int, tuple[int, ...], int], set[int]] = defaultdict(set)
    stops: dict[int, list[tuple[str, dt.date]]] = defaultdict(list)
    for line, one in details:
        try:
            routine, category, year = one["routineId"], keys[one["routineClassificationId"]], one["year"]
            months = tuple(month for month in range(1, 13) if _flag(one, f"month{month}"))
            marks = {week: _flag(one, f"week{week}") for week in range(1, 7) if _flag(one, f"week{week}")}
            days = {at: _flag(one, f"day{name}") for at, name in enumerate(_DAYS) if _flag(one, f"day{name}")}
        except (KeyError, TypeError, ValueError) as error:
            _refuse(report, line, None, one, "not_a_routine", f"項目が足りないか、値が正しくありません（{error}）")
            continue
        if type(routine) is not int or type(year) is not int or not 1990 <= year <= 2100:
            _refuse(report, line, "year", year, "not_a_year", "年度が正しくありません")
            continue
        report.unchanged += 1
        for weekday, kind in days.items():
            nths = {week for week, mark in marks.items() if mark == kind and week <= 5}
            if kind == 1:
                same[(routine, category, year, months, weekday)] |= nths
                continue
            for month in months:  # 2: called off
                found = (calendar.nth_weekday(_year_of(year, month), month, weekday, nth) for nth in nths)
                stops[routine] += [(category, day) for day in found if day is not None]
    rules: dict[int, list[RuleRow]] = defaultdict(list)
    for (routine, category, year, months, weekday), nths in sorted(same.items()):
        if not nths or not months:
            continue
        whole = () if nths >= {1, 2, 3, 4, 5} else tuple(nths)
        pattern = Pattern(weekdays=(weekday,), nths=whole, months=() if len(months) == 12 else months)
        # A garbage year runs from September to August and is named after the year in which it ends.
        rules[routine].append(RuleRow(category, pattern, dt.date(year - 1, 9, 1), dt.date(year, 8, 31)))
    return dict(rules), dict(stops)


def _flag(one: Mapping[str, Any], name: str) -> int:
    value = one[name]
    if type(value) is not int or value not in (0, 1, 2):
        raise ValueError(name)
    return value


def _year_of(year: int, month: int) -> int:
    return year - 1 if month >= 9 else year


def _areas(
    tables: Tables,
    reports: Mapping[str, Report],
    languages: Mapping[int, str],
    rules: Mapping[int, list[RuleRow]],
    stops: Mapping[int, list[tuple[str, dt.date]]],
    harvest: Harvest,
) -> None:
    report = reports["area.json"]
    names = _named(tables, "areaName.json", "areaId", languages)
    centres = _named(tables, "centerName.json", "centerId", languages)
    phones = {one.get("id"): one.get("phoneNum") for _, one in tables.get("center.json", [])}
    seen: set[str] = set()
    for line, one in sorted(tables["area.json"], key=lambda pair: (str(pair[1].get("sort", "")).zfill(9), pair[0])):
        named, routine = names.get(one.get("id", -1), {}), one.get("routineId")
        if "ja" not in named:
            _refuse(report, line, "id", one.get("id"), "missing", "地区の日本語の名前がありません")
            continue
        if routine not in rules:
            if one.get("areaDivision") == 1:
                report.warn(line, "heading", f"「{named['ja']}」は細分した地区の見出しです（収集日はその下にあります）")
            else:
                _refuse(report, line, "routineId", routine, "unknown_routine", "収集日のある routineId がありません")
            continue
        key = key_of("", named["ja"])
        if key in seen:
            _refuse(report, line, "areaName", named["ja"], "duplicate_id", "同じ名前の地区がもうあります")
            continue
        seen.add(key)
        kind = one.get("areaType")
        ja = named["ja"]
        if isinstance(kind, str) and kind not in ("", "-") and ja.endswith(kind):
            town, block = ja.removesuffix(kind).strip(), kind
        else:
            town, block = town_and_block(ja)
        centre = centres.get(one.get("centerId", -1), {}).get("ja")
        contact = {"name": centre, "phone": phones.get(one.get("centerId"))} if centre else {}
        row = AreaRow(line, report, key, ja, town, block, names={k: v for k, v in named.items() if k != "ja"})
        row.centre, row.contact = centre, {name: value for name, value in contact.items() if value}
        row.rules = list(rules[routine])
        harvest.areas.append(row)
        for category, day in stops.get(routine, []):
            own = f"stop:{key}:{category}:{day.isoformat()}"
            harvest.changes.append(
                ChangeRow(line, report, own, "closed", day, day, area=key, category=category, counted=False)
            )


def _items(tables: Tables, reports: Mapping[str, Report], languages: Mapping[int, str], harvest: Harvest) -> None:
    report = reports["garbage.json"]
    kinds = _named(tables, "classificationName.json", "classificationId", languages)
    names = _named(tables, "garbageName.json", "garbageId", languages)
    notes = _named(tables, "garbageName.json", "garbageId", languages, "notice")
    readings = _named(tables, "garbageName.json", "garbageId", languages, "searchWord")
    counts: dict[str, int] = {}
    for line, one in tables["garbage.json"]:
        own = one.get("id", -1)
        named, kind = names.get(own, {}), kinds.get(one.get("classificationId", -1), {})
        if "ja" not in named or "ja" not in kind:
            _refuse(report, line, "id", own, "missing", "品目か分別の日本語の名前がありません")
            continue
        category = label(kind["ja"])
        harvest.category(category, report).names = kind
        identity = f"{label(named['ja'])}|{category}"
        counts[identity] = counts.get(identity, 0) + 1
        if counts[identity] > 1:
            identity += f"|{digest([notes.get(own, {}), counts[identity]])[:8]}"
        reading = readings.get(own, {}).get("ja", "")
        harvest.items.append(ItemRow(report, identity, named, category, reading, notes=notes.get(own, {})))


def _refuse(report: Report, line: int, column: str | None, value: Any, code: str, reason: str) -> None:
    report.refuse(line, column, value, code, reason)
    report.refused_rows += 1


def missing(names: set[str]) -> OpenDataError:
    """The error for a set that lacks files."""
    lacking = "、".join(sorted(set(NEEDED) - names))
    return OpenDataError("incomplete_set", f"JSONの組に足りないファイルがあります: {lacking}")
