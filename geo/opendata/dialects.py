"""The published formats of lists of places, as data: how each is recognised and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from geo.hazards import Hazard
from geo.opendata.sheet import header_key
from geo.sites import SiteKind

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One format. Column names are written as published and compared by `header_key`.

    `columns` names, for each thing a site has, the columns it may stand in; the first that is
    filled counts. Keys beside the fields of `geo.sites.Site`: `id`; `address_parts` (joined when
    no whole address is given) and `building`; `extension` of the telephone; `code` (municipality
    that publishes), `place_code` (municipality in which the place lies) and `prefecture`.
    """

    key: str  # stable; also the beginning of the default source key
    ja: str
    kind: SiteKind
    all_of: Names  # every one of these columns marks the format
    any_of: Names = ()  # and at least one of these
    none_of: Names = ()
    per_municipality: bool = False  # ids count from 1 in every municipality: its code completes the source key
    id_required: bool = False  # otherwise name and address make a key
    columns: Mapping[str, Names] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()  # (column, label before its text)
    hazards: tuple[tuple[Hazard, Names], ...] = ()  # suitable only when every column present says so
    hazard_labels: Mapping[str, str] = field(default_factory=dict)  # of columns that say more than their hazard
    unused: Names = ()  # known, and left out on purpose

    def matches(self, keys: frozenset[str]) -> bool:
        """True when a table with these normalised columns is of this format."""
        flags = [name for _, names in self.hazards for name in names]
        return (
            all(header_key(name) in keys for name in self.all_of)
            and (not self.any_of or any(header_key(name) in keys for name in self.any_of))
            and (not flags or any(header_key(name) in keys for name in flags))
            and not any(header_key(name) in keys for name in self.none_of)
        )


def recognise(keys: frozenset[str]) -> Dialect | None:
    """The format of a table with these normalised column names, or None."""
    return next((dialect for dialect in DIALECTS if dialect.matches(keys)), None)


def _each_hazard(prefix: str) -> tuple[tuple[Hazard, Names], ...]:
    also = {Hazard.LANDSLIDE: ("がけ崩れ、土石流及び地滑り", "土砂災害")}
    return tuple((one, tuple(prefix + name for name in (one.ja, *also.get(one, ())))) for one in Hazard)


# What the national standard data sets share, from 2019 to today.
_STANDARD: Mapping[str, Names] = {
    "id": ("ID", "NO"),
    "name": ("名称",),
    "name_kana": ("名称_カナ",),
    "name_en": ("名称_英字", "名称_英語"),
    "address": ("所在地_連結表記", "住所"),
    "address_parts": ("所在地_都道府県", "所在地_市区町村", "所在地_町字", "所在地_番地以下"),
    "building": ("建物名等(方書)", "方書"),
    "lat": ("緯度",),
    "lon": ("経度",),
    "elevation_m": ("標高",),
    "phone": ("電話番号",),
    "extension": ("内線番号",),
    "url": ("URL",),
    "code": ("全国地方公共団体コード", "市区町村コード", "都道府県コード又は市区町村コード"),
    "place_code": ("所在地_全国地方公共団体コード",),
    "prefecture": ("所在地_都道府県", "都道府県名"),
    "source": ("出典",),  # read, with the next two, when a file is taken in as exported
    "licence": ("ライセンス",),
    "as_of": ("データ時点",),
}
_OPENING: Mapping[str, Names] = {
    "category": ("種別",),
    "ages": ("受入年齢",),
    "available_days": ("利用可能曜日",),
    "available_from": ("開始時間",),
    "available_until": ("終了時間",),
    "available_note": ("利用可能日時特記事項", "利用可能時間特記事項"),
}
_EVACUATION: Mapping[str, Names] = {
    **_STANDARD,
    **_OPENING,  # likewise
    "kind": ("施設区分",),  # our own addition when we export
    "capacity": ("想定収容人数",),
    "accepts": ("対象となる町会・自治会", "受入対象者"),
    "also_shelter": ("指定避難所との重複",),
}
_STANDARD_UNUSED = (
    "町字ID",
    "地方公共団体名",
    "市区町村名",
    "郵便番号",
    "連絡先メールアドレス",
    "連絡先FormURL",
    "連絡先備考",
    "画像",
    "画像_ライセンス",
    "法人番号",
    "団体名",
)
_GSI: Mapping[str, Names] = {
    "id": ("共通ID",),
    "name": ("施設・場所名",),
    "address": ("住所",),
    "prefecture": ("都道府県名及び市町村名",),
    "lat": ("緯度",),
    "lon": ("経度",),
}
_TAKAMATSU: Mapping[str, Names] = {
    "id": ("#property",),
    "name": ("name",),
    "address": ("address",),
    "lat": ("latitude",),
    "lon": ("longitude",),
    "phone": ("telephoneNumber",),
    "url": ("referenceObject",),
    "capacity": ("capacity",),
}

_TAKAMATSU_OPENING: Mapping[str, Names] = {
    "category": ("certifiedType",),
    "ages": ("acceptedAge",),
    "available_days": ("availableDate",),
    "available_from": ("startTime",),
    "available_until": ("endTime",),
    "available_note": ("availableDateNote",),
}

DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        key="gsi-emergency",
        ja="国土地理院 指定緊急避難場所データ",
        kind=SiteKind.EMERGENCY_EVACUATION_SITE,
        all_of=("共通ID", "施設・場所名"),
        id_required=True,
        columns={**_GSI, "also_shelter": ("指定避難所との住所同一",)},
        hazards=_each_hazard(""),
        notes=(("備考", ""),),
        unused=("NO",),
    ),
    Dialect(
        key="gsi-shelter",
        ja="国土地理院 指定避難所データ",
        kind=SiteKind.SHELTER,
        all_of=("共通ID", "施設・場所名"),
        any_of=("指定緊急避難場所との住所同一", "受入対象者"),
        id_required=True,
        columns={**_GSI, "accepts": ("受入対象者",)},
        notes=(("その他市町村長が必要と認める事項", ""), ("備考", "")),
        unused=("NO", "指定緊急避難場所との住所同一"),
    ),
    Dialect(
        key="standard-evacuation",
        ja="自治体標準オープンデータセット（2023年以降）指定緊急避難場所一覧",
        kind=SiteKind.EMERGENCY_EVACUATION_SITE,
        all_of=("名称",),
        any_of=("ID", "所在地_連結表記", "全国地方公共団体コード", "所在地_全国地方公共団体コード"),
        none_of=("NO",),
        per_municipality=True,
        columns=_EVACUATION,
        hazards=_each_hazard("災害種別_"),
        notes=(("備考", ""),),
        unused=_STANDARD_UNUSED,
    ),
    Dialect(
        key="standard2019-evacuation",
        ja="推奨データセット（2019〜22年）指定緊急避難場所一覧",
        kind=SiteKind.EMERGENCY_EVACUATION_SITE,
        all_of=("名称",),
        per_municipality=True,
        columns=_EVACUATION,
        hazards=_each_hazard("災害種別_"),
        notes=(("備考", ""),),
        unused=_STANDARD_UNUSED,
    ),
    Dialect(
        key="standard-aed",
        ja="標準データセット AED設置箇所一覧",
        kind=SiteKind.AED,
        all_of=("名称", "設置位置", "小児対応設備の有無"),
        per_municipality=True,
        columns={**_STANDARD, **_OPENING},
        notes=(("設置位置", ""), ("備考", "")),
        unused=(*_STANDARD_UNUSED, "小児対応設備の有無"),
    ),
    Dialect(
        key="standard-childcare",
        ja="標準データセット 子育て施設一覧",
        kind=SiteKind.CHILDCARE_FACILITY,
        all_of=("名称", "種別", "受入年齢"),
        per_municipality=True,
        columns={**_STANDARD, **_OPENING, "capacity": ("収容定員",)},
        notes=(("備考", ""),),
        unused=(
            *_STANDARD_UNUSED,
            "アクセス方法",
            "駐車場情報",
            "FAX番号",
            "認可等年月日",
            "一時預かりの有無",
        ),
    ),
    Dialect(
        key="standard-public-facility",
        ja="標準データセット 公共施設一覧",
        kind=SiteKind.PUBLIC_FACILITY,
        all_of=("名称", "名称_通称", "バリアフリー情報"),
        per_municipality=True,
        columns={**_STANDARD, **_OPENING},
        notes=(("説明", ""), ("バリアフリー情報", ""), ("備考", "")),
        unused=(*_STANDARD_UNUSED, "名称_通称", "POIコード"),
    ),
    Dialect(
        key="takamatsu-evacuation",
        ja="高松市 避難施設一覧",
        kind=SiteKind.EMERGENCY_EVACUATION_SITE,
        all_of=("#property", "latitude", "longitude", "name"),
        columns={
            **_TAKAMATSU,
            "elevation_m": ("elevation",),
            "accepts": ("residentsAssociation",),
            "also_shelter": ("evacuationSpace",),
        },
        hazards=(
            (Hazard.FLOOD, ("flood_L1", "flood_L2")),
            (Hazard.LANDSLIDE, ("sedimentDisaster",)),
            (Hazard.STORM_SURGE, ("stormSurge",)),
            (Hazard.EARTHQUAKE, ("earthquake",)),
            (Hazard.TSUNAMI, ("tunami", "tsunami")),
            (Hazard.FIRE, ("fire",)),
            (Hazard.INLAND_FLOOD, ("inundation",)),
        ),
        hazard_labels={"flood_L1": "洪水（計画規模）", "flood_L2": "洪水（想定最大規模）"},
        unused=("jurisdiction",),
    ),
    Dialect(
        key="takamatsu-aed",
        ja="高松市 AED設置場所",
        kind=SiteKind.AED,
        all_of=("#property", "latitude", "longitude", "name", "installationPosition", "equipmentForChildren"),
        columns={**_TAKAMATSU, **_TAKAMATSU_OPENING},
        notes=(("installationPosition", ""),),
        unused=("equipmentForChildren",),
    ),
    Dialect(
        key="takamatsu-childcare",
        ja="高松市 子育て施設一覧",
        kind=SiteKind.CHILDCARE_FACILITY,
        all_of=("#property", "latitude", "longitude", "name", "certifiedType", "acceptedAge"),
        columns={**_TAKAMATSU, **_TAKAMATSU_OPENING},
        notes=(("note", ""),),
        unused=("access", "parkingInformation", "temporaryKeeping"),
    ),
    Dialect(
        key="takamatsu-childcare-support",
        ja="高松市 その他の子育て支援施設一覧",
        kind=SiteKind.CHILDCARE_FACILITY,
        all_of=("#property", "latitude", "longitude", "name", "note", "availableDate", "availableDateNote"),
        none_of=("installationPosition", "certifiedType"),
        columns={**_TAKAMATSU, **_TAKAMATSU_OPENING},
        notes=(("note", ""),),
    ),
    Dialect(
        key="nursery-map",
        ja="保育施設マップ（nurseryFacilities）",
        kind=SiteKind.CHILDCARE_FACILITY,
        per_municipality=True,
        all_of=("Name", "Type", "AgeS", "AgeE", "Full", "Open", "Close", "Add1"),
        columns={
            "id": ("HID",),
            "name": ("Name",),
            "address": ("Add1",),
            "building": ("Add2",),
            "lat": ("Y",),
            "lon": ("X",),
            "phone": ("TEL",),
            "url": ("url",),
            "capacity": ("Full",),
            "category": ("Type",),
            "ages": ("AgeS",),
            "ages_to": ("AgeE",),
            "available_from": ("Open",),  # on which days nobody says: whether it is open stays unknown
            "available_until": ("Close",),
        },
        unused=(
            *("Label", "Kodomo", "H24", "Memo", "Extra", "Temp", "Holiday", "Night", "FAX", "Owner", "Ownership"),
            *("Proof", "ShaNai", "Vacancy", "VacancyDate"),
        ),
    ),
)
