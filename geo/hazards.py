"""The eight kinds of hazard a site is designated for and an alert warns of."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Hazard(StrEnum):
    """What emergency evacuation sites are designated for (災害対策基本法施行令 20条の4), in published order."""

    FLOOD = "flood"
    LANDSLIDE = "landslide"
    STORM_SURGE = "storm_surge"
    EARTHQUAKE = "earthquake"
    TSUNAMI = "tsunami"
    FIRE = "fire"
    INLAND_FLOOD = "inland_flood"
    VOLCANO = "volcano"

    @property
    def bit(self) -> int:
        """The hazard's bit in a site's mask of designations."""
        return 1 << _ORDER.index(self)

    @property
    def ja(self) -> str:
        """The official Japanese name, as the published columns spell it."""
        return _JA[_ORDER.index(self)]


_ORDER = tuple(Hazard)
_JA = ("洪水", "崖崩れ、土石流及び地滑り", "高潮", "地震", "津波", "大規模な火事", "内水氾濫", "火山現象")


def mask_of(hazards: Iterable[Hazard]) -> int:
    """The bit mask of a set of hazards."""
    mask = 0
    for hazard in hazards:
        mask |= hazard.bit
    return mask


def hazards_in(mask: int) -> tuple[Hazard, ...]:
    """The hazards of a bit mask, in the published order."""
    return tuple(hazard for hazard in Hazard if mask & hazard.bit)
