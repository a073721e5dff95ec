"""Guides and programmes changed by a person: one entry, checked and written as a file of ours would be."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.childcare import document
from content.childcare.document import DocumentError
from content.childcare.guides import Guide
from content.childcare.plans import Kind, Plan, period_of
from content.childcare.programmes import Programme
from content.opendata import childcare_export
from content.opendata.childcare_import import REVISION, import_childcare
from geo.opendata.faults import EditRefused
from geo.sites import bump_revision

Body = dict[str, Any]  # an entry as an export writes it
PARTS: Mapping[str, type[Guide] | type[Programme]] = {"guides": Guide, "programmes": Programme}


def one(session: Session, part: str, row_id: int) -> Any | None:
    """A version of a guide or programme by its number, withdrawn or not."""
    return session.get(PARTS[part], row_id) if row_id < 2**63 else None


def versions(session: Session, row: Any) -> Sequence[Any]:
    """All versions of the same guide or programme, the newest first."""
    table = type(row)
    wanted = sa.select(table).where(table.source == row.source, table.key == row.key)
    return session.scalars(wanted.order_by(table.version.desc())).all()


def body(row: Guide | Programme) -> Body:
    """The whole state of a version."""
    return childcare_export.entry(row)


def save(session: Session, part: str, source: Mapping[str, Any], entries: Sequence[Body], now: dt.datetime) -> None:
    """Brings these entries to the store; what is not named stays. `source` has its key and name. Raises EditRefused."""
    data = _written(source, part, entries)
    report = import_childcare(session, data, now)
    if report.refused:
        raise EditRefused([(str(fault.column), fault.reason) for fault in report.refused])


def withdraw(session: Session, row: Guide | Programme, now: dt.datetime) -> None:
    """Takes a version out; saving it brings it back."""
    row.withdrawn_at = now
    session.flush()
    bump_revision(session, REVISION, now)


def plan_of(entry: Body) -> Plan:
    """A programme that was typed as plain data for a timeline; nothing is stored. Raises EditRefused."""
    try:
        _, _, entries = document.read(_written({"key": "preview", "name": "preview"}, "programmes", [entry]).decode())
    except DocumentError as error:
        raise EditRefused([("", str(error))]) from None
    (found,) = entries
    if found.columns is None:
        raise EditRefused(found.faults)
    facts = found.columns
    plain = ("key", "version", "texts", "position", "topic", "effective_from", "effective_to", "born_from", "born_to")
    return Plan(
        kind=Kind(facts["kind"]),
        periods=tuple(map(period_of, facts["periods"])),
        areas=tuple(facts["areas"]),
        links=facts["links"],
        **{name: facts[name] for name in plain},
    )


def _written(source: Mapping[str, Any], part: str, entries: Sequence[Body]) -> bytes:
    said = {"source": {"key": source["key"], "name": source["name"]}, part: list(entries)}
    return json.dumps(said, ensure_ascii=False).encode()
