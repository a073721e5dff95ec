"""A published notice reaches the followers of its topic through the same waist; a phone asks if it can receive."""

from __future__ import annotations

import datetime as dt

import pytest

from database import transaction
from notifications import topics
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

NOTICE = {
    "topic": "garbage",
    "texts": {
        "ja": {"title": "年末年始のごみ収集", "body": "12月31日から1月3日まで収集を休みます。"},
        "en": {"title": "Garbage over New Year", "body": "There is no collection from 31 December to 3 January."},
    },
}


def register(city: RunningCity, token: str, language: str) -> str:
    form = {"platform": "android", "language": language, "token": token}
    return str(city.ask("POST", "/v1/devices", json=form, status=201)["secret"])


def test_a_notice_rings_its_followers_once_and_nobody_else(city: RunningCity) -> None:
    engine = city.engine()
    with transaction(engine) as session:
        topics.put(session, "garbage", {"ja": "ごみ・資源", "en": "Garbage"})
        topics.put(session, "child", {"ja": "子育て", "en": "Child-rearing"})
    engine.dispose()
    assert [one["slug"] for one in city.ask("GET", "/v1/topics")["items"]] == ["child", "garbage"]
    followers = {f"follower-of-garbage-{n:03d}": ("ja", "en", "vi")[n % 3] for n in range(30)}
    for token, language in followers.items():
        secret = register(city, token, language)
        city.ask("PUT", "/v1/devices/me/topics", secret, json={"topics": ["garbage", "child"]})
    other = register(city, "follower-of-child-001", "ja")
    city.ask("PUT", "/v1/devices/me/topics", other, json={"topics": ["child"]})
    city.ask("PUT", "/v1/devices/me/topics", other, json={"topics": ["no-such-topic"]}, status=422)
    city.start_worker()

    draft = city.ask("POST", "/v1/staff/notices", city.author, json=NOTICE, status=201)
    path = f"/v1/staff/notices/{draft['id']}"
    submitted = city.ask("POST", f"{path}/submit", city.author, json={"version": draft["version"]})
    seen = {"content_hash": submitted["content_hash"]}
    city.ask("POST", f"{path}/approve", city.author, json=seen, status=403)
    assert list(city.received()) == []
    city.ask("POST", f"{path}/approve", city.approver, json=seen)

    wait_for(lambda: len(list(city.received())) >= len(followers), "the followers' phones")
    (message_id,) = {entry["message_id"] for entry in city.received()}
    rung = city.rung(message_id)
    assert set(rung) == set(followers)
    assert set(rung.values()) == {1}
    for token, payload in city.payloads(message_id).items():
        english = followers[token] == "en"
        assert payload["notification"]["title"] == NOTICE["texts"]["en" if english else "ja"]["title"]  # type: ignore[index]
        assert payload["data"]["reason"] == "topic:garbage"
    public = city.ask("GET", f"/v1/notices/{draft['id']}")
    assert public["title"] == "年末年始のごみ収集"


def publish(city: RunningCity, **change: object) -> str:
    """A notice by two people; its id."""
    draft = city.ask("POST", "/v1/staff/notices", city.author, json={**NOTICE, **change}, status=201)
    path = f"/v1/staff/notices/{draft['id']}"
    submitted = city.ask("POST", f"{path}/submit", city.author, json={"version": draft["version"]})
    city.ask("POST", f"{path}/approve", city.approver, json={"content_hash": submitted["content_hash"]})
    return str(draft["id"])


def test_a_notice_for_later_is_shown_at_its_hour_and_told_once_when_a_worker_is_back(city: RunningCity) -> None:
    engine = city.engine()
    with transaction(engine) as session:
        topics.put(session, "garbage", {"ja": "ごみ・資源"})
        topics.put(session, "garbage.newyear", {"ja": "年末年始"})
    engine.dispose()
    secret = register(city, "follower-of-garbage-001", "ja")
    city.ask("PUT", "/v1/devices/me/topics", secret, json={"topics": ["garbage"]})
    now = dt.datetime.now(dt.UTC)
    taken_back = publish(city, publish_at=(now + dt.timedelta(hours=2)).isoformat())
    city.ask("POST", f"/v1/staff/notices/{taken_back}/withdraw", city.author, json={"reason": "日付の誤り"})
    later = publish(city, topic="garbage.newyear", publish_at=(now + dt.timedelta(seconds=10)).isoformat())
    city.ask("GET", f"/v1/notices/{later}", status=404)

    # Its hour comes while no worker is there.
    wait_for(lambda: city.ask("GET", "/v1/notices")["items"], "the notice on the board")
    assert [one["id"] for one in city.ask("GET", "/v1/notices?q=ｺﾞﾐ")["items"]] == [later]
    assert list(city.received()) == []

    city.start_worker()
    wait_for(lambda: list(city.received()), "the follower of the topic above")
    (told,) = {entry["message_id"] for entry in city.received()}

    # A test push of the same phone overtakes nothing: when it has come, nothing else is on its way.
    sent = city.ask("POST", "/v1/devices/me/test-push", secret, status=202)

    def arrived() -> bool:
        items = city.ask("GET", "/v1/devices/me/inbox", secret)["items"]
        return bool(items) and items[0]["outcome"] == "accepted"

    wait_for(arrived, "the test push")
    assert city.rung(told) == {"follower-of-garbage-001": 1}
    assert {entry["message_id"] for entry in city.received()} == {told, sent["message_id"]}

    city.ask("POST", f"/v1/staff/notices/{later}/withdraw", city.author, json={"reason": "期間の誤り"})
    city.ask("GET", f"/v1/notices/{later}", status=410)
    assert city.ask("GET", "/v1/notices")["items"] == []


def test_a_phone_that_deletes_itself_is_gone_from_every_answer(city: RunningCity) -> None:
    secret = register(city, "phone-that-goes-away", "ja")
    city.ask("PUT", "/v1/devices/me/places/home", secret, json={"lat": 38.23, "lon": 140.93})
    kept = city.ask("GET", "/v1/devices/me", secret)
    assert set(kept["places"]["home"]) == {"cell", "updated_at"}, "no coordinates are kept"
    city.ask("DELETE", "/v1/devices/me", secret, status=204)
    city.ask("GET", "/v1/devices/me", secret, status=401)
    assert register(city, "phone-that-goes-away", "ja") != secret
