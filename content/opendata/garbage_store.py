"""What a harvest says against what is stored: counted first, then written, or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.folding import fold
from content.garbage import cautions
from content.garbage.areas import GarbageArea, GarbageAreaLink
from content.garbage.categories import GarbageCategory
from content.garbage.dictionary import SORTED_BY, GarbageItem, put_words, words_of
from content.garbage.rules import GarbageChange, GarbageRule
from content.opendata import garbage_told
from content.opendata.garbage_harvest import AreaRow, CategoryRow, ChangeRow, Harvest, ItemRow, RuleRow, digest

_STATED = ("names", "bag", "limits", "how", "note", "cutoff", "colour", "link")
_TEXTS = ("names", "bag", "limits", "how", "note")
_OVERLAID = ("category_id", "pattern", "first", "last", "on_holidays", "overlay", "reason", "note")


@dataclass
class Store:
    """One source being brought to what a harvest says. `compare` counts in the reports; `write` does it."""

    session: Session
    source: str
    now: dt.datetime
    effective_from: dt.date | None = None
    complete: bool = False
    in_place: bool = False  # a part of the list, not the list: what is stored keeps its place in it
    schedule_changed: bool = False

    def __post_init__(self) -> None:
        self._todo: list[Callable[[], None]] = []
        self._categories: dict[str, GarbageCategory] = {}
        self._areas: dict[str, GarbageArea] = {}
        self._rules: list[tuple[GarbageArea, AreaRow]] = []
        self._words: list[tuple[GarbageItem, set[tuple[int, str]]]] = []

    def compare(self, harvest: Harvest) -> None:
        """Counts what is new, changed, unchanged, restored or to be withdrawn."""
        self._compare_categories(list(harvest.categories.values()))
        self._compare_areas(harvest.areas)
        self._compare_changes(harvest)
        self._compare_overlays(harvest)
        self._compare_items(harvest.items)

    def drop(self, rows: Sequence[GarbageArea | GarbageChange | GarbageRule | GarbageItem | GarbageCategory]) -> None:
        """What is no more: withdrawn, but temporary rules, which have no such mark, deleted."""
        for row in rows:
            self.schedule_changed = self.schedule_changed or not isinstance(row, GarbageItem)
            if isinstance(row, GarbageRule):
                self._later(self.session.delete, row)
            else:
                self._later(setattr, row, "withdrawn_at", self.now)

    def write(self) -> None:
        """Brings the store to what was compared."""
        for step in self._todo:
            step()
        self.session.flush()
        self._write_rules()
        put_words(self.session, self._words)
        self.session.flush()

    def _stored(self, table: type[Any]) -> dict[str, Any]:
        rows = self.session.scalars(sa.select(table).where(table.source == self.source))
        return {row.key: row for row in rows}

    def _compare_categories(self, rows: Sequence[CategoryRow]) -> None:
        stored = self._stored(GarbageCategory)
        for position, row in enumerate(rows):
            stated = {name: value or None for name in _STATED if (value := getattr(row, name)) is not None}
            stated |= {name: {} for name in _TEXTS if name in stated and stated[name] is None}
            found = stored.get(row.key)
            if found is None:
                values = {name: stated.get(name, {}) for name in _TEXTS}
                values |= {name: stated.get(name) for name in _STATED if name not in _TEXTS}
                found = GarbageCategory(source=self.source, key=row.key, position=position, **values)
                self._add(found)
                garbage_told.added(row.report, found, row.counted)
                self.schedule_changed = True
            else:
                # A name that is only the key says nothing about the names that were given elsewhere.
                if stated.get("names") == {"ja": row.key} and not self.in_place:
                    stated.pop("names")
                self._update(found, row, stated)
            self._categories[row.key] = found

    def _compare_areas(self, rows: Sequence[AreaRow]) -> None:
        stored: dict[str, GarbageArea] = self._stored(GarbageArea)
        self._areas = dict(stored)
        for position, row in enumerate(rows):
            found, content = stored.get(row.key), row.content_hash()
            position = found.position if found is not None and self.in_place else position
            values = {
                "position": position, "ward": row.ward, "town": row.town, "block": row.block, "name": row.name,
                "names": row.names, "reading": row.reading, "centre": row.centre, "note": row.note,
                "contact": row.contact, "content_hash": content,
            }  # fmt: skip
            if found is None:
                found = GarbageArea(source=self.source, key=row.key, **values)
                self._add(found)
                garbage_told.added(row.report, found)
            elif found.content_hash == content and found.withdrawn_at is None:
                row.report.unchanged += 1
                self._later(setattr, found, "position", position)
                continue
            else:
                garbage_told.changed(row.report, found, values, row.rules)
                self._set(found, {**values, "withdrawn_at": None})
            self.schedule_changed = True
            self._areas[row.key] = found
            self._rules.append((found, row))
        named = {row.key for row in rows}
        if self.complete and rows:
            self._withdraw([area for key, area in stored.items() if key not in named], rows[0].report)

    def _compare_changes(self, harvest: Harvest) -> None:
        stored: dict[str, GarbageChange] = self._stored(GarbageChange)
        for row in harvest.changes:
            if row.area is not None and row.area not in self._areas:
                row.report.warn(row.line, "unknown_area", f"例外「{row.key}」の地区「{row.area}」がありません")
                continue
            found = stored.get(row.key)
            plain = {
                "kind": row.kind, "centre": row.centre, "first": row.first, "last": row.last, "moved_to": row.to,
                "lost_nth": row.lost_nth, "new_nth": row.new_nth, "reason": row.reason,
            }  # fmt: skip
            if found is None:
                found = GarbageChange(source=self.source, key=row.key, **plain)
                self._add(found, row)
                garbage_told.added(row.report, found, row.counted)
                self.schedule_changed = True
            else:
                self._update(found, row, plain, scope=row)
        named = {row.key for row in harvest.changes}
        if self.complete and harvest.areas:
            self._withdraw([row for key, row in stored.items() if key not in named], harvest.areas[0].report)

    def _compare_overlays(self, harvest: Harvest) -> None:
        wanted = sa.select(GarbageRule).where(GarbageRule.source == self.source, GarbageRule.area_id.is_(None))
        stored = {row.key: row for row in self.session.scalars(wanted)}
        for row in harvest.overlays:
            found = stored.get(row.key)
            category = self._categories[row.rule.category]
            if found is not None and _plain(found) == _stated(row.rule, category.id):
                row.report.unchanged += 1
                continue
            row.report.added += found is None
            row.report.changed += found is not None
            row.report.differs("changed" if found else "added", row.key, row.key, after={"rule": row.rule.plain()})
            self.schedule_changed = True
            if found is not None:
                self._later(self.session.delete, found)
            self._later(self._add_overlay, row.key, row.rule)

    def _compare_items(self, rows: Sequence[ItemRow]) -> None:
        stored: dict[str, GarbageItem] = self._stored(GarbageItem)
        for row in rows:
            words = words_of(row.names.values(), row.aliases, row.reading)
            marked = row.cautions
            if marked is None:
                marked = cautions.of_words([*row.names.values(), *row.aliases])
            order = row.sort_key or (fold(row.reading) or fold(row.index) + fold(row.names["ja"]))[:SORTED_BY]
            values: dict[str, Any] = {
                "names": row.names, "reading": row.reading, "aliases": row.aliases, "notes": row.notes,
                "size_rule": row.size_rule, "cautions": marked, "link": row.link, "sort_key": order,
            }  # fmt: skip
            content = digest([values, row.category, sorted(words)])
            found = stored.get(row.key)
            if found is not None and found.content_hash == content and found.withdrawn_at is None:
                row.report.unchanged += 1
                continue
            if found is None:
                found = GarbageItem(source=self.source, key=row.key, content_hash=content, **values)
                self._add(found, row)
                garbage_told.added(row.report, found)
            else:
                garbage_told.changed(row.report, found, values)
                self._set(found, {**values, "content_hash": content, "withdrawn_at": None}, row)
            self._words.append((found, words))
        named = {row.key for row in rows}
        if self.complete and rows:
            gone = [item for key, item in stored.items() if key not in named]
            self._withdraw(gone, rows[0].report, schedule=False)

    def _update(
        self, found: Any, row: CategoryRow | ChangeRow, values: dict[str, Any], scope: ChangeRow | None = None
    ) -> None:
        differing = {name: value for name, value in values.items() if getattr(found, name) != value}
        if scope is not None and self._scope(scope) != (found.area_id, found.category_id):
            differing["kind"] = scope.kind
        if found.withdrawn_at is None and not differing:
            row.report.unchanged += row.counted
            return
        garbage_told.changed(row.report, found, differing, counted=row.counted)
        self.schedule_changed = True
        self._set(found, {**differing, "withdrawn_at": None}, scope)

    def _scope(self, row: ChangeRow | ItemRow) -> tuple[int | None, int | None]:
        """The numbers of the area and category that a row names by their keys; None for all, or not yet numbered."""
        area = self._areas[row.area].id if isinstance(row, ChangeRow) and row.area is not None else None
        category = self._categories[row.category].id if row.category is not None else None
        return area, category

    def _withdraw(self, rows: Sequence[Any], report: Any, *, schedule: bool = True) -> None:
        for row in rows:
            if row.withdrawn_at is None:
                garbage_told.withdrawn(report, row)
                self.schedule_changed = self.schedule_changed or schedule
                self._later(setattr, row, "withdrawn_at", self.now)

    def _later(self, step: Callable[..., Any], *values: Any) -> None:
        self._todo.append(partial(step, *values))

    def _add(self, row: Any, scope: ChangeRow | ItemRow | None = None) -> None:
        self._later(self._set_now, row, {}, scope)
        self._later(self.session.add, row)
        if isinstance(row, GarbageCategory | GarbageArea):
            self._later(self.session.flush)

    def _set(self, row: Any, values: dict[str, Any], scope: ChangeRow | ItemRow | None = None) -> None:
        self._later(self._set_now, row, values, scope)

    def _set_now(self, row: Any, values: dict[str, Any], scope: ChangeRow | ItemRow | None) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        if scope is not None:
            area, row.category_id = self._scope(scope)
            if isinstance(row, GarbageChange):
                row.area_id = area

    def _add_overlay(self, key: str, rule: RuleRow) -> None:
        self.session.add(GarbageRule(**self._columns(rule), area_id=None, key=key))

    def _columns(self, rule: RuleRow) -> dict[str, Any]:
        return {"source": self.source, **_stated(rule, self._categories[rule.category].id)}

    def _write_rules(self) -> None:
        rules: list[dict[str, Any]] = []
        links: list[dict[str, Any]] = []
        for area, row in self._rules:
            first = self._make_room(area.id)
            for rule in row.rules:
                values = self._columns(rule)
                if first is not None and (values["first"] is None or values["first"] < first):
                    values["first"] = first
                if values["last"] is None or values["first"] is None or values["first"] <= values["last"]:
                    rules.append({**values, "area_id": area.id, "key": None})
            self.session.execute(sa.delete(GarbageAreaLink).where(GarbageAreaLink.area_id == area.id))
            for kind, found in (("area", row.codes), ("postcode", row.postcodes)):
                links += [{"area_id": area.id, "kind": kind, "value": value} for value in sorted(found)]
        if rules:
            self.session.execute(sa.insert(GarbageRule), rules)
        if links:
            self.session.execute(sa.insert(GarbageAreaLink), links)

    def _make_room(self, area_id: int) -> dt.date | None:
        """Ends the rules there are the day before the new ones begin; the day from which the new ones hold."""
        own = GarbageRule.area_id == area_id
        if self.effective_from is None:
            self.session.execute(sa.delete(GarbageRule).where(own))
            return None
        begins = self.effective_from
        known = self.session.scalar(sa.select(sa.func.count()).select_from(GarbageRule).where(own))
        self.session.execute(sa.delete(GarbageRule).where(own, GarbageRule.first >= begins))
        ending = sa.or_(GarbageRule.last.is_(None), GarbageRule.last >= begins)
        day_before = begins - dt.timedelta(days=1)
        self.session.execute(sa.update(GarbageRule).where(own, ending).values(last=day_before))
        return begins if known else None


def _stated(rule: RuleRow, category_id: int) -> dict[str, Any]:
    return {
        "category_id": category_id, "pattern": rule.pattern.to_json(), "first": rule.first, "last": rule.last,
        "on_holidays": rule.on_holidays, "overlay": rule.overlay, "reason": rule.reason, "note": rule.note,
    }  # fmt: skip


def _plain(row: GarbageRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _OVERLAID}
