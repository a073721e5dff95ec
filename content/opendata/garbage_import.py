"""Published garbage data into the store: a folder or some files of one city, all of them or nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sqlalchemy.orm import Session

from content.garbage import sources
from content.opendata import garbage_5374 as f5374
from content.opendata import garbage_house, garbage_items, garbage_json, garbage_sendai
from content.opendata.garbage_harvest import Harvest
from content.opendata.garbage_places import tie
from content.opendata.garbage_store import Store
from geo.municipality import MunicipalityError, five_digits
from geo.opendata.encoding import decodings
from geo.opendata.faults import OpenDataError, checked_licence, checked_source
from geo.opendata.report import Report
from geo.opendata.sheet import csv_rows, header_key
from geo.opendata.turn import take_turn
from geo.sites import bump_revision

Given = ParamSpec("Given")
Result = TypeVar("Result")
REVISION = "garbage"
Files = Mapping[str, bytes]  # by name, without folders

_FORMATS = {
    "5374": "5374（ゴミナシ）形式",
    "json-set": "JSONの組（境港市の形式）",
    "sendai": "仙台市の収集曜日一覧",
    "items": "分別の一覧",
    "house": "Yobikakeのごみデータ",
}


@dataclass(frozen=True, slots=True)
class GarbageOptions:
    """How to take data in. The defaults change nothing when anything at all is refused."""

    source: str | None = None  # under which to keep it; needed where the folder's name is no key
    licence: str | None = None
    as_of: dt.date | None = None
    municipality: str | None = None  # whose towns are meant, for tying areas to named areas
    effective_from: dt.date | None = None  # the stored rules hold until the day before
    skip_refused: bool = False
    complete_for: str | None = None  # areas, exceptions and items of this source that are absent are withdrawn
    dry_run: bool = False


def import_garbage(
    session: Session, files: Files, now: dt.datetime, options: GarbageOptions | None = None, *, name: str = ""
) -> dict[str, Report]:
    """Reads the files of one city and brings the store to what they say, in the caller's transaction.

    `name`: of the folder, the source where neither the options nor a file of ours says one. A report for each file
    that was read; together they are applied or not. Idempotent; what a file does not state stays as stored. Raises
    `OpenDataError` for files that cannot be used at all.
    """
    options = options or GarbageOptions()
    checked_licence(options.licence)
    if options.municipality is not None:
        try:
            five_digits(options.municipality)
        except MunicipalityError as error:
            raise OpenDataError(error.code, str(error)) from error
    given = checked_source(options.source)
    harvest, reports = read(files)
    origin = harvest.origin
    source = given or (origin.source if origin is not None else _source_of(name))
    if options.complete_for not in (None, source):
        raise OpenDataError("not_in_file", f"complete-for はこのデータの出典「{source}」にだけ使えます")
    if not options.dry_run:
        take_turn(session)
    for report in reports.values():
        report.dry_run, report.sources = options.dry_run, [source]
    tie(session, harvest.areas, options.municipality)
    refused = sum(report.refused_rows for report in reports.values())
    complete = options.complete_for is not None
    if complete and refused:
        next(iter(reports.values())).warn(None, "nothing_withdrawn", "拒否した行があるため、取り下げは行いません")
        complete = False
    store = Store(session, source, now, options.effective_from, complete)
    store.compare(harvest)
    why_not = None
    if refused and not options.skip_refused:
        why_not = f"拒否した行が{refused:,}件あるため、何も変えません"
    for report in reports.values():
        report.why_not = why_not
        report.applied = why_not is None and not options.dry_run
    if why_not is None and not options.dry_run:
        settle(
            store,
            any(report.writes for report in reports.values()),
            licence=options.licence or (origin.licence if origin is not None else None),
            as_of=options.as_of or (origin.as_of if origin is not None else None),
        )
    return reports


def settle(store: Store, wrote: bool, *, licence: str | None = None, as_of: dt.date | None = None) -> None:
    """Writes what was compared. A changed calendar gets a new version: reminders that it proves wrong are corrected.

    `wrote`: whether anything else was counted as written.
    """
    session, now = store.session, store.now
    store.write()
    changed = store.schedule_changed
    sources.put(session, store.source, now, schedule_changed=changed, licence=licence, as_of=as_of)
    if changed or wrote:
        bump_revision(session, REVISION, now)


def read(files: Files) -> tuple[Harvest, dict[str, Report]]:
    """What these files say, and a report on each; nothing of the store is needed. Raises `OpenDataError`."""
    harvest, reports = Harvest(), dict[str, Report]()
    lower = {name.casefold(): name for name in files}
    if garbage_json.is_set(set(files)):
        tables = {}
        for name in (one for one in garbage_json.READ if one in files):
            reports[name] = _report("json-set")
            tables[name] = _within(name, garbage_json.elements, files[name], reports[name])
        garbage_json.read_set(tables, reports, harvest)
        return harvest, reports
    if "routinedetail.json" in lower or "area.json" in lower:
        raise garbage_json.missing(set(files))
    kinds = {name: _within(name, _kind, name, files[name]) for name in files}
    remarks: dict[str, str] = {}
    for name in sorted(kinds, key=lambda name: list(_READERS).index(kinds[name])):
        data, report = files[name], _report(kinds[name])
        reports[name] = report
        match kinds[name]:
            case "empty":
                report.warn(None, "empty", "空のファイルです")
            case "remarks.csv":
                remarks = _within(name, f5374.read_remarks, data, report)
            case "areas":
                _within(name, f5374.read_areas, data, remarks, harvest, report)
            case "house":
                encoding, text = next(iter(decodings(data)))
                report.encoding = encoding
                _within(name, garbage_house.read_house, text, harvest, report)
            case kind:
                _within(name, _READERS[kind], data, harvest, report)
    return harvest, reports


def _items(data: bytes, harvest: Harvest, report: Report) -> None:
    garbage_items.read_items(data, harvest, report, headless=True)


# In this order: categories stand before areas, areas before the closures of their centres, items last.
_READERS: dict[str, Callable[..., None]] = {
    "empty": lambda *_: None,
    "remarks.csv": lambda *_: None,
    "description.csv": f5374.read_descriptions,
    "areas": lambda *_: None,
    "sendai": garbage_sendai.read_table,
    "house": lambda *_: None,
    "center.csv": f5374.read_centres,
    "items": _items,
}


def _kind(name: str, data: bytes) -> str:
    """Which reader a file needs: by its content, and by its name where the format has nothing else."""
    own = name.casefold()
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        if own in ("center.csv", "remarks.csv"):
            return "empty"
        raise OpenDataError("empty", "ファイルが空です")
    for _, text in decodings(data):
        if text.lstrip("\ufeff \t\r\n")[:1] in "{[":
            if garbage_house.is_house(text):
                return "house"
            raise OpenDataError("unknown_format", "知られているJSONではありません")
        for _, cells in csv_rows(text):
            if not any(cell.strip() for cell in cells):
                continue
            keys = [header_key(cell) for cell in cells]
            if f5374.is_areas(keys):
                return "areas"
            if garbage_sendai.is_table(keys):
                return "sendai"
            if own in ("center.csv", "remarks.csv", "description.csv"):
                return own
            if garbage_items.is_items(keys) or own == "target.csv":
                return "items"
            break
    raise OpenDataError("unknown_format", "ごみのデータとして知られている形式ではありません")


def _within(name: str, step: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """The step's result; a fault is told with the file it is in."""
    try:
        return step(*given, **named)
    except OpenDataError as error:
        raise OpenDataError(error.code, f"{name}: {error.message}", line=error.line) from error


def _report(kind: str) -> Report:
    form = kind if kind in _FORMATS else "5374"
    return Report(f"garbage-{form}", _FORMATS[form], "")


def _source_of(name: str) -> str:
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.casefold()).strip("-._")
    if not plain:
        raise OpenDataError("needs_source", "出典のキー（source）を指定してください")
    return plain[:64]
