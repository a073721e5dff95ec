"""Garbage data changed by a person: parts of a source, checked, compared and written as a file of ours would be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.garbage.areas import GarbageArea
from content.garbage.categories import TEXTS, GarbageCategory
from content.garbage.dictionary import GarbageItem
from content.garbage.rules import AreaRules, GarbageChange, GarbageRule
from content.garbage.schedule import Change, Rule
from content.opendata import garbage_export, garbage_house
from content.opendata.garbage_harvest import ChangeRow, Harvest, RuleRow
from content.opendata.garbage_import import settle
from content.opendata.garbage_places import tie
from content.opendata.garbage_store import Store
from geo.opendata.faults import EditRefused
from geo.opendata.report import Report

Record = dict[str, Any]
Body = dict[str, Any]  # the whole state of what a person edits, of elements as an export writes them
_NEWEST = 2**62  # exceptions that are not stored yet come after those that are


def area_body(session: Session, area: GarbageArea) -> Body:
    """An area with its rules, and the exceptions that are its own."""
    (element,) = garbage_export.area_elements(session, area.source, area.id)
    own = [one for one in garbage_export.change_elements(session, area.source) if one.get("area") == area.key]
    return {"area": element, "changes": own}


def shared_body(session: Session, source: str) -> Body:
    """What holds for every area of a source, or all of one centre: temporary rules and exceptions."""
    shared = [one for one in garbage_export.change_elements(session, source) if "area" not in one]
    return {"overlays": list(garbage_export.overlay_elements(session, source)), "changes": shared}


def category_body(session: Session, category: GarbageCategory) -> Body:
    """A kind of garbage."""
    return next(one for one in garbage_export.category_elements(session, category.source) if one["key"] == category.key)


def item_body(session: Session, item: GarbageItem) -> Body:
    """An item of the dictionary."""
    (element,) = garbage_export.item_elements(session, item.source, item.id)
    return element


def save(
    session: Session, source: str, now: dt.datetime, parts: Mapping[str, Sequence[Record]], *, gone: Sequence[Any] = ()
) -> bool:
    """Brings these elements to the store; `gone` are rows that are no more. Returns whether the calendar changed.

    What is not named stays. The caller holds the turn of the importers (`geo.opendata.turn`). Raises EditRefused.
    """
    harvest, report = _read(session, source, parts)
    store = Store(session, source, now, in_place=True)
    store.compare(harvest)
    store.drop(gone)
    settle(store, bool(report.writes or gone))
    return store.schedule_changed


def save_area(session: Session, area: GarbageArea, body: Body, now: dt.datetime) -> bool:
    """Brings an area to a body of `area_body`; exceptions of its own that are not in it are withdrawn."""
    wanted = sa.select(GarbageChange).where(GarbageChange.area_id == area.id)
    element = {**body["area"], "key": area.key}
    changes = [{**one, "area": area.key} for one in body["changes"]]
    gone = _absent(session, wanted, changes)
    return save(session, area.source, now, {"areas": [element], "changes": changes}, gone=gone)


def new_element(session: Session, source: str, ward: str, name: str, reading: str, like: GarbageArea | None) -> Record:
    """An area that is not stored yet, tied to the towns of its name; with the rules, depot and contact of another."""
    element: Record = {"ward": ward, "name": name, "reading": reading}
    if like is not None:
        same = area_body(session, like)["area"]
        element |= {part: same[part] for part in ("rules", "centre", "contact", "note") if part in same}
    harvest, _ = _read(session, source, {"areas": [element]})
    tie(session, harvest.areas, None)
    (row,) = harvest.areas
    tied = {"key": row.key, "town": row.town, "block": row.block, "reading": row.reading, "areas": sorted(row.codes)}
    return {part: value for part, value in {**element, **tied}.items() if value not in ("", [], {})}


def add_area(session: Session, source: str, element: Record, now: dt.datetime) -> GarbageArea:
    """Adds an area after all others of its source. Raises EditRefused."""
    last = session.scalar(sa.select(sa.func.max(GarbageArea.position)).where(GarbageArea.source == source))
    save(session, source, now, {"areas": [element]})
    same = GarbageArea.source == source, GarbageArea.key == element["key"]
    made = session.scalars(sa.select(GarbageArea).where(*same)).one()
    made.position = (last or 0) + 1
    session.flush()
    return made


def withdraw_area(session: Session, area: GarbageArea, now: dt.datetime) -> None:
    """Takes an area and its exceptions out; `save_area` brings it back under its number, for those who chose it."""
    own = sa.select(GarbageChange).where(GarbageChange.area_id == area.id, GarbageChange.withdrawn_at.is_(None))
    save(session, area.source, now, {}, gone=[area, *session.scalars(own)])


def save_shared(session: Session, source: str, body: Body, now: dt.datetime) -> bool:
    """Brings what is shared in a source to a body of `shared_body`."""
    wanted = sa.select(GarbageChange).where(GarbageChange.source == source, GarbageChange.area_id.is_(None))
    gone: list[Any] = _absent(session, wanted, body["changes"])
    kept = {one["key"] for one in body["overlays"]}
    rules = sa.select(GarbageRule).where(GarbageRule.source == source, GarbageRule.area_id.is_(None))
    gone += [rule for rule in session.scalars(rules) if rule.key not in kept]
    return save(session, source, now, body, gone=gone)


def save_category(session: Session, source: str, body: Body, now: dt.datetime) -> bool:
    """Keeps a kind of garbage, whole: what it does not say is taken away."""
    whole = {**{name: {} for name in TEXTS}, "cutoff": "", "colour": "", "link": "", **body}
    return save(session, source, now, {"categories": [whole]})


def planned(session: Session, area: GarbageArea, own: Body, shared: Body) -> AreaRules:
    """What would decide the days of an area under these bodies; nothing is written. Raises EditRefused."""
    changes = [*shared["changes"], *({**one, "area": area.key} for one in own["changes"])]
    element = {**own["area"], "key": area.key}
    parts = {"areas": [element], "overlays": shared["overlays"], "changes": changes}
    harvest, _ = _read(session, area.source, parts)
    kinds = _numbers(session, GarbageCategory, area.source)
    known = _numbers(session, GarbageChange, area.source)
    (row,) = harvest.areas
    rules = [_rule(rule, kinds) for rule in (*row.rules, *(overlay.rule for overlay in harvest.overlays))]
    here = [change for change in harvest.changes if change.centre in (None, row.centre)]
    return AreaRules(
        rules, [_change(one, kinds, known.get(one.key, _NEWEST + place)) for place, one in enumerate(here)]
    )


def _read(session: Session, source: str, parts: Mapping[str, Sequence[Record]]) -> tuple[Harvest, Report]:
    harvest, report = Harvest(), Report("garbage-house", "", "utf-8")
    stated = {one["key"] for one in parts.get("categories", ())}
    known = [one for one in garbage_export.category_elements(session, source) if one["key"] not in stated]
    garbage_house.read_parts({**parts, "categories": [*parts.get("categories", ()), *known]}, harvest, report)
    if report.refused:
        raise EditRefused([(f"{fault.column}[{fault.line}]", fault.reason) for fault in report.refused])
    return harvest, report


def _absent(session: Session, wanted: Any, elements: Sequence[Record]) -> list[Any]:
    kept = {one.get("key") for one in elements}
    return [row for row in session.scalars(wanted) if row.withdrawn_at is None and row.key not in kept]


def _numbers(session: Session, table: type[GarbageCategory] | type[GarbageChange], source: str) -> dict[str, int]:
    return {row.key: row.id for row in session.execute(sa.select(table.id, table.key).where(table.source == source))}


def _rule(row: RuleRow, kinds: Mapping[str, int]) -> Rule:
    return Rule(
        kinds[row.category], row.pattern, row.first, row.last, row.on_holidays, row.overlay, row.reason, row.note
    )


def _change(row: ChangeRow, kinds: Mapping[str, int], order: int) -> Change:
    category = kinds[row.category] if row.category is not None else None
    return Change(row.kind, row.first, row.last, row.to, category, row.lost_nth, row.new_nth, row.reason, order)
