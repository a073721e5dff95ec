"""Timelines, guides and programmes at the doors: months only, honest about language, cached, nothing stored."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from content.childcare.words import PROMISE
from database import Base
from tests.backend.api.town import problem


def timeline(client: FlaskClient, query: str, **headers: str) -> Any:
    answer = client.get(f"/v1/childcare/timeline?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_family_is_told_what_is_due_by_month_alone_and_nothing_is_written(
    city: FlaskClient, city_engine: Engine
) -> None:
    def counted() -> dict[str, int]:
        with city_engine.connect() as connection:
            tables = Base.metadata.sorted_tables
            return {one.name: connection.scalar(sa.select(sa.func.count()).select_from(one)) or 0 for one in tables}

    before = counted()
    told = timeline(city, "born=2026-10&born=2023-11&area=04991")
    assert counted() == before
    assert (told["on"], [child["born"] for child in told["children"]]) == ("2026-11-21", ["2026-10", "2023-11"])
    rota = next(
        one for one in told["children"][0]["items"] if (one["programme"], one["period"]) == ("vaccine.rota1", "first")
    )
    assert (rota["status"], rota["starts_on"], rota["ends_on"]) == ("soon", "2026-12-12", "2027-01-13")
    assert rota["sample"] is True
    assert "医師" in rota["caution"]["text"]
    assert told["promise"] == {"language": "ja", "text": PROMISE["ja"]}


def test_the_status_and_kind_narrow_it_down(city: FlaskClient) -> None:
    told = timeline(city, "born=2026-10&status=due_now&kind=vaccine")
    items = told["children"][0]["items"]
    assert {one["programme"] for one in items} == {"vaccine.hepatitis-b", "vaccine.bcg"}
    assert {one["status"] for one in items} == {"due_now"}


def test_a_child_that_is_expected_has_a_timeline_too(city: FlaskClient) -> None:
    (child,) = timeline(city, "born=2027-02")["children"]
    assert child["expected"] is True
    assert child["items"][0]["programme"] == "vaccine.rsv-mother"
    assert child["items"][0]["approximate"] is True


def test_in_april_the_alternatives_are_told(city: FlaskClient) -> None:
    items = timeline(city, "born=2020-04")["children"][0]["items"]
    second = next(one for one in items if (one["programme"], one["period"]) == ("vaccine.mr", "second"))
    assert second["depends_on_day"] is True
    assert [one["starts_on"] for one in second["alternatives"]] == ["2025-04-01", "2026-04-01"]


@pytest.mark.parametrize(
    ("wanted", "language"), [("en", "en"), ("vi, en;q=0.5", "en"), ("ko", "ja-x-easy"), ("", "ja")]
)
def test_what_is_not_translated_says_which_language_it_is(city: FlaskClient, wanted: str, language: str) -> None:
    told = timeline(city, "born=2026-10", **{"Accept-Language": wanted})
    assert {one["language"] for one in told["children"][0]["items"]} == {language}
    page = city.get("/v1/childcare/guides", headers={"Accept-Language": wanted}).get_json()
    assert {one["language"] for one in page["items"]} == {language}


@pytest.mark.parametrize(
    "query",
    [
        *("", "born=2026", "born=2026-13", "born=2026-03-01", "born=1990-01", "born=2028-01"),
        *("born=2026-03&area=nowhere", "&".join(["born=2026-03"] * 9)),
    ],
)
def test_what_is_no_month_or_area_is_refused(city: FlaskClient, query: str) -> None:
    problem(city.get(f"/v1/childcare/timeline?{query}"), 422, "invalid")


def test_guides_are_found_by_area_and_age_and_page_by_page(city: FlaskClient) -> None:
    def ids(query: str) -> list[str]:
        return [one["id"] for one in city.get(f"/v1/childcare/guides?{query}").get_json()["items"]]

    assert "hama-playgroup" in ids("area=04993")
    assert "hama-playgroup" not in ids("area=04991")
    assert ids("age_months=100") == ["sick-child-care"]
    seen: list[str] = []
    path = "/v1/childcare/guides?limit=2"
    while True:
        page = city.get(path).get_json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        path = f"/v1/childcare/guides?limit=2&cursor={page['next']}"
    assert seen == ids("")
    assert len(seen) == 5
    assert city.get("/v1/childcare/guides/start-here").get_json()["title"] == "赤ちゃんが生まれたら"
    problem(city.get("/v1/childcare/guides/none"), 404, "not-found")


def test_programmes_show_their_windows_and_only_those_in_effect(city: FlaskClient) -> None:
    page = city.get("/v1/childcare/programmes?kind=vaccine&limit=200").get_json()
    rota = next(one for one in page["items"] if one["id"] == "vaccine.rota1")
    assert rota["periods"][0]["window"] == {"from": {"after_birth": "6w0d"}, "until": {"after_birth": "14w6d"}}
    earlier = city.get("/v1/childcare/programmes?kind=vaccine&limit=200&on=2020-01-01").get_json()
    assert "vaccine.rota1" not in {one["id"] for one in earlier["items"]}


@pytest.mark.parametrize("path", ["timeline?born=2026-03", "guides", "programmes", "guides/start-here"])
def test_answers_are_cached_by_their_tag(city: FlaskClient, path: str) -> None:
    first = city.get(f"/v1/childcare/{path}")
    assert "public" in first.headers["Cache-Control"]
    assert "Accept-Language" in first.headers["Vary"]
    again = city.get(f"/v1/childcare/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
