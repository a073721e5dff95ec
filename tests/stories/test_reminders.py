"""A resident chooses an hour: the evening's reminder comes by itself, and is taken back when the day changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from database import transaction
from tests.notifications.reminders import streets
from tests.stories.running import RunningCity, wait_for

pytestmark = pytest.mark.story

TOKYO = ZoneInfo("Asia/Tokyo")
ME = "/v1/devices/me"


def hour(moment: dt.datetime) -> str:
    return f"{moment.hour:02d}:{moment.minute // 30 * 30:02d}"


def phone(city: RunningCity, token: str, area: int, **more: object) -> str:
    """A phone that asked to be told on the eve, at the hour that has just struck."""
    form = {"platform": "android", "language": "ja", "token": token}
    secret = str(city.ask("POST", "/v1/devices", json=form, status=201)["secret"])
    wish = {"area": area, "evening": hour(dt.datetime.now(TOKYO))} | more
    city.ask("PUT", f"{ME}/garbage", secret, json={"areas": [wish]})
    return secret


def test_an_evening_is_told_once_also_after_a_kill_and_corrected(city: RunningCity) -> None:
    engine = city.engine()
    tomorrow = (dt.datetime.now(TOKYO) + dt.timedelta(days=1)).date()
    with transaction(engine) as session:
        area = streets.make_garbage_area(session)
        burnable, paper = streets.make_category(session, "家庭ごみ"), streets.make_category(session, "紙類", position=1)
        for kind in (burnable, paper):
            streets.make_rule(session, area, kind, weekdays=[0, 1, 2, 3, 4, 5, 6])
    awake = phone(city, "phone-that-is-awake", area)
    only_paper = phone(city, "phone-for-paper-only", area, label="family", categories=[paper])
    asleep, reader = phone(city, "phone-that-is-asleep", area), phone(city, "phone-that-only-reads", area)
    now = dt.datetime.now(TOKYO)
    quiet = {"from": hour(now - dt.timedelta(minutes=60)), "until": hour(now + dt.timedelta(minutes=90))}
    city.ask("PUT", f"{ME}/preferences", asleep, json={"quiet": quiet})
    city.ask("PUT", f"{ME}/preferences", reader, json={"inbox_only": ["garbage"]})

    city.start_worker()
    wait_for(lambda: len(list(city.received())) >= 2, "the evening's reminders")
    city.kill()
    city.start_worker("worker-2")
    inbox = {key: city.ask("GET", f"{ME}/inbox", key)["items"] for key in (awake, only_paper, asleep, reader)}
    assert [item["title"].split("は")[1] for item in inbox[awake]] == ["家庭ごみ・紙類"]
    assert [item["title"].split("は")[1] for item in inbox[only_paper]] == ["紙類"]
    assert [item["not_rung"] for item in inbox[reader]] == ["inbox"]
    assert [item["not_rung"] for item in inbox[asleep]] == [None], "it rings when the quiet hours are over"
    with transaction(engine) as session:
        streets.change(session, dt.datetime.now(dt.UTC), "closed", tomorrow, category_id=paper)
    engine.dispose()
    wait_for(lambda: len(city.ask("GET", f"{ME}/inbox", awake)["items"]) == 2, "the correction")
    wait_for(lambda: len({(e["token"], e["message_id"]) for e in city.received()}) >= 4, "the corrections to ring")
    # A kill may repeat what was in flight; the phone shows it once.
    rung = {(entry["token"], entry["message_id"]) for entry in city.received()}
    assert sorted(token for token, _ in rung) == ["phone-for-paper-only"] * 2 + ["phone-that-is-awake"] * 2
    newest = city.ask("GET", f"{ME}/inbox", awake)["items"][0]
    assert newest["title"].startswith("【訂正】")
    assert newest["thread"] == inbox[awake][0]["thread"]
    (why,) = {p["data"]["why"] for t, p in city.payloads(newest["message_id"]).items() if t == "phone-that-is-awake"}
    assert why == "先にお知らせした収集日が変わったためです。（自宅）"
