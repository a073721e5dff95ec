"""What is exported is read again as the same sites, in CSV and in GeoJSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from geo.municipality import check_digit
from geo.opendata import cells
from geo.opendata.site_export import COLUMNS, csv_text, geojson_text, published
from geo.opendata.site_import import ImportOptions, import_sites
from geo.sites import Site, SiteKind, SiteStatus

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)
Write = Callable[[Iterable[dict[str, Any]]], Iterator[str]]
FACTS = (
    *("source_id", "kind", "name", "name_kana", "name_en", "address", "lat", "lon", "hazards", "also_shelter"),
    *("capacity", "accepts", "note", "phone", "url", "elevation_m", "municipality_code"),
)

# Anything a site can hold: what an import lets through.
TEXT = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n",=+-@△'), min_size=1, max_size=20)
    .map(lambda text: cells.text(text) or "見本")
    .filter(lambda text: cells.text(text) == text)
)
CODE = st.integers(1, 47).map(lambda number: f"{number:02d}201").map(lambda five: five + check_digit(five))
SITE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([kind.value for kind in SiteKind]),
        "name": TEXT,
        "name_kana": st.none() | TEXT,
        "name_en": st.none() | TEXT,
        "address": st.none() | TEXT,
        "lat": st.floats(20, 46),
        "lon": st.floats(122, 154),
        "hazards": st.integers(0, 255),
        "also_shelter": st.booleans(),
        "capacity": st.none() | st.integers(0, 10_000_000),
        "accepts": st.none() | TEXT,
        "note": st.none() | TEXT,
        "phone": st.none() | TEXT,
        "url": st.none() | TEXT,
        "elevation_m": st.none() | st.floats(-100, 3800),
        "municipality_code": st.none() | CODE,
    }
)


def facts(session: Session, source: str) -> list[tuple[Any, ...]]:
    found = session.scalars(sa.select(Site).where(Site.source == source).order_by(Site.source_id))
    return [tuple(getattr(site, name) for name in FACTS) for site in found]


def add(session: Session, source: str, number: int, **changes: Any) -> Site:
    site = Site(
        source=source,
        source_id=str(number),
        **({"kind": "shelter", "name": f"見本{number}", "lat": 38.2, "lon": 140.9} | changes),
    )
    session.add(site)
    session.flush()
    return site


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SITE, min_size=1, max_size=3), st.sampled_from([csv_text, geojson_text]))
def test_any_site_survives_export_and_import(session: Session, places: list[dict[str, Any]], write: Write) -> None:
    session.execute(sa.delete(Site))
    for number, place in enumerate(places):
        add(session, "first", number, **place)
    data = "".join(write(published(session))).encode()
    report = import_sites(session, data, NOW, ImportOptions(source="second"))
    assert (report.refused, report.applied) == ([], True)
    assert facts(session, "second") == facts(session, "first")


def test_the_table_has_the_standard_columns_first(session: Session) -> None:
    add(session, "a", 1, hazards=1, also_shelter=True, status=SiteStatus.OPEN.value)
    header, row = "".join(csv_text(published(session))).removesuffix("\r\n").split("\r\n")
    assert header.startswith(
        "\ufeff全国地方公共団体コード,ID,地方公共団体名,名称,名称_カナ,名称_英字,所在地_全国地方公共団体コード"
    )
    assert dict(zip(COLUMNS, row.split(","), strict=True)) | {"備考": ""} == dict.fromkeys(COLUMNS, "") | {
        "ID": "1",
        "名称": "見本1",
        "緯度": "38.2",
        "経度": "140.9",
        "災害種別_洪水": "1",
        "指定避難所との重複": "1",
        "施設区分": "指定避難所",
        "出典": "a",
    }


def test_geojson_is_a_feature_collection_of_points(session: Session) -> None:
    add(session, "a", 1)
    document = json.loads("".join(geojson_text(published(session))))
    assert document["type"] == "FeatureCollection"
    assert [one["geometry"] for one in document["features"]] == [{"type": "Point", "coordinates": [140.9, 38.2]}]
    assert json.loads("".join(geojson_text([])))["features"] == []


def test_ids_two_sources_share_are_told_apart(session: Session) -> None:
    add(session, "a", 1)
    add(session, "b", 1)
    add(session, "b", 2)
    assert [one["ID"] for one in published(session)] == ["a:1", "b:1", "2"]
    assert [one["ID"] for one in published(session, source="b")] == ["1", "2"]


def test_withdrawn_sites_are_not_published_and_kinds_can_be_chosen(session: Session) -> None:
    add(session, "a", 1, withdrawn_at=NOW)
    add(session, "a", 2, kind="aed")
    add(session, "a", 3)
    assert [one["ID"] for one in published(session)] == ["2", "3"]
    assert [one["ID"] for one in published(session, kinds=[SiteKind.AED])] == ["2"]


@pytest.mark.parametrize("name", ["=SUM(A1)", "+81館", "@見本", "-1階"])
def test_a_name_that_looks_like_a_formula_is_published_unchanged(session: Session, name: str) -> None:
    add(session, "a", 1, name=name)
    assert f",{name}," in "".join(csv_text(published(session)))
    report = import_sites(session, "".join(csv_text(published(session))).encode(), NOW, ImportOptions(source="b"))
    assert "formula" in [one.code for one in report.warnings]
