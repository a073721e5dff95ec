"""What is next for an area: the next collection of each category, from a moment of the city's day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from content.garbage.rules import AreaRules
from content.garbage.schedule import Collection

FARTHEST = 400  # days: a year and the weeks around New Year


def next_collections(
    rules: AreaRules, today: dt.date, time: dt.time, cutoffs: Mapping[int, str | None]
) -> list[Collection]:
    """The next collection of each category, soonest first; today's only until its cut-off hour ("08:30", by id)."""
    found: dict[int, Collection] = {}
    for one in rules.plan(today, today + dt.timedelta(days=FARTHEST)).collections:
        if one.day == today and over(cutoffs.get(one.category), time):
            continue
        found.setdefault(one.category, one)
    return sorted(found.values(), key=lambda one: (one.day, one.category))


def over(cutoff: str | None, time: dt.time) -> bool:
    """Whether it is too late at this time of the day; never where no hour is known."""
    return cutoff is not None and time >= dt.time.fromisoformat(cutoff)
