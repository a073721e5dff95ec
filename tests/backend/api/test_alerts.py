"""/v1/alerts and /v1/drills: what everybody reads, what caches may keep, what is kept apart."""

from __future__ import annotations

import pytest

from tests.backend.api.town import Town, problem


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def _ids(town, part="alerts"):
    return [item["id"] for item in town.ok("GET", f"/v1/{part}")["items"]]


def test_what_is_in_force_is_read_without_any_key(town, clock):
    alert = town.issue()
    (item,) = town.ok("GET", "/v1/alerts")["items"]
    expected = {
        "id": alert["id"], "act": "order", "state": "live", "exercise": False, "hazard": "flood", "level": 4,
        "area_name": "川沿い", "language": "ja", "ended_at": None, "supersedes": None, "issuer": "見本市",
    } | alert["texts"]["ja"]  # fmt: skip
    assert {name: item[name] for name in expected} == expected
    full = town.ok("GET", f"/v1/alerts/{alert['id']}")
    assert full["geometry"] == alert["geometry"]
    assert full["texts"] == alert["texts"]
    assert full["url"].endswith(f"/v1/alerts/{alert['id']}")


@pytest.mark.parametrize("part", ["alerts", "drills"])
def test_nothing_is_shown_before_it_is_issued(town, part):
    alert = town.draft(part=part)
    for _ in range(2):
        assert _ids(town, part) == []
        problem(town.call("GET", f"/v1/{part}/{alert['id']}"), 404, "not-found")
        town.submit(alert, part=part)
        alert = town.ok("GET", f"/v1/staff/{part}/{alert['id']}", by="author")
    problem(town.call("GET", "/v1/alerts/none"), 404, "not-found")


def test_alerts_and_drills_have_doors_of_their_own(town):
    alert, drill = town.issue(), town.issue(part="drills")
    assert (_ids(town), _ids(town, "drills")) == ([alert["id"]], [drill["id"]])
    problem(town.call("GET", f"/v1/drills/{alert['id']}"), 404, "not-found")
    problem(town.call("GET", f"/v1/alerts/{drill['id']}"), 404, "not-found")
    shown = town.ok("GET", f"/v1/drills/{drill['id']}")
    assert shown["exercise"] is True
    assert shown["title"].startswith("【訓練】")


def test_an_alert_is_shown_as_lifted_for_a_day_and_as_expired_to_the_second(town, clock):
    alert = town.issue()
    clear = town.approve(town.ok("POST", f"/v1/staff/alerts/{alert['id']}/all-clear", {}, by="author"))
    over = town.issue()
    assert [(item["id"], item["state"]) for item in town.ok("GET", "/v1/alerts")["items"]] == [
        (over["id"], "live"), (clear["id"], "done"), (alert["id"], "lifted"),
    ]  # fmt: skip
    clock.pass_(hours=6)
    assert town.ok("GET", f"/v1/alerts/{over['id']}")["state"] == "expired"
    clock.pass_(hours=18, seconds=1)
    assert _ids(town) == [over["id"]]
    clock.pass_(hours=7)
    assert _ids(town) == []
    assert town.ok("GET", f"/v1/alerts/{alert['id']}")["state"] == "lifted", "a push still opens it"


def test_an_unchanged_list_is_answered_with_304_and_a_changed_one_is_not(town, clock):
    town.issue()
    first = town.call("GET", "/v1/alerts")
    assert first.cache_control.public
    assert int(first.cache_control["stale-if-error"]) > 3600
    same = town.call("GET", "/v1/alerts", **{"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.get_data()) == (304, b"")
    town.issue()
    changed = town.call("GET", "/v1/alerts", **{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
    clock.pass_(hours=6)
    assert town.call("GET", "/v1/alerts", **{"If-None-Match": changed.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("en-GB,en;q=0.9", "en"), ("ko", "ko"), ("zh-CN", "zh-Hans"), ("vi", "ja-x-easy"), ("ja", "ja"), ("*", "ja"),
        ("fr;q=0.9, ko;q=0.8", "ko"), ("", "ja"),
    ],
)  # fmt: skip
def test_the_reader_chooses_the_language_and_caches_know_it(town, wanted, language):
    alert = town.issue()
    for path in ("/v1/alerts", f"/v1/alerts/{alert['id']}"):
        answer = town.call("GET", path, **{"Accept-Language": wanted})
        body = answer.get_json()
        item = body["items"][0] if "items" in body else body
        assert (item["language"], item["title"]) == (language, alert["texts"][language]["title"])
        assert "Accept-Language" in answer.headers["Vary"]
    assert town.ok("GET", "/v1/alerts?lang=en")["items"][0]["language"] == "en"


def test_it_takes_no_other_method(town):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = town.call(method, "/v1/alerts", {})
        problem(answer, 405, "method-not-allowed")
        assert "GET" in answer.headers["Allow"]
