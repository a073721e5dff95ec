"""/v1/devices: registering, changing, placing, following, testing and leaving, over HTTP on both stores."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import transaction
from geo import mesh
from notifications import topics
from notifications.devices import Device
from notifications.places import Place
from tests.backend.api.town import Town, fields, problem
from tests.notifications.builders import INSIDE, OUTSIDE, make_token

ME = "/v1/devices/me"


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def test_a_phone_registers_and_reads_all_that_is_kept_of_it(town, clock):
    made = town.ok("POST", "/v1/devices", {"platform": "ios", "language": "zh-CN", "app_version": "1.4", "token": None})
    assert set(made) == {"id", "secret"}
    me = town.ok("GET", ME, by=made["secret"])
    assert me.pop("registered_at").startswith(clock().isoformat()[:19])
    assert me == {
        "id": made["id"], "platform": "ios", "language": "zh-Hans", "app_version": "1.4", "token_state": "none",
        "can_receive": False, "places": {}, "topics": [], "garbage": {"areas": []},
        "children": {"born": [], "area": None, "at": None},
        "preferences": {"quiet": None, "a_day": 5, "inbox_only": [], "inbox_topics": []},
    }  # fmt: skip


def test_a_token_makes_a_phone_reachable_and_is_never_shown(town):
    token = make_token()
    answer = town.call("POST", "/v1/devices", {"platform": "android", "token": token})
    assert answer.status_code == 201
    secret = answer.get_json()["secret"]
    me = town.call("GET", ME, by=secret)
    assert me.get_json()["can_receive"] is True
    assert me.get_json()["language"] == "ja"
    assert token not in me.get_data(as_text=True) + answer.get_data(as_text=True)
    assert secret not in me.get_data(as_text=True)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({}, "platform"),
        ({"platform": "fax"}, "platform"),
        ({"platform": "ios", "language": "x" * 36}, "language"),
        ({"platform": "ios", "app_version": "1" * 65}, "app_version"),
        ({"platform": "ios", "token": "short"}, "token"),
        ({"platform": "ios", "token": 5}, "token"),
        ({"platform": "ios", "name": "山田太郎"}, "name"),
    ],
)
def test_a_registration_that_cannot_be_is_refused_naming_the_field(town, wishes, field):
    body = problem(town.call("POST", "/v1/devices", wishes), 422, "invalid")
    assert fields(body) == [field]
    with transaction(town.engine, "read") as session:
        assert session.scalars(sa.select(Device.id)).all() == []


def test_nobody_reads_or_changes_a_phone_without_its_secret(town):
    town.phone()
    for method, path in (
        ("GET", ME), ("PATCH", ME), ("DELETE", ME), ("PUT", f"{ME}/places/home"), ("DELETE", f"{ME}/places/home"),
        ("PUT", f"{ME}/topics"), ("POST", f"{ME}/test-push"), ("GET", f"{ME}/inbox"), ("POST", f"{ME}/receipts"),
    ):  # fmt: skip
        for by in (None, "ykd_" + "0" * 64, "author"):
            answer = town.call(method, path, {}, by=by)
            problem(answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="device"')


def test_what_a_phone_changes_changes_and_the_rest_stays(town):
    secret = town.phone(language="ko", app_version="1")
    me = town.ok("PATCH", ME, {"language": "en-GB"}, by=secret)
    assert (me["language"], me["app_version"], me["can_receive"]) == ("en", "1", True)
    me = town.ok("PATCH", ME, {"app_version": "2", "token": None}, by=secret)
    assert (me["language"], me["app_version"], me["token_state"]) == ("en", "2", "none")
    me = town.ok("PATCH", ME, {"token": make_token()}, by=secret)
    assert me["can_receive"] is True
    problem(town.call("PATCH", ME, {"platform": "ios"}, by=secret), 422, "invalid")
    problem(town.call("PATCH", ME, {"token": "x", "language": "ja"}, by=secret), 422, "invalid")
    assert town.ok("GET", ME, by=secret)["language"] == "en", "refused, nothing of it happened"


def test_a_token_moves_to_the_phone_that_brought_it_last(town):
    token = make_token()
    first = town.phone(token=False)
    town.ok("PATCH", ME, {"token": token}, by=first)
    second = town.phone(token=False)
    town.ok("PATCH", ME, {"token": token}, by=second)
    assert [town.ok("GET", ME, by=one)["can_receive"] for one in (first, second)] == [False, True]


@pytest.mark.parametrize("by_cell", [True, False])
def test_of_a_place_only_the_cell_is_kept(town, by_cell):
    secret = town.phone()
    cell = str(mesh.cell_of(INSIDE))
    where = {"cell": cell} if by_cell else {"lat": INSIDE.lat, "lon": INSIDE.lon, "accuracy_m": 0}
    assert town.ok("PUT", f"{ME}/places/home", where, by=secret) == {"name": "home", "cell": cell, "told": 0}
    answer = town.call("GET", ME, by=secret)
    assert answer.get_json()["places"]["home"]["cell"] == cell
    assert str(INSIDE.lat) not in answer.get_data(as_text=True)
    with transaction(town.engine, "read") as session:
        assert session.scalars(sa.select(Place.cell)).all() == [int(cell)]


def test_a_vague_position_says_its_own_cell(town):
    secret = town.phone()
    where = {"lat": INSIDE.lat, "lon": INSIDE.lon, "accuracy_m": 200}
    assert town.ok("PUT", f"{ME}/places/current", where, by=secret)["cell"] == str(mesh.cell_of(INSIDE))
    with transaction(town.engine, "read") as session:
        assert len(session.scalars(sa.select(Place.cell)).all()) > 4


@pytest.mark.parametrize(
    ("place", "where", "status", "field"),
    [
        ("holiday", {"cell": "57402784224"}, 404, None),
        ("home", {}, 422, "cell"),
        ("home", {"lat": 38.2}, 422, "cell"),
        ("home", {"cell": "57402784224", "lat": 38.2, "lon": 140.9}, 422, "cell"),
        ("home", {"cell": "5740278422"}, 422, "cell"),
        ("home", {"cell": "57402784229"}, 422, "cell"),
        ("home", {"lat": 140.9, "lon": 38.2}, 422, "lat"),
        ("home", {"lat": 48.8, "lon": 2.3}, 422, "lat"),
        ("home", {"lat": 38.2, "lon": 140.9, "accuracy_m": -1}, 422, "accuracy_m"),
        ("home", {"lat": "x", "lon": 140.9}, 422, "lat"),
    ],
)
def test_a_place_that_cannot_be_is_refused(town, place, where, status, field):
    secret = town.phone()
    body = problem(
        town.call("PUT", f"{ME}/places/{place}", where, by=secret), status, "invalid" if status == 422 else "not-found"
    )
    assert field is None or fields(body) == [field]
    assert town.ok("GET", ME, by=secret)["places"] == {}


def test_a_place_is_forgotten(town):
    secret = town.phone(at=True)
    assert town.call("DELETE", f"{ME}/places/home", by=secret).status_code == 204
    problem(town.call("DELETE", f"{ME}/places/home", by=secret), 404, "not-found")
    assert town.ok("GET", ME, by=secret)["places"] == {}


def test_a_phone_follows_topics_and_an_unknown_one_changes_nothing(town):
    with transaction(town.engine) as session:
        for slug in ("fire", "garbage"):
            topics.put(session, slug, {"ja": slug})
    secret = town.phone()
    assert town.ok("PUT", f"{ME}/topics", {"topics": ["garbage", "fire"]}, by=secret) == {"topics": ["fire", "garbage"]}
    body = problem(town.call("PUT", f"{ME}/topics", {"topics": ["fire", "nope"]}, by=secret), 422, "invalid")
    assert (fields(body), body["unknown"]) == (["topics"], ["nope"])
    problem(town.call("PUT", f"{ME}/topics", {"topics": ["t"] * 201}, by=secret), 422, "invalid")
    assert town.ok("GET", ME, by=secret)["topics"] == ["fire", "garbage"]
    assert town.ok("PUT", f"{ME}/topics", {"topics": []}, by=secret) == {"topics": []}


def test_a_phone_that_leaves_is_gone_with_everything(town):
    secret, stays = town.phone(at=True), town.phone(at=True)
    assert town.call("DELETE", ME, by=secret).status_code == 204
    problem(town.call("GET", ME, by=secret), 401, "unauthorized")
    with transaction(town.engine, "read") as session:
        assert len(session.scalars(sa.select(Device.id)).all()) == 1
        assert len(session.scalars(sa.select(Place.device_id)).all()) == 1
    assert town.ok("GET", ME, by=stays)["places"]


def test_a_phone_in_a_live_area_is_told_while_it_says_where_it_is(town):
    town.issue()
    secret = town.phone()
    inside, outside = ({"cell": str(mesh.cell_of(point))} for point in (INSIDE, OUTSIDE))
    assert town.ok("PUT", f"{ME}/places/home", outside, by=secret)["told"] == 0
    assert town.ok("PUT", f"{ME}/places/home", inside, by=secret)["told"] == 1
    assert town.ok("PUT", f"{ME}/places/work", inside, by=secret)["told"] == 0
    town.work()
    assert len(town.channel.handed) == 1
    assert "北の高台" in town.channel.calls[0][0][0]["body"]


def test_can_i_receive_is_answered_by_a_real_push_to_this_phone_only(town):
    secret, other = town.phone(), town.phone()
    said = town.ok("POST", f"{ME}/test-push", {}, by=secret)
    assert town.ok("GET", f"{ME}/inbox", by=secret)["items"] == [], "nothing before the worker has looked"
    town.work()
    (((push, _),),) = town.channel.calls
    assert push["message"] == said["message_id"]
    (item,) = town.ok("GET", f"{ME}/inbox", by=secret)["items"]
    assert (item["message_id"], item["kind"], item["outcome"]) == (said["message_id"], "test", "accepted")
    assert town.ok("GET", f"{ME}/inbox", by=other)["items"] == []


def test_a_phone_without_a_working_token_is_told_why_it_gets_no_test(town):
    body = problem(town.call("POST", f"{ME}/test-push", {}, by=town.phone(token=False)), 409, "conflict")
    assert "none" in body["detail"]


def test_test_pushes_are_bounded(town):
    secret = town.phone()
    answers = [town.call("POST", f"{ME}/test-push", {}, by=secret) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert "Retry-After" in answers[-1].headers
