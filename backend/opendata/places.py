"""Where: evacuation sites, shelters, AEDs, facilities, areas as public data sets."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from backend.opendata.dataset import DataSet, Origin, Publisher, Write, as_table, grouped
from geo.areas import Area
from geo.opendata import area_export, facility_export
from geo.opendata.written import collection, table
from geo.sites import Site, SiteKind

_STANDARD = "自治体標準オープンデータセット"


def _sites(name: str, ja: str, en: str, about: str, standard: str, *kinds: SiteKind) -> DataSet:
    def csv(session: Session, _by: Publisher, source: str | None) -> Iterator[str]:
        layout, records = facility_export.records(session, kinds, source)
        return table(layout.columns, records)

    def geojson(session: Session, _by: Publisher, source: str | None) -> Iterator[str]:
        layout, records = facility_export.records(session, kinds, source)
        return collection(records, left_out=layout.left_out())

    def origins(session: Session, _by: Publisher) -> list[Origin]:
        return grouped(session, Site, Site.kind.in_([kind.value for kind in kinds]))

    forms: dict[str, Write] = {"csv": csv, "geojson": geojson}
    return DataSet(
        name=name, ja=ja, en=en, about=about, forms=forms, origins=origins, revision="sites",
        standard=f"{_STANDARD} {standard}", importer=dict.fromkeys(forms, "yobikake import sites --as-exported"),
    )  # fmt: skip


SETS = (
    _sites(
        "evacuation_sites", "指定緊急避難場所一覧", "Emergency evacuation sites",
        "命を守るために逃げる場所。災害の種別ごとの指定、津波避難施設を含む。", "指定緊急避難場所一覧",
        SiteKind.EMERGENCY_EVACUATION_SITE, SiteKind.TSUNAMI_REFUGE,
    ),
    _sites(
        "shelters", "指定避難所一覧", "Shelters", "災害の後に滞在する避難所と福祉避難所。", "指定緊急避難場所一覧の列",
        SiteKind.SHELTER, SiteKind.WELFARE_SHELTER,
    ),
    _sites("aeds", "AED設置箇所一覧", "AEDs", "AEDの場所と使える時間。", "AED設置箇所一覧", SiteKind.AED),
    _sites(
        "childcare_facilities", "子育て施設一覧", "Child-care facilities", "保育所、児童館、子育て支援施設など。",
        "子育て施設一覧", SiteKind.CHILDCARE_FACILITY,
    ),
    _sites(
        "public_facilities", "公共施設一覧", "Public facilities", "市の施設と開館時間。", "公共施設一覧",
        SiteKind.PUBLIC_FACILITY,
    ),
    DataSet(
        name="areas", ja="区域一覧", en="Wards, towns and zones",
        about="区・町・区域の名前、読み、代表点。境界は GeoJSON に。", revision="areas",
        forms={
            "csv": as_table(area_export.COLUMNS, lambda session, _by, one: area_export.published(session, source=one)),
            "geojson": lambda session, _by, one: collection(area_export.published(session, source=one), at=None),
        },
        origins=lambda session, _by: grouped(session, Area),
        importer={"geojson": "yobikake import areas --as-exported"},
    ),
)  # fmt: skip
