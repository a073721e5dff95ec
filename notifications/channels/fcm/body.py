"""A push as the provider's message: built and validated by the Firebase library, encoded once a group."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

import orjson
from firebase_admin import messaging

from notifications.channels.contract import OverdueError, TooLargeError, data_of, presses, seconds_left, text_language
from notifications.channels.promise import PayloadError, Push, Urgency

__all__ = [
    "LARGEST",
    "LONGEST_TTL_S",
    "MARK",
    "OverdueError",
    "TooLargeError",
    "encode",
    "escaped",
    "measure",
    "splice",
]

MARK = "@@yobikake:token@@"
LARGEST = 4_096
LONGEST_TTL_S = 28 * 86_400
_LONGEST_COLLAPSE_ID = 64
_ENVELOPE = b'{"message":'
_AROUND = len(_ENVELOPE) + len("}") + len(f',"token":"{MARK}"')  # what of a body does not travel to the phone
# Colours of the warning levels (RGB 12,0,12 · 170,0,170 · 255,40,0) for the small icon.
_COLOURS = {"5": "#0c000c", "4": "#aa00aa", "3": "#ff2800"}
_IOS_LEVELS = {Urgency.CRITICAL: "critical", Urgency.TIME_SENSITIVE: "time-sensitive", Urgency.ACTIVE: "active"}
_WEB_URGENCY = {Urgency.CRITICAL: "high", Urgency.TIME_SENSITIVE: "high", Urgency.ACTIVE: "normal"}
_ANDROID_PRIORITY = {Urgency.CRITICAL: "max", Urgency.TIME_SENSITIVE: "high", Urgency.PASSIVE: "low"}


def encode(push: Push, now: dt.datetime, *, critical_entitled: bool) -> bytes:
    """The request body with `MARK` for the token. Raises PayloadError."""
    message = _message(push, now, critical_entitled=critical_entitled)
    try:
        # str() is the library's public validating encoder; encoded again because it escapes Japanese to ASCII.
        plain = json.loads(str(message))
    except ValueError as error:
        raise PayloadError(str(error)) from None
    body = _ENVELOPE + orjson.dumps(plain) + b"}"
    if body.count(MARK.encode()) != 1:
        raise PayloadError(f"a text of the message holds {MARK!r}")
    if len(body) - _AROUND > LARGEST:
        raise TooLargeError(*measure(plain), LARGEST)
    return body


def measure(message: Mapping[str, object]) -> tuple[int, dict[str, int]]:
    """Bytes that travel to the phone, and of each part (`data.shelters`, `notification.body` …).

    Counted as the whole compact JSON without the token: the provider does not publish its own count, and every
    reading of "4,096 bytes" (keys and values; Apple's JSON with its own additions) is smaller than this one.
    """
    parts: dict[str, int] = {}
    for name, block in message.items():
        if name == "token":
            continue
        if name in ("data", "notification") and isinstance(block, Mapping):
            for key, value in block.items():
                parts[f"{name}.{key}"] = len(orjson.dumps({key: value})) - 1
        else:
            parts[name] = len(orjson.dumps(block))
    return len(orjson.dumps({name: block for name, block in message.items() if name != "token"})), parts


def splice(body: bytes, *, dry_run: bool) -> tuple[bytes, bytes]:
    """What comes before and after the token. Raises PayloadError when the body is not one of ours."""
    before, mark, after = body.partition(MARK.encode())
    if not mark or not before.startswith(_ENVELOPE):
        raise PayloadError("the body was not encoded by this channel")
    if dry_run:
        before = b'{"validate_only":true,' + before[1:]
    return before, after


def escaped(token: str) -> bytes:
    """A token as it stands inside JSON quotes, whatever it holds."""
    return orjson.dumps(token)[1:-1]


def _message(push: Push, now: dt.datetime, *, critical_entitled: bool) -> messaging.Message:
    ttl_s = seconds_left(push, now, LONGEST_TTL_S)
    urgency = _lowered(push, critical_entitled)
    quiet_on_android = push.platform == "android" and push.alert_once
    message = messaging.Message(
        data=_data(push),
        # An Android update that must not ring again is shown by the app itself (setOnlyAlertOnce): a notification
        # that the system shows would ring. Its texts are in the data.
        notification=None if quiet_on_android else messaging.Notification(title=push.title, body=push.body),
    )
    message.token = MARK  # set here: the constructor warns of a rename that is not yet through
    match push.platform:
        case "android":
            message.android = _android(push, ttl_s, urgency)
        case "ios":
            message.apns = _apns(push, now + dt.timedelta(seconds=ttl_s), urgency)
        case "web":
            message.webpush = _webpush(push, ttl_s, urgency)
        case other:
            raise PayloadError(f"there is no platform {other!r}")
    return message


def _lowered(push: Push, critical_entitled: bool) -> Urgency:
    """Critical only with Apple's entitlement, and never for a drill."""
    if push.urgency is Urgency.CRITICAL and (push.drill or not critical_entitled):
        return Urgency.TIME_SENSITIVE
    return push.urgency


def _data(push: Push) -> dict[str, str]:
    if push.alert_once and push.platform == "android":
        return data_of(push, {"title": push.title, "body": push.body, "channel_id": push.channel_id})
    return data_of(push)


def _android(push: Push, ttl_s: int, urgency: Urgency) -> messaging.AndroidConfig:
    pressing = presses(push)
    config = messaging.AndroidConfig(
        priority="high" if pressing else "normal",
        ttl=ttl_s,
        # At the provider an evacuation never collapses: it throttles collapsible messages and keeps four keys.
        collapse_key=push.collapse,
        # After a power cut a phone waits locked for its first unlock; a narrow or satellite link is better than none.
        direct_boot_ok=True if pressing else None,
        bandwidth_constrained_ok=True if pressing else None,
        restricted_satellite_ok=True if pressing else None,
    )
    if not push.alert_once:
        config.notification = messaging.AndroidNotification(
            channel_id=push.channel_id,
            tag=push.thread,
            visibility="public",
            priority=_ANDROID_PRIORITY.get(urgency, "default"),
            color=_COLOURS.get(push.data.get("level", "")),
        )
    return config


def _apns(push: Push, expires_at: dt.datetime, urgency: Urgency) -> messaging.APNSConfig:
    if len(push.thread.encode()) > _LONGEST_COLLAPSE_ID:
        raise PayloadError(f"thread is longer than {_LONGEST_COLLAPSE_ID} bytes (apns-collapse-id)")
    quiet = push.alert_once or urgency is Urgency.PASSIVE
    sound: str | messaging.CriticalSound | None = None if quiet else "default"
    if urgency is Urgency.CRITICAL and not quiet:
        sound = messaging.CriticalSound("default", critical=True, volume=1.0)
    level = "passive" if quiet else _IOS_LEVELS[urgency]
    aps = messaging.Aps(
        sound=sound,
        thread_id=push.thread,
        mutable_content=True,  # the app's extension drops what is over, and ranks shelters by its own position
        custom_data={"interruption-level": level},
    )
    headers = {
        "apns-push-type": "alert",
        "apns-priority": "10" if presses(push) else "5",
        "apns-expiration": str(int(expires_at.timestamp())),
        "apns-collapse-id": push.thread,
    }
    return messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps=aps))


def _webpush(push: Push, ttl_s: int, urgency: Urgency) -> messaging.WebpushConfig:
    headers = {"TTL": str(ttl_s), "Urgency": _WEB_URGENCY.get(urgency, "low")}
    if push.collapse is not None:
        headers["Topic"] = push.collapse
    notification = messaging.WebpushNotification(
        tag=push.thread,
        renotify=not push.alert_once,
        require_interaction=True if urgency in (Urgency.CRITICAL, Urgency.TIME_SENSITIVE) else None,
        language=text_language(push),
    )
    options = messaging.WebpushFCMOptions(link=push.link) if push.link.startswith("https://") else None
    return messaging.WebpushConfig(headers=headers, notification=notification, fcm_options=options)
