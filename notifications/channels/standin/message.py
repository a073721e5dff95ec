"""What the provider takes as a message (FCM HTTP v1): its schema, its reserved names, its size."""

from __future__ import annotations

from typing import Any

import orjson

from notifications.channels.standin.refusal import Refusal, Violation, invalid
from notifications.channels.standin.schema import (
    Found,
    add,
    boolean,
    duration,
    fields,
    many,
    number,
    one_of,
    strings,
    struct,
    text,
    timestamp,
)

LARGEST_PAYLOAD = 4_096  # bytes; to a topic half of it
LARGEST_TO_TOPIC = 2_048
LONGEST_TTL_S = 28 * 86_400
TARGETS = ("token", "topic", "condition", "fid")

_RESERVED = frozenset({"from", "notification", "message_type"})
_LABEL = text(r"[a-zA-Z0-9\-_.~%]{1,50}")
_COLOUR = fields({name: number(0, 1) for name in ("red", "green", "blue", "alpha")})
_LONG = duration(3_600)


def _data_key(path: str, value: object, found: Found) -> None:
    key = str(value)
    if key in _RESERVED or key.startswith(("google", "gcm")):
        add(found, path, f"Invalid data payload key: {key[:80]}")


_DATA = strings(_data_key)

_ANDROID_NOTIFICATION = fields(
    {name: text() for name in ("title", "body", "icon", "sound", "tag", "click_action", "body_loc_key", "ticker")}
    | {name: text() for name in ("title_loc_key", "channel_id", "image")}
    | {name: many(text()) for name in ("body_loc_args", "title_loc_args")}
    | dict.fromkeys(("sticky", "local_only", "default_sound"), boolean)
    | dict.fromkeys(("default_vibrate_timings", "default_light_settings"), boolean)
    | {
        "color": text(r"#[0-9a-fA-F]{6}", reason="must be #rrggbb"),
        "event_time": timestamp,
        "notification_priority": one_of(
            *(f"PRIORITY_{name}" for name in ("UNSPECIFIED", "MIN", "LOW", "DEFAULT", "HIGH", "MAX"))
        ),
        "vibrate_timings": many(_LONG),
        "visibility": one_of("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
        "notification_count": number(0, 2**31 - 1, whole=True),
        "light_settings": fields({"color": _COLOUR, "light_on_duration": _LONG, "light_off_duration": _LONG}),
        "bypass_proxy_notification": boolean,
        "proxy": one_of("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
    }
)

_ANDROID = fields(
    {
        "collapse_key": text(),
        "priority": one_of("NORMAL", "HIGH", any_case=True),
        "ttl": duration(LONGEST_TTL_S),
        "restricted_package_name": text(),
        "data": _DATA,
        "notification": _ANDROID_NOTIFICATION,
        "fcm_options": fields({"analytics_label": _LABEL}),
        "direct_boot_ok": boolean,
        "bandwidth_constrained_ok": boolean,
        "restricted_satellite_ok": boolean,
    }
)

_APNS_HEADERS = {
    "apns-priority": text("10|5|1", reason="must be 10, 5 or 1"),
    "apns-expiration": text(r"\d{1,12}", reason="must be a UNIX time in seconds"),
    "apns-collapse-id": text(longest=64),
    "apns-push-type": text(
        "alert|background|location|voip|complication|fileprovider|mdm|liveactivity|pushtotalk|widgets|controls",
        reason="is no push type of Apple's",
    ),
}


def _sound(path: str, value: object, found: Found) -> None:
    if not isinstance(value, str):
        fields({"name": text(r".+"), "critical": number(0, 1, whole=True), "volume": number(0, 1)})(path, value, found)


def _alert(path: str, value: object, found: Found) -> None:
    if not isinstance(value, str | dict):
        add(found, path, "must be a string or an object")


_APS = fields(
    {
        "alert": _alert,
        "badge": number(),
        "sound": _sound,
        "category": text(),
        "thread-id": text(),
        "interruption-level": one_of("passive", "active", "time-sensitive", "critical"),
        "relevance-score": number(),
        "content-available": number(0, 1, whole=True),
        "mutable-content": number(0, 1, whole=True),
        "target-content-id": text(),
    },
    open_ended=True,
)
_APNS = fields(
    {
        "headers": strings(values=_APNS_HEADERS),
        "payload": fields({"aps": _APS}, open_ended=True),
        "fcm_options": fields({"analytics_label": _LABEL, "image": text()}),
        "live_activity_token": text(),
    }
)

_WEBPUSH = fields(
    {
        "headers": strings(
            values={
                "ttl": text(r"\d{1,10}", reason="must be seconds"),
                "urgency": text("very-low|low|normal|high", reason="must be very-low, low, normal or high"),
                "topic": text(r"[A-Za-z0-9_\-]{1,32}", reason="must be 1 to 32 URL-safe base64 characters"),
            }
        ),
        "data": _DATA,
        "notification": struct,
        "fcm_options": fields({"link": text("https://.+", reason="must be an HTTPS URL"), "analytics_label": _LABEL}),
    }
)

_NOTIFICATION = fields({"title": text(), "body": text(), "image": text()})
_REQUEST = fields(
    {
        "validate_only": boolean,
        "message": fields(
            {
                "name": text(),
                "data": _DATA,
                "notification": _NOTIFICATION,
                "android": _ANDROID,
                "webpush": _WEBPUSH,
                "apns": _APNS,
                "fcm_options": fields({"analytics_label": _LABEL}),
                "token": text(
                    r"[\x21-\x7e]{1,4096}", reason="The registration token is not a valid FCM registration token"
                ),
                "fid": text(r"[A-Za-z0-9_\-]{1,64}", reason="The installation id is not valid"),
                "topic": text(r"(/topics/)?[a-zA-Z0-9\-_.~%]{1,900}"),
                "condition": text(r".+"),
            }
        ),
    }
)


def parse(body: bytes) -> tuple[dict[str, Any], bool] | Refusal:
    """The message and whether it is a dry run, or the provider's refusal naming every wrong field."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Refusal(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {error}")
    found: Found = []
    _REQUEST("", request, found)
    if found:
        return invalid(*(Violation(v.field.lstrip("."), v.reason) for v in found[:20]))
    message = request.get("message")
    if not message:
        return invalid(Violation("message", "must be given"))
    targets = [name for name in TARGETS if message.get(name)]
    if len(targets) != 1:
        reason = "Exactly one of token, topic, condition or fid must be given"
        return invalid(Violation("message.token" if not targets else "message", reason), message=reason)
    violation = _too_large(message, targets[0] in ("topic", "condition"))
    if violation is not None:
        return invalid(violation, message=violation.reason)
    return message, bool(request.get("validate_only") or request.get("validateOnly"))


def _too_large(message: dict[str, Any], to_topic: bool) -> Violation | None:
    limit = LARGEST_TO_TOPIC if to_topic else LARGEST_PAYLOAD
    notification = message.get("notification") or {}
    data = message.get("data") or {}
    android = message.get("android") or {}
    size = _size(notification) + _size(android.get("data") or data) + _size(android.get("notification") or {})
    if size > limit:
        return Violation("message.android", f"Android message is too big: {size} of {limit} bytes")
    apns = (message.get("apns") or {}).get("payload")
    if apns:
        size = len(orjson.dumps({"alert": notification} | data | apns))
        if size > limit:
            return Violation("message.apns.payload", f"iOS message is too big: {size} of {limit} bytes")
    return None


def _size(block: dict[str, Any]) -> int:
    """Bytes of keys and values."""
    total = 0
    for key, value in block.items():
        total += len(key.encode()) + (len(value.encode()) if isinstance(value, str) else len(orjson.dumps(value)))
    return total
