"""What a public data set is: its names, its forms, whose word it is, how it is counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.opendata.written import table


@dataclass(frozen=True, slots=True)
class Publisher:
    """Whose server this is, for what the city says itself, and the moment that is meant."""

    name: str
    licence: str | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """One source of a set: how many rows it has, under which licence, true of which day."""

    source: str
    rows: int
    licence: str | None = None
    as_of: dt.date | None = None


Write = Callable[[Session, Publisher, str | None], Iterator[str]]  # the last: one source, None: all
MEDIA = {"csv": "text/csv", "geojson": "application/geo+json", "json": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One set. `revision` names the counter that rises when it changes; None: it changes with the clock."""

    name: str
    ja: str
    en: str
    about: str
    forms: Mapping[str, Write]
    origins: Callable[[Session, Publisher], list[Origin]]
    revision: str | None
    standard: str | None = None  # the published standard whose columns it has
    one_source: frozenset[str] = field(default_factory=frozenset)  # forms that hold one source each
    importer: Mapping[str, str] = field(default_factory=dict)  # the command that takes a form back


def as_table(columns: Sequence[str], records: Callable[[Session, Publisher, str | None], Any]) -> Write:
    """A form written as CSV."""
    return lambda session, by, source: table(columns, records(session, by, source))


def grouped(session: Session, rows: Any, *where: sa.ColumnElement[bool]) -> list[Origin]:
    """Present rows of a table with source, licence, as_of and withdrawn_at, counted by the first two."""
    wanted = sa.select(rows.source, rows.licence, sa.func.count().label("number"), sa.func.max(rows.as_of).label("day"))
    wanted = wanted.where(rows.withdrawn_at.is_(None), *where).group_by(rows.source, rows.licence)
    found = session.execute(wanted.order_by(rows.source, rows.licence))
    return [Origin(one.source, one.number, one.licence, one.day) for one in found]


def merged(origins: Sequence[Origin]) -> list[Origin]:
    """One origin a source: rows added up, the first licence that is stated, the newest day."""
    found: dict[str, Origin] = {}
    for one in origins:
        before = found.get(one.source, Origin(one.source, 0))
        days = [day for day in (one.as_of, before.as_of) if day is not None]
        licence = before.licence or one.licence
        found[one.source] = Origin(one.source, before.rows + one.rows, licence, max(days, default=None))
    return list(found.values())
