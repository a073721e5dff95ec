"""The published lists come in with counted refusals, and each accepted cell's year is what it says read by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from content.garbage import areas, categories, rules
from content.opendata.garbage_import import GarbageOptions, import_garbage
from geo.opendata.report import Report

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
WEEK = "月火水木金土日"
# folder: (areas read, areas taken, refused as (line, code)), (items read, refused)
FOLDERS = {
    "ayabe": ((167, 167, []), (1333, 0)),
    "chigasaki": ((8, 8, []), (1037, 8)),
    "fukuchiyama": ((326, 326, []), (180, 0)),
    "hakodate": ((16, 15, [(15, "not_a_day")]), (1251, 0)),
    "ichikawa": ((78, 78, []), (790, 0)),
    "kamagaya": ((64, 64, []), (832, 0)),
    "kanazawa_template": ((1, 1, []), (4, 0)),
    "matsudo": ((70, 70, []), (858, 1)),
    "shizuoka_shimizu": ((265, 265, []), (560, 0)),
}


def take(session: Session, folder: Path, **options: object) -> dict[str, Report]:
    files = {one.name: one.read_bytes() for one in folder.iterdir() if one.suffix in (".csv", ".json")}
    return import_garbage(session, files, NOW, GarbageOptions(source="city", **options))  # type: ignore[arg-type]


@cache
def words(cell: str) -> list[list[tuple[list[str], list[int] | None]]]:
    """The groups of a cell as runs of days with the months behind them."""
    groups = []
    for group in cell.split(";"):
        runs: list[tuple[list[str], list[int] | None]] = [([], None)]
        for word in re.findall(r"[^\s:]+|:", group):
            names, months = runs[-1]
            if word == ":":
                runs[-1] = (names, [])
            elif re.fullmatch("[0-9]{1,2}", word):
                assert months is not None
                months.append(int(word))
            elif word.startswith("*"):
                continue
            elif months is not None:
                runs.append(([word], None))
            else:
                names.append(word)
        groups.append(runs)
    return groups


def said(cell: str, day: dt.date) -> bool:
    """A cell read by hand, word by word, for one day: nothing of the house's reader is used."""
    nth = len([one for one in range(1, day.day + 1) if day.replace(day=one).weekday() == day.weekday()])
    for runs in words(cell):
        for names, months in runs:
            mixed = any(len(name) == 1 for name in names) and any(re.fullmatch(".[1-5]", name) for name in names)
            for name in names:
                bound = months is not None and not (mixed and len(name) == 1)
                if bound and day.month not in (months or []):
                    continue
                if name == day.strftime("%Y%m%d") or name == WEEK[day.weekday()]:
                    return True
                if name == f"{WEEK[day.weekday()]}{nth}":
                    return True
    return False


def begin(text: str) -> dt.date:
    """The first day of the twelve months looked at: the first date of the list, or the first of December 2026."""
    found = re.search(r"20[0-9]{6}", text)
    return dt.datetime.strptime(found[0], "%Y%m%d").date().replace(day=1) if found else dt.date(2026, 12, 1)  # noqa: DTZ007


def closures(folder: Path) -> dict[str, list[tuple[dt.date, dt.date]]]:
    """center.csv read by hand."""
    found: dict[str, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    rows = list(csv.reader(io.StringIO((folder / "center.csv").read_text("utf-8-sig"))))
    single = "休止日" in rows[0]
    for row in rows[1:]:
        days = [dt.date(*map(int, cell.split("/"))) for cell in row[1:] if cell]
        spans = [(day, day) for day in days] if single else [(days[0], days[1])]
        found[unicodedata.normalize("NFKC", row[0])] += spans
    return found


# What a cell means does not depend on the store: one folder, the one with a refused row, shows that on PostgreSQL.
@pytest.mark.parametrize(
    ("store", "name"), [*(("sqlite", name) for name in FOLDERS), ("postgresql", "hakodate")], indirect=["store"]
)
def test_a_folder_of_5374_comes_in_and_every_cell_s_year_is_what_it_says(
    session: Session, shared_data: Path, name: str
) -> None:
    folder = shared_data / "garbage_5374" / name
    (read, taken, refused), (items, refused_items) = FOLDERS[name]
    strict = take(session, folder)
    assert all(one.applied == (not refused and not refused_items) for one in strict.values())
    reports = take(session, folder, skip_refused=True)
    days, target = reports["area_days.csv"], reports["target.csv"]
    assert (days.read, days.added + days.unchanged, days.refused_rows) == (read, taken, read - taken)
    assert [(one.line, one.code) for one in days.refused] == refused
    assert (target.read, target.refused_rows) == (items, refused_items)
    assert all(one.writes == 0 for one in take(session, folder, skip_refused=True).values())
    if session.get_bind().dialect.name == "postgresql":
        return  # reckoning knows no store

    text = (folder / "area_days.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    header, first = rows[0], begin(text)
    span = [first + dt.timedelta(days=offset) for offset in range(365)]
    shut, notes = closures(folder), remarks(folder)
    present = areas.present(session, "city")
    own = rules.of_areas(session, present)
    names = {one.id: one.key for one in categories.listed(session, "city")}
    stored = {unicodedata.normalize("NFKC", f"{one.ward}-{one.name}" if one.ward else one.name): one for one in present}
    expected: dict[tuple[str, str], tuple[dt.date, ...]] = {}
    compared = 0
    alike: dict[tuple[str, ...], object] = {}
    for row in rows[1:]:
        area = stored.get(unicodedata.normalize("NFKC", row[0].strip()))
        if area is None:
            continue
        # Rows of the same cells must have the same rules; one of them is reckoned through.
        held_to = own[area.id].rules, {(one.first, one.last, one.category) for one in own[area.id].changes}
        if tuple(row[1:]) in alike:
            assert held_to == alike[tuple(row[1:])], row[0]
            compared += len([kind for kind in header[2:] if kind.strip()])
            continue
        alike[tuple(row[1:])] = held_to
        closed = shut.get(unicodedata.normalize("NFKC", row[1]), [])
        found: dict[str, list[dt.date]] = defaultdict(list)
        for one in own[area.id].plan(span[0], span[-1]).collections:
            found[names[one.category]].append(one.day)
        for kind, cell in zip(header[2:], row[2:], strict=True):
            if not kind.strip():
                continue
            free = {day for mark in re.findall(r"\*(\w+)", cell) for day in notes.get(mark, ())}
            key = (cell, row[1])
            if key not in expected:
                plain = unicodedata.normalize("NFKC", cell)
                held = (day for day in span if said(plain, day) and not any(a <= day <= b for a, b in closed))
                expected[key] = tuple(day for day in held if day not in free)
            assert tuple(found[" ".join(unicodedata.normalize("NFKC", kind).split())]) == expected[key], (row[0], kind)
            compared += 1
    assert compared == taken * len([kind for kind in header[2:] if kind.strip()])


def remarks(folder: Path) -> dict[str, set[dt.date]]:
    """Days without a collection that remarks.csv names, by the remark's id, read by hand."""
    found: dict[str, set[dt.date]] = {}
    file = folder / "remarks.csv"
    for row in csv.reader(io.StringIO(file.read_text("utf-8-sig"))) if file.exists() else ():
        if len(row) > 1 and row[1].startswith("収集がない日"):
            found[row[0]] = {dt.date(*map(int, day.split("/"))) for day in row[1].split()[1:]}
    return found


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_the_json_set_comes_in_and_every_routine_s_year_is_what_it_says(session: Session, shared_data: Path) -> None:
    folder = shared_data / "garbage_json" / "sakaiminato"
    strict = take(session, folder)
    assert [(one.line, one.code) for one in strict["area.json"].refused] == [
        (97, "unknown_routine"), (98, "unknown_routine"),
    ]  # fmt: skip
    assert not any(one.applied for one in strict.values())
    reports = take(session, folder, skip_refused=True)
    assert (reports["area.json"].read, reports["area.json"].added) == (152, 120)
    assert sum(one.code == "heading" for one in reports["area.json"].warnings) == 30
    assert (reports["garbage.json"].read, reports["garbage.json"].added) == (1247, 1247)

    def table(name: str) -> list[dict[str, object]]:
        return list(json.loads((folder / f"{name}.json").read_text("utf-8")))

    details = defaultdict(list)
    for one in table("routineDetail"):
        details[one["routineId"]].append(one)
    kinds = {
        one["routineClassificationId"]: one["routineClassificationName"]
        for one in table("routineClassificationName")
        if one["languageId"] == 0
    }
    labels = {one["areaId"]: one["areaName"] for one in table("areaName") if one["languageId"] == 0}
    present = {one.name: one for one in areas.present(session, "city")}
    own = rules.of_areas(session, list(present.values()))
    names = {one.id: one.key for one in categories.listed(session, "city")}
    first, compared = dt.date(2022, 9, 1), 0
    alike: dict[object, object] = {}
    for place in table("area"):
        area = present.get(str(labels[place["id"]]))
        if area is None or place["routineId"] not in details:
            continue
        compared += 1
        if place["routineId"] in alike or session.get_bind().dialect.name == "postgresql":
            assert own[area.id].rules == alike.setdefault(place["routineId"], own[area.id].rules)
            continue
        alike[place["routineId"]] = own[area.id].rules
        expected = set()
        for offset in range(365):  # the garbage year 2023: September 2022 to August 2023
            day = first + dt.timedelta(days=offset)
            week, name = f"week{(day.day + 6) // 7}", f"day{day:%a}"
            for one in details[place["routineId"]]:
                if one[f"month{day.month}"] and one[week] and one[name]:
                    expected.add((day, kinds[one["routineClassificationId"]]))
        last = first + dt.timedelta(days=364)
        found = {(one.day, names[one.category]) for one in own[area.id].plan(first, last).collections}
        assert found == expected, labels[place["id"]]
    assert compared == 120


def test_sendai_s_table_comes_in_whole_and_its_blocks_stay_apart(session: Session, shared_data: Path) -> None:
    data = (shared_data / "garbage_sendai" / "sendai_schedule_sample.csv").read_bytes()
    report = import_garbage(session, {"sendai.csv": data}, NOW, GarbageOptions(source="sendai"))["sendai.csv"]
    assert (report.format, report.read, report.added, report.refused_rows) == ("garbage-sendai", 22, 22, 0)
    rows = {(row["区"], row["町名"]): row for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))}
    names = {one.id: one.key for one in categories.listed(session, "sendai")}
    for area in areas.present(session, "sendai"):
        row = rows[area.ward, area.name]
        found = defaultdict(list)
        for one in rules.of_area(session, area).plan(dt.date(2016, 11, 1), dt.date(2016, 11, 30)).collections:
            found[names[one.category]].append(one.day)
        for kind, days in found.items():
            cell = unicodedata.normalize("NFKC", row[kind])
            marks = {int(mark) for mark in re.findall("[1-5]", cell)} or {1, 2, 3, 4, 5}
            month = (dt.date(2016, 11, day) for day in range(1, 31))
            assert days == [day for day in month if WEEK[day.weekday()] in cell and (day.day + 6) // 7 in marks]
    blocks = [area.block for area in areas.present(session, "sendai") if area.town == "旭ケ丘"]
    assert len(blocks) == 5
    assert blocks[-1] == "（上記以外）"
