"""/v1/staff/messages and the progress of alerts: counts and speed for city hall, one phone for an auditor."""

from __future__ import annotations

import datetime as dt

import pytest

from database import transaction
from notifications.channels.promise import Outcome, Result
from notifications.dispatch.batches import BatchState
from notifications.messages import Message
from tests.backend.api.town import Town, problem
from tests.notifications.dispatch.ledgers import ledger

MESSAGES = "/v1/staff/messages"


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def _kept(town, recipients, **more) -> Message:
    with transaction(town.engine) as session:
        return ledger(session, recipients, now=town.clock(), **more)


def test_an_alert_shows_its_own_sending_and_that_of_its_whole_thread(town, clock):
    town.phone(at=True)
    town.phone(at=True, token=False)
    first = town.issue()
    town.work()
    clock.pass_(minutes=5)
    update = town.ok("POST", f"/v1/staff/alerts/{first['id']}/update", {"level": 5}, by="author")
    update = town.approve(town.submit(update))
    town.work()
    seen = town.ok("GET", f"/v1/staff/alerts/{update['id']}/progress", by="author")
    assert (seen["kind"], seen["told"], seen["planned"]) == ("update", 2, 2)
    assert (seen["accepted"], seen["no_token"], seen["handed_over"]) == (1, 1, 1)
    assert (seen["outcomes"], seen["open_batches"]) == ({"accepted": 1, "no_token": 1}, 0)
    assert dt.datetime.fromisoformat(seen["begins_at"]) == clock()
    thread = seen["thread"]
    assert (thread["planned"], thread["accepted"], thread["no_token"]) == (4, 2, 2)
    assert [item["kind"] for item in thread["items"]] == ["alert", "update"]
    assert thread["items"][1]["message_id"] == seen["message_id"]


def test_before_an_alert_is_issued_its_progress_is_all_zeros(town):
    seen = town.ok("GET", f"/v1/staff/alerts/{town.draft()['id']}/progress", by="author")
    assert (seen["message_id"], seen["planned"], seen["finished"], seen["thread"]) == (None, 0, False, None)


def test_an_unchanged_progress_is_an_empty_answer_and_nothing_is_stored_on_the_way(town):
    alert = town.issue()
    town.work()
    path = f"/v1/staff/alerts/{alert['id']}/progress"
    first = town.call("GET", path, by="author")
    assert first.headers["Cache-Control"] == "no-store"
    again = town.call("GET", path, by="author", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    town.phone(at=True)
    town.work()
    assert town.call("GET", path, by="author", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_message_is_shown_with_its_texts_and_how_fast_it_went(town, clock):
    message = _kept(town, [(Outcome.ACCEPTED, 1, tenths) for tenths in range(10, 110)])
    clock.pass_(minutes=1)
    seen = town.ok("GET", f"{MESSAGES}/{message.public_id}", by="author")
    assert (seen["id"], seen["kind"], seen["exercise"], seen["title"]) == (message.public_id, "notice", False, "題")
    assert set(seen["texts"]) == {"ja", "en"}
    progress = seen["progress"]
    assert (progress["p50_s"], progress["p95_s"], progress["p99_s"]) == (5.9, 10.4, 10.8)
    assert (progress["finished"], progress["archived"], progress["told"]) == (True, False, 100)
    assert progress["receipts"] == {
        "shown": 0, "opened": 0, "devices": 0, "shown_p50_s": None, "shown_p95_s": None,
    }  # fmt: skip


def test_what_phones_say_appears_with_the_phones_own_moment(town, clock):
    phone = town.phone(at=True)
    town.issue()
    town.work()
    begun = clock()
    (item,) = town.ok("GET", "/v1/devices/me/inbox", by=phone)["items"]
    clock.pass_(hours=1)
    shown = {"message_id": item["message_id"], "kind": "shown", "at": (begun + dt.timedelta(seconds=42)).isoformat()}
    opened = {"message_id": item["message_id"], "kind": "opened", "at": "2199-01-01T00:00:00Z"}
    kept = town.ok("POST", "/v1/devices/me/receipts", {"receipts": [shown, opened]}, by=phone)
    assert kept == {"kept": 2}
    heard = town.ok("GET", f"{MESSAGES}/{item['message_id']}", by="author")["progress"]["receipts"]
    assert heard == {"shown": 1, "opened": 1, "devices": 1, "shown_p50_s": 42.0, "shown_p95_s": 42.0}
    device = town.ok("GET", "/v1/devices/me", by=phone)["id"]
    found = town.ok("GET", f"{MESSAGES}/{item['message_id']}/recipients/{device}", by="duty")
    assert (found["told"], found["outcome"], found["tries"]) == (True, "accepted", 1)
    assert dt.datetime.fromisoformat(found["shown_at"]) == begun + dt.timedelta(seconds=42)
    assert dt.datetime.fromisoformat(found["opened_at"]) == clock(), "a clock that claims the future is not believed"


def test_messages_are_listed_newest_first_page_by_page_without_tests_of_single_phones(town):
    phone = town.phone(at=True)
    made = [_kept(town, []).public_id for _ in range(5)]
    town.ok("POST", "/v1/devices/me/test-push", by=phone)
    seen, cursor = [], ""
    while cursor is not None:
        page = town.ok("GET", f"{MESSAGES}?limit=2{cursor and '&cursor=' + cursor}", by="author")
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == made[::-1]
    assert [one["kind"] for one in town.ok("GET", f"{MESSAGES}?kind=test", by="author")["items"]] == ["test"]
    assert town.ok("GET", f"{MESSAGES}?exercise=true", by="author")["items"] == []
    assert len(town.ok("GET", f"{MESSAGES}?exercise=false", by="author")["items"]) == 5


def test_batches_are_listed_in_order_and_each_shows_its_outcomes_and_nobodys_name(town):
    message = _kept(town, [(Outcome.ACCEPTED, 1, 20)] * 500 + [(Outcome.UNREGISTERED, 1, 21)] * 500 + [
        (Outcome.RETRY, 3, 22), (Outcome.PENDING, 0, None)
    ], state=BatchState.LEASED)  # fmt: skip
    path = f"{MESSAGES}/{message.public_id}/batches"
    page = town.ok("GET", f"{path}?limit=2", by="author")
    (last,) = town.ok("GET", f"{path}?limit=2&cursor={page['next']}", by="author")["items"]
    assert [(one["planned"], one["outcomes"]) for one in page["items"]] == [
        (500, {"accepted": 500}), (500, {"unregistered": 500}),
    ]  # fmt: skip
    assert (last["state"], last["retrying"], last["waiting"], last["outlet"]) == ("leased", 1, 1, "fcm")
    whole = town.ok("GET", f"{path}/{last['id']}", by="author")
    assert whole["recipients"] == [
        {"outcome": "retry", "tries": 3, "answered_s": 2.2}, {"outcome": "pending", "tries": 0, "answered_s": None},
    ]  # fmt: skip
    other = _kept(town, [])
    problem(town.call("GET", f"{MESSAGES}/{other.public_id}/batches/{last['id']}", by="author"), 404, "not-found")
    problem(town.call("GET", f"{path}/{2**63}", by="author"), 404, "not-found")
    problem(town.call("GET", f"{path}?cursor=x", by="author"), 400, "bad-cursor")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", {"author", "approver", "duty", "admin"}),
        ("/{message}", {"author", "approver", "duty", "admin"}),
        ("/{message}/batches", {"author", "approver", "duty", "admin"}),
        ("/{message}/batches/1", {"author", "approver", "duty", "admin"}),
        ("/{message}/recipients/{device}", {"duty", "admin"}),
    ],
)
def test_the_ledger_is_read_by_people_and_one_phone_only_by_those_who_audit(town, path, allowed):
    device = town.ok("GET", "/v1/devices/me", by=town.phone())["id"]
    message = _kept(town, [(Outcome.ACCEPTED, 1, 1)])
    where = MESSAGES + path.format(message=message.public_id, device=device)
    problem(town.call("GET", where), 401, "unauthorized")
    problem(town.call("GET", where, by=town.phone()), 401, "unauthorized")
    for name in ("author", "approver", "duty", "admin", "robot"):
        assert (town.call("GET", where, by=name).status_code == 200) == (name in allowed), name


def test_what_is_not_there_is_not_found(town):
    message = _kept(town, [])
    for path in ("nothing", "nothing/batches", f"{message.public_id}/batches/999", f"{message.public_id}/recipients/x"):
        problem(town.call("GET", f"{MESSAGES}/{path}", by="duty"), 404, "not-found")


def test_a_phone_that_was_refused_is_told_so_to_the_auditor(town):
    phone = town.phone(at=True)
    town.channel.everybody = Result(Outcome.UNREGISTERED)
    alert = town.issue()
    town.work()
    device = town.ok("GET", "/v1/devices/me", by=phone)["id"]
    message = town.ok("GET", f"/v1/staff/alerts/{alert['id']}/progress", by="author")["message_id"]
    found = town.ok("GET", f"{MESSAGES}/{message}/recipients/{device}", by="admin")
    assert (found["told"], found["outcome"], found["shown_at"]) == (True, "unregistered", None)
    stranger = town.ok("GET", "/v1/devices/me", by=town.phone())["id"]
    nothing = town.ok("GET", f"{MESSAGES}/{message}/recipients/{stranger}", by="admin")
    assert (nothing["told"], nothing["outcome"], nothing["tries"]) == (False, None, None)
