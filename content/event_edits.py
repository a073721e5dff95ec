"""Events written or put right by hand: what moved stays visible, as it does when a list is read again."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import texts as text
from content.attachments import LINK_MAX
from content.childcare.ages import OLDEST_MONTHS
from content.events import Event, EventStatus
from content.opendata.event_import import REVISION
from content.opendata.event_rows import fingerprint, moved, status_after
from database import insert_ignore
from geo import mesh
from geo.point import Point, PointError
from geo.sites import bump_revision

SOURCE = "console"  # of events that began here
NAME_MAX, LINE_MAX, LONG_MAX = 200, 500, 4_000
LONG = ("time_note", "description", "fee", "apply_note", "access", "note")
LINES = (
    *("name_kana", "name_en", "category", "audience", "capacity", "organiser", "contact", "phone", "place_name"),
    "address",
)
DAYS = ("starts_on", "ends_on", "apply_until")
TIMES = ("start_time", "end_time")
MONTHS = ("from_months", "to_months")
SAID = ("name", "texts", "status", *DAYS, *TIMES, *LINES, *LONG, *MONTHS, "lat", "lon", "url")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


class EventRefused(ValueError):
    """An event cannot be kept as it is; `errors` lists (field, reason)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in self.errors))


def said(event: Event) -> dict[str, Any]:
    """What of an event is edited."""
    return {name: getattr(event, name) for name in SAID} | {"texts": dict(event.texts or {})}


def change(session: Session, event: Event, facts: Mapping[str, Any], now: dt.datetime, day: dt.date) -> None:
    """Puts an event right; `facts` has all of SAID, `day` is the city's today.

    Another day, time or place makes it `changed` and keeps what was published first. What its list says next time
    only counts where the list itself has changed. Raises EventRefused.
    """
    columns = checked(facts, event)
    lost = moved(event, columns)
    status = status_after(event, columns, lost)
    if lost is not None or status != event.status:
        event.changed_at = now
    if lost is not None:
        event.was = {**lost, **(event.was or {})}
    for name, value in {**columns, "status": status, "as_of": day}.items():
        setattr(event, name, value)
    session.flush()
    bump_revision(session, REVISION, now)


def create(session: Session, facts: Mapping[str, Any], key: str, now: dt.datetime, day: dt.date) -> Event:
    """A new event that no list has; `key` is its id among those that began here. Raises EventRefused."""
    columns = checked(facts, None)
    row = columns | {"source": SOURCE, "source_id": key, "imported_at": now, "as_of": day}
    insert_ignore(session, Event, row | {"content_hash": fingerprint(columns)})
    bump_revision(session, REVISION, now)
    return session.scalars(sa.select(Event).where(Event.source == SOURCE, Event.source_id == key)).one()


def withdraw(session: Session, event: Event, who: str, now: dt.datetime) -> None:
    """Takes an event away that should never have been there; its list does not bring it back unless it changes it."""
    event.withdrawn_at, event.withdrawn_by = now, who
    session.flush()
    bump_revision(session, REVISION, now)


def bring_back(session: Session, event: Event, now: dt.datetime) -> None:
    """Shows a withdrawn event again."""
    event.withdrawn_at = event.withdrawn_by = None
    session.flush()
    bump_revision(session, REVISION, now)


def checked(facts: Mapping[str, Any], before: Event | None) -> dict[str, Any]:
    """The columns of what was written; raises EventRefused listing everything that cannot be kept."""
    errors: list[tuple[str, str]] = []
    columns: dict[str, Any] = {name: facts.get(name) for name in (*DAYS, *MONTHS)}
    for name, longest in {"name": NAME_MAX, **dict.fromkeys(LINES, LINE_MAX), **dict.fromkeys(LONG, LONG_MAX)}.items():
        tidy = _tidy(facts.get(name))
        if len(tidy) > longest:
            errors.append((name, f"{len(tidy)} characters, at most {longest}"))
        elif any(_unprintable(one, several_lines=name in LONG) for one in tidy):
            errors.append((name, "holds an unprintable character"))
        columns[name] = tidy or None
    if columns["name"] is None:
        errors.append(("name", "is required"))
    errors += _when(facts, columns) + _ages(columns)
    if facts.get("status") not in set(EventStatus):
        errors.append(("status", "choose one"))
    columns["status"] = facts.get("status")
    try:
        texts = text.clean(facts.get("texts") or {})
        columns["texts"] = texts or None
        errors += [(f"texts.{one}", "is required") for one in text.missing(texts, texts)]
    except text.TextsError as refused:
        errors.append((".".join(filter(None, ("texts", refused.language, refused.field))), refused.reason))
    columns["url"] = facts.get("url") or None
    if columns["url"] is not None and (before is None or columns["url"] != before.url) and not _web(columns["url"]):
        errors.append(("url", "must be a whole address that begins with https:// or http://"))
    position, wrong = _position(facts.get("lat"), facts.get("lon"))
    if errors := errors + wrong:
        raise EventRefused(errors)
    return columns | position


def _when(facts: Mapping[str, Any], columns: dict[str, Any]) -> list[tuple[str, str]]:
    errors: list[tuple[str, str]] = []
    for name in TIMES:
        written = facts.get(name) or None
        if written is not None and not _TIME.fullmatch(written):
            errors.append((name, "must be a time such as 09:00"))
        columns[name] = written
    first, last = columns["starts_on"], columns["ends_on"]
    if first is None:
        errors.append(("starts_on", "is required"))
    columns["ends_on"] = last = last or first
    if first is not None and last is not None and last < first:
        errors.append(("ends_on", "must not lie before the first day"))
    begins, ends = columns["start_time"], columns["end_time"]
    if not errors and first == last and begins and ends and ends < begins:
        errors.append(("end_time", "must not lie before the beginning"))
    return errors


def _ages(columns: dict[str, Any]) -> list[tuple[str, str]]:
    errors = [
        (name, f"must lie between 0 and {OLDEST_MONTHS} months")
        for name in MONTHS
        if columns[name] is not None and not 0 <= columns[name] <= OLDEST_MONTHS
    ]
    if columns["to_months"] is not None and columns["to_months"] <= (columns["from_months"] or 0):
        errors.append(("to_months", "must be more than from_months"))
    return errors


def _position(lat: float | None, lon: float | None) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    if lat is None and lon is None:
        return {"lat": None, "lon": None, "cell": None}, []
    try:
        if lat is None or lon is None:
            raise PointError("both or neither")
        point = Point.checked(lat, lon)
    except PointError:
        return {}, [("lat", "latitude and longitude in degrees, both or neither")]
    return {"lat": point.lat, "lon": point.lon, "cell": mesh.cell_of(point)}, []


def _web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
    return whole and len(address) <= LINK_MAX and all(one.isprintable() and not one.isspace() for one in address)


def _tidy(written: Any) -> str:
    return unicodedata.normalize("NFC", str(written or "").replace("\r\n", "\n")).strip()


def _unprintable(one: str, *, several_lines: bool) -> bool:
    if several_lines and one in "\n\t":
        return False
    return unicodedata.category(one) in {"Cc", "Cs", "Co"} or one in "\u202a\u202b\u202d\u202e"
