"""Where each thing a site has stands in one sheet of a recognised format."""

from __future__ import annotations

from geo.hazards import Hazard, mask_of
from geo.opendata.dialects import Dialect
from geo.opendata.faults import OpenDataError
from geo.opendata.sheet import Sheet, header_key


class Columns:
    """The plan by which the records of one sheet are read.

    `fields` are the columns of `geo.sites.Site` that this file states; those it does not state
    keep what is stored. Raises `OpenDataError` for a column that stands twice and for a table
    without positions.
    """

    def __init__(self, sheet: Sheet, dialect: Dialect, *, municipality: str | None = None) -> None:
        self.sheet, self.dialect, self.municipality = sheet, dialect, municipality
        self.at: dict[str, list[int]] = {
            field: [at for name in names if (at := _find(sheet, name)) is not None]
            for field, names in dialect.columns.items()
        }
        self.hazards: list[tuple[Hazard, list[int]]] = [
            (hazard, found)
            for hazard, names in dialect.hazards
            if (found := [at for name in names if (at := _find(sheet, name)) is not None])
        ]
        self.hazards_known = mask_of(hazard for hazard, _ in self.hazards)
        self.notes: list[tuple[str, int]] = [
            (label, at) for name, label in dialect.notes if (at := _find(sheet, name)) is not None
        ]
        if not sheet.geojson and not (self.has("lat") and self.has("lon")):
            raise OpenDataError("no_position", f"緯度・経度の列がありません（{dialect.ja}として認識）")
        self.fields = tuple(self._fields())

    def has(self, *fields: str) -> bool:
        """True when one of these has a column."""
        return any(self.at.get(field) for field in fields)

    def header(self, field: str) -> str | None:
        """The published name of the first column of a field."""
        at = self.at.get(field)
        return self.sheet.columns[at[0]] if at else None

    def unused(self) -> list[str]:
        """Published names of the columns nobody reads and the format does not know."""
        used = {at for places in self.at.values() for at in places} | {at for _, at in self.notes}
        used |= {at for _, places in self.hazards for at in places}
        known = {header_key(name) for name in self.dialect.unused}
        return [
            name
            for at, (name, key) in enumerate(zip(self.sheet.columns, self.sheet.keys, strict=True))
            if at not in used and key and key not in known
        ]

    def _fields(self) -> list[str]:
        fields = ["kind", "name", "lat", "lon"]
        simple = ("name_kana", "name_en", "url", "accepts", "phone", "capacity", "elevation_m", "also_shelter")
        opening = ("category", "available_days", "available_from", "available_until", "available_note")
        fields += [field for field in (*simple, *opening) if self.has(field)]
        if self.has("address", "address_parts"):
            fields.append("address")
        if self.has("ages", "ages_to"):
            fields.append("ages")
        if self.hazards:
            fields.append("hazards")
        if self.hazards or self.notes:
            fields.append("note")
        if self.has("code", "place_code") or self.municipality or self.dialect.id_required:
            fields.append("municipality_code")
        return fields


def _find(sheet: Sheet, name: str) -> int | None:
    key = header_key(name)
    if key not in sheet.keys:
        return None
    if sheet.keys.count(key) > 1:
        raise OpenDataError("doubled_column", f"列「{name}」が二つあります")
    return sheet.keys.index(key)
