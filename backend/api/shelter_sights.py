"""What is shown of shelters: a site, a site with the way there, pages of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import marshmallow as ma

from geo.hazards import Hazard, hazards_in
from geo.nearest import Found, SiteRecord
from geo.sites import Crowding, Site, SiteKind, SiteStatus

# What /v1/shelters is about; other kinds of sites have their own resources.
KINDS = (
    SiteKind.EMERGENCY_EVACUATION_SITE,
    SiteKind.SHELTER,
    SiteKind.WELFARE_SHELTER,
    SiteKind.TSUNAMI_REFUGE,
)
HAZARDS = " | ".join(Hazard)


class Shelter(ma.Schema):
    """A designated place: published facts, and what staff last said of it."""

    id = ma.fields.Integer(metadata={"example": 120})
    name = ma.fields.String(metadata={"example": "見本小学校"})
    name_kana = ma.fields.String(allow_none=True, metadata={"example": "ミホンショウガッコウ"})
    name_en = ma.fields.String(allow_none=True, metadata={"example": "Mihon Elementary School"})
    kind = ma.fields.String(
        metadata={
            "description": "emergency_evacuation_site 指定緊急避難場所（命を守る） | shelter 指定避難所（滞在する） | "
            "welfare_shelter 福祉避難所（後から開く） | tsunami_refuge 津波避難ビル・タワー",
            "example": "emergency_evacuation_site",
        }
    )
    lat = ma.fields.Float(metadata={"example": 38.2301})
    lon = ma.fields.Float(metadata={"example": 140.9402})
    address = ma.fields.String(allow_none=True, metadata={"example": "見本市若葉区一丁目1-1"})
    hazards = ma.fields.List(
        ma.fields.String(),
        metadata={"description": f"指定された災害の種別: {HAZARDS}", "example": ["flood", "earthquake"]},
    )
    also_shelter = ma.fields.Boolean(metadata={"description": "指定避難所を兼ねる。"})
    capacity = ma.fields.Integer(allow_none=True, metadata={"description": "想定収容人数。", "example": 300})
    accepts = ma.fields.String(allow_none=True, metadata={"description": "受入対象者。", "example": None})
    note = ma.fields.String(
        allow_none=True, metadata={"description": "備考。必ず利用者に見せる。", "example": "大雨：2階以上"}
    )
    phone = ma.fields.String(allow_none=True, metadata={"example": "022-000-0000"})
    url = ma.fields.String(allow_none=True, metadata={"example": None})
    elevation_m = ma.fields.Float(allow_none=True, metadata={"description": "標高（m）。", "example": 4.2})
    municipality_code = ma.fields.String(allow_none=True, metadata={"example": "041009"})
    status = ma.fields.String(
        metadata={
            "description": "unknown 不明 | not_open 未開設 | preparing 準備中 | open 開設 | full 満員 | closed 閉鎖 | "
            "unusable 使用不可。unknown は「分からない」のであって、閉まっているとは限らない。",
            "example": "open",
        }
    )
    crowding = ma.fields.String(
        allow_none=True,
        metadata={"description": "vacant | somewhat_crowded | crowded | full", "example": "vacant"},
    )
    status_note = ma.fields.String(allow_none=True, metadata={"example": "体育館のみ"})
    status_at = ma.fields.AwareDateTime(
        allow_none=True,
        metadata={"description": "職員がこの状況を伝えた時刻。", "example": "2026-11-21T09:00:00+00:00"},
    )
    source = ma.fields.String(metadata={"example": "sample"})
    licence = ma.fields.String(allow_none=True, metadata={"example": "CC BY 4.0"})
    as_of = ma.fields.Date(allow_none=True, metadata={"description": "元データの時点。", "example": "2026-04-01"})


class NearShelter(Shelter):
    """A shelter and the way there, as the crow flies."""

    distance_m = ma.fields.Integer(metadata={"description": "直線距離（m）。道のりはこれより長い。", "example": 420})
    bearing_deg = ma.fields.Integer(metadata={"description": "真北から時計回りの方位（0–359度）。", "example": 45})
    walking_minutes = ma.fields.Integer(
        metadata={"description": "直線を分速80 mで歩いた分数（切り上げ）。", "example": 6}
    )
    status_age_s = ma.fields.Integer(
        allow_none=True,
        metadata={"description": "状況が伝えられてからの秒数。キャッシュされない応答だけにある。", "example": 600},
    )


class From(ma.Schema):
    """Where distances are measured from. An exact position is not repeated."""

    kind = ma.fields.String(metadata={"description": "position | cell | area | postcode", "example": "cell"})
    name = ma.fields.String(metadata={"description": "メッシュコード、区域名、郵便番号。", "example": "57403629144"})
    lat = ma.fields.Float(metadata={"description": "メッシュの中心、区域の代表点。"})
    lon = ma.fields.Float()


class Advice(ma.Schema):
    """What to do instead."""

    language = ma.fields.String(metadata={"description": "text の実際の言語。", "example": "ja"})
    text = ma.fields.String(
        metadata={
            "example": "安全に行ける避難場所が見つかりません。建物の2階以上など、できるだけ高い所へ移ってください。"
        }
    )


class Nearest(ma.Schema):
    """The nearest suitable shelters: open ones within 20 km first, outside every danger area in force."""

    hazard = ma.fields.String(metadata={"example": "flood"})
    measured_from = ma.fields.Nested(From)
    distance_kind = ma.fields.String(
        metadata={"description": "常に straight_line。川や斜面を越える直線の距離。", "example": "straight_line"}
    )
    shelters = ma.fields.List(ma.fields.Nested(NearShelter))
    unconfirmed_nearer = ma.fields.Nested(
        NearShelter,
        allow_none=True,
        metadata={"description": "最初の開設済みより近いが、開いているか分からない所。なければ null。"},
    )
    advice = ma.fields.Nested(
        Advice,
        allow_none=True,
        metadata={"description": "適する所が一つもないか、最初の一つが 20 km より遠いとき、代わりにすべきこと。"},
    )
    status_as_of = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "市内の避難先の状況が最後に更新された時刻。一度もなければ null。"}
    )


class ListedShelter(Shelter):
    """A shelter in a list, with the way there when the list is by distance."""

    distance_m = ma.fields.Integer(
        allow_none=True, metadata={"description": "直線距離（m）。位置を指定したときだけ。", "example": 420}
    )
    bearing_deg = ma.fields.Integer(allow_none=True, metadata={"example": 45})


class ShelterPage(ma.Schema):
    """A page of shelters: by distance when a position is given, else by id."""

    items = ma.fields.List(ma.fields.Nested(ListedShelter))
    next = ma.fields.String(allow_none=True, metadata={"description": "位置を指定した一覧には続きがない。"})


def way(distance_m: float | None, bearing_deg: float | None) -> dict[str, int | None]:
    """The way to a place as lists tell it; empty without a position to go from."""
    if distance_m is None or bearing_deg is None:
        return {"distance_m": None, "bearing_deg": None}
    return {"distance_m": round(distance_m), "bearing_deg": round(bearing_deg) % 360}


_PLAIN = tuple(name for name in Shelter().fields if name not in ("hazards", "kind", "status", "crowding"))


def shelter(site: Site | SiteRecord) -> dict[str, Any]:
    """A site for residents."""
    return {
        **{name: getattr(site, name) for name in _PLAIN},
        "hazards": [hazard.value for hazard in hazards_in(site.hazards)],
        "kind": SiteKind(site.kind).value,
        "status": SiteStatus(site.status).value,
        "crowding": Crowding(site.crowding).value if site.crowding else None,
    }


def near(found: Found, now: dt.datetime | None) -> dict[str, Any]:
    """A site with the way there; with the age of its status when `now` is given."""
    told = {
        **shelter(found.site),
        "distance_m": round(found.distance_m),
        "bearing_deg": round(found.bearing_deg) % 360,
        "walking_minutes": found.walking_minutes,
    }
    if now is not None:
        at = found.site.status_at
        told["status_age_s"] = max(0, round((now - at).total_seconds())) if at else None
    return told


def nearest(
    hazard: Hazard,
    measured_from: dict[str, Any],
    found: Sequence[Found],
    unconfirmed: Found | None,
    *,
    advice: dict[str, str] | None,
    status_as_of: dt.datetime | None,
    now: dt.datetime | None,
) -> dict[str, Any]:
    """The answer to "where to": `now` only where no cache keeps it."""
    nearer = unconfirmed is not None and found and _open(found[0]) and unconfirmed.distance_m < found[0].distance_m
    return {
        "hazard": hazard.value,
        "measured_from": measured_from,
        "distance_kind": "straight_line",
        "shelters": [near(one, now) for one in found],
        "unconfirmed_nearer": near(unconfirmed, now) if unconfirmed is not None and nearer else None,
        "advice": advice,
        "status_as_of": status_as_of,
    }


def _open(found: Found) -> bool:
    return found.site.status == SiteStatus.OPEN
