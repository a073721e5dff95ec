"""Garbage data written as our own JSON, in which everything can be said and which reads back the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.garbage import areas as garbage_areas
from content.garbage import categories, sources
from content.garbage.areas import GarbageArea, GarbageAreaLink
from content.garbage.categories import GarbageCategory
from content.garbage.dictionary import GarbageItem
from content.garbage.rules import GarbageChange, GarbageRule

Record = dict[str, Any]
_FORMAT = "yobikake-garbage"  # as content.opendata.garbage_house reads it


def all_sources(session: Session) -> list[str]:
    """The sources that publish anything, in order."""
    return sorted(set(session.scalars(sa.select(GarbageCategory.source).where(GarbageCategory.withdrawn_at.is_(None)))))


def document(session: Session, source: str) -> Iterator[str]:
    """All of a source as one JSON document, piece by piece, one element a line."""
    known = sources.get(session, source)
    about: Record = {"key": source}
    if known is not None:
        about |= {"licence": known.licence, "as_of": known.as_of.isoformat() if known.as_of else None}
    yield f'{{"format": "{_FORMAT}",\n"source": {_json(_filled(about))}'
    parts = {
        "categories": category_elements(session, source),
        "areas": area_elements(session, source),
        "changes": change_elements(session, source),
        "overlays": overlay_elements(session, source),
        "items": item_elements(session, source),
    }
    for name, elements in parts.items():
        yield f',\n"{name}": [' + ",".join(f"\n{_json(element)}" for element in elements) + "\n]"
    yield "}\n"


def category_elements(session: Session, source: str) -> Iterator[Record]:
    """Kinds of garbage in their order."""
    for one in categories.listed(session, source):
        names = ("key", "names", "bag", "limits", "how", "note", "cutoff", "colour", "link")
        yield _filled({name: getattr(one, name) for name in names})


def area_elements(session: Session, source: str, only: int | None = None) -> Iterator[Record]:
    """Collection areas in their order, each with its rules; `only` the one of this number."""
    keys = _keys(session, GarbageCategory, source)
    rules: dict[int, list[Record]] = defaultdict(list)
    own = sa.select(GarbageRule).where(GarbageRule.source == source, GarbageRule.area_id.is_not(None))
    if only is not None:
        own = own.where(GarbageRule.area_id == only)
    for rule in session.scalars(own.order_by(GarbageRule.id)):
        rules[rule.area_id or 0].append(_rule(rule, keys))
    links: dict[int, dict[str, list[str]]] = defaultdict(lambda: {"area": [], "postcode": []})
    linked = sa.select(GarbageAreaLink).join(GarbageArea, GarbageArea.id == GarbageAreaLink.area_id)
    if only is not None:
        linked = linked.where(GarbageArea.id == only)
    for link in session.scalars(linked.where(GarbageArea.source == source).order_by(GarbageAreaLink.value)):
        links[link.area_id][link.kind].append(link.value)
    for area in garbage_areas.present(session, source, None if only is None else [only]):
        names = ("key", "ward", "town", "block", "name", "names", "reading", "centre", "note", "contact")
        element = {name: getattr(area, name) for name in names}
        element |= {"areas": links[area.id]["area"], "postcodes": links[area.id]["postcode"], "rules": rules[area.id]}
        yield _filled(element)


def change_elements(session: Session, source: str) -> Iterator[Record]:
    """Exceptions: closed, moved, added days."""
    kinds, places = _keys(session, GarbageCategory, source), _keys(session, GarbageArea, source)
    wanted = sa.select(GarbageChange).where(GarbageChange.source == source, GarbageChange.withdrawn_at.is_(None))
    for one in session.scalars(wanted.order_by(GarbageChange.first, GarbageChange.key)):
        element = {
            "key": one.key,
            "kind": one.kind,
            "first": one.first.isoformat(),
            "last": one.last.isoformat(),
            "to": one.moved_to.isoformat() if one.moved_to else None,
            "centre": one.centre,
            "area": places[one.area_id] if one.area_id is not None else None,
            "category": kinds[one.category_id] if one.category_id is not None else None,
            "lost_nth": one.lost_nth,
            "new_nth": one.new_nth,
            "reason": one.reason,
        }
        yield _filled(element)


def overlay_elements(session: Session, source: str) -> Iterator[Record]:
    """Temporary rules for every area of the source."""
    keys = _keys(session, GarbageCategory, source)
    wanted = sa.select(GarbageRule).where(GarbageRule.source == source, GarbageRule.area_id.is_(None))
    for rule in session.scalars(wanted.order_by(GarbageRule.id)):
        element = _rule(rule, keys)
        element.pop("overlay", None)
        yield {"key": rule.key, **element}


def item_elements(session: Session, source: str, only: int | None = None) -> Iterator[Record]:
    """The dictionary in its order; `only` the item of this number."""
    keys = _keys(session, GarbageCategory, source)
    wanted = sa.select(GarbageItem).where(GarbageItem.source == source, GarbageItem.withdrawn_at.is_(None))
    if only is not None:
        wanted = wanted.where(GarbageItem.id == only)
    for item in session.scalars(wanted.order_by(GarbageItem.id)):
        names = ("key", "names", "reading", "aliases", "notes", "size_rule", "link", "sort_key")
        element = _filled({name: getattr(item, name) for name in names})
        if item.category_id is not None:
            element["category"] = keys[item.category_id]
        yield {**element, "cautions": item.cautions}  # said even when there are none: they would be guessed else


def _rule(rule: GarbageRule, keys: dict[int, str]) -> Record:
    element = {
        "category": keys[rule.category_id],
        **rule.pattern,
        "first": rule.first.isoformat() if rule.first else None,
        "last": rule.last.isoformat() if rule.last else None,
        "on_holidays": None if rule.on_holidays else False,
        "overlay": rule.overlay or None,
        "reason": rule.reason,
        "note": rule.note,
    }
    return _filled(element)


def _keys(session: Session, table: type[GarbageCategory] | type[GarbageArea], source: str) -> dict[int, str]:
    found = session.execute(sa.select(table.id, table.key).where(table.source == source))
    return {row.id: row.key for row in found}


def _filled(element: Record) -> Record:
    return {name: value for name, value in element.items() if value not in (None, "", [], {})}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
