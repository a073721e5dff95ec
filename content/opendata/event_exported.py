"""What our own export of events says beyond the standard list: whose word it is, what stood there before a change."""

from __future__ import annotations

import datetime as dt
from typing import Any

from content.opendata.event_export import CHANGED_AT, NOTHING, WAS
from content.opendata.event_rows import EventRow
from geo.opendata import cells, provenance
from geo.opendata.faults import CellFault, OpenDataError
from geo.opendata.provenance import PROVENANCE, own_id

KEPT = ("source", "licence", "as_of", "was", "changed_at")  # beside the facts of a list


def check_columns(columns: tuple[str, ...]) -> None:
    """Raises `OpenDataError` for a table that is not one of ours."""
    missing = [name for name in (*WAS.values(), CHANGED_AT, *PROVENANCE) if name not in columns]
    if missing:
        raise OpenDataError("not_exported", f"書き出したファイルではありません（「{missing[0]}」の列がありません）")


def exported(row: EventRow, facts: dict[str, Any]) -> dict[str, Any] | None:
    """The facts with those of the export; None after refusing a cell."""
    source, licence, as_of = PROVENANCE
    found = {
        "source": row.cell(source, provenance.read_source),
        "licence": row.cell(licence, provenance.read_licence),
        "as_of": row.cell(as_of, provenance.read_day),
        "changed_at": row.cell(CHANGED_AT, _moment),
    }
    was = {name: row.cell(column, cells.text) for name, column in WAS.items()}
    found["was"] = {name: None if said == NOTHING else said for name, said in was.items() if said is not None} or None
    if row.refused:
        return None
    return {**facts, **found, "id": own_id(str(found["source"]), facts["id"])}


def _moment(written: Any) -> dt.datetime | None:
    said = cells.text(written)
    if said is None:
        return None
    try:
        found = dt.datetime.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CellFault("not_a_moment", "時差のある日時として読めません（例 2026-11-21T12:00:00+09:00）")
    return found
