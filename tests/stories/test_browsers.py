"""A browser without Google's services beside a phone with them: both are told, each by its own way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories import people
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

INSIDE = {"lat": 38.23, "lon": 140.93}
ANDROID = "phone-with-google-services-0001"


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> Iterator[RunningCity]:
    """As ever, and with a key for Web Push."""
    running = RunningCity(tmp_path, database_url, browsers=True)
    try:
        yield running.start()
    finally:
        running.stop()


def subscribe(city: RunningCity, name: str) -> dict[str, Any]:
    """What a page does: asks the city for its key, then the browser for a subscription bound to it."""
    key = city.ask("GET", "/v1/webpush/key")["application_server_key"]
    wish = {"name": name, "application_server_key": key}
    answer = city.http.post(f"{city.standin_url}/_standin/subscriptions", json=wish, timeout=10)
    assert answer.ok, answer.text
    return answer.json()  # type: ignore[no-any-return]


def register(city: RunningCity, **form: Any) -> str:
    """A device with a home in the danger area; its secret."""
    secret = str(city.ask("POST", "/v1/devices", json={"language": "ja", **form}, status=201)["secret"])
    city.ask("PUT", "/v1/devices/me/places/home", secret, json=INSIDE)
    return secret


def shown(city: RunningCity, name: str) -> list[dict[str, Any]]:
    """What a pretend browser or phone shows."""
    answer = city.http.get(f"{city.standin_url}/_standin/phones/{name}", timeout=10)
    return answer.json()["showing"] if answer.ok else []


def test_a_browser_reads_the_order_that_only_it_can_decrypt_beside_a_phone(city: RunningCity) -> None:
    engine = city.engine()
    people.build_shelters(engine)
    engine.dispose()
    assert city.ask("GET", "/readyz")["checks"]["outlets"]["active"] == ["fcm", "webpush"]

    subscription = subscribe(city, "laptop")
    browser = register(city, platform="webpush", subscription=subscription)
    gone = register(city, platform="webpush", subscription=subscribe(city, "gone"))
    register(city, platform="android", token=ANDROID)
    city.fault(fault="UNREGISTERED", token="gone")
    city.start_worker()

    # "Can I receive?"
    test = city.ask("POST", "/v1/devices/me/test-push", browser)["message_id"]
    wait_for(lambda: city.rung(test), "the test push")
    assert shown(city, "laptop")[0]["title"] == "受信テスト"

    # The order: the same texts and shelters on both, encrypted for the browser and read by it alone.
    alert = city.issue(people.flood_order())
    progress = city.sent(alert)
    assert progress["outcomes"] == {"accepted": 2, "unregistered": 1}
    order = progress["message_id"]
    assert city.rung(order) == {"laptop": 1, ANDROID: 1}
    payloads = city.payloads(order)
    phone, laptop = payloads[ANDROID], payloads["laptop"]
    assert laptop["data"] == phone["data"]
    assert len(json.loads(laptop["data"]["shelters"])) == 3
    notification = laptop["webpush"]["notification"]
    assert (notification["title"], notification["body"]) == (
        phone["notification"]["title"],
        phone["notification"]["body"],
    )
    assert notification["tag"] == alert["thread"] == laptop["data"]["thread"]
    assert laptop["webpush"]["headers"]["Urgency"] == "high"
    assert "Topic" not in laptop["webpush"]["headers"]

    # A subscription is never shown, also not to its own device; a dead one is known as such.
    me = city.ask("GET", "/v1/devices/me", browser)
    assert (me["platform"], me["token_state"], me["can_receive"]) == ("webpush", "active", True)
    assert subscription["endpoint"] not in json.dumps(me)
    assert subscription["keys"]["auth"] not in json.dumps(me)
    assert city.ask("GET", "/v1/devices/me", gone)["token_state"] == "unregistered"
    assert len(city.ask("GET", "/v1/devices/me/inbox", gone)["items"]) == 1

    # The cancel replaces the order on both.
    cancel = city.ask("POST", f"/v1/staff/alerts/{alert['id']}/cancel", city.author, json={}, status=201)
    city.sent(city.approve(cancel))
    for name in ("laptop", ANDROID):
        notices = [notice for notice in shown(city, name) if notice["kind"] != "test"]
        assert [notice["kind"] for notice in notices] == ["cancel"]
    assert city.phones()["totals"]["doubles"] == 0
