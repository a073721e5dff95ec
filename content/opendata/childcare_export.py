"""Guides and programmes written as the JSON that their importer reads; read back they are the same."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.childcare.guides import Guide
from content.childcare.programmes import Programme

Record = dict[str, Any]
_SAME = ("version", "position", "topic", "texts", "links", "areas", "effective_from", "effective_to")
_WHOSE = ("source_name", "source_url", "licence", "as_of")


def all_sources(session: Session) -> list[str]:
    """The sources that publish anything, in order."""
    found: set[str] = set()
    for table in (Guide, Programme):
        found |= set(session.scalars(sa.select(table.source).where(table.withdrawn_at.is_(None)).distinct()))
    return sorted(found)


def document(session: Session, source: str) -> Iterator[str]:
    """All of a source as one JSON document, every version that is not withdrawn, one entry a line."""
    guides, programmes = _rows(session, Guide, source), _rows(session, Programme, source)
    first = (*guides, *programmes)[0]
    yield '{"source": ' + _json({"key": source, "name": first.source_name})
    yield ',\n"guides": [' + ",".join(f"\n{_json(_guide(row))}" for row in guides) + "\n]"
    yield ',\n"programmes": [' + ",".join(f"\n{_json(_programme(row))}" for row in programmes) + "\n]}\n"


def entry(row: Guide | Programme) -> Record:
    """One version as it is written."""
    found: Record = json.loads(_json(_guide(row) if isinstance(row, Guide) else _programme(row)))
    return found


def _rows(session: Session, table: Any, source: str) -> list[Any]:
    wanted = sa.select(table).where(table.source == source, table.withdrawn_at.is_(None))
    return list(session.scalars(wanted.order_by(table.position, table.key, table.version)))


def _entry(row: Guide | Programme) -> Record:
    return {
        "id": row.key,
        **{name: getattr(row, name) for name in (*_SAME, *_WHOSE)},
        "sample": row.sample,
    }


def _guide(row: Guide) -> Record:
    return _filled({**_entry(row), "from_age": _age(row.from_months), "to_age": _age(row.to_months)})


def _programme(row: Programme) -> Record:
    own = {name: getattr(row, name) for name in ("kind", "periods", "born_from", "born_to")}
    return _filled({**_entry(row), **own})


def _age(months: int | None) -> str | None:
    if months is None:
        return None
    years, rest = divmod(months, 12)
    return (f"{years}y" if years else "") + (f"{rest}m" if rest or not years else "")


def _filled(entry: Record) -> Record:
    return {name: value for name, value in entry.items() if value not in (None, "", [], {})}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
