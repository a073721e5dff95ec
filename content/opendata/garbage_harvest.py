"""What a list of garbage data says, in one shape for all formats: categories, areas with rules, exceptions, items."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import orjson

from content.garbage.pattern import Pattern
from geo.opendata.report import Report

Words = dict[str, str]


@dataclass(slots=True)
class CategoryRow:
    """A kind of garbage. None: the list does not state it, and what is stored stays."""

    key: str
    report: Report
    names: Words | None = None
    bag: Words | None = None
    limits: Words | None = None
    how: Words | None = None
    note: Words | None = None
    cutoff: str | None = None
    colour: str | None = None
    link: str | None = None
    counted: bool = True  # False: it stands in no row of its own, only in a header or beside an item


@dataclass(slots=True)
class RuleRow:
    """When a category, named by its key, is collected."""

    category: str
    pattern: Pattern
    first: dt.date | None = None
    last: dt.date | None = None
    on_holidays: bool = True
    overlay: bool = False
    reason: Words = field(default_factory=dict)
    note: Words = field(default_factory=dict)

    def plain(self) -> list[Any]:
        """Everything it says, comparable."""
        return [
            self.category, self.pattern.to_json(), self.first, self.last, self.on_holidays, self.overlay,
            self.reason, self.note,
        ]  # fmt: skip


@dataclass(slots=True)
class AreaRow:
    """A collection area with its rules."""

    line: int
    report: Report
    key: str
    name: str
    town: str
    block: str = ""
    ward: str = ""
    names: Words = field(default_factory=dict)
    reading: str = ""
    centre: str | None = None
    note: Words = field(default_factory=dict)
    contact: dict[str, Any] = field(default_factory=dict)
    rules: list[RuleRow] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)  # of geo.areas
    postcodes: set[str] = field(default_factory=set)

    def content_hash(self) -> str:
        """Of everything stated."""
        return digest(
            [
                self.name, self.town, self.block, self.ward, self.names, self.reading, self.centre, self.note,
                self.contact, [rule.plain() for rule in self.rules], sorted(self.codes), sorted(self.postcodes),
            ]
        )  # fmt: skip


@dataclass(slots=True)
class ChangeRow:
    """An exception: closed, moved or added; for a centre, an area or a category by their keys, or for all."""

    line: int
    report: Report
    key: str
    kind: str
    first: dt.date
    last: dt.date
    to: dt.date | None = None
    centre: str | None = None
    area: str | None = None
    category: str | None = None
    lost_nth: int | None = None
    new_nth: int | None = None
    reason: Words = field(default_factory=dict)
    counted: bool = True  # False: it follows from a row that is counted


@dataclass(slots=True)
class ItemRow:
    """An item of the dictionary."""

    report: Report
    key: str
    names: Words
    category: str | None = None
    reading: str = ""
    index: str = ""  # the letter under which a printed list has it
    aliases: list[str] = field(default_factory=list)
    notes: Words = field(default_factory=dict)
    size_rule: Words = field(default_factory=dict)
    cautions: list[str] | None = None  # None: recognised by its words
    link: str | None = None
    sort_key: str | None = None  # where it stands in the dictionary; None: by its reading or name


@dataclass(slots=True)
class OverlayRow:
    """A temporary rule for every area of the source, under a key of its own."""

    report: Report
    key: str
    rule: RuleRow


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose data they are, where a file says it itself."""

    source: str
    licence: str | None
    as_of: dt.date | None


@dataclass(slots=True)
class Harvest:
    """All that the files of one city say."""

    origin: Origin | None = None

    categories: dict[str, CategoryRow] = field(default_factory=dict)
    areas: list[AreaRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    overlays: list[OverlayRow] = field(default_factory=list)
    items: list[ItemRow] = field(default_factory=list)
    keys: set[tuple[str, str]] = field(default_factory=set)  # part and key, where a format needs them to be unique

    def category(self, key: str, report: Report) -> CategoryRow:
        """The category of this key, made when it is new."""
        return self.categories.setdefault(key, CategoryRow(key, report, {"ja": key}, counted=False))


def label(text: str) -> str:
    """A name as a key: no width, no surplus space."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def tidy(text: str) -> str:
    """A text for people: line breaks and entities of HTML read, tags and empty placeholders left out."""
    plain = unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br\s*/?>|\r\n?", "\n", text)))
    plain = "\n".join(line.strip() for line in plain.split("\n")).strip()
    return "" if plain in ("{}", "null", "-") else plain.replace("\0", "")


def digest(value: Any) -> str:
    """A short hash of plain values."""
    raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def words(text: str, language: str = "ja") -> Words:
    """{language: text}, empty for no text."""
    return {language: text} if text else {}
