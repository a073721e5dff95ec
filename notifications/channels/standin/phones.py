"""Pretend phones: each shows what a real one with a well-behaved app would show."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

_MOST_PHONES = 200_000
_MOST_SHOWN = 24  # a real drawer holds about as many per app
_MOST_REMEMBERED = 64
_MOST_HISTORY = 24


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification as the phone shows it."""

    message_id: str | None
    slot: str  # what it replaces: tag or thread; else its own
    title: str
    body: str
    kind: str
    level: str
    hazard: str
    drill: bool
    language: str
    link: str
    loudness: str  # iOS interruption level or Android channel
    shelters: str  # compact JSON, as in the push
    received_at: dt.datetime
    expires_at: dt.datetime | None

    def over(self, now: dt.datetime) -> bool:
        """Its time is past: the app takes it off the screen."""
        return self.expires_at is not None and self.expires_at <= now

    def as_json(self) -> dict[str, Any]:
        """For the control interface."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Phone:
    """What one phone has seen. Bounded: the oldest go first."""

    token: str
    platform: str = "android"
    shown: OrderedDict[str, Notice] = field(default_factory=OrderedDict)
    history: deque[tuple[str, Notice]] = field(default_factory=lambda: deque(maxlen=_MOST_HISTORY))
    remembered: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_REMEMBERED))
    received: int = 0  # handed over by the provider
    rings: int = 0  # times it made a sound
    doubles: int = 0  # same message again: not shown again
    replaced: int = 0
    late: int = 0  # already over when it came: never shown

    def receive(self, notice: Notice, *, platform: str, silent: bool) -> str:
        """Takes one in: shown, replaced, double or late."""
        self.received += 1
        self.platform = platform
        if notice.message_id is not None and notice.message_id in self.remembered:
            self.doubles += 1
            happened = "double"
        elif notice.over(notice.received_at):
            self.late += 1
            happened = "late"
        else:
            replaces = self.shown.pop(notice.slot, None) is not None
            self.shown[notice.slot] = notice
            if len(self.shown) > _MOST_SHOWN:
                self.shown.popitem(last=False)
            self.replaced += replaces
            self.rings += not silent
            happened = "replaced" if replaces else "shown"
        if notice.message_id is not None and happened != "double":
            self.remembered.append(notice.message_id)
        self.history.append((happened, notice))
        return happened

    def showing(self, now: dt.datetime) -> list[Notice]:
        """What is on the screen, the newest first."""
        return [notice for notice in reversed(self.shown.values()) if not notice.over(now)]

    def as_json(self, now: dt.datetime, *, whole: bool) -> dict[str, Any]:
        """A line of the list, or everything that is known."""
        showing = self.showing(now)
        counts = {name: getattr(self, name) for name in ("received", "rings", "doubles", "replaced", "late")}
        if not whole:
            return {"token": self.token, "platform": self.platform, **counts, "showing": len(showing)}
        return {
            "token": self.token,
            "platform": self.platform,
            **counts,
            "showing": [notice.as_json() for notice in showing],
            "history": [{"happened": happened, **notice.as_json()} for happened, notice in self.history],
        }


class Phones:
    """All phones that ever received something, the latest last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phones: OrderedDict[str, Phone] = OrderedDict()

    def receive(self, token: str, message: dict[str, Any], now: dt.datetime) -> str:
        """Delivers an accepted message; what happened on the phone."""
        platform, notice, silent = read(message, now)
        with self._lock:
            phone = self._phones.get(token)
            if phone is None:
                phone = self._phones[token] = Phone(token)
                if len(self._phones) > _MOST_PHONES:
                    self._phones.popitem(last=False)
            else:
                self._phones.move_to_end(token)
            return phone.receive(notice, platform=platform, silent=silent)

    def find(self, token: str, now: dt.datetime) -> dict[str, Any] | None:
        """Everything about one phone."""
        with self._lock:
            phone = self._phones.get(token)
            return phone.as_json(now, whole=True) if phone is not None else None

    def newest(
        self, now: dt.datetime, *, limit: int, containing: str = "", whole: bool = False
    ) -> list[dict[str, Any]]:
        """Phones by the time of their last message, the newest first."""
        found: list[dict[str, Any]] = []
        with self._lock:
            for token, phone in reversed(self._phones.items()):
                if len(found) >= limit:
                    break
                if containing in token:
                    found.append(phone.as_json(now, whole=whole))
        return found

    def totals(self) -> dict[str, int]:
        """Sums over all phones."""
        names = ("received", "rings", "doubles", "replaced", "late")
        with self._lock:
            sums = {name: sum(getattr(phone, name) for phone in self._phones.values()) for name in names}
            return {"phones": len(self._phones), **sums}

    def reset(self) -> None:
        """Forgets every phone."""
        with self._lock:
            self._phones.clear()


def read(message: dict[str, Any], now: dt.datetime) -> tuple[str, Notice, bool]:
    """What a phone makes of a message: its platform, the notification, and whether it stays silent."""
    data: dict[str, str] = message.get("data") or {}
    android = message.get("android") or {}
    apns = message.get("apns") or {}
    webpush = message.get("webpush") or {}
    aps = (apns.get("payload") or {}).get("aps") or {}
    alert = aps.get("alert") if isinstance(aps.get("alert"), dict) else {"body": aps.get("alert")}
    own = {"ios": alert, "web": webpush.get("notification"), "android": android.get("notification")}
    platform = "ios" if apns else "web" if webpush else "android"
    special: dict[str, Any] = own[platform] or {}
    general = message.get("notification") or {}
    if platform == "ios":
        slot = (apns.get("headers") or {}).get("apns-collapse-id")
        loudness = str(aps.get("interruption-level", "active"))
        silent = "sound" not in aps
    elif platform == "web":
        slot = special.get("tag")
        loudness = str((webpush.get("headers") or {}).get("Urgency", "normal"))
        silent = bool(special.get("silent")) or (special.get("renotify") is False and data.get("alert_once") == "true")
    else:
        slot = special.get("tag")
        loudness = str(special.get("channel_id") or data.get("channel_id", ""))
        silent = data.get("alert_once") == "true"
    message_id = data.get("message_id")
    notice = Notice(
        message_id=message_id,
        slot=slot or data.get("thread") or message_id or now.isoformat(),
        title=str(special.get("title") or general.get("title") or data.get("title", "")),
        body=str(special.get("body") or general.get("body") or data.get("body", "")),
        kind=data.get("kind", ""),
        level=data.get("level", ""),
        hazard=data.get("hazard", ""),
        drill=data.get("drill") == "true",
        language=data.get("lang", ""),
        link=data.get("link", ""),
        loudness=loudness,
        shelters=data.get("shelters", ""),
        received_at=now,
        expires_at=_time(data.get("expires_at")),
    )
    return str(message.get("platform", platform)), notice, silent


def _time(text: str | None) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time if time is None or time.tzinfo is not None else time.replace(tzinfo=dt.UTC)
