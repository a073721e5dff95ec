"""Facilities at the doors: nearest, open at a moment, by kind, box and area."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from geo import mesh
from geo.point import Point, distance_m
from tests.backend.api.town import problem

HERE = Point(38.2345, 140.9221)
TUESDAY, HOLIDAY = "2026-11-24T10:00:00%2B09:00", "2026-11-23T10:00:00%2B09:00"


def items(client: FlaskClient, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/facilities?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def test_shelters_are_not_among_them(city: FlaskClient) -> None:
    assert {one["kind"] for one in items(city, "limit=200")} == {"childcare_facility", "aed"}
    assert len(items(city, "limit=200")) == 9


def test_the_nearest_come_in_the_order_of_their_distance(city: FlaskClient) -> None:
    found = items(city, f"lat={HERE.lat}&lon={HERE.lon}&kind=aed")
    assert found[0]["name"] == "見本市役所（見本）"
    away = [round(distance_m(HERE, Point(one["lat"], one["lon"]))) for one in found]
    assert [one["distance_m"] for one in found] == away == sorted(away)
    answer = city.get(f"/v1/facilities?lat={HERE.lat}&lon={HERE.lon}")
    assert answer.headers["Cache-Control"] == "no-store"
    by_cell = city.get(f"/v1/facilities?cell={mesh.cell_of(HERE)}&kind=aed")
    assert "public" in by_cell.headers["Cache-Control"]
    assert by_cell.get_json()["items"][0]["id"] == found[0]["id"]


def test_open_means_surely_open(city: FlaskClient) -> None:
    on_tuesday = {one["name"] for one in items(city, f"open_at={TUESDAY}")}
    assert "見本中央児童館（見本）" in on_tuesday
    assert "駅前交番となり（見本）" in on_tuesday
    assert "浜児童館（見本）" not in on_tuesday  # only on days it opens: perhaps not today
    assert "浜町集会所（見本）" not in on_tuesday  # nobody says
    doubtful = {one["name"]: one["opening"] for one in items(city, f"open_at={TUESDAY}&opening=open,unknown")}
    assert doubtful["浜児童館（見本）"] == "unknown"
    assert {one["name"] for one in items(city, f"open_at={HOLIDAY}")} == {"駅前交番となり（見本）"}
    near = items(city, f"lat={HERE.lat}&lon={HERE.lon}&open_at={HOLIDAY}")
    assert [one["name"] for one in near] == ["駅前交番となり（見本）"]


def test_area_box_and_category_narrow_it_down(city: FlaskClient) -> None:
    ward = {one["name"] for one in items(city, "area=04991&limit=200")}
    assert ward == {"のびのび広場 山の手（見本）", "桜台保育所（見本）"}
    assert [one["category"] for one in items(city, "category=病児")] == ["病児保育"]
    assert items(city, "bbox=141.5,38.0,141.6,38.1") == []


def test_pages_follow_each_other(city: FlaskClient) -> None:
    first = city.get("/v1/facilities?limit=4").get_json()
    rest = city.get(f"/v1/facilities?limit=200&cursor={first['next']}").get_json()
    assert [one["id"] for one in first["items"] + rest["items"]] == [one["id"] for one in items(city, "limit=200")]


@pytest.mark.parametrize(
    "query",
    [
        *("lat=38.2", "lat=140&lon=38", "area=nowhere", "opening=open", "open_at=2026-11-24T10:00:00"),
        *("kind=shelter", "cell=1", "bbox=2,1,1,2", "open_at=0001-01-01T00:00:00Z"),
    ],
)
def test_what_makes_no_sense_is_refused(city: FlaskClient, query: str) -> None:
    problem(city.get(f"/v1/facilities?{query}"), 422, "invalid")


def test_one_facility(city: FlaskClient) -> None:
    some = items(city, "category=児童館")[0]
    shown = city.get(f"/v1/facilities/{some['id']}?open_at={TUESDAY}").get_json()
    assert (shown["name"], shown["opening"]) == (some["name"], "open")
    assert shown["hours"]["note"] == "祝日、12/29～1/3を除く"
    problem(city.get("/v1/facilities/1"), 404, "not-found")  # a shelter
    problem(city.get(f"/v1/facilities/{2**70}"), 404, "not-found")
