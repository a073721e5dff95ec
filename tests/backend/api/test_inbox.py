"""/v1/devices/me/inbox and receipts: the truth of what a phone was told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import transaction
from geo import mesh
from notifications.receipts import Receipt
from tests.backend.api.town import Town, fields, problem
from tests.notifications.builders import INSIDE

INBOX, RECEIPTS = "/v1/devices/me/inbox", "/v1/devices/me/receipts"


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def _inbox(town, secret):
    return town.ok("GET", INBOX, by=secret)["items"]


@pytest.mark.parametrize("token", [True, False])
def test_the_inbox_tells_what_was_said_in_ones_own_language_pushed_or_not(town, token):
    secret, outside = town.phone(at=True, language="en", token=token), town.phone()
    alert = town.issue()
    town.work()
    (item,) = _inbox(town, secret)
    cell = mesh.cell_of(INSIDE)
    expected = {
        "thread": alert["thread"], "kind": "alert", "drill": False, "level": 4, "hazard": "flood", "language": "en",
        "reason": f"alert:{alert['id']}", "current": True, "outcome": None,
    } | alert["texts"]["en"]  # fmt: skip
    assert {name: item[name] for name in expected} == expected
    assert item["link"].endswith(f"/v1/alerts/{alert['id']}")
    assert item["shelters_url"].endswith(f"/v1/shelters/nearest/{cell}?hazard=flood")
    assert _inbox(town, outside) == []
    assert len(town.channel.handed) == token


def test_a_language_we_do_not_write_is_answered_with_what_it_really_is(town):
    secret = town.phone(at=True, language="vi")
    town.issue()
    town.work()
    assert _inbox(town, secret)[0]["language"] == "ja-x-easy"


def test_the_newest_comes_first_and_the_old_is_forgotten_after_thirty_days(town, clock):
    secret = town.phone(at=True)
    first = town.issue()
    town.work()
    lifted = town.ok("POST", f"/v1/staff/alerts/{first['id']}/all-clear", {}, by="author")
    town.approve(lifted)
    town.work()
    items = _inbox(town, secret)
    assert [(item["kind"], item["thread"]) for item in items] == [
        ("all_clear", first["thread"]), ("alert", first["thread"]),
    ]  # fmt: skip
    assert items[0]["shelters_url"] is None
    clock.pass_(days=2)
    assert [item["current"] for item in _inbox(town, secret)] == [False, False]
    clock.pass_(days=29)
    assert _inbox(town, secret) == []


def test_a_receipt_counts_once_and_only_for_what_one_was_told(town):
    secret, outside = town.phone(at=True), town.phone()
    town.issue()
    town.work()
    told = _inbox(town, secret)[0]["message_id"]
    both = {"receipts": [{"message_id": told, "kind": kind} for kind in ("shown", "opened")]}
    assert town.ok("POST", RECEIPTS, both, by=secret) == {"kept": 2}
    assert town.ok("POST", RECEIPTS, both, by=secret) == {"kept": 0}
    assert town.ok("POST", RECEIPTS, both, by=outside) == {"kept": 0}
    unknown = {"receipts": [{"message_id": "x" * 22, "kind": "shown"}]}
    assert town.ok("POST", RECEIPTS, unknown, by=secret) == {"kept": 0}
    with transaction(town.engine, "read") as session:
        assert sorted(session.scalars(sa.select(Receipt.kind))) == ["opened", "shown"]


@pytest.mark.parametrize(
    ("receipts", "field"),
    [
        ([], "receipts"),
        ([{"message_id": "short", "kind": "shown"}], "receipts.0.message_id"),
        ([{"message_id": "x" * 22, "kind": "burnt"}], "receipts.0.kind"),
        ([{"message_id": "x" * 22, "kind": "shown"}] * 101, "receipts"),
    ],
)
def test_a_receipt_that_cannot_be_is_refused(town, receipts, field):
    body = problem(town.call("POST", RECEIPTS, {"receipts": receipts}, by=town.phone()), 422, "invalid")
    assert fields(body) == [field]
