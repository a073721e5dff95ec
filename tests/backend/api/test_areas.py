"""/v1/areas leads from ward to town, finds names and postcodes, and lets caches keep what it said."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

import database
from database import db
from geo.areas import Area
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.postcode_import import import_postcodes
from tests.backend.conftest import Clock
from tests.geo.opendata.lists import collection, feature, square

POST = (
    '04103,"984  ","9840001","ミヤギケン","センダイシワカバヤシク","ミホン",'
    '"宮城県","仙台市若林区","見本",0,0,0,0,0,0\r\n'
)


@pytest.fixture
def city(app: Flask, clock: Clock) -> FlaskClient:
    """A ward with a boundary and five towns."""
    names = {"N03_001": "宮城県", "N03_003": "仙台市", "N03_004": "若林区", "N03_007": "04103"}
    towns = [{"town": name, "koaza": "", "lat": 38.2, "lng": 140.9} for name in ("見本", "甲", "乙", "丙", "丁")]
    with app.app_context(), database.transaction(db.engine) as session:
        import_areas(session, collection(feature(names, square(38.2, 140.9))), clock())
        import_areas(session, json.dumps(towns).encode(), clock(), AreaOptions(parent="04103"))
        import_postcodes(session, POST.encode())
    return app.test_client()


def test_wards_lead_to_towns_page_by_page(city: FlaskClient) -> None:
    wards = city.get("/v1/areas", query_string={"kind": "ward"})
    assert [(one["code"], one["name_kana"], one["has_boundary"]) for one in wards.json["items"]] == [
        ("04103", "ワカバヤシク", True)
    ]
    seen: list[str] = []
    query = {"parent": "041033", "limit": "2"}
    for _ in range(10):
        page = city.get("/v1/areas", query_string=query).json
        seen += [one["code"] for one in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 5
    assert seen[0] == "04103-見本"  # the only one with a reading


@pytest.mark.parametrize(
    "query",
    [{"q": "仙台市若林区見本"}, {"q": "みほん"}, {"postcode": "984-0001"}, {"parent": "04103", "reading": "み"}],
)
def test_a_town_is_found(city: FlaskClient, query: dict[str, str]) -> None:
    found = city.get("/v1/areas", query_string=query)
    assert found.status_code == 200
    assert [one["code"] for one in found.json["items"]] == ["04103-見本"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"postcode": "984"}, "postcode"),
        ({"q": "a", "parent": "04103"}, "q"),
        ({"kind": "planet"}, "kind"),
        ({"limit": "0"}, "limit"),
        ({"q": ""}, "q"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_its_field(
    city: FlaskClient, query: dict[str, str], field: str
) -> None:
    answer = city.get("/v1/areas", query_string=query)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_cursor_of_another_list_is_refused(city: FlaskClient) -> None:
    assert city.get("/v1/areas", query_string={"cursor": "WzFd"}).status_code == 400


def test_one_area_has_its_boundary_when_asked(city: FlaskClient) -> None:
    assert "geometry" not in city.get("/v1/areas/04103").json
    whole = city.get("/v1/areas/041033", query_string={"geometry": "true"}).json
    assert (whole["code"], whole["geometry"]["type"]) == ("04103", "Polygon")
    town = city.get("/v1/areas/04103-見本", query_string={"geometry": "true"}).json
    assert (town["name"], town["geometry"]) == ("見本", None)


@pytest.mark.parametrize("code", ["99999", "%00", "04103-%E3%81%82", "%FF"])
def test_an_unknown_area_is_not_found(city: FlaskClient, code: str) -> None:
    assert city.get(f"/v1/areas/{code}").status_code == 404


def test_caches_may_keep_areas_and_learn_that_nothing_changed(city: FlaskClient) -> None:
    first = city.get("/v1/areas?parent=04103")
    assert first.cache_control.max_age == 3600
    assert first.cache_control.public
    assert city.get("/v1/areas?parent=04103", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_an_area_is_named_in_the_readers_language_where_it_has_such_a_name(city: FlaskClient, app: Flask) -> None:
    with app.app_context(), database.transaction(db.engine) as session:
        session.get_one(Area, "04103").names = {"en": "Wakabayashi Ward"}
    english = city.get("/v1/areas?kind=ward&lang=en")
    assert english.json["items"][0]["name"] == "Wakabayashi Ward"
    assert english.content_language.as_set() == {"en"}
    korean = city.get("/v1/areas/04103", headers={"Accept-Language": "ko, en;q=0.8"})
    assert korean.json["name"] == "Wakabayashi Ward"
    assert "Accept-Language" in korean.vary
    assert city.get("/v1/areas/04103").json["name"] == "若林区"
    assert city.get("/v1/areas/04103?lang=ko").json["names"] == {"ja": "若林区", "en": "Wakabayashi Ward"}
