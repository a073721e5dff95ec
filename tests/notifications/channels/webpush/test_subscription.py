"""A subscription is taken as browsers give it, kept in one spelling, and refused with the place and the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.webpush.endpoint import Services
from notifications.channels.webpush.subscription import SubscriptionError, from_base64url, read, to_base64url
from tests.notifications.channels.webpush.test_encryption import AUTH, UA_PUBLIC

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc:def"


def as_browser(**changes: Any) -> dict[str, Any]:
    """What PushSubscription.toJSON() gives."""
    return {
        "endpoint": ENDPOINT,
        "expirationTime": None,
        "keys": {"p256dh": UA_PUBLIC, "auth": AUTH},
    } | changes


def keys(**changes: Any) -> dict[str, Any]:
    return as_browser(keys={"p256dh": UA_PUBLIC, "auth": AUTH} | changes)


def test_it_is_kept_as_compact_json_in_one_spelling() -> None:
    kept = read(as_browser(), Services()).token
    assert kept == f'{{"endpoint":"{ENDPOINT}","keys":{{"p256dh":"{UA_PUBLIC}","auth":"{AUTH}"}}}}'
    other = {"keys": {"auth": AUTH + "==", "p256dh": UA_PUBLIC + "="}, "endpoint": ENDPOINT.replace("fcm.g", "FCM.G")}
    assert read(other, Services()).token == kept
    assert read(json.dumps(as_browser(expirationTime=1_790_000_000_000), indent=2), Services()).token == kept
    assert read(keys(more="x") | {"contentEncoding": "aes128gcm"}, Services()).token == kept
    assert read(kept).token == kept
    assert read(kept).endpoint.trusted is False  # the form alone was checked


@pytest.mark.parametrize(
    ("given_", "place"),
    [
        ("no json", "subscription"),
        ("[" * 100_000, "subscription"),
        ([], "subscription"),
        (None, "subscription"),
        (5, "subscription"),
        (as_browser(endpoint=None), "endpoint"),
        (as_browser(endpoint="https://127.0.0.1/a"), "endpoint"),
        (as_browser(endpoint="https://push.example.org/a"), "endpoint"),
        (as_browser(keys=None), "keys"),
        (as_browser(keys={"auth": AUTH}), "keys.p256dh"),
        (keys(p256dh=5), "keys.p256dh"),
        (keys(p256dh="!" * 87), "keys.p256dh"),
        (keys(p256dh=UA_PUBLIC[:-4]), "keys.p256dh"),
        (keys(p256dh=UA_PUBLIC.replace("-", "+")), "keys.p256dh"),
        (keys(p256dh=to_base64url(b"\x04" + bytes(64))), "keys.p256dh"),
        (keys(p256dh=to_base64url(b"\x02" + bytes(64))), "keys.p256dh"),
        (keys(p256dh=to_base64url(from_base64url(UA_PUBLIC)[:-1] + b"\x00")), "keys.p256dh"),
        (keys(auth=""), "keys.auth"),
        (keys(auth=to_base64url(bytes(15))), "keys.auth"),
        (keys(auth=to_base64url(bytes(17))), "keys.auth"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place(given_: object, place: str) -> None:
    with pytest.raises(SubscriptionError) as caught:
        read(given_, Services())
    assert caught.value.place == place
    assert AUTH not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([ENDPOINT, UA_PUBLIC, AUTH]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["endpoint", "keys", "p256dh", "auth", "expirationTime", "x"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150)
@given(VALUES, st.booleans())
def test_anything_else_is_refused_and_nothing_raises_otherwise(value: object, as_text: bool) -> None:
    try:
        subscription = read(json.dumps(value) if as_text else value, Services())
    except SubscriptionError:
        return
    assert read(subscription.token, Services()) == subscription


@settings(max_examples=100)
@given(st.text(alphabet="AQgw-_+/=é \n", max_size=24))
def test_base64url_has_one_spelling(text: str) -> None:
    try:
        raw = from_base64url(text)
    except ValueError:
        return
    assert to_base64url(raw) == text.rstrip("=")
