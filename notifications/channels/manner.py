"""How a push of each class behaves on a phone: how loudly, on which channel, how long it is worth delivering."""

from __future__ import annotations

from dataclasses import dataclass

from geo.hazards import Hazard
from notifications.channels.promise import Urgency

_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_S = 86_400

# Android channels. An app creates each once and can never change its importance afterwards: ids do not move.
CHANNELS = ("critical_life", "evacuation_advice", "shelter", "garbage", "child", "city", "test", "drill")
# Collapse keys at the provider: it keeps at most four a phone, so everyday pushes share these three.
COLLAPSE_KEYS = ("garbage", "child", "city")

_ISSUES = frozenset({"alert", "update"})
_LIFTS = frozenset({"cancel", "all_clear"})


@dataclass(frozen=True, slots=True)
class Manner:
    """What the class of a message decides."""

    urgency: Urgency
    channel_id: str
    ttl_s: int  # an upper bound, seconds: the message's own expiry may come earlier
    collapse: str | None = None  # None: every one is delivered
    alert_once: bool = False  # replaces what is shown without ringing


_TEST = Manner(Urgency.ACTIVE, "test", 10 * _MINUTE_S)
_DRILL = Manner(Urgency.ACTIVE, "drill", _HOUR_S)
_LIFE = Manner(Urgency.CRITICAL, "critical_life", _DAY_S)
_ORDER = Manner(Urgency.TIME_SENSITIVE, "critical_life", _DAY_S)
_ADVICE = Manner(Urgency.TIME_SENSITIVE, "evacuation_advice", _DAY_S)
_LIFTED = Manner(Urgency.ACTIVE, "evacuation_advice", _DAY_S)
_EVERYDAY = {
    "shelter": Manner(Urgency.ACTIVE, "shelter", 6 * _HOUR_S),
    "garbage": Manner(Urgency.ACTIVE, "garbage", 12 * _HOUR_S, "garbage"),
    "child": Manner(Urgency.ACTIVE, "child", 7 * _DAY_S, "child"),
    "notice": Manner(Urgency.ACTIVE, "city", 3 * _DAY_S, "city"),
    "digest": Manner(Urgency.PASSIVE, "city", _DAY_S, "city"),
}
KINDS = (*sorted(_ISSUES | _LIFTS), "test", *_EVERYDAY)


def manner_of(kind: str, level: int | None, hazard: Hazard | str | None, drill: bool) -> Manner:
    """The manner of a message. Raises ValueError for a kind or level that there is none for.

    `kind`: one of KINDS. `level`: 3, 4, 5, or None where the law knows none (tsunami, earthquake, fire, volcano):
    such an order concerns everybody in the area, as level 4 does, and a tsunami leaves minutes, as level 5 does.
    CRITICAL is the intent: a channel lowers it to time-sensitive where Apple's entitlement is missing. A drill is
    never critical and never breaks through a phone's quiet mode; when an order is lifted nobody need be woken.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no manner for the kind {kind!r}")
    if level not in (None, 3, 4, 5) and kind in _ISSUES | _LIFTS:
        raise ValueError(f"an evacuation alert has level 3, 4, 5 or none, not {level}")
    if drill:
        return _DRILL
    if kind == "test":
        return _TEST
    if kind in _LIFTS:
        return _LIFTED
    if kind in _ISSUES:
        if level == 5 or (level is None and hazard == Hazard.TSUNAMI):
            return _LIFE
        return _ADVICE if level == 3 else _ORDER
    return _EVERYDAY[kind]
