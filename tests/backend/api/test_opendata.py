"""/opendata as anybody downloads it: standard columns, whose word it is, nothing sent twice, a true catalogue."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from database import transaction
from geo.opendata import site_export, written
from geo.opendata.site_import import ImportOptions, import_sites
from geo.sites import Site
from tests.backend.api.conftest import NOON
from tests.backend.api.town import problem
from tests.backend.conftest import Clock
from tests.geo.opendata.lists import gsi, gsi_bytes

LICENCE = "Apache-2.0 (invented data that ship with Yobikake)"
BASE = "http://127.0.0.1:8000"


def rows(city: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = city.get(path)
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert answer.data.startswith(b"\xef\xbb\xbf"), "the standard asks for a byte order mark"
    assert answer.data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_every_file_of_the_catalogue_is_there_with_as_many_rows_as_it_says(city: FlaskClient) -> None:
    found = city.get("/opendata").get_json()
    assert found["publisher"] == "見本市"
    assert {one["id"] for one in found["datasets"]} >= {
        *("evacuation_sites", "shelters", "aeds", "childcare_facilities", "areas", "events", "childcare"),
        *("garbage", "garbage_areas", "garbage_rules", "garbage_exceptions", "garbage_items"),
    }
    for one in found["datasets"]:
        assert one["rows"] == sum(part["rows"] for part in one["sources"]) > 0
        for file in one["distributions"]:
            answer = city.get(file["url"].removeprefix(BASE))
            assert (answer.status_code, answer.mimetype) == (200, file["media_type"])
            if file["format"] == "geojson":
                assert len(json.loads(answer.data)["features"]) == one["rows"]
            if file["format"] == "csv":
                assert len(rows(city, file["url"].removeprefix(BASE))) == one["rows"]
                assert {row.get("出典", row.get("source")) for row in rows(city, file["url"].removeprefix(BASE))} == {
                    part["source"] for part in one["sources"]
                }


def test_people_get_a_page_and_programs_json_at_one_address(city: FlaskClient) -> None:
    page = city.get("/opendata", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert "UTC" not in page.text  # the city's clock
    assert "AED設置箇所一覧" in page.get_data(as_text=True)
    plain = city.get("/opendata")
    assert plain.mimetype == "application/json"
    assert page.headers["Vary"] == plain.headers["Vary"] == "Accept"
    assert plain.headers["Access-Control-Allow-Origin"] == "*"


def test_the_catalogue_stands_in_its_own_standard_columns(city: FlaskClient) -> None:
    listed = rows(city, "/opendata/catalogue.csv")
    files = [file["url"] for one in city.get("/opendata").get_json()["datasets"] for file in one["distributions"]]
    assert [row["URL"] for row in listed] == files
    assert {row["ライセンス"] for row in listed} == {LICENCE, ""}, "the city has not said one for its notices"


def test_a_file_says_whose_it_is_and_is_sent_once_until_it_changes(
    city: FlaskClient, city_engine: Engine, city_clock: Clock
) -> None:
    first = city.get("/opendata/aeds.csv")
    assert first.headers["X-Source"] == "sample"
    assert unquote(first.headers["X-Licence"]) == LICENCE
    assert first.headers["Link"] == f'<{BASE}/opendata>; rel="describedby"'
    assert first.headers["Last-Modified"] == "Sat, 21 Nov 2026 03:00:00 GMT"
    assert "max-age=300" in first.headers["Cache-Control"]
    for condition in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        again = city.get("/opendata/aeds.csv", headers=condition)
        assert (again.status_code, again.data) == (304, b"")
    assert city.head("/opendata/aeds.csv").data == b""
    city_clock.pass_(hours=2)
    with transaction(city_engine) as session:
        import_sites(session, gsi_bytes(gsi(1)), city_clock(), ImportOptions(licence="国土地理院"))
    try:
        fresh = city.get("/opendata/evacuation_sites.csv", headers={"If-None-Match": first.headers["ETag"]})
        assert fresh.status_code == 200
        assert fresh.headers["Last-Modified"] == "Sat, 21 Nov 2026 05:00:00 GMT"
        assert fresh.headers["X-Source"] == "gsi-emergency, sample"
        assert unquote(fresh.headers["X-Licence"]) == f"{LICENCE}, 国土地理院"
        own = rows(city, "/opendata/evacuation_sites.csv?source=gsi-emergency")
        assert [row["ライセンス"] for row in own] == ["国土地理院"]
    finally:
        with transaction(city_engine) as session:
            session.query(Site).filter(Site.source == "gsi-emergency").delete()
        city_clock.moment = NOON


def test_a_list_is_streamed_and_nothing_is_read_for_an_empty_answer(
    city: FlaskClient, city_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = site_export.record

    def counted(site: Any, identifier: str) -> dict[str, Any]:
        read.append(site.id)
        return original(site, identifier)

    monkeypatch.setattr(site_export, "record", counted)
    monkeypatch.setattr(written, "_PIECE", 1)
    answer = city.get("/opendata/shelters.csv", buffered=False)
    assert (answer.headers.get("Content-Length"), len(read)) == (None, 1), "the header left before the second row"
    assert answer.data.count(b"\r\n") == 1 + len(read) > 1
    city.get("/opendata/shelters.csv", buffered=False)  # and goes away: nothing of it may stay behind
    with transaction(city_engine) as session:
        session.execute(sa.update(Site).values(version=Site.version))
    read.clear()
    assert city.get("/opendata/shelters.csv", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert read == []


def test_what_is_not_published_is_a_problem(city: FlaskClient) -> None:
    for path in ("/opendata/nothing.csv", "/opendata/aeds.json", "/opendata/aeds.csv?source=elsewhere"):
        problem(city.get(path), 404, "not-found")
    problem(city.get("/opendata/aeds.csv?source="), 422, "invalid")


def test_a_set_without_rows_is_an_empty_table(city: FlaskClient) -> None:
    assert rows(city, "/opendata/public_facilities.csv") == []
    assert city.get("/opendata/public_facilities.geojson").get_json(force=True)["features"] == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("garbage_exceptions.csv", {"例外ID": "new-year-2027-paper", "種類": "休み", "代わりの回": "5"}),
        ("garbage_items.csv", {"ゴミの品目": "モバイルバッテリー"}),
        ("garbage_rules.csv", {"地区名": "山の手区坂下町", "区分": "紙類", "収集日": "第1・第3火"}),
        ("events.csv", {"ID": "E0004", "開催状況": "中止", "場所名称": "浜町集会所（見本）"}),
        ("aeds.csv", {"ID": "A0001", "備考": "1階正面玄関", "利用可能曜日": "月火水木金"}),
    ],
)  # fmt: skip
def test_a_row_is_read_as_people_expect(city: FlaskClient, path: str, expected: dict[str, str]) -> None:
    assert any(expected.items() <= row.items() for row in rows(city, f"/opendata/{path}"))
