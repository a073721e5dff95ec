"""/v1/devices/me: collection areas, children's months, wishes, and what comes next, over HTTP in the sample city."""

from __future__ import annotations

import datetime as dt

import pytest

from content.garbage import areas
from database import transaction
from tests.backend.api.town import problem

ME = "/v1/devices/me"


@pytest.fixture
def phone(city):
    made = city.post("/v1/devices", json={"platform": "android", "language": "ja"}).get_json()
    return {"Authorization": f"Bearer {made['secret']}"}


def _ask(city, phone, method, path, body=None, status=200):
    answer = city.open(f"{ME}/{path}", method=method, json=body, headers=phone)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.fixture
def number(city_engine):
    with transaction(city_engine, "read") as session:
        return areas.present(session)[0].id


def test_hours_and_areas_are_kept_and_shown_and_what_comes_next_is_said_with_its_reason(city, phone, number):
    wanted = {"areas": [{"area": number, "evening": "19:00", "morning": "06:30"}]}
    kept = _ask(city, phone, "PUT", "garbage", wanted)
    assert kept == {
        "areas": [{"area": number, "label": "home", "evening": "19:00", "morning": "06:30", "categories": []}]
    }
    assert _ask(city, phone, "GET", "garbage") == kept
    items = _ask(city, phone, "GET", "reminders?days=14")["items"]
    assert items
    moments = [dt.datetime.fromisoformat(one["at"]) for one in items]
    assert moments == sorted(moments)
    assert {one["at"][11:] for one in items} == {"19:00:00+09:00", "06:30:00+09:00"}
    for one in items:
        evening = one["reason"] == "reminder:garbage:evening"
        day = dt.date.fromisoformat(one["day"])
        assert dt.datetime.fromisoformat(one["at"]).date() == day - dt.timedelta(days=int(evening))
        assert one["why"].endswith("あなたが選んだためです。（自宅）")
        assert one["link"] == f"yobikake://garbage/{one['day']}"
        assert one["title"].startswith("【ごみ】")
    collections = city.get(f"/v1/garbage/areas/{number}/collections?from=2026-11-22&to=2026-12-04").get_json()
    days = {one["date"] for one in collections["items"]}
    assert days <= {one["day"] for one in items}


def test_only_the_chosen_categories_are_said(city, phone, number):
    collections = city.get(f"/v1/garbage/areas/{number}/collections?from=2026-11-22&to=2026-12-20").get_json()
    chosen = collections["items"][0]["category"]
    chosen = chosen["id"] if isinstance(chosen, dict) else chosen
    _ask(city, phone, "PUT", "garbage", {"areas": [{"area": number, "evening": "20:30", "categories": [chosen]}]})
    titles = {one["title"].split("は")[-1] for one in _ask(city, phone, "GET", "reminders?days=28")["items"]}
    assert len(titles) == 1


def test_children_are_kept_by_month_and_their_dates_come_next(city, phone):
    wanted = {"born": ["2026-09", "2023-11"], "area": None, "at": "10:00"}
    assert _ask(city, phone, "PUT", "children", wanted) == wanted | {"born": ["2026-09", "2023-11"]}
    items = _ask(city, phone, "GET", "reminders?days=60")["items"]
    assert items
    assert {one["kind"] for one in items} == {"child"}
    for one in items:
        assert one["at"].endswith("T10:00:00+09:00")
        assert one["reason"] in ("reminder:child:2026-09", "reminder:child:2023-11")
        assert "生まれた月だけから計算した日です" in one["body"]
        assert "出典：" in one["body"]
    _ask(city, phone, "PUT", "children", {"born": []})
    assert _ask(city, phone, "GET", "reminders")["items"] == []


def test_wishes_are_kept_and_shown_with_everything_else_and_go_with_the_phone(city, phone, number):
    wanted = {
        "quiet": {"from": "22:00", "until": "06:30"}, "a_day": 3, "inbox_only": ["child", "drill"],
        "inbox_topics": ["notices.living"],
    }  # fmt: skip
    assert _ask(city, phone, "GET", "preferences") == {
        "quiet": None, "a_day": 5, "inbox_only": [], "inbox_topics": []
    }  # fmt: skip
    assert _ask(city, phone, "PUT", "preferences", wanted) == wanted
    _ask(city, phone, "PUT", "garbage", {"areas": [{"area": number, "label": "family"}]})
    me = city.get(ME, headers=phone).get_json()
    assert me["preferences"] == wanted
    assert me["garbage"]["areas"][0] == {
        "area": number, "label": "family", "evening": None, "morning": None, "categories": []
    }  # fmt: skip
    assert city.delete(ME, headers=phone).status_code == 204
    assert city.get(f"{ME}/garbage", headers=phone).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("garbage", {"areas": [{"area": 999_999}]}, "areas.0.area"),
        ("garbage", {"areas": [{"area": 1, "evening": "19:15"}]}, "areas.0.evening"),
        ("garbage", {"areas": [{"area": 1, "label": "current"}]}, "areas.0.label"),
        ("garbage", {"areas": [{"area": 1, "categories": [987_654]}]}, "areas.0.categories"),
        ("garbage", {}, "areas"),
        ("children", {"born": ["2026-03-05"]}, "born.0"),
        ("children", {"born": ["1990-01"]}, "born.0"),
        ("children", {"born": [], "area": "nowhere"}, "area"),
        ("children", {"born": [], "area": "0\0"}, "area"),
        ("preferences", {"inbox_topics": ["\0"]}, "topics"),
        ("children", {"born": ["2026-03"], "name": "花子"}, "name"),
        ("preferences", {"quiet": {"from": "22:00", "until": "22:00"}}, "quiet.until"),
        ("preferences", {"quiet": {"from": "24:00", "until": "06:00"}}, "quiet.from"),
        ("preferences", {"inbox_only": ["alert"]}, "inbox_only.0"),
        ("preferences", {"a_day": 0}, "a_day"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(city, phone, path, body, field):
    answer = city.put(f"{ME}/{path}", json=body, headers=phone)
    errors = problem(answer, 422, "invalid")["errors"]
    assert field in {one["field"] for one in errors}, errors


def test_an_unknown_topic_is_refused_and_nothing_is_kept(city, phone):
    answer = city.put(f"{ME}/preferences", json={"a_day": 2, "inbox_topics": ["no.such"]}, headers=phone)
    assert answer.status_code == 422
    assert _ask(city, phone, "GET", "preferences")["a_day"] == 5
