"""The real published files come in whole, with the figures that are known of them, and twice changes nothing."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo import areas, sites
from geo.facilities import opening
from geo.hazards import Hazard, hazards_in
from geo.hours import Opening
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from geo.opendata.site_export import csv_text, geojson_text, published
from geo.opendata.site_import import ImportOptions, import_sites
from geo.sites import Site, SiteKind

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)
SENDAI = "shelters_gsi/sendai_emergency.csv"


def take(session: Session, data: bytes, **options: str) -> Report:
    return import_sites(session, data, NOW, ImportOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "form", "rows", "blank"),
    [
        (SENDAI, "gsi-emergency", 311, 0),
        ("shelters_gsi/sendai_041009_emergency.geojson", "gsi-emergency", 311, 0),
        ("shelters_gsi/sendai_evacuation.csv", "gsi-shelter", 210, 0),
        ("shelters_gsi/sendai_041009_evacuation.geojson", "gsi-shelter", 210, 0),
        ("shelters_gsi/miyagi_emergency.csv", "gsi-emergency", 2437, 0),
        ("shelters_gsi/official_mergeFromCity_2_excerpt.csv", "gsi-emergency", 5, 0),
        ("municipal/takamatsu/evacuation_space__data.from_xlsx.csv", "takamatsu-evacuation", 195, 0),
        ("municipal/takamatsu/aed_location__data.from_xlsx.csv", "takamatsu-aed", 450, 0),
        ("municipal/takamatsu/nursery_school__data.from_xlsx.csv", "takamatsu-childcare", 118, 0),
        (
            "municipal/takamatsu/other_child_care_support_facility__data.from_xlsx.csv",
            "takamatsu-childcare-support",
            2,
            0,
        ),
        ("standard_2023plus/utsunomiya_sheet03_first_row.csv", "standard-evacuation", 1, 0),
        ("standard_templates_2019_2022/xxxxxx_evacuation_space.csv", "standard2019-evacuation", 19, 19),
        ("standard_templates_2019_2022/xxxxxx_aed.csv", "standard-aed", 19, 19),
        ("standard_templates_2019_2022/xxxxxx_preschool.csv", "standard-childcare", 19, 19),
        ("standard_templates_2019_2022/xxxxxx_public_facility.csv", "standard-public-facility", 19, 19),
    ],
)
def test_a_published_list_comes_in_whole_and_twice_changes_nothing(
    session: Session, shared_data: Path, name: str, form: str, rows: int, blank: int
) -> None:
    data = (shared_data / name).read_bytes()
    first = take(session, data)
    assert (first.format, first.read, first.blank, first.refused_rows) == (form, rows, blank, 0)
    assert (first.added, first.applied) == (rows - blank, True)
    again = take(session, data)
    assert (again.unchanged, again.writes, again.refused_rows) == (rows - blank, 0, 0)
    assert sites.revision(session) == (1 if rows > blank else 0)


@pytest.mark.parametrize(
    ("name", "code", "rows"),
    [("kawasaki/nurseryFacilities.geojson", "141305", 28), ("koriyama/nurseryData.csv", "072036", 157)],
)
def test_maps_of_nurseries_come_in_and_nobody_says_on_which_days_they_open(
    session: Session, shared_data: Path, name: str, code: str, rows: int
) -> None:
    data = (shared_data / "childcare" / name).read_bytes()
    report = take(session, data, municipality=code)
    assert (report.format, report.added, report.refused_rows) == ("nursery-map", rows, 0)
    found = session.scalars(sa.select(Site)).all()
    assert all(site.available_from and site.available_days is None and site.category for site in found)
    noon = dt.datetime(2026, 9, 2, 12, tzinfo=dt.UTC)
    assert {opening(site, noon, lambda _: False) for site in found} == {Opening.UNKNOWN}


def test_takamatsus_opening_hours_are_surely_open_only_where_their_words_leave_no_doubt(
    session: Session, shared_data: Path
) -> None:
    aeds = take(session, (shared_data / "municipal/takamatsu/aed_location__data.from_xlsx.csv").read_bytes())
    nurseries = take(session, (shared_data / "municipal/takamatsu/nursery_school__data.from_xlsx.csv").read_bytes())
    assert [one.line for one in aeds.warnings if one.code == "unclear_hours"] == [34, 448]  # 土日祝以外, 1700
    assert sum(one.code == "unclear_hours" for one in nurseries.warnings) == 1  # 26:00
    wednesday = dt.datetime(2026, 9, 2, 10, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    found = session.scalars(sa.select(Site)).all()
    shown = [opening(site, wednesday, lambda _: False) for site in found]
    for site, said in zip(found, shown, strict=True):
        if not (site.available_days and site.available_from and site.available_until):
            assert said is Opening.UNKNOWN
        if said is Opening.OPEN:
            assert "水" in (site.available_days or "") or site.available_days == "平日"
            assert not set("まで開のみ毎週休館①火土") & set(site.available_note or ""), site.available_note
    assert shown.count(Opening.OPEN) > 150


def test_the_nation_comes_in_whole_and_twice_changes_nothing(session: Session, shared_data: Path) -> None:
    data = gzip.decompress((shared_data / "shelters_gsi/nationwide_mergeFromCity_2_rebuilt.csv.gz").read_bytes())
    first = take(session, data)
    assert (first.read, first.added, first.refused_rows) == (115_402, 115_402, 0)
    again = take(session, data)
    assert (again.unchanged, again.writes) == (115_402, 0)
    assert sites.revision(session) == 1
    coded = sa.select(sa.func.count()).where(Site.municipality_code.is_not(None))
    assert session.scalar(coded) == 115_402  # read from the 共通ID


def test_csv_and_geojson_of_sendai_are_the_same_places(session: Session, shared_data: Path) -> None:
    take(session, (shared_data / SENDAI).read_bytes())
    report = take(session, (shared_data / "shelters_gsi/sendai_041009_emergency.geojson").read_bytes())
    assert (report.unchanged, report.writes) == (311, 0)


def test_sendais_notes_reach_the_resident(session: Session, shared_data: Path) -> None:
    take(session, (shared_data / SENDAI).read_bytes())
    one = session.scalars(sa.select(Site).where(Site.source_id == "E0410000001201")).one()
    assert one.note == "大雨：2階以上\n津波：2階以上"
    assert one.municipality_code == "041009"


def test_sendais_welfare_shelters_are_known_by_whom_they_receive(session: Session, shared_data: Path) -> None:
    take(session, (shared_data / "shelters_gsi/sendai_evacuation.csv").read_bytes())
    counted = sa.select(Site.kind, sa.func.count()).group_by(Site.kind)
    assert {one[0]: one[1] for one in session.execute(counted)} == {"shelter": 194, "welfare_shelter": 16}


def test_takamatsus_triangles_are_no_promise(session: Session, shared_data: Path) -> None:
    take(session, (shared_data / "municipal/takamatsu/evacuation_space__data.from_xlsx.csv").read_bytes())
    found = session.scalars(sa.select(Site)).all()
    counted = {one: sum(one in hazards_in(site.hazards) for site in found) for one in Hazard}
    assert counted[Hazard.FLOOD] == 108  # both scenarios ○
    assert counted[Hazard.TSUNAMI] == 163
    assert counted[Hazard.EARTHQUAKE] == 192
    assert counted[Hazard.VOLCANO] == 0
    assert all("△" in (site.note or "") for site in found if site.source_id in ("1", "2"))
    assert sum(site.also_shelter for site in found) == 153


@pytest.mark.parametrize("name", ["event", "hospital", "fire_hydrant", "tourism", "cultural_property", "public_toilet"])
def test_lists_of_other_things_are_told_apart(session: Session, shared_data: Path, name: str) -> None:
    with pytest.raises(OpenDataError) as refused:
        take(session, (shared_data / f"standard_templates_2019_2022/xxxxxx_{name}.csv").read_bytes())
    assert refused.value.code == "unknown_format"


def test_a_part_of_the_nation_is_not_taken_for_all_of_it(session: Session, shared_data: Path) -> None:
    take(session, (shared_data / "shelters_gsi/miyagi_emergency.csv").read_bytes())
    report = take(session, (shared_data / SENDAI).read_bytes(), complete_for="gsi-emergency")
    assert (report.withdrawn, report.applied) == (2126, False)


@pytest.mark.parametrize("write", [csv_text, geojson_text])
def test_what_is_published_again_is_read_as_the_same(session: Session, shared_data: Path, write: object) -> None:
    take(session, (shared_data / "shelters_gsi/miyagi_emergency.csv").read_bytes())
    take(session, (shared_data / "shelters_gsi/sendai_evacuation.csv").read_bytes())
    for source, kind, rows in (
        ("gsi-emergency", SiteKind.EMERGENCY_EVACUATION_SITE, 2437),
        ("gsi-shelter", SiteKind.SHELTER, 194),
    ):
        data = "".join(write(published(session, source=source, kinds=[kind]))).encode()  # type: ignore[operator]
        report = take(session, data, source=source)
        assert (report.unchanged, report.writes, report.refused_rows) == (rows, 0, 0)


def test_sendais_wards_and_towns_come_in_and_are_found(session: Session, shared_data: Path) -> None:
    folder = shared_data / "boundaries"
    n03 = (folder / "N03_s0010/N03-21_04_210101_s0010.geojson").read_bytes()
    first = import_areas(session, n03, NOW)
    assert (first.read, first.added, first.refused_rows) == (39, 41, 0)  # 39 municipalities, 仙台市, 宮城県
    assert import_areas(session, n03, NOW).writes == 0
    for code in ("04101", "04102", "04103", "04104", "04105", "04207", "04209", "04211"):
        finer = (folder / f"wards_geolonia_admins/{code}.geojson").read_bytes()
        coarse = areas.geometry_of(session, [code])[0].area
        assert import_areas(session, finer, NOW).changed == 1  # its name leads to its code
        assert areas.geometry_of(session, [code])[0].area == pytest.approx(coarse, rel=0.02)
    counted = {}
    for code, name in (
        ("04101", "青葉区"),
        ("04102", "宮城野区"),
        ("041033", "若林区"),
        ("04104", "太白区"),
        ("04105", "泉区"),
    ):
        data = (folder / f"towns_geolonia_addresses/仙台市{name}.json").read_bytes()
        counted[name] = import_areas(session, data, NOW, AreaOptions(parent=code)).added
        assert import_areas(session, data, NOW, AreaOptions(parent=code)).writes == 0
    assert counted == {"青葉区": 281, "宮城野区": 185, "若林区": 151, "太白区": 191, "泉区": 182}
    assert areas.find(session, "仙台市若林区荒井1丁目")[0].code == "04103-荒井一丁目"
    assert areas.find(session, "泉区桂４丁目")[0].code == "04105-桂四丁目"


def test_topojson_is_not_mistaken_for_geojson(session: Session, shared_data: Path) -> None:
    data = (shared_data / "boundaries/N03_s0010/N03-21_04_210101_s0010.topojson").read_bytes()
    with pytest.raises(OpenDataError) as refused:
        import_areas(session, data, NOW)
    assert refused.value.code == "not_geojson"
