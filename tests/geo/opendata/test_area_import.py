"""Boundaries are united by code, towns get their ward, and a boundary with a hole never comes in."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from geo import areas, sites
from geo.areas import Area
from geo.opendata import area_export
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report
from tests.geo.opendata.lists import collection, feature, square

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)


def take(session: Session, data: bytes, **options: Any) -> Report:
    return import_areas(session, data, NOW, AreaOptions(**options))


def ward(code: str | None, name: str, geometry: Any, city: str | None = "仙台市") -> dict[str, Any]:
    names = {"N03_001": "宮城県", "N03_002": None, "N03_003": city, "N03_004": name, "N03_007": code}
    return feature(names, geometry)


def n03() -> bytes:
    return collection(
        ward("04101", "青葉区", square(38.3, 140.8)),
        ward("04103", "若林区", square(38.2, 140.9)),
        ward("04103", "若林区", square(38.2, 141.1)),  # across the river
        ward("04581", "女川町", square(38.4, 141.4), "牡鹿郡"),
        ward(None, "所属未定地", square(38.5, 141.5), None),
    )


def counts(report: Report) -> tuple[int, ...]:
    return (report.added, report.changed, report.restored, report.unchanged, report.withdrawn, report.refused_rows)


def test_n03_brings_municipalities_wards_and_what_is_above_them(session: Session) -> None:
    report = take(session, n03(), licence="国土数値情報", as_of=dt.date(2026, 1, 1))
    assert (report.format, report.read, report.blank, counts(report)) == ("n03", 5, 1, (5, 0, 0, 0, 0, 0))
    found = {area.code: (area.kind, area.name, area.parent_code) for area in session.scalars(sa.select(Area))}
    assert found == {
        "04": ("prefecture", "宮城県", None),
        "04100": ("city", "仙台市", "04"),
        "04101": ("ward", "青葉区", "04100"),
        "04103": ("ward", "若林区", "04100"),
        "04581": ("city", "女川町", "04"),
    }
    one = areas.get(session, "041033")
    assert one is not None
    assert (one.licence, one.as_of, one.source) == ("国土数値情報", dt.date(2026, 1, 1), "n03")
    assert sites.revision(session, "areas") == 1


def test_the_features_of_a_code_are_united_and_a_city_is_its_wards(session: Session) -> None:
    take(session, n03())
    wakabayashi, sendai = areas.geometry_of(session, ["04103", "04100"])
    assert wakabayashi.area == pytest.approx(0.02)
    assert len(shapely.get_parts(wakabayashi)) == 2
    assert sendai.area == pytest.approx(0.03)
    one = areas.get(session, "04103")
    assert one is not None
    assert one.lat is not None
    assert one.lon is not None
    assert shapely.contains_xy(wakabayashi, one.lon, one.lat)


def test_the_layout_of_n03_since_2024_is_read_too(session: Session) -> None:
    names = {"N03_001": "宮城県", "N03_003": None, "N03_004": "仙台市", "N03_005": "若林区", "N03_007": "04103"}
    take(session, collection(feature(names, square(38.2, 140.9))))
    one = areas.get(session, "04103")
    assert one is not None
    assert (one.name, one.kind, one.parent_code) == ("若林区", "ward", "04100")


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    take(session, n03())
    again = take(session, n03())
    assert (counts(again), again.writes, sites.revision(session, "areas")) == ((0, 0, 0, 4, 0, 0), 0, 1)


def test_a_refused_part_spoils_its_area_and_the_city_above(session: Session) -> None:
    broken = ward("04103", "若林区", {"type": "Point", "coordinates": [140.9, 38.2]})
    data = collection(
        ward("04101", "青葉区", square(38.3, 140.8)), ward("04103", "若林区", square(38.2, 140.9)), broken
    )
    assert not take(session, data).applied
    assert session.scalar(sa.select(sa.func.count()).select_from(Area)) == 0
    report = take(session, data, skip_refused=True)
    assert report.refused_rows == 1
    assert areas.get(session, "04103") is None
    with pytest.raises(areas.AreaError, match="04100"):
        areas.geometry_of(session, ["04100"])


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "not_a_polygon"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": [[["x", 1]]]}, "not_a_polygon"),
        ({"type": "Polygon"}, "not_a_polygon"),
        ({"type": "Polygon", "coordinates": [[[140, 38], [140, 38], [140, 38], [140, 38]]]}, "empty"),
        (square(51.0, 0.0), "outside_japan"),
        ({"type": "Polygon", "coordinates": [[[38, 140], [38.1, 140], [38.1, 140.1], [38, 140]]]}, "looks_swapped"),
    ],
)
def test_shapes_that_are_no_surface_in_japan_are_refused(session: Session, geometry: Any, code: str) -> None:
    report = take(session, collection(ward("04103", "若林区", geometry)))
    assert [one.code for one in report.refused] == [code]


def test_one_boundary_with_only_a_name_needs_a_code_or_a_known_name(session: Session) -> None:
    data = collection(
        feature({"name": "宮城県仙台市若林区"}, square(38.2, 140.9)),
        feature({"name": "宮城県仙台市若林区"}, square(38.2, 141.1)),
    )
    with pytest.raises(OpenDataError) as refused:
        take(session, data)
    assert refused.value.code == "needs_code"
    take(session, data, code="041033")
    one = areas.get(session, "04103")
    assert one is not None
    assert (one.name, one.kind, one.parent_code) == ("若林区", "ward", "04100")
    assert [area.name for area in areas.children(session, "04")] == ["仙台市"]
    assert counts(take(session, data)) == (0, 0, 0, 1, 0, 0)  # the name is known by now


@pytest.mark.parametrize(("code", "fault"), [("13101", "wrong_code"), ("041034", "wrong_check_digit")])
def test_a_code_that_cannot_be_the_named_areas_is_refused(session: Session, code: str, fault: str) -> None:
    with pytest.raises(OpenDataError) as refused:
        take(session, collection(feature({"name": "宮城県仙台市若林区"}, square(38.2, 140.9))), code=code)
    assert refused.value.code == fault


def test_zones_make_a_ward_without_its_branch_office_expressible(session: Session) -> None:
    take(session, n03())
    zone = feature(
        {"code": "04101-宮城総合支所", "name": "宮城総合支所管内", "name_kana": "ミヤギソウゴウシショカンナイ"},
        square(38.3, 140.8, 0.05),
    )
    assert take(session, collection(zone), parent="041017").added == 1
    whole, branch = areas.geometry_of(session, ["04101", "04101-宮城総合支所"])
    assert shapely.difference(whole, branch).area == pytest.approx(0.01 - 0.0025)
    one = areas.get(session, "04101-宮城総合支所")
    assert one is not None
    assert (one.kind, one.parent_code) == ("zone", "04101")


@pytest.mark.parametrize("code", ["", "a b", "a/b", "a?b", "x" * 101, None])
def test_a_zone_needs_a_code_that_fits_an_address(session: Session, code: Any) -> None:
    report = take(session, collection(feature({"code": code, "name": "見本"}, square(38.2, 140.9))))
    assert [one.code for one in report.refused] == ["not_a_code"]


def towns(*found: dict[str, Any]) -> bytes:
    return json.dumps(list(found), ensure_ascii=False).encode()


def test_towns_stand_below_their_ward_with_the_town_as_its_place(session: Session) -> None:
    take(session, n03())
    data = towns(
        {"town": "見本", "koaza": "", "lat": 38.21, "lng": 140.91},
        {"town": "見本", "koaza": "小字", "lat": 38.25, "lng": 140.95},
        {"town": "見本一丁目", "koaza": "", "lat": None, "lng": None},
        {"town": "字だけ", "koaza": "甲", "lat": 38.2, "lng": 140.9},
        {"town": "字だけ", "koaza": "乙", "lat": 38.4, "lng": 140.9},
    )
    report = take(session, data, parent="041033")
    assert (report.read, report.added) == (5, 3)
    found = {area.code: (area.lat, area.lon) for area in areas.children(session, "04103")}
    assert found == {
        "04103-見本": (38.21, 140.91),
        "04103-見本一丁目": (None, None),
        "04103-字だけ": (38.3, 140.9),
    }
    assert counts(take(session, data, parent="04103")) == (0, 0, 0, 3, 0, 0)
    with pytest.raises(areas.AreaError, match="no boundary"):
        areas.geometry_of(session, ["04103-見本"])


def test_towns_need_a_ward_that_is_there(session: Session) -> None:
    data = towns({"town": "見本", "koaza": "", "lat": 38.21, "lng": 140.91})
    for parent, code in ((None, "needs_parent"), ("04103", "unknown_parent"), ("abc", "not_a_code")):
        with pytest.raises(OpenDataError) as refused:
            take(session, data, parent=parent)
        assert refused.value.code == code


def test_a_town_whose_place_cannot_be_is_refused(session: Session) -> None:
    take(session, n03())
    report = take(session, towns({"town": "見本", "koaza": "", "lat": 140.9, "lng": 38.2}), parent="04103")
    assert [(one.line, one.code) for one in report.refused] == [(1, "looks_swapped")]


def test_what_a_later_file_does_not_state_stays(session: Session) -> None:
    take(session, n03())
    one = areas.get(session, "04103")
    assert one is not None
    one.name_kana = "ワカバヤシク"
    session.flush()
    take(session, collection(ward("04103", "若林区", square(38.2, 140.9, 0.2))))
    after = areas.get(session, "04103")
    assert after is not None
    assert after.name_kana == "ワカバヤシク"


def test_areas_gone_from_a_complete_file_are_withdrawn_and_return(session: Session) -> None:
    take(session, n03())
    less = collection(ward("04101", "青葉区", square(38.3, 140.8)), ward("04103", "若林区", square(38.2, 140.9)))
    report = take(session, less, complete_for="n03")
    assert report.withdrawn == 1
    assert areas.get(session, "04581") is None
    assert take(session, n03()).restored == 1
    assert areas.get(session, "04581") is not None
    with pytest.raises(OpenDataError):
        take(session, less, complete_for="other")


def test_a_dry_run_changes_nothing(session: Session) -> None:
    report = take(session, n03(), dry_run=True)
    assert (report.added, report.applied) == (5, False)
    assert session.scalar(sa.select(sa.func.count()).select_from(Area)) == 0


KEYS = ("type", "coordinates", "geometry", "code", "name", "N03_007", "N03_004", "town", "lat", "lng")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "coordinates", "geometry", "code", "name", "N03_007", "N03_004", "town", "lat", "lng"]
            ),
            inner | st.sampled_from(["Polygon", "Feature", "04103", "若林区"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=80)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(JSON, max_size=3).map(lambda found: json.dumps([{"town": "甲", "x": one} for one in found]).encode())
    | st.tuples(JSON, JSON).map(
        lambda pair: json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {"N03_007": "04103", "name": pair[0], "code": pair[0]},
                        "geometry": pair[1],
                    }
                ],
            }
        ).encode()
    )
    | st.integers(0, 2000).map(lambda end: n03()[:end])
)
def test_garbage_is_refused_and_never_crashes(session: Session, data: bytes) -> None:
    try:
        report = take(session, data, skip_refused=True, code="04103")
    except OpenDataError:  # the one error there is
        pass
    else:
        assert report.read >= report.blank
    session.execute(sa.delete(Area))
    session.expire_all()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("名称,緯度\n甲,38\n".encode(), "unknown_format"),
        (collection(feature({"title": "甲"}, square(38.2, 140.9))), "unknown_format"),
        (collection(), "unknown_format"),
        (b"[]", "unknown_format"),
        (b'[{"town": "a"}, 1]', "unknown_format"),
        (b'[{"town": "a"', "not_json"),
        (
            collection(feature({"name": "甲"}, square(38, 140)), feature({"name": "乙"}, square(38, 140))),
            "several_areas",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused(session: Session, data: bytes, code: str) -> None:
    with pytest.raises(OpenDataError) as refused:
        take(session, data)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("properties", "column", "code"),
    [
        ({"code": "z", "name": "甲\x00"}, None, "control_characters"),
        ({"code": "z", "name": ["甲"]}, None, "not_text"),
        ({"code": "z", "name": "甲", "kind": "planet"}, "kind", "unknown_kind"),
        ({"code": "z", "name": None}, "code", "not_a_code"),
    ],
)
def test_a_zone_that_cannot_be_read_is_refused(
    session: Session, properties: dict[str, Any], column: str | None, code: str
) -> None:
    report = take(session, collection(feature(properties, square(38.2, 140.9))))
    assert [(one.line, one.column, one.code) for one in report.refused] == [(4, column, code)]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ({"N03_007": "99999", "N03_004": "甲"}, "not_a_code"),
        ({"N03_007": "04103", "N03_001": "宮城県", "N03_004": ""}, "missing"),
        ({"N03_007": "04103", "N03_001": "宮城県", "N03_004": "甲\x00"}, "control_characters"),
    ],
)
def test_a_municipality_that_cannot_be_read_is_refused(session: Session, names: dict[str, str], code: str) -> None:
    report = take(session, collection(feature(names, square(38.2, 140.9))))
    assert [one.code for one in report.refused] == [code]


@pytest.mark.parametrize(("name", "code"), [(None, "missing"), (" ", "missing"), ("\x00", "control_characters")])
def test_a_boundary_without_a_name_is_refused(session: Session, name: Any, code: str) -> None:
    report = take(session, collection(feature({"name": name}, square(38.2, 140.9))), code="04103")
    assert ([one.code for one in report.refused], report.added) == ([code], 0)


def test_a_boundary_may_be_a_zone_of_its_own(session: Session) -> None:
    take(
        session, collection(feature({"name": "宮城総合支所管内"}, square(38.3, 140.8))), code="04101-m", parent="041017"
    )
    one = areas.get(session, "04101-m")
    assert one is not None
    assert (one.name, one.kind, one.parent_code) == ("宮城総合支所管内", "zone", "04101")


@pytest.mark.parametrize("how", [{"parent": "a b"}, {"code": "a/b"}, {"source": "大"}, {"licence": "\x00"}])
def test_options_that_cannot_be_used_are_refused(session: Session, how: dict[str, str]) -> None:
    with pytest.raises(OpenDataError):
        take(session, n03(), **how)


def test_a_refused_area_withdraws_nothing(session: Session) -> None:
    take(session, n03())
    broken = collection(ward("04101", "青葉区", None), ward("04103", "若林区", square(38.2, 140.9)))
    report = take(session, broken, skip_refused=True, complete_for="n03")
    assert (report.withdrawn, [one.code for one in report.warnings]) == (0, ["nothing_withdrawn"])
    assert areas.get(session, "04581") is not None


def test_towns_without_a_name_are_refused(session: Session) -> None:
    take(session, n03())
    report = take(session, towns({"town": " "}, {"town": "a/b"}, {"town": 1}), parent="04103")
    assert [(one.line, one.code) for one in report.refused] == [(1, "missing"), (2, "missing"), (3, "missing")]


def test_names_in_other_languages_come_in_stay_and_go_out_again(session: Session) -> None:
    plain = {"code": "z1", "name": "見本区域"}

    def zone(**more: Any) -> bytes:
        return collection(feature({**plain, **more}, square(38.3, 140.8, 0.05)))

    take(session, zone(name_en="Mihon area", **{"name_zh-Hans": "样本区域"}))
    assert take(session, zone()).unchanged == 1, "what a list does not state stays"
    assert counts(take(session, zone(name_en="Mihon district", name_ko=""))) == (0, 1, 0, 0, 0, 0)
    found = areas.get(session, "z1")
    assert found is not None
    assert found.names == {"en": "Mihon district", "zh-Hans": "样本区域"}
    assert found.name_kana is None
    (record,) = area_export.published(session)
    assert set(record) == {*area_export.COLUMNS, "geometry"}
    assert (record["name_en"], record["name_zh-Hans"], record["name_ko"]) == ("Mihon district", "样本区域", None)
    found.names = {}
    session.flush()
    geometry = record.pop("geometry")
    again = take(session, collection(feature(record, geometry)), as_exported=True)
    assert (again.changed, found.names) == (1, {"en": "Mihon district", "zh-Hans": "样本区域"})


@pytest.mark.parametrize("name", ["x" * 201, "two\nlines", {"a": 1}])
def test_a_name_that_no_page_can_show_is_refused(session: Session, name: Any) -> None:
    given = {"code": "z1", "name": "見本区域", "name_en": name}
    report = take(session, collection(feature(given, square(38.3, 140.8, 0.05))))
    assert report.refused_rows == 1
    assert areas.get(session, "z1") is None
