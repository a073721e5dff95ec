"""What a list of places says becomes the facts of sites; what cannot be understood is refused with its place."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from geo import sites
from geo.hazards import Hazard, hazards_in, mask_of
from geo.opendata.faults import OpenDataError
from tests.geo.opendata.importing import NOW, all_sites, counts, only, refusals, take
from tests.geo.opendata.lists import (
    GSI,
    STANDARD,
    collection,
    csv_bytes,
    feature,
    gsi,
    gsi_bytes,
    standard,
    standard_bytes,
)


def test_a_gsi_list_becomes_sites(session: Session) -> None:
    report = take(
        session,
        gsi_bytes(gsi(1, 備考="大雨：2階以上\n津波：2階以上", 指定避難所との住所同一="1", 津波="1")),
        licence="国土地理院コンテンツ利用規約",
        as_of=dt.date(2026, 8, 1),
    )
    assert (report.format, report.sources, report.applied, counts(report)) == (
        "gsi-emergency",
        ["gsi-emergency"],
        True,
        (1, 0, 0, 0, 0, 0),
    )
    site = only(session)
    assert (site.source, site.source_id, site.kind) == ("gsi-emergency", "E0410000001201", "emergency_evacuation_site")
    assert (site.name, site.address) == ("見本第1小学校", "宮城県仙台市若林区見本1-1")
    assert (site.lat, site.lon) == (38.201, 140.901)
    assert hazards_in(site.hazards) == (Hazard.FLOOD, Hazard.EARTHQUAKE, Hazard.TSUNAMI)
    assert site.also_shelter is True
    assert site.note == "大雨：2階以上\n津波：2階以上"
    assert site.municipality_code == "041009"
    assert (site.licence, site.as_of) == ("国土地理院コンテンツ利用規約", dt.date(2026, 8, 1))
    assert (site.status, site.imported_at, site.withdrawn_at, site.version) == ("unknown", NOW, None, 1)


def test_a_city_list_of_2023_becomes_sites_of_its_municipality(session: Session) -> None:
    columns = [
        *STANDARD,
        "建物名等(方書)",
        "標高",
        "電話番号",
        "内線番号",
        "対象となる町会・自治会",
        "URL",
        "名称_英字",
    ]
    row = standard(
        7,
        全国地方公共団体コード="92011",
        所在地_連結表記="栃木県宇都宮市見本町1-1",
        想定収容人数="1,200",
        標高="12.5",
        電話番号="000-000-0000",
        内線番号="12",
        名称_英字="Sample Hall",
        **{"建物名等(方書)": "市民ホール2階", "対象となる町会・自治会": "見本町会"},
    )
    report = take(session, standard_bytes(row, columns=columns))
    assert report.sources == ["standard-evacuation-092011"]
    site = only(session)
    assert (site.source_id, site.municipality_code, site.capacity, site.elevation_m) == ("7", "092011", 1200, 12.5)
    assert (site.address, site.phone) == ("栃木県宇都宮市見本町1-1 市民ホール2階", "000-000-0000（内線12）")
    assert (site.accepts, site.name_en) == ("見本町会", "Sample Hall")


def test_the_whole_address_in_one_part_or_in_many_is_one_address(session: Session) -> None:
    columns = ["ID", "名称", "所在地_都道府県", "所在地_市区町村", "所在地_町字", "緯度", "経度", "災害種別_洪水"]
    parts = {"所在地_都道府県": "宮城県", "所在地_市区町村": "仙台市若林区", "所在地_町字": "見本"}
    whole = {"所在地_都道府県": "", "所在地_市区町村": "宮城県仙台市若林区見本", "所在地_町字": ""}
    rows = [standard(1) | parts, standard(2) | whole]
    take(session, csv_bytes(columns, [{name: row.get(name, "") for name in columns} for row in rows]), source="sample")
    assert {site.address for site in all_sites(session).values()} == {"宮城県仙台市若林区見本"}


def test_the_recommended_data_set_of_2019_is_another_source(session: Session) -> None:
    columns = [
        "NO",
        "名称",
        "住所",
        "方書",
        "緯度",
        "経度",
        "市区町村コード",
        "災害種別_洪水",
        "指定避難所との重複",
        "備考",
    ]
    row = {"NO": "1", "名称": "甲", "住所": "見本町1", "方書": "2階", "緯度": "38.2", "経度": "140.9"}
    report = take(session, csv_bytes(columns, [row | {"市区町村コード": "041009", "災害種別_洪水": "1"}], "cp932"))
    assert (report.format, report.encoding) == ("standard2019-evacuation", "cp932")
    assert report.sources == ["standard2019-evacuation-041009"]
    assert only(session).address == "見本町1 2階"


@pytest.mark.parametrize(
    ("accepts", "kind"),
    [("", "shelter"), ("高齢者", "welfare_shelter"), ("地域住民", "shelter"), ("在校生", "welfare_shelter")],
)
def test_a_shelter_that_receives_only_some_is_a_welfare_shelter(session: Session, accepts: str, kind: str) -> None:
    take(session, _shelter(accepts))
    assert (only(session).kind, only(session).hazards) == (kind, 0)


def _shelter(accepts: str) -> bytes:
    columns = [
        "共通ID",
        "施設・場所名",
        "住所",
        "受入対象者",
        "その他市町村長が必要と認める事項",
        "緯度",
        "経度",
        "備考",
    ]
    row = {name: gsi(1).get(name, "") for name in columns} | {"受入対象者": accepts}
    return csv_bytes(columns, [row])


TAKAMATSU = (
    *("#property", "latitude", "longitude", "name", "address", "telephoneNumber", "flood_L1", "flood_L2"),
    *("inundation", "sedimentDisaster", "stormSurge", "tunami", "fire", "earthquake", "evacuationSpace"),
    *("jurisdiction", "elevation", "capacity", "residentsAssociation"),
)


def _takamatsu(**marks: str) -> bytes:
    row = {"#property": "1", "latitude": "34.34", "longitude": "134.04", "name": "見本園", "address": "高松市見本町1"}
    return csv_bytes(TAKAMATSU, [row | {"telephoneNumber": "-", "evacuationSpace": "○"} | marks])


@pytest.mark.parametrize(
    ("first", "second", "suitable"),
    [("○", "○", True), ("○", "△", False), ("△", "△", False), ("○", "×", False), ("−", "−", False), ("○", "", False)],
)
def test_flood_is_promised_only_when_both_scenarios_are(
    session: Session, first: str, second: str, suitable: bool
) -> None:
    take(session, _takamatsu(flood_L1=first, flood_L2=second, earthquake="○"))
    assert (Hazard.FLOOD in hazards_in(only(session).hazards)) is suitable
    assert Hazard.EARTHQUAKE in hazards_in(only(session).hazards)


def test_a_condition_is_no_promise_but_reaches_the_resident(session: Session) -> None:
    report = take(session, _takamatsu(flood_L1="○", flood_L2="△", tunami="△", earthquake="○", inundation="×"))
    site = only(session)
    assert hazards_in(site.hazards) == (Hazard.EARTHQUAKE,)
    assert site.note == (
        "公表資料の記号: 洪水（計画規模）○、洪水（想定最大規模）△、津波△。"
        "△は条件付きです。条件は市町村の案内で確認してください。"
    )
    assert (site.phone, site.also_shelter) == (None, True)
    assert [one.code for one in report.warnings] == ["conditional"]


def test_a_condition_that_is_lifted_takes_its_note_along(session: Session) -> None:
    take(session, _takamatsu(tunami="△"))
    take(session, _takamatsu(tunami="○"))
    assert (hazards_in(only(session).hazards), only(session).note) == ((Hazard.TSUNAMI,), None)


def test_geojson_says_the_same_as_csv(session: Session) -> None:
    row = gsi(1, 備考="2階以上")
    properties: dict[str, Any] = {name: row.get(name, "") for name in GSI if name not in ("緯度", "経度")} | {"NO": 1}
    point = {"type": "Point", "coordinates": [float(row["経度"]), float(row["緯度"]), 12.5]}
    first = take(session, gsi_bytes(row))
    second = take(session, collection(feature(properties, point)))
    assert (counts(first), counts(second)) == ((1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp"])
def test_the_encoding_does_not_matter(session: Session, encoding: str) -> None:
    take(session, gsi_bytes(gsi(1)))
    assert counts(take(session, gsi_bytes(gsi(1), encoding=encoding))) == (0, 0, 0, 1, 0, 0)


def test_columns_may_stand_in_any_order_and_width(session: Session) -> None:
    take(session, gsi_bytes(gsi(1)))
    columns = [name.replace("・", "･").replace("、", "，") for name in reversed(GSI)]
    row = dict(zip(columns, (gsi(1).get(name, "") for name in reversed(GSI)), strict=True))
    assert counts(take(session, csv_bytes(columns, [row]))) == (0, 0, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"緯度": "140.9", "経度": "38.2"}, "緯度・経度", "looks_swapped"),
        ({"緯度": "", "経度": ""}, "緯度", "missing"),
        ({"経度": ""}, "経度", "missing"),
        ({"緯度": "0", "経度": "0"}, "緯度・経度", "missing"),
        ({"緯度": "35.0", "経度": "129.0e1"}, "緯度・経度", "outside_japan"),
        ({"緯度": "38度12分"}, "緯度", "not_decimal_degrees"),
        ({"洪水": "可"}, "洪水", "unknown_flag"),
        ({"指定避難所との住所同一": "?"}, "指定避難所との住所同一", "unknown_flag"),
        ({"共通ID": ""}, "共通ID", "missing"),
        ({"施設・場所名": "\u3000"}, "施設・場所名", "missing"),
        ({"施設・場所名": "甲\x00"}, "施設・場所名", "control_characters"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_place(
    session: Session, changes: dict[str, str], column: str, code: str
) -> None:
    report = take(session, gsi_bytes(gsi(1, 備考="二行の\n備考"), gsi(2) | changes, gsi(3)))
    assert (4, column, code) in refusals(report)
    assert all(one.line == 4 and one.reason for one in report.refused)
    assert (report.refused_rows, report.applied) == (1, False)
    assert all_sites(session) == {}
    assert sites.revision(session) == 0


def test_every_faulty_cell_of_a_row_is_named_once(session: Session) -> None:
    report = take(session, gsi_bytes(gsi(1, 洪水="?", 津波="!", 緯度="x")))
    assert sorted(one.column or "" for one in report.refused) == ["津波", "洪水", "緯度"]
    assert report.refused_rows == 1


def test_skip_refused_takes_the_others(session: Session) -> None:
    report = take(session, gsi_bytes(gsi(1), gsi(2, 洪水="?"), gsi(3)), skip_refused=True)
    assert (report.applied, counts(report)) == (True, (2, 0, 0, 0, 0, 1))
    assert set(all_sites(session)) == {"E0410000001201", "E0410000003201"}


def test_two_rows_of_one_id_are_both_refused(session: Session) -> None:
    report = take(session, gsi_bytes(gsi(1), gsi(2), gsi(1)), skip_refused=True)
    assert sorted(refusals(report)) == [(2, "共通ID", "duplicate_id"), (4, "共通ID", "duplicate_id")]
    assert (counts(report), list(all_sites(session))) == ((1, 0, 0, 0, 0, 2), ["E0410000002201"])


def test_rows_of_commas_are_blank(session: Session) -> None:
    data = gsi_bytes(gsi(1)) + b"," * (len(GSI) - 1) + b"\r\n" + " , ,\u3000".encode() + b"," * (len(GSI) - 3) + b"\r\n"
    report = take(session, data)
    assert (report.read, report.blank, counts(report)) == (3, 2, (1, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("tail", "code"), [(b"1,E0410000009201,x\r\n", "too_few_cells"), (b"x" + b"," * 17 + b"y\r\n", "too_many_cells")]
)
def test_a_row_of_another_width_is_refused(session: Session, tail: bytes, code: str) -> None:
    report = take(session, gsi_bytes(gsi(1)) + tail)
    assert refusals(report) == [(3, None, code)]


def test_a_number_nobodys_life_hangs_on_is_remarked_and_left(session: Session) -> None:
    take(session, standard_bytes(standard(1, 想定収容人数="200")))
    report = take(session, standard_bytes(standard(1, 想定収容人数="約250", 名称="新名称")))
    assert (only(session).capacity, only(session).name) == (200, "新名称")
    assert [(one.line, one.code) for one in report.warnings] == [(2, "not_a_count")]


def test_without_an_id_name_and_address_are_the_key(session: Session) -> None:
    columns = [name for name in STANDARD if name != "ID"]
    rows = [{name: standard(number).get(name, "") for name in columns} for number in (1, 2)]
    assert counts(take(session, csv_bytes(columns, rows))) == (2, 0, 0, 0, 0, 0)
    wide = [row | {"名称": row["名称"].replace("1", "１"), "災害種別_津波": "1"} for row in rows]
    assert counts(take(session, csv_bytes(columns, wide))) == (0, 2, 0, 0, 0, 0)
    doubled = take(session, csv_bytes(columns, [rows[0], rows[0]]))
    assert [one.code for one in doubled.refused] == ["duplicate_id", "duplicate_id"]


@pytest.mark.parametrize(
    ("code", "fault"), [("041008", "wrong_check_digit"), ("仙台市", "not_a_code"), ("", "missing")]
)
def test_a_municipality_that_cannot_be_read_is_refused(session: Session, code: str, fault: str) -> None:
    report = take(session, standard_bytes(standard(1, 全国地方公共団体コード=code)))
    assert refusals(report) == [(2, "全国地方公共団体コード", fault)]


def test_a_table_without_municipality_needs_to_be_told(session: Session) -> None:
    columns = ["ID", "名称", "緯度", "経度", "災害種別_洪水"]
    data = csv_bytes(columns, [{name: standard(1).get(name, "") for name in columns}])
    with pytest.raises(OpenDataError) as refused:
        take(session, data)
    assert refused.value.code == "needs_source"
    assert take(session, data, municipality="041009").sources == ["standard-evacuation-041009"]
    assert take(session, data, source="sendai-own").sources == ["sendai-own"]


def test_non_numeric_ids_are_legal(session: Session) -> None:
    take(session, standard_bytes(standard(1, ID="若林-A07"), standard(2, ID="００７"), standard(3, ID="7")))
    assert list(all_sites(session)) == ["若林-A07", "007", "7"]


def test_an_unknown_table_is_told_what_was_found_and_what_is_known(session: Session) -> None:
    with pytest.raises(OpenDataError) as refused:
        take(session, "イベント名,開始日\n見本祭,2026-09-01\n".encode())
    assert refused.value.code == "unknown_format"
    assert "イベント名、開始日" in refused.value.message
    assert "指定緊急避難場所データ" in refused.value.message


def test_a_list_without_positions_is_refused_as_a_whole(session: Session) -> None:
    columns = [name for name in GSI if name not in ("緯度", "経度")]
    with pytest.raises(OpenDataError) as refused:
        take(session, csv_bytes(columns, [{name: gsi(1).get(name, "") for name in columns}]))
    assert refused.value.code == "no_position"


def test_a_column_that_stands_twice_is_refused(session: Session) -> None:
    with pytest.raises(OpenDataError) as refused:
        take(session, ",".join([*GSI, "洪 水"]).encode() + b"\r\n")
    assert refused.value.code == "doubled_column"


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "missing"),
        ({"type": "Point", "coordinates": []}, "missing"),
        ({"type": "Point", "coordinates": None}, "missing"),
        ({"type": "Point", "coordinates": [38.2, 140.9]}, "looks_swapped"),
        ({"type": "Point", "coordinates": [float("nan"), 38.2]}, "not_finite"),
        ({"type": "Point", "coordinates": ["x", 38.2]}, "not_a_number"),
        ({"type": "Point", "coordinates": [[140.9, 38.2]]}, "missing"),
        ({"type": "LineString", "coordinates": [[140.9, 38.2], [141, 39]]}, "not_a_point"),
        ("POINT(1 2)", "not_a_point"),
    ],
)
def test_geometries_that_are_no_place_are_refused(session: Session, geometry: Any, code: str) -> None:
    properties = {name: gsi(1).get(name, "") for name in GSI if name not in ("緯度", "経度")}
    report = take(session, collection(feature(properties, geometry)))
    assert [(one.column, one.code) for one in report.refused] == [("geometry", code)]


def test_coordinates_written_as_text_are_read(session: Session) -> None:
    properties = {name: gsi(1).get(name, "") for name in GSI if name not in ("緯度", "経度")}
    take(session, collection(feature(properties, {"type": "Point", "coordinates": ["140.9", "３８．２"]})))
    assert (only(session).lat, only(session).lon) == (38.2, 140.9)


def test_names_that_say_the_place_is_out_of_use_are_pointed_out(session: Session) -> None:
    report = take(session, gsi_bytes(gsi(1, **{"施設・場所名": "見本館（改修工事中のため使用不可）"})))
    assert [(one.line, one.code) for one in report.warnings] == [(2, "maybe_out_of_use")]
    assert report.applied


def test_a_mask_of_hazards_is_what_the_columns_say(session: Session) -> None:
    for hazard in Hazard:
        column = hazard.ja
        take(session, gsi_bytes(gsi(1, 洪水="", 地震="") | {column: "1"}))
        assert only(session).hazards == mask_of([hazard])
