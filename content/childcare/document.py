"""The file in which a city writes its guides and programmes: TOML or JSON, checked entry by entry."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from content.childcare import fields
from content.childcare.fields import REQUIRED
from content.childcare.plans import Kind


class DocumentError(ValueError):
    """The file is neither TOML nor JSON, or has another shape; `line` where it is known."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code, self.line = code, line


class _Strict(ma.Schema):
    error_messages = {"unknown": "知らない項目です", "type": "表（テーブル）で書いてください"}  # noqa: RUF012


class Link(_Strict):
    """An address and what it is called."""

    url = fields.url(required=True)
    names = fields.names(load_default=dict)


class Interval(_Strict):
    """How far two doses are apart: information only."""

    from_dose = fields.Whole(required=True, strict=True, validate=ma.validate.Range(1, 9))
    to_dose = fields.Whole(required=True, strict=True, validate=ma.validate.Range(1, 9))
    at_least = fields.span()
    at_most = fields.span()


class PeriodEntry(_Strict):
    """One dated part of a programme."""

    id = fields.slug(required=True)
    names = fields.names(load_default=dict)
    window = fields.WindowField(required=True)
    recommended = fields.WindowField()
    doses = fields.Whole(strict=True, validate=ma.validate.Range(1, 9))
    intervals = ma.fields.List(ma.fields.Nested(Interval), load_default=list)


class _Entry(_Strict):
    key = fields.slug(required=True, data_key="id")
    version = fields.Whole(load_default=1, strict=True, validate=ma.validate.Range(1, 10_000))
    position = fields.Whole(load_default=0, strict=True, validate=ma.validate.Range(0, 1_000_000))
    topic = fields.slug(load_default=None)
    texts = fields.TextsField(required=True)
    links = ma.fields.List(ma.fields.Nested(Link), load_default=list)
    areas = ma.fields.List(fields.Words(), load_default=list)
    effective_from = fields.Day(load_default=None)
    effective_to = fields.Day(load_default=None)
    source_name = fields.Words()
    source_url = fields.url()
    licence = fields.Words()
    as_of = fields.Day()
    sample = fields.Truth()

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        """Dates in pairs are in order."""
        for first, last in (("effective_from", "effective_to"), ("born_from", "born_to")):
            if data.get(first) and data.get(last) and data[last] < data[first]:
                raise ma.ValidationError(f"{first} より前です", last)


class GuideEntry(_Entry):
    """A guide."""

    from_months = fields.Months(load_default=None, data_key="from_age")
    to_months = fields.Months(load_default=None, data_key="to_age")


class ProgrammeEntry(_Entry):
    """A programme with its periods."""

    kind = fields.Words(
        required=True, validate=ma.validate.OneOf([k.value for k in Kind], error="check、vaccine、allowance 等です")
    )
    periods = ma.fields.List(
        ma.fields.Nested(PeriodEntry),
        required=True,
        validate=ma.validate.Length(min=1, error="一つ以上書いてください"),
        error_messages=REQUIRED,
    )
    born_from = fields.Day(load_default=None)
    born_to = fields.Day(load_default=None)


class SourceEntry(_Strict):
    """Whose word all entries are."""

    key = fields.slug(required=True)
    name = fields.Words(required=True)
    url = fields.url(load_default=None)
    licence = fields.Words(load_default=None)
    as_of = fields.Day(load_default=None)
    sample = fields.Truth(load_default=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One guide or programme: its line where that is known, its columns, or what is wrong with it."""

    part: str  # guides or programmes
    line: int
    place: str  # programmes[3]
    key: str | None
    columns: dict[str, Any] | None
    faults: tuple[tuple[str, str], ...]  # place and reason


PARTS: Mapping[str, ma.Schema] = {"guides": GuideEntry(), "programmes": ProgrammeEntry()}


def read(text: str) -> tuple[str, dict[str, Any], list[Entry]]:
    """The form (toml or json), the checked source and every entry. Raises DocumentError."""
    form, document = _parsed(text)
    if not isinstance(document, dict) or not document.keys() & PARTS.keys():
        raise DocumentError("unknown_format", "guides か programmes の一覧がありません")
    unknown = sorted(document.keys() - PARTS.keys() - {"source"})
    if unknown:
        raise DocumentError("unknown_format", f"知らない項目です: {unknown[0]}")
    try:
        source: dict[str, Any] = SourceEntry().load(document.get("source") or {})
    except ma.ValidationError as error:
        named = "、".join(f"{place}: {reason}" for place, reason in _flat(error.messages, "source"))
        raise DocumentError("bad_source", named) from None
    entries = []
    for part, schema in PARTS.items():
        listed = document.get(part, [])
        if not isinstance(listed, list):
            raise DocumentError("unknown_format", f"{part} は一覧（配列）で書いてください")
        lines = _lines(text, form, part, listed)
        for number, (raw, line) in enumerate(zip(listed, lines, strict=True)):
            entries.append(_entry(schema, part, line, f"{part}[{number}]", raw))
    return form, source, entries


def _entry(schema: ma.Schema, part: str, line: int, place: str, raw: Any) -> Entry:
    key = raw.get("id") if isinstance(raw, dict) else None
    key = key if isinstance(key, str) else None
    try:
        columns = schema.load(raw)
    except ma.ValidationError as error:
        return Entry(part, line, place, key, None, tuple(_flat(error.messages, place)))
    return Entry(part, line, place, key, columns, ())


def _parsed(text: str) -> tuple[str, Any]:
    if text.lstrip().startswith(("{", "[{")):
        try:
            return "json", json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            line = error.lineno if isinstance(error, json.JSONDecodeError) else None
            raise DocumentError("not_json", f"JSONとして読めません（{error}）", line) from None
    try:
        return "toml", tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"line (\d+)", str(error))
        raise DocumentError("not_toml", f"TOMLとして読めません（{error}）", int(found[1]) if found else None) from None


def _lines(text: str, form: str, part: str, listed: list[Any]) -> list[int]:
    """The line on which each entry begins: the header of a TOML table, the id in JSON; 1 where it is not found."""
    rows = text.splitlines()
    if form == "toml":
        found = [at for at, row in enumerate(rows, 1) if re.match(rf"\s*\[\[\s*{part}\s*\]\]", row)]
        return found if len(found) == len(listed) else [1] * len(listed)
    ids: dict[str, int] = {}
    for at, row in enumerate(rows, 1):
        for key in re.findall(r'"id"\s*:\s*"([^"]*)"', row):
            ids.setdefault(key, at)
    return [ids.get(str(raw.get("id")) if isinstance(raw, dict) else "", 1) for raw in listed]


def _flat(messages: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for member, inner in messages.items():
            below = (
                place
                if member == "_schema"
                else f"{place}[{member}]"
                if isinstance(member, int)
                else f"{place}.{member}"
            )
            yield from _flat(inner, below)
    elif isinstance(messages, (list, tuple)):
        for inner in messages:
            yield from _flat(inner, place)
    else:
        yield place, str(messages)
