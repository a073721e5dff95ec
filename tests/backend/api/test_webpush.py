"""Browsers at the doors: the city's key, subscriptions taken as they come, refused by place and reason, never shown."""

from __future__ import annotations

import dataclasses
import json

import pytest
import sqlalchemy as sa

from backend.config import Settings
from database import transaction
from notifications.channels.webpush import subscription
from notifications.channels.webpush.vapid import make_key_file
from notifications.devices import Device
from tests.backend.api.town import Town, fields, problem
from tests.backend.conftest import opened
from tests.notifications.channels.webpush.test_encryption import AUTH, UA_PUBLIC
from tests.notifications.channels.webpush.test_subscription import ENDPOINT, as_browser, keys

ME = "/v1/devices/me"
KEPT = subscription.read(as_browser()).token


@pytest.fixture
def town(client, engine, clock):
    return Town(client, engine, clock)


def browser(town, **wishes):
    """Registers one; its secret."""
    return town.ok("POST", "/v1/devices", {"platform": "webpush", "subscription": as_browser()} | wishes)["secret"]


def kept(town):
    """The tokens in the database."""
    with transaction(town.engine, "read") as session:
        return session.scalars(sa.select(Device.token).order_by(Device.id)).all()


def test_a_browser_registers_with_its_subscription_which_is_never_shown(town):
    answer = town.call("POST", "/v1/devices", {"platform": "webpush", "subscription": as_browser()})
    assert answer.status_code == 201
    assert kept(town) == [KEPT]
    me = town.call("GET", ME, by=answer.get_json()["secret"])
    assert (me.get_json()["platform"], me.get_json()["can_receive"]) == ("webpush", True)
    for secret in (ENDPOINT, UA_PUBLIC, AUTH):
        assert secret not in me.get_data(as_text=True) + answer.get_data(as_text=True)


def test_the_same_as_text_or_with_more_in_it_is_the_same_subscription(town):
    first = browser(town)
    for other in (
        {"token": json.dumps(as_browser(), indent=1), "subscription": None},
        {"subscription": as_browser(expirationTime=1_790_000_000_000.5, contentEncoding="aes128gcm")},
        {"subscription": keys(p256dh=UA_PUBLIC + "=")},
    ):
        browser(town, **other)
    assert kept(town) == [None, None, None, KEPT], "a subscription moves to the device that brought it last"
    assert town.ok("GET", ME, by=first)["can_receive"] is False


def test_a_browser_without_one_reads_its_inbox_and_may_bring_one_later(town):
    secret = browser(town, subscription=None)
    assert town.ok("GET", ME, by=secret)["token_state"] == "none"
    assert town.ok("PATCH", ME, {"subscription": as_browser()}, by=secret)["token_state"] == "active"
    assert town.ok("PATCH", ME, {"language": "en"}, by=secret)["token_state"] == "active"
    assert town.ok("PATCH", ME, {"subscription": None}, by=secret)["token_state"] == "none"
    assert town.ok("PATCH", ME, {"token": KEPT}, by=secret)["token_state"] == "active"
    assert town.ok("PATCH", ME, {"token": None}, by=secret)["token_state"] == "none"


REFUSED = (
    ({"subscription": "x"}, "subscription"),
    ({"subscription": {}}, "subscription.endpoint"),
    ({"subscription": as_browser(endpoint=5)}, "subscription.endpoint"),
    ({"subscription": as_browser(endpoint="https://127.0.0.1/x")}, "subscription.endpoint"),
    ({"subscription": as_browser(endpoint="https://push.example.org/x")}, "subscription.endpoint"),
    ({"subscription": as_browser(endpoint="http://127.0.0.1:8085/push/x")}, "subscription.endpoint"),
    ({"subscription": as_browser(keys={"p256dh": UA_PUBLIC})}, "subscription.keys.auth"),
    ({"subscription": keys(p256dh="AAAA")}, "subscription.keys.p256dh"),
    ({"subscription": keys(auth="AAAA")}, "subscription.keys.auth"),
    ({"subscription": as_browser(), "token": "a-token-of-firebase-1"}, "subscription"),
    ({"subscription": as_browser(), "platform": "android"}, "subscription"),
    ({"token": "a-token-of-firebase-1"}, "token"),
    ({"token": json.dumps(as_browser(endpoint="https://127.0.0.1/x"))}, "token"),
)


def test_what_cannot_be_reached_is_refused_by_its_place(town):
    secret = browser(town, subscription=None)
    for wishes, field in REFUSED:
        body = problem(town.call("POST", "/v1/devices", {"platform": "webpush"} | wishes), 422, "invalid")
        assert field in fields(body), wishes
        assert AUTH not in json.dumps(body)
        if "platform" not in wishes:
            problem(town.call("PATCH", ME, wishes, by=secret), 422, "invalid")
    assert kept(town) == [None]


def test_the_key_is_public_and_kept_by_caches(clock, tmp_path):
    file = tmp_path / "vapid.pem"
    public = make_key_file(file)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'empty.db'}", vapid_key=file, vapid_subject="mailto:push@city.example"
    )
    for app in opened(settings, clock):
        answer = app.test_client().get("/v1/webpush/key")
        assert answer.get_json() == {"application_server_key": public}
        assert answer.cache_control.public
        again = app.test_client().get("/v1/webpush/key", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
        checks = app.test_client().get("/readyz").get_json()["checks"]
        assert checks["outlets"]["active"] == ["webpush"]
    for app in opened(dataclasses.replace(settings, vapid_key=tmp_path / "absent.pem"), clock):
        problem(app.test_client().get("/v1/webpush/key"), 503, "unavailable")


def test_without_a_key_there_is_none(bare_app):
    problem(bare_app.test_client().get("/v1/webpush/key"), 404, "not-found")
    assert bare_app.test_client().get("/readyz").get_json()["checks"]["outlets"]["active"] == []
