"""/v1/staff/alerts and /v1/staff/drills: roles, conflicts, refusals with their place, and the way to release."""

from __future__ import annotations

import datetime as dt

import pytest

from content.texts import LANGUAGES
from tests.backend.api.town import Town, fields, problem
from tests.notifications.builders import AREA, NEXT_AREA
from tests.notifications.test_dangers import BOW_TIE

STAFF = "/v1/staff/alerts"


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def test_two_people_release_an_alert_and_every_step_is_shown(town):
    for language in ("ja", "en"):
        town.phone(at=True, language=language)
    draft = town.draft()
    assert (draft["state"], draft["exercise"], draft["version"]) == ("draft", False, 1)
    assert set(draft["texts"]) == set(LANGUAGES)
    seen = town.ok("GET", f"{STAFF}/{draft['id']}/preview", by="approver")
    assert (seen["devices"], seen["reachable"], seen["by_language"]) == (2, 2, {"ja": 1, "en": 1})
    assert seen["content_hash"] == draft["content_hash"]
    assert all(sample["bytes"] <= 4096 for sample in seen["samples"])
    assert {sample["language"] for sample in seen["samples"]} == set(LANGUAGES)
    japanese = next(sample for sample in seen["samples"] if sample["language"] == "ja")
    assert "北の高台" in japanese["body"]
    submitted = town.submit(draft)
    assert (submitted["state"], submitted["submitted_count"]) == ("submitted", 2)
    live = town.approve(submitted)
    assert live["state"] == "live"
    assert [(step["action"], step["by"]) for step in live["steps"]] == [
        ("draft", "author"), ("submit", "author"), ("approve", "approver"),
    ]  # fmt: skip
    town.work()
    progress = town.ok("GET", f"{STAFF}/{draft['id']}/progress", by="author")
    assert {name: progress[name] for name in ("told", "open_batches", "outcomes")} == {
        "told": 2, "open_batches": 0, "outcomes": {"accepted": 2},
    }  # fmt: skip
    for sample in seen["samples"]:
        said = [push for call in town.channel.calls for push, _ in call if push["language"] == sample["language"]]
        assert all((push["title"], push["body"]) == (sample["title"], sample["body"]) for push in said)


@pytest.mark.parametrize(
    ("method", "path", "forbidden"),
    [
        ("GET", "", {"robot"}),
        ("POST", "", {"admin"}),
        ("GET", "/{id}", {"robot"}),
        ("PATCH", "/{id}", {"admin"}),
        ("DELETE", "/{id}", {"admin", "robot"}),
        ("GET", "/{id}/preview", {"robot"}),
        ("GET", "/{id}/progress", {"robot"}),
        ("POST", "/{id}/submit", {"admin", "robot"}),
        ("POST", "/{id}/approve", {"author", "admin", "robot"}),
        ("POST", "/{id}/return", {"author", "admin", "robot"}),
        ("POST", "/{id}/update", {"admin"}),
        ("POST", "/{id}/cancel", {"admin", "robot"}),
        ("POST", "/{id}/all-clear", {"admin", "robot"}),
    ],
)
@pytest.mark.parametrize("part", ["alerts", "drills"])
def test_every_door_asks_for_a_key_and_a_role(town, method, path, forbidden, part):
    where = f"/v1/staff/{part}" + path.format(id=town.draft(part=part)["id"])
    answer = town.call(method, where, {})
    problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="staff"')
    problem(town.call(method, where, {}, by=town.phone()), 401, "unauthorized")
    for name in ("author", "approver", "duty", "admin", "robot"):
        answer = town.call(method, where, {}, by=name)
        assert (answer.status_code == 403) == (name in forbidden), (name, answer.get_data(as_text=True))


@pytest.mark.parametrize("path", ["", "/preview", "/progress"])
def test_a_drill_is_not_among_the_alerts_nor_an_alert_among_the_drills(town, path):
    alert, drill = town.draft(), town.draft(part="drills")
    assert drill["exercise"] is True
    problem(town.call("GET", f"/v1/staff/drills/{alert['id']}{path}", by="author"), 404, "not-found")
    problem(town.call("GET", f"{STAFF}/{drill['id']}{path}", by="author"), 404, "not-found")
    assert [item["id"] for item in town.ok("GET", STAFF, by="author")["items"]] == [alert["id"]]
    assert [item["id"] for item in town.ok("GET", "/v1/staff/drills", by="author")["items"]] == [drill["id"]]


def test_a_drill_is_never_changed_submitted_approved_or_followed_as_an_alert(town):
    drill = town.submit(town.draft(part="drills"), part="drills")
    bodies = {
        "PATCH ": {"version": 2, "level": 5}, "DELETE ": None, "POST /submit": {"version": 2},
        "POST /approve": {"content_hash": drill["content_hash"]}, "POST /return": {"reason": "x"},
    }  # fmt: skip
    for call, body in bodies.items():
        method, _, path = call.partition(" ")
        problem(town.call(method, f"{STAFF}/{drill['id']}{path}", body, by="approver"), 404, "not-found")
    live = town.approve(drill, part="drills")
    for path in ("update", "cancel", "all-clear"):
        problem(town.call("POST", f"{STAFF}/{live['id']}/{path}", {}, by="author"), 404, "not-found")
    update = town.ok("POST", f"/v1/staff/drills/{live['id']}/update", {}, by="author")
    assert update["exercise"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"level": 2}, "level"),
        ({"hazard": "meteor"}, "hazard"),
        ({"expires_at": "2026-09-01T03:01:00Z"}, "expires_at"),
        ({"expires_at": "2026-09-01T12:00:00"}, "expires_at"),
        ({"area_names": {}}, "area_names.ja"),
        ({"area_names": {"fr": "x"}}, "area_names.fr.key"),
        ({"area": {}}, "area"),
        ({"area": {"polygon": BOW_TIE}}, "area.polygon"),
        ({"area": {"areas": ["nowhere"]}}, "area.areas"),
        ({"area": {"polygon": AREA, "minus_polygon": AREA}}, "area"),
        ({"texts": {"ja": {"title": "題"}}}, "texts.ja.value.body"),
        ({"drill": True}, "drill"),
    ],
)
def test_a_draft_that_cannot_be_is_refused_naming_the_field(town, change, field):
    body = problem(town.call("POST", STAFF, town.form(**change), by="author"), 422, "invalid")
    assert fields(body) == [field]
    assert town.ok("GET", STAFF, by="author")["items"] == []


def test_a_self_crossing_shape_is_refused_with_the_place_of_the_crossing(town):
    body = problem(town.call("POST", STAFF, town.form(area={"polygon": BOW_TIE}), by="author"), 422, "invalid")
    (error,) = body["errors"]
    assert (round(error["lat"], 3), round(error["lon"], 3)) == (38.235, 140.935)
    assert error["reason"]


def test_an_older_version_is_a_conflict(town):
    draft = town.draft()
    town.ok("PATCH", f"{STAFF}/{draft['id']}", {"version": 1, "level": 5}, by="author")
    for method, path, body in (
        ("PATCH", "", {"version": 1, "level": 3}), ("POST", "/submit", {"version": 1}),
    ):  # fmt: skip
        problem(town.call(method, f"{STAFF}/{draft['id']}{path}", body, by="author"), 409, "conflict")
    assert town.ok("GET", f"{STAFF}/{draft['id']}", by="author")["level"] == 5


def test_own_work_and_unseen_content_are_not_approved(town):
    draft = town.draft(by="approver")
    submitted = town.submit(draft)
    path = f"{STAFF}/{draft['id']}/approve"
    seen = {"content_hash": submitted["content_hash"]}
    assert problem(town.call("POST", path, seen, by="approver"), 403, "not-allowed")["code"] == "own_work"
    unseen = {"content_hash": "0" * 64}
    assert problem(town.call("POST", path, unseen, by="other"), 409, "not-allowed")["code"] == "content_changed"
    problem(town.call("POST", path, {"content_hash": "short"}, by="other"), 422, "invalid")
    edited = town.ok("PATCH", f"{STAFF}/{draft['id']}", {"version": 2, "level": 5}, by="author")
    assert (edited["state"], edited["content_hash"] != submitted["content_hash"]) == ("draft", True)
    assert problem(town.call("POST", path, seen, by="other"), 409, "not-allowed")["code"] == "wrong_state"


def test_an_approval_lapses_after_half_an_hour(town, clock):
    submitted = town.submit(town.draft())
    clock.pass_(minutes=30, seconds=1)
    path, seen = f"{STAFF}/{submitted['id']}/approve", {"content_hash": submitted["content_hash"]}
    assert problem(town.call("POST", path, seen, by="approver"), 409, "not-allowed")["code"] == "lapsed"
    town.approve(town.submit(submitted))


def test_a_submission_goes_back_with_a_reason(town):
    submitted = town.submit(town.draft())
    path = f"{STAFF}/{submitted['id']}/return"
    problem(town.call("POST", path, {}, by="approver"), 422, "invalid")
    back = town.ok("POST", path, {"reason": "区域が違います"}, by="approver")
    assert (back["state"], back["steps"][-1]["reason"]) == ("draft", "区域が違います")


def test_a_placeholder_bars_submission_naming_language_and_field(town):
    draft = town.draft(texts={"en": {"title": "Evacuate", "body": "Go to {shelter}"}})
    body = problem(town.call("POST", f"{STAFF}/{draft['id']}/submit", {"version": 1}, by="author"), 422, "invalid")
    assert "texts.en.body" in fields(body)
    assert {field.split(".")[1] for field in fields(body)} == {"en"}
    assert town.ok("GET", f"{STAFF}/{draft['id']}/preview", by="author")["findings"][0]["code"] == "placeholder"


def test_a_text_too_long_for_a_push_is_cut_and_the_preview_shows_it(town):
    town.phone(at=True)
    body = "長い文です。" * 300
    draft = town.draft(texts={"ja": {"title": "避難指示", "body": body}})
    (sample,) = [
        one
        for one in town.ok("GET", f"{STAFF}/{draft['id']}/preview", by="author")["samples"]
        if one["language"] == "ja"
    ]
    assert sample["bytes"] <= 4096
    assert body not in sample["body"]
    assert "長い文です。" in sample["body"]
    assert "北の高台" in sample["body"], "where to go is kept"
    assert draft["texts"]["ja"]["body"] == body, "the whole text is under the link"


@pytest.mark.parametrize("issued", [False, True])
def test_what_is_over_is_still_looked_at_and_not_submitted(town, clock, issued):
    alert = town.issue() if issued else town.draft()
    clock.pass_(hours=7)
    seen = town.ok("GET", f"{STAFF}/{alert['id']}/preview", by="author")
    assert all(sample["bytes"] for sample in seen["samples"])
    answer = town.call("POST", f"{STAFF}/{alert['id']}/submit", {"version": alert["version"]}, by="author")
    assert answer.status_code in ((409, 422) if issued else (422,))
    assert issued or fields(answer.get_json()) == ["expires_at"]


def test_what_was_not_issued_is_discarded_and_stays_so(town):
    draft = town.draft()
    gone = town.ok("DELETE", f"{STAFF}/{draft['id']}", by="author")
    assert gone["state"] == "discarded"
    problem(town.call("DELETE", f"{STAFF}/{draft['id']}", by="author"), 409, "not-allowed")
    live = town.issue()
    problem(town.call("DELETE", f"{STAFF}/{live['id']}", by="author"), 409, "not-allowed")


def test_an_update_supersedes_and_says_what_changed_in_words_of_its_own(town):
    live = town.issue(texts={"ja": {"title": "【警戒レベル4 避難指示】", "body": "危険な場所から全員避難"}})
    town.phone(at=True)
    update = town.ok("POST", f"{STAFF}/{live['id']}/update", {"level": 5, "area": {"polygon": NEXT_AREA}}, by="author")
    assert (update["act"], update["supersedes"], update["thread"]) == ("update", live["id"], live["thread"])
    assert (update["level"], update["area_names"], update["texts_edited"]) == (5, {"ja": "川沿い"}, [])
    town.approve(town.submit(update))
    assert town.ok("GET", f"{STAFF}/{live['id']}", by="author")["state"] == "superseded"
    problem(town.call("POST", f"{STAFF}/{live['id']}/update", {}, by="author"), 422, "invalid")


@pytest.mark.parametrize(
    ("path", "act", "ended"), [("cancel", "cancel", "cancelled"), ("all-clear", "all_clear", "lifted")]
)
def test_a_lifting_is_submitted_at_once_and_released_by_another(town, path, act, ended):
    phone = town.phone(at=True)
    live = town.issue()
    town.work()
    lifting = town.ok("POST", f"{STAFF}/{live['id']}/{path}", {}, by="author")
    assert (lifting["act"], lifting["state"], lifting["submitted_count"]) == (act, "submitted", 1)
    seen = {"content_hash": lifting["content_hash"]}
    problem(town.call("POST", f"{STAFF}/{lifting['id']}/approve", seen, by="author"), 403, "forbidden")
    newcomer = town.phone()
    town.approve(lifting)
    town.work()
    assert town.ok("GET", f"{STAFF}/{live['id']}", by="author")["state"] == ended
    kinds = [item["kind"] for item in town.ok("GET", "/v1/devices/me/inbox", by=phone)["items"]]
    assert kinds == [act, "alert"]
    assert town.ok("GET", "/v1/devices/me/inbox", by=newcomer)["items"] == []


def test_a_doubt_about_the_words_never_keeps_a_cancel_from_going_out(town):
    live = town.issue()
    texts = {"ja": {"title": "取り消し", "body": "8月1日(金)の誤りです。"}}
    path = f"{STAFF}/{live['id']}/cancel"
    problem(town.call("POST", path, {"texts": texts}, by="author"), 422, "invalid")
    assert town.ok("POST", path, {"texts": texts, "accept_warnings": True}, by="author")["state"] == "submitted"


def test_lists_are_of_one_state_and_bounded(town):
    made = [town.draft() for _ in range(3)]
    town.submit(made[1])
    drafts = town.ok("GET", f"{STAFF}?state=draft", by="author")["items"]
    assert [item["id"] for item in drafts] == [made[2]["id"], made[0]["id"]]
    first = town.ok("GET", f"{STAFF}?limit=2", by="author")
    rest = town.ok("GET", f"{STAFF}?limit=2&cursor={first['next']}", by="author")
    assert [item["id"] for item in first["items"] + rest["items"]] == [one["id"] for one in reversed(made)]
    assert rest["next"] is None
    problem(town.call("GET", f"{STAFF}?cursor=x", by="author"), 400, "bad-cursor")
    for query in ("limit=0", "limit=201", "state=nice"):
        problem(town.call("GET", f"{STAFF}?{query}", by="author"), 422, "invalid")


def test_the_moment_of_every_step_is_the_citys_clock(town, clock):
    draft = town.draft()
    clock.pass_(minutes=3)
    submitted = town.submit(draft)
    moments = [dt.datetime.fromisoformat(step["at"]) for step in submitted["steps"]]
    assert moments[1] - moments[0] == dt.timedelta(minutes=3)
    assert dt.datetime.fromisoformat(submitted["submitted_at"]) == clock()
