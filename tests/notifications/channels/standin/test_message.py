"""The stand-in is as strict as the provider: what the library can make is taken, everything else is named."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import orjson
import pytest
from firebase_admin import messaging
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from notifications.channels.standin.message import parse
from notifications.channels.standin.refusal import Refusal

short = st.text(max_size=20)
labels = st.text("abcXYZ019-_.~%", min_size=1, max_size=50)
maybe = st.none
colours = st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True)
seconds = st.integers(0, 28 * 86_400)
data = st.dictionaries(
    st.text(max_size=10).filter(
        lambda key: key not in ("from", "notification", "message_type") and not key.startswith(("google", "gcm"))
    ),
    short,
    max_size=4,
)
bools = st.one_of(maybe(), st.booleans())
texts = st.one_of(maybe(), short)

lights = st.builds(
    messaging.LightSettings,
    color=colours,
    light_on_duration_millis=st.integers(1, 5_000),
    light_off_duration_millis=st.integers(1, 5_000),
)
android_notifications = st.builds(
    messaging.AndroidNotification,
    title=texts,
    body=texts,
    icon=texts,
    color=st.one_of(maybe(), colours),
    sound=texts,
    tag=texts,
    click_action=texts,
    channel_id=texts,
    image=texts,
    ticker=texts,
    sticky=bools,
    event_timestamp=st.one_of(maybe(), st.integers(0, 2**32).map(lambda s: dt.datetime.fromtimestamp(s, dt.UTC))),
    local_only=bools,
    priority=st.sampled_from([None, "min", "low", "default", "high", "max"]),
    vibrate_timings_millis=st.one_of(maybe(), st.lists(st.integers(0, 9_999), max_size=3)),
    default_vibrate_timings=bools,
    default_sound=bools,
    light_settings=st.one_of(maybe(), lights),
    visibility=st.sampled_from([None, "private", "public", "secret"]),
    notification_count=st.one_of(maybe(), st.integers(0, 99)),
    proxy=st.sampled_from([None, "allow", "deny", "if_priority_lowered"]),
)
androids = st.builds(
    messaging.AndroidConfig,
    collapse_key=texts,
    priority=st.sampled_from([None, "high", "normal"]),
    ttl=st.one_of(maybe(), seconds, st.timedeltas(dt.timedelta(0), dt.timedelta(days=28))),
    restricted_package_name=texts,
    data=st.one_of(maybe(), data),
    notification=st.one_of(maybe(), android_notifications),
    fcm_options=st.one_of(maybe(), st.builds(messaging.AndroidFCMOptions, labels)),
    direct_boot_ok=bools,
    bandwidth_constrained_ok=bools,
    restricted_satellite_ok=bools,
)
sounds = st.one_of(
    maybe(),
    st.text(min_size=1, max_size=9),
    st.builds(messaging.CriticalSound, st.text("abc", min_size=1), critical=st.booleans(), volume=st.floats(0, 1)),
)
aps = st.builds(
    messaging.Aps,
    alert=st.one_of(maybe(), short, st.builds(messaging.ApsAlert, title=texts, subtitle=texts, body=texts)),
    badge=st.one_of(maybe(), st.integers(0, 99)),
    sound=sounds,
    content_available=bools,
    category=texts,
    thread_id=texts,
    mutable_content=bools,
    custom_data=st.sampled_from([None, {"interruption-level": "critical"}, {"relevance-score": 0.5}, {"own": [1]}]),
)
apns_headers = st.fixed_dictionaries(
    {},
    optional={
        "apns-priority": st.sampled_from(["5", "10", "1"]),
        "apns-expiration": st.integers(0, 2**33).map(str),
        "apns-collapse-id": st.text("abc", max_size=64),
        "apns-push-type": st.sampled_from(["alert", "background"]),
        "apns-topic": short,
    },
)
apnss = st.builds(
    messaging.APNSConfig,
    headers=apns_headers,
    payload=st.one_of(maybe(), aps.map(lambda made: messaging.APNSPayload(made, acme=[1, "x"]))),
    fcm_options=st.one_of(maybe(), st.builds(messaging.APNSFCMOptions, labels, image=texts)),
    live_activity_token=texts,
)
web_notifications = st.builds(
    messaging.WebpushNotification,
    title=texts,
    body=texts,
    tag=texts,
    language=texts,
    direction=st.sampled_from([None, "auto", "ltr", "rtl"]),
    renotify=bools,
    silent=bools,
    timestamp_millis=st.one_of(maybe(), st.integers(0, 2**40)),
    vibrate=st.one_of(maybe(), st.lists(st.integers(1, 500), max_size=3)),
    custom_data=st.one_of(maybe(), st.dictionaries(st.text("xyz", min_size=1), short, max_size=2)),
)
webs = st.builds(
    messaging.WebpushConfig,
    headers=st.fixed_dictionaries({}, optional={"TTL": st.integers(0, 9**9).map(str), "Urgency": st.just("high")}),
    data=st.one_of(maybe(), data),
    notification=st.one_of(maybe(), web_notifications),
    fcm_options=st.one_of(maybe(), st.just(messaging.WebpushFCMOptions("https://city.example/a"))),
)


@st.composite
def messages(draw: st.DrawFn) -> messaging.Message:
    """Anything that the library can be asked to send."""
    made = messaging.Message(
        data=draw(st.one_of(maybe(), data)),
        notification=draw(st.one_of(maybe(), st.builds(messaging.Notification, texts, texts, texts))),
        android=draw(st.one_of(maybe(), androids)),
        webpush=draw(st.one_of(maybe(), webs)),
        apns=draw(st.one_of(maybe(), apnss)),
        fcm_options=draw(st.one_of(maybe(), st.builds(messaging.FCMOptions, labels))),
    )
    target = draw(st.sampled_from(["token", "topic", "condition", "fid"]))
    value = {"token": "abc:APA91b", "topic": "/topics/news", "condition": "'a' in topics", "fid": "cIJ-_9"}[target]
    setattr(made, target, value)
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages(), st.booleans())
def test_everything_the_library_can_encode_is_taken(message: messaging.Message, dry_run: bool) -> None:
    plain = json.loads(str(message))
    body = orjson.dumps({"message": plain, "validate_only": dry_run})
    assume(len(body) < 2_000)
    assert parse(body) == (plain, dry_run)


def refused(message: Any, **more: Any) -> Refusal:
    """The refusal of a message."""
    answer = parse(orjson.dumps({"message": message, **more}))
    assert isinstance(answer, Refusal), answer
    assert (answer.http, answer.status) == (400, "INVALID_ARGUMENT")
    return answer


@pytest.mark.parametrize(
    ("part", "field", "reason"),
    [
        ({"data": {"from": "x"}}, "message.data[from]", "Invalid data payload key"),
        ({"data": {"notification": "x"}}, "message.data[notification]", "Invalid data payload key"),
        ({"data": {"message_type": "x"}}, "message.data[message_type]", "Invalid data payload key"),
        ({"data": {"google.x": "x"}}, "message.data[google.x]", "Invalid data payload key"),
        ({"data": {"gcm.x": "x"}}, "message.data[gcm.x]", "Invalid data payload key"),
        ({"data": {"level": 4}}, "message.data[level]", "TYPE_STRING"),
        ({"data": ["x"]}, "message.data", "TYPE_MAP"),
        ({"notification": {"titel": "x"}}, "message.notification", 'Unknown name "titel"'),
        ({"notification": {"title": 1}}, "message.notification.title", "TYPE_STRING"),
        ({"colour": 1}, "message", 'Unknown name "colour"'),
        ({"android": {"ttl": 3600}}, "message.android.ttl", "3600s"),
        ({"android": {"ttl": "3600"}}, "message.android.ttl", "3600s"),
        ({"android": {"ttl": "-1s"}}, "message.android.ttl", "from 0s"),
        ({"android": {"ttl": "2419201s"}}, "message.android.ttl", "to 2419200s"),
        ({"android": {"priority": "urgent"}}, "message.android.priority", "TYPE_ENUM"),
        ({"android": {"direct_boot_ok": "yes"}}, "message.android.direct_boot_ok", "TYPE_BOOL"),
        ({"android": {"notification": {"color": "red"}}}, "message.android.notification.color", "#rrggbb"),
        ({"android": {"notification": {"visibility": "all"}}}, "message.android.notification.visibility", "TYPE_ENUM"),
        ({"android": {"notification": {"event_time": "now"}}}, "message.android.notification.event_time", "RFC 3339"),
        ({"android": {"notification": {"body_loc_args": "x"}}}, "message.android.notification.body_loc_args", "list"),
        ({"apns": {"headers": {"apns-priority": "9"}}}, "message.apns.headers[apns-priority]", "10, 5 or 1"),
        ({"apns": {"headers": {"apns-priority": 10}}}, "message.apns.headers[apns-priority]", "TYPE_STRING"),
        ({"apns": {"headers": {"apns-collapse-id": "x" * 65}}}, "message.apns.headers[apns-collapse-id]", "64 bytes"),
        ({"apns": {"headers": {"apns-push-type": "loud"}}}, "message.apns.headers[apns-push-type]", "push type"),
        ({"apns": {"headers": {"apns-expiration": "soon"}}}, "message.apns.headers[apns-expiration]", "UNIX time"),
        ({"apns": {"payload": {"aps": {"badge": "1"}}}}, "message.apns.payload.aps.badge", "TYPE_DOUBLE"),
        ({"apns": {"payload": {"aps": {"alert": 1}}}}, "message.apns.payload.aps.alert", "string or an object"),
        (
            {"apns": {"payload": {"aps": {"interruption-level": "loud"}}}},
            "message.apns.payload.aps.interruption-level",
            "time-sensitive",
        ),
        (
            {"apns": {"payload": {"aps": {"sound": {"name": "a", "volume": 2}}}}},
            "message.apns.payload.aps.sound.volume",
            "from 0 to 1",
        ),
        ({"webpush": {"headers": {"Urgency": "extreme"}}}, "message.webpush.headers[Urgency]", "very-low"),
        ({"webpush": {"fcm_options": {"link": "http://x"}}}, "message.webpush.fcm_options.link", "HTTPS"),
        ({"webpush": {"notification": "x"}}, "message.webpush.notification", "Struct"),
        ({"fcm_options": {"analytics_label": "あ"}}, "message.fcm_options.analytics_label", "malformed"),
        ({"android": []}, "message.android", "must be an object"),
        ({"fcm_options": {}, "fcmOptions": {}}, "message.fcm_options", "given twice"),
    ],
)
def test_a_wrong_field_is_named(part: dict[str, Any], field: str, reason: str) -> None:
    answer = refused({"token": "abc", **part})
    assert [violation.field for violation in answer.violations] == [field]
    assert reason in answer.violations[0].reason
    error = json.loads(answer.body())["error"]
    assert error["details"][0] == {
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "errorCode": "INVALID_ARGUMENT",
    }
    assert error["details"][1]["fieldViolations"][0]["field"] == field


def test_every_wrong_field_is_named_at_once() -> None:
    answer = refused({"token": "abc", "data": {"from": "x"}, "android": {"ttl": 1}})
    assert {violation.field for violation in answer.violations} == {"message.data[from]", "message.android.ttl"}


@pytest.mark.parametrize("message", [{"data": {}}, {"token": "a", "topic": "b"}, {"topic": "a", "condition": "b"}])
def test_a_message_has_exactly_one_target(message: dict[str, str]) -> None:
    assert "Exactly one" in refused(message).message


@pytest.mark.parametrize("token", ["", "a b", "トークン", "x" * 4_097, "a\n"])
def test_a_malformed_token_is_the_tokens_fault(token: str) -> None:
    assert [violation.field for violation in refused({"token": token}).violations] == ["message.token"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"message":{"token":"a"}} x'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    answer = parse(body)
    assert isinstance(answer, Refusal)
    assert "Invalid JSON payload" in answer.message


@pytest.mark.parametrize("request_", [[], {}, {"message": None}, {"message": {}}, {"message": {"token": "a"}, "x": 1}])
def test_a_request_has_a_message_and_nothing_unknown(request_: Any) -> None:
    assert isinstance(parse(orjson.dumps(request_)), Refusal)


def test_both_spellings_of_a_field_and_null_are_taken() -> None:
    body = orjson.dumps(
        {"message": {"token": "a", "fcmOptions": {"analyticsLabel": "x"}, "android": None}, "validateOnly": True}
    )
    parsed = parse(body)
    assert not isinstance(parsed, Refusal)
    assert parsed[1] is True


def test_the_payload_has_a_limit_and_a_topics_is_half() -> None:
    assert not isinstance(parse(orjson.dumps({"message": {"token": "a", "data": {"k": "x" * 4_095}}})), Refusal)
    assert "4097 of 4096" in refused({"token": "a", "data": {"k": "x" * 4_096}}).message
    assert "4097 of 4096" in refused({"token": "a", "data": {"k": "あ" * 1_365 + "x"}}).message
    assert "2049 of 2048" in refused({"topic": "a", "data": {"k": "x" * 2_048}}).message
    ios = {"token": "a", "apns": {"payload": {"aps": {}, "more": "x" * 4_096}}}
    assert "iOS message is too big" in refused(ios).message
