"""Every fault of the provider in one evacuation: what becomes of device, batch and alert."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories import people
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

INSIDE = {"lat": 38.23, "lon": 140.93}

# A phone whose token ends so has that fault; the number says how often, without one it is for good.
# token's end → (state of the token afterwards, outcome in the ledger, times it rang)
PHONES = {
    ":well": ("active", "accepted", 1),
    ":fault=UNREGISTERED": ("unregistered", "unregistered", 0),
    ":fault=INVALID_ARGUMENT": ("invalid", "invalid", 0),
    ":fault=SENDER_ID_MISMATCH": ("mismatch", "mismatch", 0),
    ":quota": ("active", "accepted", 1),  # QUOTA_EXCEEDED with Retry-After, of this device alone
    ":fault=UNAVAILABLE*2": ("active", "accepted", 1),
    ":fault=INTERNAL*1": ("active", "accepted", 1),
    # Slower than we wait: the answer comes too late, so it is sent once more, and the phone shows one.
    ":fault=SLOW*1": ("active", "accepted", 2),
    ":fault=RESET_BEFORE*1": ("active", "accepted", 1),
    # Taken, but the answer was lost: sent once more, and the phone shows one.
    ":fault=RESET_AFTER*1": ("active", "accepted", 2),
    ":fault=GARBAGE*1": ("active", "accepted", 2),
    # No answer at all: tried twice, then left as it is: unknown.
    ":fault=NO_ANSWER": ("active", "unknown", 0),
}


@pytest.fixture(params=["curl", "library"])
def faulty_city(request: pytest.FixtureRequest, database_url: str, tmp_path: Any) -> Any:
    running = RunningCity(tmp_path, database_url, FCM_SENDER=request.param)
    try:
        yield running.start()
    finally:
        running.stop()


def register_inside(city: RunningCity, token: str) -> str:
    form = {"platform": "android", "language": "ja", "token": token}
    secret = str(city.ask("POST", "/v1/devices", json=form, status=201)["secret"])
    city.ask("PUT", "/v1/devices/me/places/home", secret, json=INSIDE)
    return secret


def test_every_fault_of_a_phone_ends_in_a_state_that_says_so(faulty_city: RunningCity) -> None:
    city = faulty_city
    engine = city.engine()
    people.build_shelters(engine)
    engine.dispose()
    tokens = {end: f"phone-of-faults-{n:02d}{end}" for n, end in enumerate(PHONES)}
    secrets = {end: register_inside(city, token) for end, token in tokens.items()}
    city.fault(fault="QUOTA_EXCEEDED", token=tokens[":quota"], retry_after="1", times=1)
    city.start_worker()
    alert = city.issue(people.flood_order())
    progress = city.sent(alert)

    rung = city.rung(progress["message_id"])
    by_end = {token[len("phone-of-faults-00") :]: times for token, times in rung.items()}
    expected_outcomes: dict[str, int] = {}
    for end, (state, outcome, rings) in PHONES.items():
        me = city.ask("GET", "/v1/devices/me", secrets[end])
        assert (end, me["token_state"]) == (end, state)
        assert (end, by_end.get(end, 0)) == (end, rings)
        expected_outcomes[outcome] = expected_outcomes.get(outcome, 0) + 1
        # Whatever became of the push, the inbox has it.
        assert [one["kind"] for one in city.ask("GET", "/v1/devices/me/inbox", secrets[end])["items"]] == ["alert"]
    assert progress["outcomes"] == expected_outcomes
    assert city.ask("GET", f"/v1/alerts/{alert['id']}")["state"] == "live"
    assert city.ask("GET", "/v1/staff/incidents", city.author)["items"] == []
    for phone in city.phones()["phones"]:
        assert phone["showing"] <= 1, phone


OURS = {
    "OAUTH_REFUSED": "credentials",
    "PERMISSION_DENIED": "credentials",
    "THIRD_PARTY_AUTH_ERROR": "sender",
    "INVALID_PAYLOAD": "payload",
}


def test_a_fault_of_ours_stops_the_batch_calls_an_operator_and_goes_on_when_mended(city: RunningCity) -> None:
    engine = city.engine()
    people.build_shelters(engine)
    engine.dispose()
    secrets = [register_inside(city, f"phone-of-a-fault-{n}") for n in range(3)]
    for fault, kind in OURS.items():
        city.fault(fault=fault)
        city.start_worker()  # a new one: it holds no access token of before
        alert = city.issue(people.flood_order())

        opened = wait_for(lambda: incidents(city), "an incident")
        assert [one["kind"] for one in opened] == [kind], fault
        assert wait_for(lambda: incidents(city)[0]["paged_at"], "the operator's call")
        progress = city.progress(alert)
        assert progress["open_batches"] == 1
        assert set(progress["outcomes"]) <= {"pending", "retry"}, "they wait"
        assert sum(progress["outcomes"].values()) == 3
        assert city.rung(progress["message_id"]) == {}
        for secret in secrets:
            assert city.ask("GET", "/v1/devices/me", secret)["token_state"] == "active", "the phones are innocent"
        assert city.ask("GET", f"/v1/alerts/{alert['id']}")["state"] == "live"
        assert city.ask("GET", "/readyz")["checks"]["incidents"]["open"] == [kind]

        city.http.delete(f"{city.standin_url}/_standin/faults", timeout=10).raise_for_status()
        resolve = f"/v1/staff/incidents/{opened[0]['id']}/resolve"
        city.ask("POST", resolve, city.author, status=403)
        assert city.ask("POST", resolve, city.approver) == {"restarted": 1}
        assert city.sent(alert)["outcomes"] == {"accepted": 3}
        assert set(city.rung(progress["message_id"]).values()) == {1}
        city.kill()


def incidents(city: RunningCity) -> Any:
    """What is open."""
    return city.ask("GET", "/v1/staff/incidents", city.author)["items"]


def test_the_projects_quota_holds_everybody_until_the_provider_says(city: RunningCity) -> None:
    engine = city.engine()
    people.build_shelters(engine)
    phones = people.settle(engine, 300)
    engine.dispose()
    city.fault(fault="PROJECT_QUOTA_EXCEEDED", retry_after="1", times=1)
    city.start_worker()
    alert = city.issue(people.flood_order())
    progress = city.sent(alert)
    assert set(city.rung(progress["message_id"])) == people.inside(phones)
    assert set(city.rung(progress["message_id"]).values()) == {1}


def test_a_total_outage_is_outlasted(city: RunningCity) -> None:
    engine = city.engine()
    people.build_shelters(engine)
    phones = people.settle(engine, 300)
    engine.dispose()
    expected = people.inside(phones)
    city.fault(fault="UNAVAILABLE", times=len(expected) * 3)
    city.start_worker()
    alert = city.issue(people.flood_order())
    progress = city.sent(alert)
    assert progress["outcomes"] == {"accepted": len(expected)}
    assert set(city.rung(progress["message_id"])) == expected
