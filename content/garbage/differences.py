"""What another calendar would change: days on which a category is collected under one and not under the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from content.garbage.rules import AreaRules
from content.garbage.schedule import Collection, Missed


@dataclass(frozen=True, slots=True)
class Difference:
    """A day and category for which the two disagree: `before` or `after` is None, `why` what the other says of it."""

    day: dt.date
    category: int
    before: Collection | None
    after: Collection | None
    why: Missed | None = None  # why it is collected no more, where the new calendar gives a reason


def between(before: AreaRules, after: AreaRules, first: dt.date, last: dt.date) -> list[Difference]:
    """The differences from `first` to `last`, both included, in the order of days and categories."""
    plans = before.plan(first, last), after.plan(first, last)
    old, new = ({(one.day, one.category): one for one in plan.collections} for plan in plans)
    missed = {(one.day, one.category): one for one in plans[1].missed}
    return [
        Difference(*place, old.get(place), new.get(place), missed.get(place) if place not in new else None)
        for place in sorted(old.keys() ^ new.keys())
    ]
