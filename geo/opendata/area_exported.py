"""Areas of our own exports: every member as it was written, the boundary and its point unchanged."""

from __future__ import annotations

from typing import Any

from geo.areas import AreaKind
from geo.opendata import cells, provenance
from geo.opendata.area_files import CODE, AreaFile, AreaRow, names_of
from geo.opendata.faults import CellFault, OpenDataError
from geo.opendata.features import Feature
from geo.opendata.report import Report
from geo.opendata.surfaces import Parts


def exported_rows(file: AreaFile, report: Report) -> list[AreaRow]:
    """The areas of an export, each with its own source, licence and date; a boundary is checked but not redrawn.

    Raises `OpenDataError` for a file that is not one of ours.
    """
    if file.format != "zones" or not all("source" in feature.properties for feature in file.features):
        raise OpenDataError("not_exported", "書き出した区域のファイルではありません（source がありません）")
    parts, rows = Parts(), dict[str, AreaRow]()
    for feature in file.features:
        report.read += 1
        try:
            row = _row(feature)
        except CellFault as fault:
            report.refuse(feature.line, None, feature.properties.get("code"), fault.code, str(fault))
            report.refused_rows += 1
            continue
        if row.code in rows:
            report.refuse(feature.line, "code", row.code, "duplicate_id", "同じコードの区域がもうあります")
            report.refused_rows += 1
        elif feature.geometry is None or parts.take(row.code, feature, report):
            rows[row.code] = row
    return list(rows.values())


def _row(feature: Feature) -> AreaRow:
    given = feature.properties
    code, name = cells.text(given.get("code")), cells.text(given.get("name"))
    if code is None or name is None or not CODE.fullmatch(code):
        raise CellFault("not_a_code", "区域にはcode（空白や / を含まない）とnameが必要です")
    try:
        kind = AreaKind(cells.text(given.get("kind")) or "")
    except ValueError:
        raise CellFault("unknown_kind", f"区域の種類が分かりません（{'、'.join(AreaKind)}）") from None
    row = AreaRow(feature.line, code, kind, name, cells.text(given.get("name_kana")), cells.text(given.get("parent")))
    if given.get("lat") is not None or given.get("lon") is not None:
        at = cells.position(cells.number(given.get("lat")), cells.number(given.get("lon")))
        row.lat, row.lon = at.lat, at.lon
    row.geometry, row.names = feature.geometry, names_of(given)
    row.provenance = _provenance(given)
    return row


def _provenance(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "source": provenance.read_source(given.get("source")),
        "licence": provenance.read_licence(given.get("licence")),
        "as_of": provenance.read_day(given.get("as_of")),
    }
