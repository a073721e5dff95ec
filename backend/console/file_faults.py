"""Why a whole file cannot be used, in the reader's language; the readers of files speak Japanese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.console.language import current, mark, say

# By code of `OpenDataError`. In Japanese the file's reader says it more exactly.
FAULTS = {
    "internal": mark("思わぬ誤りで読めませんでした。何も変わっていません。システムの担当者に知らせてください。"),
    "bad_licence": mark("ライセンスに使えない文字があります。"),
    "bad_source": mark("出典のキーに使えない文字があります。英小文字・数字・-._ で64文字までです。"),
    "cell_too_long": mark("長すぎる値があります。引用符の閉じ忘れかもしれません。"),
    "doubled_column": mark("同じ列が二つあります。"),
    "empty": mark("ファイルが空か、見出しの行がありません。"),
    "incomplete_set": mark("組に足りないファイルがあります。"),
    "needs_code": mark("区域のコードが分かりません。「この区域のコード」を入れてください。"),
    "needs_parent": mark("町名の一覧には、上の区域のコードが要ります。"),
    "needs_source": mark("出典のキーか市区町村コードを入れてください。ファイルからは決まりません。"),
    "no_position": mark("緯度・経度の列がありません。"),
    "not_a_code": mark("区域のコードに使えない文字があります。"),
    "not_csv": mark("CSVとして読めません。引用符の閉じ忘れかもしれません。"),
    "not_exported": mark("Yobikakeが書き出したファイルではないか、出典も指定されています。"),
    "not_geojson": mark("GeoJSONの地物の一覧（FeatureCollection）ではありません。"),
    "not_in_file": mark("取り下げの対象に選んだ出典のファイルではありません。"),
    "not_json": mark("JSONとして読めません。"),
    "not_text": mark("Excelブック、PDFか圧縮ファイルです。CSV（UTF-8）で保存するか、展開してください。"),
    "one_file": mark("この種類のファイルは一つずつ取り込みます。"),
    "several_areas": mark("一つのファイルに複数の区域があります。"),
    "too_large": mark("ファイルが大きすぎます。"),
    "too_many_columns": mark("列が多すぎます。"),
    "too_many_rows": mark("行が多すぎます。"),
    "truncated": mark("ファイルが途中で切れています。"),
    "unknown_crs": mark("緯度経度（WGS 84、JGD2011）ではない座標系です。"),
    "unknown_encoding": mark("文字コードがUTF-8、Shift_JIS、EUC-JPのどれでもありません。"),
    "unknown_format": mark("知らない形式です。見出しや項目が、取り込める形式のどれとも合いません。"),
    "unknown_parent": mark("上の区域がまだありません。先にその境界を取り込んでください。"),
    "utf16": mark("UTF-16のファイルです。CSV（UTF-8）で保存してください。"),
    "wrong_code": mark("区域のコードが都道府県の名前と合いません。"),
}
OTHER = mark("ファイルか条件に、読めない値があります。")


@dataclass(frozen=True, slots=True)
class Said:
    """The reason for the reader, and the file reader's own words where those are in another language."""

    words: str
    exactly: str = ""


def fault(told: dict[str, Any]) -> Said:
    """Why files cannot be used, of what an intake keeps: `code`, `line` (from 1, or None), `reason`."""
    code, reason = str(told.get("code")), str(told.get("reason", ""))
    place = say("%(line)s行目: ", line=told["line"]) if told.get("line") else ""
    if code == "internal":
        return Said(say(FAULTS[code]))
    if current() == "ja":
        return Said(place + reason)
    return Said(place + say(FAULTS.get(code, OTHER)), reason)
