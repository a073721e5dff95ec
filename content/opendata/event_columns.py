"""The published formats of lists of events, as data: how each is recognised and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geo.opendata.sheet import header_key

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One format. For each thing an event has, the columns it may stand in; the first that is filled counts."""

    key: str
    ja: str
    all_of: Names
    columns: Mapping[str, Names]
    unused: Names = ()

    def matches(self, keys: frozenset[str]) -> bool:
        """True when a table with these normalised columns is of this format."""
        return all(header_key(name) in keys for name in self.all_of)


def recognise(keys: frozenset[str]) -> EventFormat | None:
    """The format of a table with these normalised column names, or None."""
    return next((one for one in FORMATS if one.matches(keys)), None)


FORMATS = (
    EventFormat(
        key="standard-event",
        ja="標準データセット イベント一覧",
        all_of=("イベント名", "開始日"),
        columns={
            "id": ("ID", "NO"),
            "code": ("全国地方公共団体コード", "都道府県コード又は市区町村コード", "所在地_全国地方公共団体コード"),
            "prefecture": ("所在地_都道府県", "都道府県名"),
            "name": ("イベント名",),
            "name_kana": ("イベント名_カナ",),
            "name_en": ("イベント名_英字", "イベント名_英語"),
            "first": ("開始日",),
            "last": ("終了日",),
            "start_time": ("開始時間",),
            "end_time": ("終了時間",),
            "time_note": ("開始日時特記事項",),
            "description": ("説明",),
            "category": ("カテゴリー", "イベント種類"),
            "audience": ("対象年齢", "対象", "対象者"),  # our own addition
            "status": ("開催状況",),  # likewise: 予定, 中止, 延期, 変更
            "fee": ("料金(基本)", "料金種別"),
            "fee_note": ("料金(詳細)",),
            "capacity": ("定員",),
            "apply_until": ("参加申込終了日",),
            "apply_time": ("参加申込終了時間",),
            "apply_note": ("参加申込方法",),
            "organiser": ("主催者",),
            "contact": ("連絡先名称",),
            "phone": ("連絡先電話番号", "電話番号"),
            "place_name": ("場所名称",),
            "address": ("所在地_連結表記", "住所"),
            "building": ("建物名等(方書)", "方書"),
            "access": ("アクセス方法",),
            "parking": ("駐車場情報",),
            "lat": ("緯度",),
            "lon": ("経度",),
            "url": ("URL", "コンテンツURL"),
            "note": ("備考",),
        },
        unused=(
            "地方公共団体名",
            "市区町村名",
            "所在地_市区町村",
            "町字ID",
            "所在地_町字",
            "所在地_番地以下",
            "連絡先内線番号",
            # Of our own exports.
            *("変更前_開始日", "変更前_終了日", "変更前_開始時間", "変更前_終了時間", "変更前_場所名称", "変更日時"),
            *("出典", "ライセンス", "データ時点"),
        ),
    ),
    EventFormat(
        key="takamatsu-event",
        ja="高松市 イベント一覧",
        all_of=("行事名", "開催日"),
        columns={
            "id": ("№", "No"),
            "name": ("行事名",),
            "both": ("開催日",),  # first and last day in one cell, mostly without a year
            "start_time": ("開始時間",),
            "end_time": ("終了時間",),
            "description": ("説明",),
            "audience": ("対象",),
            "fee": ("料金",),
            "capacity": ("定員",),
            "apply_note": ("申込期間",),
            "contact": ("問い合わせ先（市の担当課）",),
            "phone": ("TEL",),
            "place_name": ("場所名称",),
            "lat": ("緯度",),
            "lon": ("経度",),
            "url": ("URL",),
        },
    ),
)
