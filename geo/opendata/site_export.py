"""Sites written again as the national standard table (2023 on), in CSV and GeoJSON, for anybody to reuse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.hazards import Hazard
from geo.opendata.facts import KIND_JA
from geo.opendata.provenance import PROVENANCE, exported_id
from geo.opendata.written import collection, table
from geo.sites import Site, SiteKind

# Sheet 03 (指定緊急避難場所一覧) of the 自治体標準オープンデータセット; columns we know nothing for stay empty.
HEAD = ("全国地方公共団体コード", "ID", "地方公共団体名", "名称", "名称_カナ", "名称_英字")
WHERE = (
    *(
        "所在地_全国地方公共団体コード",
        "町字ID",
        "所在地_連結表記",
        "所在地_都道府県",
        "所在地_市区町村",
        "所在地_町字",
    ),
    *("所在地_番地以下", "建物名等(方書)", "緯度", "経度", "標高"),
)
CONTACT = ("電話番号", "内線番号", "連絡先メールアドレス", "連絡先FormURL", "連絡先備考", "郵便番号")
_FLAGS = tuple(f"災害種別_{hazard.ja}" for hazard in Hazard)
_BITS = tuple((f"災害種別_{hazard.ja}", hazard.bit) for hazard in Hazard)
_TAIL = ("指定避難所との重複", "想定収容人数", "対象となる町会・自治会", "URL", "画像", "画像_ライセンス", "備考")
# Appended, as the data set allows: what else a record needs to be relied on.
_OWN = ("施設区分", "受入対象者", *PROVENANCE)
# As the lists of facilities and AEDs call them.
OPENING = ("種別", "受入年齢", "利用可能曜日", "開始時間", "終了時間", "利用可能日時特記事項")
COLUMNS = (*HEAD, *WHERE, *CONTACT, *_FLAGS, *_TAIL, *_OWN, *OPENING)
# Standard columns for which the house has nothing: empty in the table, left out of GeoJSON.
NEVER = frozenset(
    {"地方公共団体名", "町字ID", "所在地_都道府県", "所在地_市区町村", "所在地_町字", "所在地_番地以下"}
    | {"建物名等(方書)", "画像", "画像_ライセンス"}
    | set(CONTACT) - {"電話番号"}
)
_NEIGHBOURS = frozenset({SiteKind.EMERGENCY_EVACUATION_SITE.value, SiteKind.TSUNAMI_REFUGE.value})


def published(
    session: Session, *, source: str | None = None, kinds: Collection[SiteKind] = ()
) -> Iterator[dict[str, Any]]:
    """Present sites as records of the standard table, ordered by id; values are text, numbers, or None.

    ID is the source's own; where two sources use the same one, or it begins so by itself, it becomes `source:id`.
    """
    # Rows and not objects: a list of the whole country has more than a hundred thousand.
    wanted = sa.select(*Site.__table__.c).where(Site.withdrawn_at.is_(None)).order_by(Site.id)
    doubled = sa.select(Site.source_id).where(Site.withdrawn_at.is_(None)).group_by(Site.source_id)
    if source is not None:
        wanted, doubled = wanted.where(Site.source == source), doubled.where(Site.source == source)
    if kinds:
        named = [SiteKind(kind).value for kind in kinds]
        wanted, doubled = wanted.where(Site.kind.in_(named)), doubled.where(Site.kind.in_(named))
    shared = set(session.scalars(doubled.having(sa.func.count() > 1)))
    for site in session.execute(wanted.execution_options(yield_per=2000)):
        yield record(site, exported_id(site.source, site.source_id, shared))


def record(site: Site | sa.Row[Any], identifier: str) -> dict[str, Any]:
    """One site as a record of the standard table."""
    neighbours = site.kind in _NEIGHBOURS
    values: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "全国地方公共団体コード": site.municipality_code,
        "ID": identifier,
        "名称": site.name,
        "名称_カナ": site.name_kana,
        "名称_英字": site.name_en,
        "所在地_全国地方公共団体コード": site.municipality_code,
        "所在地_連結表記": site.address,
        "緯度": site.lat,
        "経度": site.lon,
        "標高": site.elevation_m,
        "電話番号": site.phone,
        "指定避難所との重複": 1 if site.also_shelter else None,
        "想定収容人数": site.capacity,
        "対象となる町会・自治会": site.accepts if neighbours else None,
        "URL": site.url,
        "備考": site.note,
        "施設区分": KIND_JA[SiteKind(site.kind)],
        "受入対象者": None if neighbours else site.accepts,
        "出典": site.source,
        "ライセンス": site.licence,
        "データ時点": site.as_of.isoformat() if site.as_of else None,
        "種別": site.category,
        "受入年齢": site.ages,
        "利用可能曜日": site.available_days,
        "開始時間": site.available_from,
        "終了時間": site.available_until,
        "利用可能日時特記事項": site.available_note,
    }
    for flag, bit in _BITS:
        values[flag] = 1 if site.hazards & bit else None
    return values


def csv_text(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The records as CSV, piece by piece."""
    return table(COLUMNS, records)


def geojson_text(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The records as a GeoJSON FeatureCollection, piece by piece, one feature a line."""
    return collection(records, left_out=NEVER)
