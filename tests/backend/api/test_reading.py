"""What every public list has in common: filters of maps, pages that join without a gap, languages that are told."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.backend.api.town import problem

SEEN_FROM = "lat=38.2300&lon=140.9650"


def items(city: FlaskClient, path: str, **headers: str) -> list[dict[str, Any]]:
    answer = city.get(path, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


@pytest.mark.parametrize("path", ["shelters?", "facilities?", "events?", "areas?", "garbage/items?", "notices?"])
def test_pages_join_without_a_gap(city: FlaskClient, path: str) -> None:
    whole = [one.get("id", one.get("code")) for one in items(city, f"/v1/{path}limit=200")]
    joined: list[Any] = []
    cursor = ""
    for _ in range(len(whole) + 1):
        page = city.get(f"/v1/{path}limit=2{cursor}").get_json()
        joined += [one.get("id", one.get("code")) for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert joined == whole
    assert len(whole) > 2
    problem(city.get(f"/v1/{path}cursor=nonsense"), 400, "bad-cursor")


@pytest.mark.parametrize("path", ["shelters", "facilities"])
def test_a_map_asks_for_what_is_near_in_a_box_or_in_an_area(city: FlaskClient, path: str) -> None:
    everything = items(city, f"/v1/{path}?limit=200")
    near = items(city, f"/v1/{path}?{SEEN_FROM}&limit=100")
    first = {one["id"] for one in everything if one["kind"] != "welfare_shelter"}  # nobody is sent there first
    assert {one["id"] for one in near} == first
    assert [one["distance_m"] for one in near] == sorted(one["distance_m"] for one in near)
    assert all(one["distance_m"] is None for one in everything)
    boxed = items(city, f"/v1/{path}?bbox=140.94,38.20,141.00,38.26&limit=200")
    inside = {one["id"] for one in everything if 140.94 <= one["lon"] <= 141.0 and 38.2 <= one["lat"] <= 38.26}
    assert {one["id"] for one in boxed} == inside
    assert inside
    ward = items(city, f"/v1/{path}?area=04993&limit=200")
    assert 0 < len(ward) < len(everything)
    both = items(city, f"/v1/{path}?area=04993&{SEEN_FROM}&limit=100")
    assert {one["id"] for one in both} == {one["id"] for one in ward} & first
    problem(city.get(f"/v1/{path}?area=99999"), 422, "invalid")
    problem(city.get(f"/v1/{path}?{SEEN_FROM}&cursor=WzFd"), 422, "invalid")


def test_shelters_near_can_be_narrowed_by_hazard_kind_and_status(city: FlaskClient) -> None:
    found = items(city, f"/v1/shelters?{SEEN_FROM}&hazard=tsunami&kind=tsunami_refuge&status=unknown&limit=100")
    listed = items(city, "/v1/shelters?hazard=tsunami&kind=tsunami_refuge&status=unknown&limit=100")
    assert {one["id"] for one in found} == {one["id"] for one in listed}
    assert found
    assert items(city, f"/v1/shelters?{SEEN_FROM}&status=open") == []
    assert {one["kind"] for one in items(city, f"/v1/shelters?{SEEN_FROM}&kind=welfare_shelter")} == {"welfare_shelter"}
    assert [one["category"] for one in items(city, "/v1/events?category=防災")] == ["防災"]
    assert city.get(f"/v1/shelters?{SEEN_FROM}").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "asked", "told"),
    [
        ("notices", "ko", {"ko"}),
        ("notices", "fr", {"ja-x-easy"}),  # nobody writes French: easy Japanese stands in, and is not called French
        ("events", "en", {"ja"}),
        ("childcare/guides", "en-GB,ja;q=0.5", {"en"}),
        ("garbage/categories", "en", {"en"}),
        ("garbage/categories", "zh-CN", {"zh-Hans", "ja-x-easy", "ja"}),  # names in one, what nobody translated in two
    ],
)
def test_an_answer_names_the_languages_it_really_speaks(
    city: FlaskClient, path: str, asked: str, told: set[str]
) -> None:
    answer = city.get(f"/v1/{path}", headers={"Accept-Language": asked})
    assert {one.strip() for one in answer.headers["Content-Language"].split(",")} == told
    said = {one["language"] for one in answer.get_json()["items"] if "language" in one}
    assert said in (told, set())
    assert "Accept-Language" in answer.headers["Vary"]
    again = city.get(f"/v1/{path}", headers={"Accept-Language": asked, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert "Accept-Language" in again.headers["Vary"]
