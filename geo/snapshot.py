"""All present sites at one moment, as columns: immutable, shared by every request of a process.

Rows of Python objects would cost a gigabyte for the whole country; columns of numbers and packed text cost a few
dozen megabytes, and one row is put together only when it is answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from geo.chords import earth_xyz
from geo.sites import Crowding, SiteKind, SiteStatus


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """One place as residents are told of it; the columns of `geo.sites.Site` of the same names."""

    id: int
    name: str
    kind: SiteKind
    lat: float
    lon: float
    hazards: int = 0  # mask of geo.hazards bits
    status: SiteStatus = SiteStatus.UNKNOWN
    crowding: Crowding | None = None
    status_at: dt.datetime | None = None
    status_note: str | None = None
    capacity: int | None = None  # persons
    note: str | None = None
    address: str | None = None
    name_kana: str | None = None
    name_en: str | None = None
    also_shelter: bool = False
    accepts: str | None = None
    phone: str | None = None
    url: str | None = None
    elevation_m: float | None = None
    municipality_code: str | None = None
    source: str = ""
    licence: str | None = None
    as_of: dt.date | None = None


FIELDS = tuple(field.name for field in fields(SiteRecord))
_values = attrgetter(*FIELDS)
_NUMBERS = {"id": np.int64, "lat": np.float64, "lon": np.float64, "hazards": np.int64}
_TEXTS = frozenset({"name", "note", "address", "name_kana", "name_en", "accepts", "phone", "url", "status_note"})
_PACKED_TEXT = np.dtypes.StringDType(na_object=None)


class Snapshot:
    """Columns of the sites, in the order of their ids."""

    def __init__(self, rows: Iterable[Any]) -> None:
        """Takes objects with the attributes of `SiteRecord`; those with a `withdrawn_at` are left out."""
        present = [_values(row) for row in rows if getattr(row, "withdrawn_at", None) is None]
        present.sort(key=itemgetter(0))  # the id
        self._columns: dict[str, np.ndarray[Any, Any]] = {}
        for place, name in enumerate(FIELDS):
            self._columns[name] = _column(name, [row[place] for row in present])
        self.id, self.lat, self.lon = self._columns["id"], self._columns["lat"], self._columns["lon"]
        self.hazards = self._columns["hazards"]
        self.xyz = earth_xyz(self.lat, self.lon)

    def __len__(self) -> int:
        return len(self.id)

    def having(self, name: str, values: Iterable[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows have one of these values (of `kind` or `status`) in a column."""
        wanted = frozenset(values)
        return np.fromiter((value in wanted for value in self._columns[name]), np.bool_, len(self))

    def latest_status_at(self) -> dt.datetime | None:
        """When staff last said something of any site; None when never."""
        return max((at for at in self._columns["status_at"] if at is not None), default=None)

    def record(self, row: int) -> SiteRecord:
        """One row as residents are told of it."""
        told = {name: column[row] for name, column in self._columns.items()}
        for name in _NUMBERS:
            told[name] = told[name].item()
        told["kind"], told["status"] = SiteKind(told["kind"]), SiteStatus(told["status"])
        told["crowding"] = None if told["crowding"] is None else Crowding(told["crowding"])
        return SiteRecord(**told)


def _column(name: str, values: list[Any]) -> np.ndarray[Any, Any]:
    if name in _NUMBERS:
        return np.array(values, _NUMBERS[name])
    if name in _TEXTS:
        return np.array(values, _PACKED_TEXT)
    seen: dict[Any, Any] = {}  # a few kinds, sources and dates stand in many rows: keep each once
    column = np.empty(len(values), object)
    column[:] = [seen.setdefault(value, value) for value in values]
    return column
