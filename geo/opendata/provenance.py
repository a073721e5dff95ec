"""Whose word a published record is: source, licence and date, written beside it and read from it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from geo.opendata import cells
from geo.opendata.faults import CellFault, OpenDataError, checked_licence, checked_source

PROVENANCE = ("出典", "ライセンス", "データ時点")  # the columns that stand last in every exported table


def columns(source: str, licence: str | None, as_of: dt.date | None) -> dict[str, Any]:
    """The three as columns of a record."""
    return dict(zip(PROVENANCE, (source, licence, as_of.isoformat() if as_of else None), strict=True))


def exported_id(source: str, source_id: str, shared: Collection[str]) -> str:
    """The id in an exported table: unique there, and `own_id` gives back what was. `shared`: ids of several sources."""
    doubtful = source_id in shared or source_id.startswith(f"{source}:")
    return f"{source}:{source_id}" if doubtful else source_id


def own_id(source: str, exported: str) -> str:
    """The source's own id of an exported one."""
    return exported.removeprefix(f"{source}:")


def read_source(written: Any) -> str:
    """The key of a source from its cell. Raises `CellFault`."""
    found = cells.text(written)
    try:
        if found is not None and checked_source(found):
            return found
    except OpenDataError as error:
        raise CellFault(error.code, error.message) from None
    raise CellFault("missing", "出典が空です")


def read_licence(written: Any) -> str | None:
    """The licence from its cell. Raises `CellFault`."""
    try:
        return checked_licence(cells.text(written))
    except OpenDataError as error:
        raise CellFault(error.code, error.message) from None


def read_day(written: Any) -> dt.date | None:
    """A day such as 2026-11-01. Raises `CellFault`."""
    found = cells.text(written)
    try:
        return dt.date.fromisoformat(found) if found is not None else None
    except ValueError:
        raise CellFault("not_a_day", "日付として読めません（例 2026-11-21）") from None
