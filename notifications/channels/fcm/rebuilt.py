"""A library message made again from an encoded body, for the sender that takes only those."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from firebase_admin import messaging

from notifications.channels.fcm.body import splice
from notifications.channels.promise import PayloadError

_ANDROID_AS_THEY_ARE = (
    "collapse_key",
    "priority",
    "direct_boot_ok",
    "bandwidth_constrained_ok",
    "restricted_satellite_ok",
)


def rebuild(body: bytes) -> messaging.Message:
    """The message of a body that `body.encode` made. Raises PayloadError when anything of it would be lost."""
    splice(body, dry_run=False)
    plain = orjson.loads(body)["message"]
    message = messaging.Message(
        data=plain.get("data"),
        notification=messaging.Notification(**plain["notification"]) if "notification" in plain else None,
        android=_android(plain["android"]) if "android" in plain else None,
        apns=_apns(plain["apns"]) if "apns" in plain else None,
        webpush=_webpush(plain["webpush"]) if "webpush" in plain else None,
    )
    message.token = plain["token"]
    if json.loads(str(message)) != plain:
        raise PayloadError("the body holds a field that the library sender does not know")
    return message


def _android(plain: Mapping[str, Any]) -> messaging.AndroidConfig:
    config = messaging.AndroidConfig(
        ttl=int(plain["ttl"].removesuffix("s")), **{name: plain.get(name) for name in _ANDROID_AS_THEY_ARE}
    )
    shown = plain.get("notification")
    if shown is not None:
        config.notification = messaging.AndroidNotification(
            channel_id=shown.get("channel_id"),
            tag=shown.get("tag"),
            color=shown.get("color"),
            visibility=shown["visibility"].lower(),
            priority=shown["notification_priority"].removeprefix("PRIORITY_").lower(),
        )
    return config


def _apns(plain: Mapping[str, Any]) -> messaging.APNSConfig:
    aps = plain["payload"]["aps"]
    sound = aps.get("sound")
    if isinstance(sound, dict):
        sound = messaging.CriticalSound(sound["name"], critical=bool(sound.get("critical")), volume=sound["volume"])
    made = messaging.Aps(
        sound=sound,
        thread_id=aps.get("thread-id"),
        mutable_content=bool(aps.get("mutable-content")),
        custom_data={"interruption-level": aps["interruption-level"]},
    )
    return messaging.APNSConfig(headers=plain["headers"], payload=messaging.APNSPayload(aps=made))


def _webpush(plain: Mapping[str, Any]) -> messaging.WebpushConfig:
    shown = plain["notification"]
    notification = messaging.WebpushNotification(
        tag=shown.get("tag"),
        renotify=shown.get("renotify"),
        require_interaction=shown.get("requireInteraction"),
        language=shown.get("lang"),
    )
    link = plain.get("fcm_options", {}).get("link")
    options = messaging.WebpushFCMOptions(link=link) if link else None
    return messaging.WebpushConfig(headers=plain["headers"], notification=notification, fcm_options=options)
