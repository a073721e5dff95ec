"""Each class of message has its loudness, channel and time."""

from __future__ import annotations

import itertools

import pytest

from geo.hazards import Hazard
from notifications.channels.manner import CHANNELS, COLLAPSE_KEYS, KINDS, manner_of
from notifications.channels.promise import Urgency


@pytest.mark.parametrize(
    ("kind", "level", "hazard", "urgency", "channel"),
    [
        ("alert", 5, Hazard.FLOOD, Urgency.CRITICAL, "critical_life"),
        ("alert", None, Hazard.TSUNAMI, Urgency.CRITICAL, "critical_life"),
        ("update", None, "tsunami", Urgency.CRITICAL, "critical_life"),
        ("alert", 4, Hazard.LANDSLIDE, Urgency.TIME_SENSITIVE, "critical_life"),
        ("alert", None, Hazard.FIRE, Urgency.TIME_SENSITIVE, "critical_life"),
        ("alert", 3, Hazard.FLOOD, Urgency.TIME_SENSITIVE, "evacuation_advice"),
        ("all_clear", 5, Hazard.FLOOD, Urgency.ACTIVE, "evacuation_advice"),
        ("cancel", None, Hazard.TSUNAMI, Urgency.ACTIVE, "evacuation_advice"),
        ("notice", None, None, Urgency.ACTIVE, "city"),
        ("test", None, None, Urgency.ACTIVE, "test"),
        ("digest", None, None, Urgency.PASSIVE, "city"),
    ],
)
def test_the_manner_of_each_class(kind: str, level: int | None, hazard: str, urgency: Urgency, channel: str) -> None:
    manner = manner_of(kind, level, hazard, drill=False)
    assert (manner.urgency, manner.channel_id) == (urgency, channel)


def test_a_drill_is_never_critical_and_has_its_own_channel() -> None:
    for kind, level, hazard in itertools.product(KINDS, (None, 3, 4, 5), Hazard):
        manner = manner_of(kind, level, hazard, drill=True)
        assert (manner.urgency, manner.channel_id) == (Urgency.ACTIVE, "drill")


def test_only_everyday_pushes_collapse_and_they_share_three_keys() -> None:
    used = set()
    for kind, level in itertools.product(KINDS, (None, 3, 4, 5)):
        manner = manner_of(kind, level, Hazard.FLOOD, drill=False)
        assert manner.channel_id in CHANNELS
        assert 0 < manner.ttl_s <= 28 * 86_400
        if kind in ("alert", "update", "cancel", "all_clear", "test", "shelter"):
            assert manner.collapse is None
        used.add(manner.collapse)
    assert used - {None} == set(COLLAPSE_KEYS)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no manner for the kind 'fax'"):
        manner_of("fax", None, None, drill=False)
    with pytest.raises(ValueError, match="not 2"):
        manner_of("alert", 2, Hazard.FLOOD, drill=False)
