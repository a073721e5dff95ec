"""What imports are called on their pages: kinds of files, options, acts, fields of what is stored."""

from __future__ import annotations

from typing import Any

from backend.console.language import current, mark, say
from geo.hazards import hazards_in

KINDS = {
    "sites": (
        mark("避難場所・避難所・AED・施設"),
        mark("国土地理院、自治体標準オープンデータなどのCSVかGeoJSON"),
    ),
    "areas": (mark("区・町・区域"), mark("行政区域（N03）などのGeoJSON、または町名の一覧")),
    "postcodes": (mark("郵便番号"), mark("日本郵便のKEN_ALL（UTF-8でも従来の形でも）")),
    "garbage": (mark("ごみの収集日・分別"), mark("5374形式のCSV一式、JSONの組、Yobikakeのごみデータ")),
    "childcare": (mark("子育ての案内・制度"), mark("TOMLかJSON。施設は「避難場所・避難所・AED・施設」で")),
    "events": (mark("イベント"), mark("自治体標準オープンデータの「イベント一覧」など")),
}
STATES = {
    "reading": mark("読み取り中"),
    "reported": mark("確認待ち"),
    "applying": mark("取り込み中"),
    "applied": mark("取り込み済み"),
    "unusable": mark("使えないファイル"),
    "dropped": mark("取りやめ"),
}
ACTS = {
    "refused": mark("拒否"),
    "warning": mark("注意"),
    "changed": mark("変更"),
    "withdrawn": mark("取り下げ"),
    "restored": mark("復活"),
    "added": mark("追加"),
}
COUNTS = {
    "read": mark("読んだ行"), "added": mark("追加"), "changed": mark("変更"), "restored": mark("復活"),
    "withdrawn": mark("取り下げ"), "unchanged": mark("変更なし"), "redated": mark("うち、日付・ライセンスだけ変わる"),
    "refused_rows": mark("拒否した行"), "warning_count": mark("注意"),
}  # fmt: skip
# Text and day options: label, hint.
OPTIONS = {
    "source": (mark("出典のキー"), mark("例 mihon-city。省くと形式から決まります。")),
    "licence": (mark("ライセンス"), mark("例 CC BY 4.0")),
    "as_of": (mark("データの時点"), ""),
    "municipality": (mark("市区町村コード"), mark("団体コードのない行の市区町村")),
    "parent": (mark("上の区域のコード"), mark("町名の一覧では市区町村、区域では上の区域")),
    "code": (mark("この区域のコード"), mark("名前だけのファイルで使います")),
    "effective_from": (mark("新しい収集日の始まり"), mark("前の日までは、今の収集日のままです。")),
}
TICKS = {
    "as_exported": mark("Yobikakeが書き出したファイル（出典は行ごとに読む）"),
    "skip_refused": mark("拒否した行を除いて、残りを取り込む"),
    "withdraw_many": mark("たくさんの取り下げを認める（正しいと確かめました）"),
}
DAYS = ("as_of", "effective_from")
FIELDS = {
    "name": mark("名前"), "name_kana": mark("よみ"), "name_en": mark("英語の名前"), "kind": mark("種類"),
    "address": mark("住所"), "lat": mark("緯度"), "lon": mark("経度"), "hazards": mark("使える災害"),
    "also_shelter": mark("指定避難所を兼ねる"), "capacity": mark("収容人数"), "accepts": mark("受け入れる人"),
    "note": mark("備考"), "phone": mark("電話"), "url": mark("ページ"), "elevation_m": mark("標高（m）"),
    "category": mark("種別"), "ages": mark("年齢"), "available_days": mark("開いている曜日"),
    "available_from": mark("開く時刻"), "available_until": mark("閉じる時刻"),
    "available_note": mark("開いている日の補足"),
    "municipality_code": mark("市区町村コード"), "licence": mark("ライセンス"), "as_of": mark("データの時点"),
    "parent_code": mark("上の区域のコード"), "geometry": mark("境界"), "town_kana": mark("町名のよみ"),
    "names": mark("名前"), "reading": mark("よみ"), "aliases": mark("別の名前"), "notes": mark("補足"),
    "rules": mark("収集の決まり"), "rules[].category": mark("分別"), "rules[].weekdays": mark("曜日"),
    "rules[].nths": mark("第何週"), "rules[].months": mark("何月"), "rules[].every": mark("何週ごと"),
    "rules[].base": mark("起点の日"), "rules[].dates": mark("日付"), "rules[].first": mark("この日から"),
    "rules[].last": mark("この日まで"), "first": mark("この日から"), "last": mark("この日まで"),
    "ward": mark("区"), "town": mark("町"), "centre": mark("収集センター"), "how": mark("出し方"),
    "bag": mark("袋"), "limits": mark("大きさと量"), "cutoff": mark("出す時刻"), "colour": mark("色"),
    "starts_on": mark("開始日"), "ends_on": mark("終了日"), "starts_at": mark("開始時刻"), "ends_at": mark("終了時刻"),
    "status": mark("状態"), "description": mark("説明"), "place_name": mark("会場"), "fee": mark("料金"),
    "apply_until": mark("申込の締切"), "apply_note": mark("申込の方法"), "contact": mark("連絡先"),
    "organiser": mark("主催"), "texts": "", "periods": mark("期間"), "areas": mark("区域"), "topic": mark("話題"),
    "version": mark("版"), "source_name": mark("出典"), "source_url": mark("出典のページ"),
    "source": mark("出典のキー"),
}  # fmt: skip
_DAYS = (
    mark("月曜"), mark("火曜"), mark("水曜"), mark("木曜"), mark("金曜"), mark("土曜"), mark("日曜"),
)  # fmt: skip


def value(path: str, stored: Any) -> str | None:
    """Words for a stored value that is a code; None where it speaks for itself."""
    if path == "hazards" and isinstance(stored, int):
        return "、".join(hazard.ja if current() == "ja" else hazard.value for hazard in hazards_in(stored)) or "–"
    if path in ("rules[].weekdays", "rules[].weekdays[]"):
        days = stored if isinstance(stored, list) else [stored]
        return "・".join(say(_DAYS[day]) for day in days if isinstance(day, int) and 0 <= day < 7)
    return None


def hindrance(reports: dict[str, Any]) -> str:
    """What stands against taking it in; "" for nothing."""
    if not any(one["why_not"] for one in reports.values()):
        return ""
    refused = sum(one["refused_rows"] for one in reports.values())
    if any(one["refused_rows"] for one in reports.values()):
        return say(
            "拒否した行が %(many)s 行あるので、このままでは取り込めません。ファイルを直して選び直すか、"
            "「拒否した行を除いて」に印を付けて、もう一度確認してください。",
            many=f"{refused:,}",
        )
    many = sum(one["withdrawn"] for one in reports.values())
    return say(
        "取り下げが %(many)s 件と多すぎます。ファイルが途中で切れていないか確かめてください。"
        "正しければ「たくさんの取り下げを認める」に印を付けて、もう一度確認してください。",
        many=f"{many:,}",
    )
