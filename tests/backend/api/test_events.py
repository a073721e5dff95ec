"""Events at the doors: by date, area, age and nearness; what was called off or moved is visible."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from content.events import Event
from database import transaction
from tests.backend.api.town import problem
from tests.backend.conftest import Clock


def items(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/events?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def test_what_is_to_come_stands_in_the_order_of_days_and_what_is_called_off_says_so(city: FlaskClient) -> None:
    found = items(city)
    assert len(found) == 6
    assert [one["starts_on"] for one in found] == sorted(one["starts_on"] for one in found)
    assert [one["name"] for one in found if one["status"] == "cancelled"] == ["【中止】浜のもちつき大会（見本）"]
    assert len(items(city, "status=scheduled")) == 5


def test_dates_ages_and_places_narrow_it_down(city: FlaskClient, city_clock: Clock) -> None:
    assert len(items(city, "until=2026-12-31")) == 4
    assert len(items(city, "since=2027-02-07")) == 1  # its second day
    baby = {one["name"]: one["suits"] for one in items(city, "age_months=6")}
    assert baby["はじめての離乳食（見本）"] == "yes"
    assert baby["【中止】浜のもちつき大会（見本）"] == "unknown"
    assert "冬の星をみる会（見本）" not in baby
    assert {one["place_name"] for one in items(city, "area=04993")} == {"浜町集会所（見本）", "浜児童館（見本）"}
    near = items(city, "lat=38.2322&lon=140.9205&radius_m=500")
    assert [(one["name"], one["distance_m"]) for one in near[:1]] == [("親子でリトミック（見本）", 0)]
    assert all(one["distance_m"] <= 500 for one in near)
    city_clock.pass_(days=365)
    assert items(city) == []


def test_pages_follow_each_other(city: FlaskClient) -> None:
    seen: list[int] = []
    path = "limit=2"
    while True:
        page = city.get(f"/v1/events?{path}").get_json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        path = f"limit=2&cursor={page['next']}"
    assert seen == [one["id"] for one in items(city)]


def test_an_event_that_its_list_dropped_is_gone(city: FlaskClient, city_engine: Engine) -> None:
    one = items(city)[0]
    assert city.get(f"/v1/events/{one['id']}").get_json()["name"] == one["name"]
    with transaction(city_engine) as session:
        session.execute(sa.update(Event).where(Event.id == one["id"]).values(withdrawn_at=sa.func.current_timestamp()))
    try:
        problem(city.get(f"/v1/events/{one['id']}"), 410, "withdrawn")
        assert one["id"] not in {each["id"] for each in items(city)}
    finally:
        with transaction(city_engine) as session:
            session.execute(sa.update(Event).where(Event.id == one["id"]).values(withdrawn_at=None))
    problem(city.get(f"/v1/events/{2**70}"), 404, "not-found")


def test_a_moved_event_shows_what_it_was(city: FlaskClient, city_engine: Engine) -> None:
    one = items(city)[0]
    with transaction(city_engine) as session:
        was = {"starts_on": "2026-12-01", "place_name": "前の館"}
        session.execute(sa.update(Event).where(Event.id == one["id"]).values(status="changed", was=was))
    shown = city.get(f"/v1/events/{one['id']}").get_json()
    with transaction(city_engine) as session:
        session.execute(sa.update(Event).where(Event.id == one["id"]).values(status="scheduled", was=None))
    assert (shown["status"], shown["was"]) == ("changed", {"starts_on": "2026-12-01", "place_name": "前の館"})


@pytest.mark.parametrize("query", ["since=2027-01-01&until=2026-01-01", "lat=38", "area=nowhere", "age_months=-1"])
def test_what_makes_no_sense_is_refused(city: FlaskClient, query: str) -> None:
    problem(city.get(f"/v1/events?{query}"), 422, "invalid")


def test_answers_are_cached_by_their_tag(city: FlaskClient) -> None:
    first = city.get("/v1/events")
    assert city.get("/v1/events", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    problem(city.get("/v1/events?cursor=nonsense"), 400, "bad-cursor")
