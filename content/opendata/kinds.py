"""The kinds of published files that can be taken in: one call for all, shared by every door."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from content.opendata.childcare_import import Options as ChildcareOptions
from content.opendata.childcare_import import import_childcare
from content.opendata.event_import import EventOptions, import_events
from content.opendata.garbage_import import GarbageOptions, import_garbage
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.faults import OpenDataError
from geo.opendata.postcode_import import import_postcodes
from geo.opendata.report import Report
from geo.opendata.site_import import ImportOptions, import_sites

Files = Mapping[str, bytes]  # by name, without folders
Take = Callable[[Session, bytes, dt.datetime, dict[str, Any]], Report]


@dataclass(frozen=True, slots=True)
class PostcodeOptions:
    """How to take a list of postcodes in."""

    skip_refused: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. `options` are the names that `take` understands beside `dry_run`."""

    key: str
    take_one: Take
    options: frozenset[str]
    several: bool = False  # files given together are one list


def _names(options: type[Any]) -> frozenset[str]:
    return frozenset(one.name for one in dataclasses.fields(options)) - {"dry_run"}


def _postcodes(session: Session, data: bytes, _now: dt.datetime, given: dict[str, Any]) -> Report:
    return import_postcodes(session, data, **given)


def _no_single_file(*_: Any) -> Report:
    raise NotImplementedError("garbage data are taken in together")


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("sites", lambda s, d, now, o: import_sites(s, d, now, ImportOptions(**o)), _names(ImportOptions)),
        Kind("areas", lambda s, d, now, o: import_areas(s, d, now, AreaOptions(**o)), _names(AreaOptions)),
        Kind("postcodes", _postcodes, _names(PostcodeOptions)),
        Kind("garbage", _no_single_file, _names(GarbageOptions), several=True),
        Kind(
            "childcare", lambda s, d, n, o: import_childcare(s, d, n, ChildcareOptions(**o)), _names(ChildcareOptions)
        ),
        Kind("events", lambda s, d, now, o: import_events(s, d, now, EventOptions(**o)), _names(EventOptions)),
    )
}


def take(
    session: Session,
    kind: str,
    files: Files,
    now: dt.datetime,
    options: Mapping[str, Any],
    *,
    dry_run: bool = False,
    name: str = "",
) -> dict[str, Report]:
    """Takes files of one kind in, in the caller's transaction: all of them or none. A report for each, by its name.

    `options` by the names that the kind has (KeyError: no such kind; TypeError: no such option); `name` is that of
    a folder of garbage data. Raises `OpenDataError` for what cannot be used at all.
    """
    chosen, given = KINDS[kind], {**options, "dry_run": dry_run}
    if chosen.several:
        return import_garbage(session, files, now, GarbageOptions(**given), name=name)
    if len(files) != 1:
        raise OpenDataError("one_file", "この種類のファイルは一つずつ取り込みます")
    return {file: chosen.take_one(session, data, now, given) for file, data in files.items()}


def guess(session: Session, files: Files, now: dt.datetime, *, besides: str) -> str | None:
    """The other kind that reads these files; None when none does. Changes nothing."""
    for key in KINDS:
        if key != besides:
            try:
                take(session, key, files, now, {"source": "guess"} if key == "garbage" else {}, dry_run=True)
            except OpenDataError as error:
                # An option is missing, but the form is known.
                if error.code in ("needs_parent", "needs_code", "needs_source"):
                    return key
                continue
            return key
    return None
