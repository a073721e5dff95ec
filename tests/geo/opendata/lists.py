"""Small lists of places and areas as cities publish them, invented here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

GSI = (
    *(
        "NO",
        "共通ID",
        "都道府県名及び市町村名",
        "施設・場所名",
        "住所",
        "洪水",
        "崖崩れ、土石流及び地滑り",
        "高潮",
        "地震",
    ),
    *("津波", "大規模な火事", "内水氾濫", "火山現象", "指定避難所との住所同一", "緯度", "経度", "備考"),
)
STANDARD = (
    *("全国地方公共団体コード", "ID", "名称", "名称_カナ", "所在地_連結表記", "緯度", "経度"),
    *("災害種別_洪水", "災害種別_地震", "災害種別_津波", "指定避難所との重複", "想定収容人数", "備考"),
)


def gsi(number: int, **changes: str) -> dict[str, str]:
    """One invented place of the GSI list, suitable for flood and earthquake."""
    return {
        "NO": str(number),
        "共通ID": f"E04100{number:05d}201",
        "都道府県名及び市町村名": "宮城県仙台市",
        "施設・場所名": f"見本第{number}小学校",
        "住所": f"宮城県仙台市若林区見本{number}-1",
        "洪水": "1",
        "地震": "1",
        "緯度": f"{38.2 + number / 1000:.6f}",
        "経度": f"{140.9 + number / 1000:.6f}",
    } | changes


def standard(number: int, **changes: str) -> dict[str, str]:
    """One invented place of a city's list in the 2023 columns."""
    return {
        "全国地方公共団体コード": "041009",
        "ID": str(number),
        "名称": f"見本第{number}公民館",
        "所在地_連結表記": f"宮城県仙台市若林区見本{number}-2",
        "緯度": f"{38.21 + number / 1000:.6f}",
        "経度": f"{140.91 + number / 1000:.6f}",
        "災害種別_洪水": "1",
    } | changes


def csv_bytes(
    columns: Iterable[str], rows: Iterable[Mapping[str, str]], encoding: str = "utf-8", end: str = "\r\n"
) -> bytes:
    """The rows as a CSV file."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(columns), restval="", lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding)


def gsi_bytes(*rows: Mapping[str, str], encoding: str = "utf-8") -> bytes:
    """A GSI list of emergency evacuation sites."""
    return csv_bytes(GSI, rows, encoding)


def standard_bytes(*rows: Mapping[str, str], columns: Iterable[str] = STANDARD) -> bytes:
    """A city's list in the 2023 columns."""
    return csv_bytes(columns, rows)


def feature(properties: Mapping[str, Any], geometry: Any) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {"type": "Feature", "properties": dict(properties), "geometry": geometry}


def collection(*features: Mapping[str, Any], **more: Any) -> bytes:
    """A GeoJSON file."""
    document = {"type": "FeatureCollection", "features": list(features), **more}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def square(lat: float, lon: float, side: float = 0.1) -> dict[str, Any]:
    """A GeoJSON square with its south-west corner here (degrees)."""
    ring = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}
