"""A level 4 flood order over part of a ward, end to end: who is told, what phones show, who is told of its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stories import people
from tests.stories.running import RunningCity

pytestmark = pytest.mark.story

MANY = 10_000


def register(city: RunningCity, token: str, **wishes: Any) -> str:
    """A phone registers over HTTP; its secret."""
    form = {"platform": "android", "language": "ja", "app_version": "1", "token": token, **wishes}
    return str(city.ask("POST", "/v1/devices", json=form, status=201)["secret"])


def test_ten_thousand_phones_an_order_an_edit_a_newcomer_and_a_cancel(city: RunningCity) -> None:
    engine = city.engine()
    phones = people.settle(engine, MANY)
    shelters = people.build_shelters(engine)
    engine.dispose()
    expected = people.inside(phones)
    assert 1_000 < len(expected) < MANY
    city.start_worker()

    # The preview counts with the query that will send.
    draft = city.draft(people.flood_order())
    seen = city.ask("GET", f"/v1/staff/alerts/{draft['id']}/preview", city.author)
    assert seen["devices"] == len(expected)
    assert all(sample["bytes"] <= 4096 for sample in seen["samples"])

    # The author cannot approve, an edit after submission voids it, and the old hash is worth nothing.
    submitted = city.submit(draft)
    approve = f"/v1/staff/alerts/{draft['id']}/approve"
    city.ask("POST", approve, city.author, json={"content_hash": submitted["content_hash"]}, status=403)
    edit = {
        "version": submitted["version"],
        "area_names": {"ja": "若林区沿岸部と名取川沿い", "en": "Wakabayashi coast"},
    }
    edited = city.ask("PATCH", f"/v1/staff/alerts/{draft['id']}", city.author, json=edit)
    assert edited["state"] == "draft"
    city.ask("POST", approve, city.approver, json={"content_hash": submitted["content_hash"]}, status=409)
    again = city.submit(edited)
    assert again["content_hash"] != submitted["content_hash"]
    city.ask("POST", approve, city.approver, json={"content_hash": submitted["content_hash"]}, status=409)
    alert = city.approve(again)
    assert alert["state"] == "live"

    # Everybody whose cell touches the area is told once, nobody else.
    progress = city.sent(alert)
    order_id = progress["message_id"]
    assert progress["outcomes"] == {"accepted": len(expected)}
    rung = city.rung(order_id)
    assert set(rung) == expected
    assert set(rung.values()) == {1}

    # … in their language, with their own nearest suitable shelters outside the area.
    by_token = {phone.token: phone for phone in phones}
    known: dict[int, list[str]] = {}
    titles = {"ja": "【警戒レベル4 避難指示】", "en": "Alert Level 4 Evacuation Instruction"}
    for token, payload in city.payloads(order_id).items():
        phone = by_token[token]
        assert payload["data"]["lang"] == phone.language
        assert payload["data"]["thread"] == alert["thread"]
        title = payload["notification"]["title"]
        assert title.startswith(titles.get(phone.language, title))
        assert phone.cell is not None
        if phone.cell not in known:
            known[phone.cell] = people.nearest_names(phone.cell, shelters)
        assert [site["name"] for site in json.loads(payload["data"]["shelters"])] == known[phone.cell]
        assert known[phone.cell][0] in payload["notification"]["body"]

    # One who registers inside afterwards is told at once; one who moves in, too; outside, nobody.
    newcomer = register(city, "newcomer-inside-0001")
    placed = city.ask("PUT", "/v1/devices/me/places/current", newcomer, json={"lat": 38.23, "lon": 140.93})
    assert placed["told"] == 1
    outsider = register(city, "newcomer-outside-0001")
    assert city.ask("PUT", "/v1/devices/me/places/home", outsider, json={"lat": 38.28, "lon": 140.87})["told"] == 0
    told = expected | {"newcomer-inside-0001"}
    city.sent(alert)
    assert set(city.rung(order_id)) == told
    public = city.ask("GET", "/v1/alerts")["items"]
    assert [(one["id"], one["state"]) for one in public] == [(alert["id"], "live")]
    inbox = city.ask("GET", "/v1/devices/me/inbox", newcomer)["items"]
    assert [(one["kind"], one["message_id"]) for one in inbox] == [("alert", order_id)]

    # The cancel reaches exactly the same phones, though one has left the area meanwhile.
    city.ask("PUT", "/v1/devices/me/places/current", newcomer, json={"lat": 38.28, "lon": 140.87})
    cancel = city.ask("POST", f"/v1/staff/alerts/{alert['id']}/cancel", city.author, json={}, status=201)
    city.ask("POST", f"/v1/staff/alerts/{cancel['id']}/approve", city.author,
             json={"content_hash": cancel["content_hash"]}, status=403)  # fmt: skip
    cancelled = city.approve(cancel)
    ended = city.sent(cancelled)
    assert set(city.rung(ended["message_id"])) == told
    assert set(city.rung(ended["message_id"]).values()) == {1}
    assert city.ask("GET", f"/v1/alerts/{alert['id']}")["state"] == "cancelled"
    shown = city.phones()["totals"]
    assert shown["doubles"] == 0
    assert shown["phones"] == len(told)

    # Nobody is told any more; the next who comes in is not told of what is over.
    late = register(city, "newcomer-late-0001")
    assert city.ask("PUT", "/v1/devices/me/places/current", late, json={"lat": 38.23, "lon": 140.93})["told"] == 0
    assert city.ask("GET", "/v1/devices/me/inbox", late)["items"] == []


def test_an_update_reaches_those_told_and_those_now_inside_and_the_all_clear_all_of_them(city: RunningCity) -> None:
    engine = city.engine()
    phones = people.settle(engine, 600)
    people.build_shelters(engine)
    engine.dispose()
    city.start_worker()
    first = people.inside(phones)
    order = city.issue(people.flood_order())
    city.sent(order)

    north = [[lon, lat + 0.02] for lon, lat in people.DANGER]
    moved = {"area": {"polygon": {"type": "Polygon", "coordinates": [north]}}, "level": 5}
    update = city.ask("POST", f"/v1/staff/alerts/{order['id']}/update", city.author, json=moved, status=201)
    assert update["thread"] == order["thread"]
    update = city.approve(city.submit(update))
    sent = city.sent(update)
    second = people.inside(phones, north)
    assert second - first, "the story needs somebody who is newly inside"
    assert first - second, "and somebody who is no longer"
    assert set(city.rung(sent["message_id"])) == first | second
    assert city.ask("GET", f"/v1/alerts/{order['id']}")["state"] == "superseded"

    clear = city.ask("POST", f"/v1/staff/alerts/{update['id']}/all-clear", city.author, json={}, status=201)
    ended = city.sent(city.approve(clear))
    assert set(city.rung(ended["message_id"])) == first | second
    # On the phone one lineage is one notification: the latest.
    assert city.phones()["totals"]["phones"] == len(first | second)
    a_phone = next(iter(first))
    shown = city.http.get(f"{city.standin_url}/_standin/phones/{a_phone}", timeout=10).json()["showing"]
    assert len(shown) == 1


def test_a_drill_says_so_everywhere_and_touches_nothing_real(city: RunningCity) -> None:
    engine = city.engine()
    phones = people.settle(engine, 200)
    people.build_shelters(engine)
    engine.dispose()
    city.start_worker()
    drill = city.issue(people.flood_order(), kind="drills")
    sent = city.sent(drill, kind="drills")
    payloads = city.payloads(sent["message_id"])
    assert set(payloads) == people.inside(phones)
    for payload in payloads.values():
        assert payload["notification"]["title"].startswith("【訓練】")
        assert payload["data"]["drill"] == "true"
    assert city.ask("GET", "/v1/alerts")["items"] == []
    assert [one["exercise"] for one in city.ask("GET", "/v1/drills")["items"]] == [True]
    city.ask("GET", f"/v1/alerts/{drill['id']}", status=404)
    city.ask("POST", f"/v1/staff/alerts/{drill['id']}/all-clear", city.author, json={}, status=404)
