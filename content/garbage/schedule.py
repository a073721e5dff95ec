"""The collections of an area between two days, each with its reasons; and why a day is left out. No store, no clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from content import calendar
from content.garbage.pattern import Pattern
from content.garbage.reasons import Reason

Words = Mapping[str, str]  # one short text by language
LONGEST_CLOSURE = 400  # days
_MOST_MOVES = 10  # of one collection


@dataclass(frozen=True, slots=True)
class Rule:
    """When one category is collected, while it is in force; an overlay stands in for the other rules meanwhile."""

    category: int
    pattern: Pattern
    first: dt.date | None = None  # in force from this day
    last: dt.date | None = None  # and to this one
    on_holidays: bool = True
    overlay: bool = False
    reason: Words = field(default_factory=dict)  # why there is an overlay
    note: Words = field(default_factory=dict)  # what to know besides

    def in_force(self, day: dt.date) -> bool:
        """Whether the rule holds on this day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Change:
    """An exception: `closed` from first to last, `moved` from first to `to`, or `added` on first.

    A closure may replace the nth occurrences it takes (`lost_nth`) by another of the same month (`new_nth`).
    `order`: where two disagree about a day, the later one counts.
    """

    kind: str
    first: dt.date
    last: dt.date
    to: dt.date | None = None
    category: int | None = None  # None: all
    lost_nth: int | None = None
    new_nth: int | None = None
    reason: Words = field(default_factory=dict)
    order: int = 0

    def covers(self, category: int, day: dt.date) -> bool:
        """Whether it speaks of this category on this day."""
        return (self.category is None or self.category == category) and self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Collection:
    """A category is collected on `day`; `origin` is the day the rules meant, which never changes."""

    day: dt.date
    category: int
    origin: dt.date
    reasons: tuple[Reason, ...]
    notes: tuple[Words, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether it is on another day than the rules say."""
        return self.day != self.origin


@dataclass(frozen=True, slots=True)
class Missed:
    """A category that the rules mean to collect on `day` and that is not; `instead` when, if at all."""

    day: dt.date
    category: int
    reasons: tuple[Reason, ...]
    instead: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is collected and what is left out, in the order of days, then of the categories' numbers."""

    collections: tuple[Collection, ...]
    missed: tuple[Missed, ...]


def collections(
    rules: Sequence[Rule], first: dt.date, last: dt.date, changes: Sequence[Change] = ()
) -> list[Collection]:
    """The collections from `first` to `last`, both included: one for each day and category."""
    return list(plan(rules, first, last, changes).collections)


def plan(rules: Sequence[Rule], first: dt.date, last: dt.date, changes: Sequence[Change] = ()) -> Plan:
    """Collections and what is missed from `first` to `last`, both included. Pure: the same in, the same out."""
    engine = _Engine(rules, changes)
    found: dict[tuple[dt.date, int], list[Collection]] = {}
    missed: list[Missed] = []
    for category in engine.categories:
        for origin in engine.origins(category, first, last):
            outcome = engine.outcome(category, origin)
            if isinstance(outcome, Missed):
                missed.append(outcome)
                continue
            if outcome.moved:
                missed.append(_moved_away(outcome))
            found.setdefault((outcome.day, category), []).append(outcome)
        for one in engine.added(category):
            found.setdefault((one.day, category), []).append(one)
    merged = [_merged(found[key]) for key in sorted(found) if first <= key[0] <= last]
    missed = [one for one in missed if first <= one.day <= last]
    return Plan(tuple(merged), tuple(sorted(missed, key=lambda one: (one.day, one.category))))


def explain(
    rules: Sequence[Rule], day: dt.date, changes: Sequence[Change] = ()
) -> tuple[tuple[Collection, ...], tuple[Missed, ...]]:
    """What is collected on one day and why, and what is not although the rules mean to."""
    whole = plan(rules, day, day, changes)
    return whole.collections, whole.missed


class _Engine:
    """Rules and changes in order, asked about single days."""

    def __init__(self, rules: Sequence[Rule], changes: Sequence[Change]) -> None:
        self.categories = sorted(
            {rule.category for rule in rules} | {c.category for c in changes if c.category is not None}
        )
        self.rules = {key: [rule for rule in rules if rule.category == key] for key in self.categories}
        self.changes = sorted(changes, key=lambda change: change.order)

    def origins(self, category: int, first: dt.date, last: dt.date) -> Iterator[dt.date]:
        """Days on which the rules mean to collect, inside the span or with an effect inside it."""
        span = (last - first).days
        days = {first + dt.timedelta(days=offset) for offset in range(span + 1)}
        for change in self.changes:
            if change.kind == "moved" and change.to is not None:
                days.add(change.first)
            elif change.lost_nth is not None:
                length = min((change.last - change.first).days, LONGEST_CLOSURE)
                days |= {change.first + dt.timedelta(days=offset) for offset in range(length + 1)}
        yield from (day for day in sorted(days) if self.meant(category, day))

    def meant(self, category: int, day: dt.date) -> bool:
        """Whether any rule means this day, overlaid or not."""
        return any(rule.in_force(day) and rule.pattern.on(day) for rule in self.rules[category])

    def outcome(self, category: int, origin: dt.date) -> Collection | Missed:
        """What becomes of a day the rules mean."""
        active = [rule for rule in self.rules[category] if rule.in_force(origin)]
        overlays = [rule for rule in active if rule.overlay]
        hits = [rule for rule in (overlays or active) if rule.pattern.on(origin)]
        if not hits:
            return Missed(origin, category, (Reason("suspended", text=overlays[0].reason),))
        why = tuple(Reason.of_pattern(rule.pattern, origin) for rule in hits)
        why += tuple(Reason("overlay", text=rule.reason) for rule in hits if rule.overlay)
        notes = tuple({str(sorted(rule.note.items())): rule.note for rule in hits if rule.note}.values())
        day, trail, stopped = self._follow(category, origin, hits)
        if stopped is not None:
            return Missed(origin, category, (*trail, stopped))
        return Collection(day, category, origin, (*trail, *why), notes)

    def _follow(
        self, category: int, origin: dt.date, hits: Sequence[Rule]
    ) -> tuple[dt.date, tuple[Reason, ...], Reason | None]:
        """The day where a collection ends up, the moves on the way, and what stops it there, if anything."""
        day = origin
        trail: tuple[Reason, ...] = ()
        used: list[Change] = []
        free = any(rule.on_holidays for rule in hits)
        for _ in range(_MOST_MOVES):
            change = self._deciding(category, day, used)
            if change is None:
                name = None if free or day != origin else calendar.holiday(day)
                return day, trail, Reason("holiday", day=day, name=name) if name else None
            target = self._target(change, day, hits)
            if target is None or target == day:
                return day, trail, Reason("closed", first=change.first, last=change.last, text=change.reason)
            moved = Reason("moved_from", day=day, nth=calendar.nth(day), text=change.reason)
            day, trail = target, (*trail, moved)
            used.append(change)
        return day, trail, None

    def _deciding(self, category: int, day: dt.date, used: Sequence[Change]) -> Change | None:
        """The change that decides about a day: a move before a closure that replaces it before any other closure;
        of several the last one entered.

        A day somebody chose by hand is only taken back by what was entered after it.
        """
        since = used[-1].order if used and used[-1].kind == "moved" else None
        found = [
            change
            for change in self.changes
            if change.kind != "added"
            and change.covers(category, day)
            and all(change is not one for one in used)
            and (since is None or change.order > since)
        ]
        moves = [change for change in found if change.kind == "moved"]
        replacing = [change for change in found if change.lost_nth == calendar.nth(day)]
        return (moves or replacing or found)[-1] if found else None

    @staticmethod
    def _target(change: Change, day: dt.date, hits: Sequence[Rule]) -> dt.date | None:
        if change.kind == "moved":
            return change.to
        nths = any(day.weekday() in rule.pattern.weekdays and rule.pattern.nths for rule in hits)
        if change.new_nth is None or change.lost_nth != calendar.nth(day) or not nths:
            return None
        return calendar.nth_weekday(day.year, day.month, day.weekday(), change.new_nth)

    def added(self, category: int) -> Iterator[Collection]:
        """Collections beside the rules."""
        for change in self.changes:
            if change.kind == "added" and change.category == category:
                reason = Reason("added", day=change.first, text=change.reason)
                yield Collection(change.first, category, change.first, (reason,))


def _moved_away(collection: Collection) -> Missed:
    moved = collection.reasons[0]
    text = Reason("moved_to", day=collection.day, text=moved.text)
    return Missed(collection.origin, collection.category, (text,), collection.day)


def _merged(same: Sequence[Collection]) -> Collection:
    """One collection for a day and category: the one meant for the day first, the reasons of all."""
    ordered = sorted(same, key=lambda one: (one.moved, one.origin))
    reasons = dict.fromkeys(reason for one in ordered for reason in one.reasons)
    notes = {str(sorted(note.items())): note for one in ordered for note in one.notes}
    first = ordered[0]
    return Collection(first.day, first.category, first.origin, tuple(reasons), tuple(notes.values()))
