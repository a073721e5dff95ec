"""The journal's page: who did what and when; searched, exported, its chain verified."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling
from backend.config import settings
from backend.console import table
from backend.console.door import page
from backend.console.language import local, mark
from backend.transaction import session
from content import journal
from content.journal import Entry, Verdict

PAGE = 50
MOST_EXPORTED = 100_000
_HASH = re.compile("[0-9a-f]{40,}")
SEARCHED = ("text", "who", "action", "subject", "since", "until")
_COLUMNS = (
    mark("番号"), mark("日時"), mark("人"), mark("入口"), mark("操作"), mark("対象"), mark("詳細"), mark("ハッシュ"),
)  # fmt: skip


@page("/journal", "journal")
def journal_page() -> ResponseReturnValue:
    """Newest first, a page at a time."""
    wanted = _wanted(request.args)
    before = request.args.get("before", "")
    found = journal.search(session(), **wanted, before=int(before) if _number(before) else None, most=PAGE + 1)
    older = None
    if len(found) > PAGE:
        said: dict[str, Any] = {name: request.args.get(name, "") for name in SEARCHED}
        older = url_for("console.journal_page", **said, before=found[PAGE - 1].number)
    return _show(found[:PAGE], older=older)


@page("/journal/export", "journal", post=True)
def export_journal() -> ResponseReturnValue:
    """Everything that was searched for, as CSV."""
    found = journal.search(session(), **_wanted(request.form), most=MOST_EXPORTED)
    journaling.note(action="journal.export", rows=len(found))
    rows = [_cells(entry) for entry in found]
    return table.csv_of(_COLUMNS, rows, f"journal-{local(clock.now()):%Y%m%d-%H%M}.csv")


@page("/journal/verify", "journal", post=True)
def verify_journal() -> ResponseReturnValue:
    """Walks the whole chain; where it is broken the page shows the entries around that place."""
    verdict = journal.verify(session())
    journaling.note(action="journal.verify", sound=verdict.sound, entries=verdict.entries)
    around = verdict.number + PAGE // 2 if verdict.number is not None else None
    return _show(journal.search(session(), before=around, most=PAGE), verdict=verdict)


def _show(entries: Sequence[Entry], *, older: str | None = None, verdict: Verdict | None = None) -> str:
    return render_template(
        "console/journal.html", entries=entries, older=older, details=_details, verdict=verdict, searched=SEARCHED
    )


def _wanted(said: Any) -> dict[str, Any]:
    zone = settings().zone
    since, until = _day(said.get("since", ""), zone), _day(said.get("until", ""), zone)
    # The last day is meant with all its hours.
    return {
        **{name: said.get(name, "")[:200] for name in ("text", "who", "action", "subject")},
        "since": since,
        "until": until + dt.timedelta(days=1) if until is not None else None,
    }


def _day(written: str, zone: ZoneInfo) -> dt.datetime | None:
    try:
        day = dt.date.fromisoformat(written)
        return dt.datetime.combine(day, dt.time(), zone) if 1900 < day.year < 9000 else None
    except ValueError:
        return None


def _number(written: str) -> bool:
    return written.isascii() and written.isdecimal() and len(written) < 19


def _details(entry: Entry) -> str:
    """For the eye: a hash is cut, since nobody compares 64 letters on a screen (the file has them all)."""
    said = []
    for name, value in sorted(entry.detail.items()):
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        said.append(f"{name}: {written[:12] + '…' if _HASH.fullmatch(written) else written}")
    return " · ".join(said)


def _cells(entry: Entry) -> list[object]:
    moment = local(entry.at).isoformat(timespec="seconds")
    detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
    return [entry.number, moment, entry.name, entry.door, entry.action, entry.subject, detail, entry.hash]
