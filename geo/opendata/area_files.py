"""Published areas as rows: N03 boundaries, one municipality's boundary, zones of one's own, lists of towns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shapely.geometry.base import BaseGeometry

from geo.areas import AreaKind, read_names
from geo.municipality import PREFECTURES, MunicipalityError, designated_city_of, five_digits
from geo.opendata import cells
from geo.opendata.encoding import MAX_BYTES, decodings
from geo.opendata.faults import CellFault, OpenDataError
from geo.opendata.features import Feature, features, is_json
from geo.opendata.report import Report
from geo.opendata.surfaces import Parts, united

CODE = re.compile(r"[^\s/?#%&\\\x00-\x1f\ud800-\udfff]{1,100}")

_NAME = re.compile("name_[a-z]{2}(-[A-Za-z0-9]{1,8}){0,3}")  # name_kana is none


@dataclass(slots=True)
class AreaRow:
    """One area as a file states it; None where the file says nothing, so that what is stored stays."""

    line: int
    code: str
    kind: AreaKind
    name: str
    name_kana: str | None = None
    parent_code: str | None = None
    lat: float | None = None
    lon: float | None = None
    geometry: dict[str, Any] | None = None
    names: dict[str, str] | None = None  # in other languages; those that it does not name stay as stored
    implied: bool = False  # named by a child only: made when missing, never changed
    provenance: dict[str, Any] = field(default_factory=dict)  # source, licence and as_of where it has its own


@dataclass(frozen=True, slots=True)
class AreaFile:
    """A recognised file: which format, in which encoding, and its decoded content."""

    format: str
    format_ja: str
    encoding: str
    features: Sequence[Feature] = ()
    towns: Sequence[Any] = ()


def open_area_file(data: bytes, max_bytes: int = MAX_BYTES) -> AreaFile:
    """Recognises a file by its content. Raises `OpenDataError` for one that is none of the known formats."""
    fault: OpenDataError | None = None
    for encoding, text in decodings(data, max_bytes):
        if not is_json(text):
            fault = fault or OpenDataError("unknown_format", "区域のファイルはGeoJSONか町名のJSONにしてください")
            continue
        if text.lstrip("\ufeff \t\r\n").startswith("["):
            return _town_file(encoding, text)
        found = list(features(text))
        names = {name for feature in found for name in feature.properties}
        if "N03_007" in names:
            return AreaFile("n03", "国土数値情報 行政区域（N03）", encoding, found)
        if {"code", "name"} <= names:
            return AreaFile("zones", "区域のGeoJSON（code・name）", encoding, found)
        if "name" in names:
            return AreaFile("boundary", "一つの区域の境界（name）", encoding, found)
        listed = "、".join(sorted(map(str, names)))[:300] or "なし"
        raise OpenDataError(
            "unknown_format", f"知らない形式です。見つかった属性: {listed}。必要なもの: N03_007、または name（と code）"
        )
    raise fault or OpenDataError("unknown_format", "区域のファイルとして読めません")


def n03_rows(file: AreaFile, report: Report) -> list[AreaRow]:
    """Municipalities and wards of N03, the features of each code united, with the places above them.

    A designated city, which N03 only knows by its wards, gets the union of those in the file.
    """
    parts = Parts()
    rows: dict[str, AreaRow] = {}
    for feature in _counted(file.features, report):
        code = feature.properties.get("N03_007")
        if not code:  # 所属未定地: nobody's
            report.blank += 1
            continue
        try:
            names = _n03_names(feature)
            five = five_digits(str(code), names[0])
        except (MunicipalityError, CellFault) as error:
            _refuse(report, feature, "N03_007", code, error.code, str(error))
            continue
        if not names[-1]:
            _refuse(report, feature, "N03_004", None, "missing", "市区町村名が空です")
            continue
        if parts.take(five, feature, report) and five not in rows:
            kind = AreaKind.WARD if names[-1].endswith("区") else AreaKind.CITY
            rows[five] = AreaRow(feature.line, five, kind, names[-1], parent_code=above_of(five))
    rows = {code: row for code, row in rows.items() if code in parts}
    wards: dict[str, list[BaseGeometry]] = {}
    for code, row in rows.items():
        place(row, parts[code])
        if row.parent_code and len(row.parent_code) == 5:
            wards.setdefault(row.parent_code, []).extend(parts[code])
    above = {one.code: one for row in rows.values() for one in implied(row.code, row.line)}
    short = {above_of(code) for code in parts.spoilt}  # cities of which a ward is missing
    for code, shapes in wards.items():
        if (one := above.get(code)) is not None and code not in short:
            place(one, shapes)
            one.implied = False
    return [*above.values(), *rows.values()]


def zone_rows(file: AreaFile, report: Report, parent: str | None) -> list[AreaRow]:
    """Features that bring their own `code` and `name`; `kind`, `name_kana`, `name_en` … and `parent` where given."""
    parts = Parts()
    rows: dict[str, AreaRow] = {}
    for feature in _counted(file.features, report):
        try:
            given = {key: cells.text(feature.properties.get(key)) for key in ("code", "name", "kind", "name_kana")}
            above = cells.text(feature.properties.get("parent") or feature.properties.get("parent_code"))
            kind, names = AreaKind(given["kind"] or AreaKind.ZONE), names_of(feature.properties)
        except CellFault as fault:
            _refuse(report, feature, None, None, fault.code, str(fault))
            continue
        except ValueError:
            kinds = "、".join(AreaKind)
            _refuse(report, feature, "kind", given["kind"], "unknown_kind", f"区域の種類が分かりません（{kinds}）")
            continue
        code, name = given["code"], given["name"]
        if code is None or name is None or not CODE.fullmatch(code):
            _refuse(report, feature, "code", code, "not_a_code", "区域にはcode（空白や / を含まない）とnameが必要です")
            continue
        if parts.take(code, feature, report) and code not in rows:
            rows[code] = AreaRow(feature.line, code, kind, name, given["name_kana"], above or parent, names=names)
    rows = {code: row for code, row in rows.items() if code in parts}
    for code, row in rows.items():
        place(row, parts[code])
    return list(rows.values())


def boundary_row(file: AreaFile, report: Report) -> AreaRow | None:
    """The one area of a file whose features have only a name, united; its code is for the caller to find."""
    parts = Parts()
    names: dict[str, int] = {}
    for feature in _counted(file.features, report):
        try:
            name = cells.text(feature.properties.get("name"))
        except CellFault as fault:
            _refuse(report, feature, "name", feature.properties.get("name"), fault.code, str(fault))
            continue
        if name is None:
            _refuse(report, feature, "name", None, "missing", "名称が空です")
            continue
        names.setdefault(name, feature.line)
        parts.take(name, feature, report)
    if len(names) > 1:
        raise OpenDataError("several_areas", f"一つのファイルに複数の区域があります: {'、'.join(names)[:200]}")
    for name, line in names.items():
        if name in parts:
            row = AreaRow(line, "", AreaKind.ZONE, name)
            place(row, parts[name])
            return row
    return None


def town_rows(file: AreaFile, report: Report, parent: str) -> list[AreaRow]:
    """Towns of one municipality from a list of {town, koaza, lat, lng}; the smaller 小字 only lend their place."""
    towns: dict[str, list[tuple[str, float, float]]] = {}
    for number, one in enumerate(file.towns, start=1):
        report.read += 1
        name = one.get("town") if isinstance(one, dict) else None
        if not isinstance(name, str) or not CODE.fullmatch(name.strip()):
            report.refuse(number, "town", name, "missing", "町名が空か、使えない文字を含みます")
            report.refused_rows += 1
            continue
        spots = towns.setdefault(name.strip(), [])
        if one.get("lat") is None and one.get("lng") is None:
            continue
        try:
            point = cells.position(cells.number(one.get("lat")), cells.number(one.get("lng")))
        except CellFault as fault:
            report.refuse(number, "lat・lng", f"{one.get('lat')}, {one.get('lng')}", fault.code, str(fault))
            report.refused_rows += 1
            continue
        spots.append((str(one.get("koaza") or ""), point.lat, point.lon))
    rows = []
    for name, spots in towns.items():
        row = AreaRow(1, f"{parent}-{name}", AreaKind.TOWN, name, parent_code=parent)
        whole = [spot for spot in spots if not spot[0]] or spots
        if whole:
            row.lat = round(sum(lat for _, lat, _ in whole) / len(whole), 6)
            row.lon = round(sum(lon for _, _, lon in whole) / len(whole), 6)
        rows.append(row)
    return rows


def names_of(properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Names in other languages, of members such as `name_en` and `name_zh-Hans`; None for none. Raises CellFault."""
    given = {key[5:]: cells.text(value) for key, value in properties.items() if _NAME.fullmatch(key)}
    try:
        return read_names(given) or None
    except ValueError:
        raise CellFault("bad_name", "ほかの言語の名前（name_en など）は一行、200文字までです") from None


def above_of(five: str) -> str:
    """The code of what a municipality lies in: its designated city, else its prefecture (two digits)."""
    city = designated_city_of(five)
    return city[0] if city is not None else five[:2]


def implied(five: str, line: int) -> Iterator[AreaRow]:
    """The places above a municipality that its file does not list itself."""
    prefecture = five[:2]
    yield AreaRow(line, prefecture, AreaKind.PREFECTURE, PREFECTURES[int(prefecture) - 1], implied=True)
    if (city := designated_city_of(five)) is not None:
        yield AreaRow(line, city[0], AreaKind.CITY, city[1], city[2], prefecture, implied=True)


def place(row: AreaRow, shapes: Sequence[BaseGeometry]) -> None:
    """Gives an area the union of its parts as its boundary, and a point inside."""
    row.geometry, row.lat, row.lon = united(shapes)


def _town_file(encoding: str, text: str) -> AreaFile:
    try:
        found = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise OpenDataError("not_json", "JSONとして読めません（途中で切れている疑い）", line=line) from error
    if not found or not all(isinstance(one, dict) and "town" in one for one in found):
        raise OpenDataError("unknown_format", "町名のJSONには town、lat、lng が必要です")
    return AreaFile("towns", "町名の一覧（town・lat・lng）", encoding, towns=found)


def _counted(found: Iterable[Feature], report: Report) -> Iterator[Feature]:
    for feature in found:
        report.read += 1
        yield feature


def _n03_names(feature: Feature) -> tuple[str, str]:
    """(prefecture, own name) in the layouts of N03 before and since 2024, when wards got a column of their own."""
    text = {key: cells.text(feature.properties.get(key)) or "" for key in ("N03_001", "N03_004", "N03_005")}
    return text["N03_001"], text["N03_005"] or text["N03_004"]


def _refuse(report: Report, feature: Feature, column: str | None, value: Any, code: str, reason: str) -> None:
    report.refuse(feature.line, column, value, code, reason)
    report.refused_rows += 1
