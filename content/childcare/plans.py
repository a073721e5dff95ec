"""A programme as plain data: what is due for whom in which legal window, read from its stored form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from content.childcare import windows
from content.childcare.windows import Window
from content.texts import Texts


class Kind(StrEnum):
    """What a programme is."""

    CHECK = "check"  # 健診
    VACCINE = "vaccine"  # 定期接種
    ALLOWANCE = "allowance"  # 手当・給付
    APPLICATION = "application"  # 届出・申請
    SERVICE = "service"  # 訪問・預かりなど


@dataclass(frozen=True, slots=True)
class Period:
    """One dated part of a programme: a vaccine's first dose, its second term."""

    key: str
    names: Mapping[str, str]  # by language; may be empty when the programme has one period
    window: Window
    recommended: Window | None = None  # 標準的な時期
    doses: int | None = None
    intervals: Sequence[Mapping[str, Any]] = ()  # from_dose, to_dose, at_least, at_most: information only


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a programme."""

    key: str
    version: int
    kind: Kind
    texts: Texts
    periods: tuple[Period, ...]
    position: int = 0
    topic: str | None = None
    areas: tuple[str, ...] = ()  # codes; empty: everywhere
    effective_from: dt.date | None = None  # the rule holds on these dates …
    effective_to: dt.date | None = None
    born_from: dt.date | None = None  # … for children born on these
    born_to: dt.date | None = None
    links: Sequence[Mapping[str, Any]] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)  # whose word it is, see `published`

    def concerns(self, birth: dt.date) -> bool:
        """Whether a child born on this day is meant."""
        return (self.born_from or birth) <= birth <= (self.born_to or birth)


def period_of(raw: Mapping[str, Any]) -> Period:
    """A period from its stored form. Raises windows.WindowError."""
    recommended = raw.get("recommended")
    return Period(
        key=raw["id"],
        names=raw.get("names") or {},
        window=windows.parse(raw["window"], "window"),
        recommended=windows.parse(recommended, "recommended") if recommended is not None else None,
        doses=raw.get("doses"),
        intervals=raw.get("intervals") or (),
    )
