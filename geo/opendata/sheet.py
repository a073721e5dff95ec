"""A published table as records with their line numbers: CSV by RFC 4180, or GeoJSON features."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from geo.opendata.encoding import MAX_BYTES, decodings
from geo.opendata.faults import OpenDataError
from geo.opendata.features import Feature, features, is_json

MAX_ROWS = 1_000_000
MAX_CELL = 10_000  # characters
MAX_COLUMNS = 500
_HEADER_WITHIN = 5  # records: some lists carry a title above their header


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the physical line on which it starts, its cells in column order, its geometry in GeoJSON."""

    line: int
    cells: Sequence[Any]
    geometry: Any = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose header is known; `records()` reads it from the top, as often as wanted."""

    encoding: str
    columns: tuple[str, ...]  # as published
    keys: tuple[str, ...]  # the same, normalised
    geojson: bool
    records: Callable[[], Iterator[Record]]


def header_key(name: str) -> str:
    """A column name without what varies between files: width, case, spaces, brackets, punctuation."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def open_sheet(data: bytes, known: Callable[[frozenset[str]], bool], *, max_bytes: int = MAX_BYTES) -> Sheet:
    """The file as a sheet, in the first encoding and with the first header row that `known` accepts.

    `known` is given the normalised column names. Without any such header the sheet with the
    first one comes back, so that the caller can say which columns it found. Raises `OpenDataError`
    for a file that is no table at all.
    """
    fallback: Sheet | None = None
    fault: OpenDataError | None = None
    for encoding, text in decodings(data, max_bytes):
        try:
            sheets = _geojson_sheets(encoding, text) if is_json(text) else _csv_sheets(encoding, text)
            for sheet in sheets:
                if known(frozenset(sheet.keys)):
                    return sheet
                fallback = fallback or sheet
        except OpenDataError as error:
            fault = fault or error
    if fallback is None:
        raise fault or OpenDataError("empty", "ファイルに見出しの行がありません")
    return fallback


def _csv_sheets(encoding: str, text: str) -> Iterator[Sheet]:
    """One candidate sheet for each of the first records that could be a header."""
    for tried, (line, cells) in enumerate(csv_rows(text)):
        if tried == _HEADER_WITHIN:
            return
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        columns = tuple(cell.strip() for cell in cells)
        keys = tuple(map(header_key, columns))
        yield Sheet(encoding, columns, keys, False, partial(_csv_records, text, line))


def _csv_records(text: str, header_line: int) -> Iterator[Record]:
    number = 0
    for line, cells in csv_rows(text):
        if line <= header_line:
            continue
        number += 1
        if number > MAX_ROWS:
            raise OpenDataError("too_many_rows", f"行が多すぎます（上限{MAX_ROWS:,}行）", line=line)
        yield Record(line, cells)


def csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(physical line, cells) of every record. Strict: a quote that is never closed would swallow the rest."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > MAX_COLUMNS:
                raise OpenDataError(
                    "too_many_columns", f"列が多すぎます（{len(cells):,}列。上限{MAX_COLUMNS}列）", line=line
                )
            if cells and max(map(len, cells)) > MAX_CELL:
                raise OpenDataError(
                    "cell_too_long",
                    f"{MAX_CELL:,}文字を超えるセルがあります（引用符の閉じ忘れの疑い）",
                    line=line,
                )
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise OpenDataError("not_csv", f"CSVとして読めません（引用符の閉じ忘れの疑い。{error}）", line=line) from error


def _geojson_sheets(encoding: str, text: str) -> Iterator[Sheet]:
    columns: dict[str, None] = {}  # an ordered set
    for number, feature in enumerate(features(text), start=1):
        if number > MAX_ROWS:
            raise OpenDataError("too_many_rows", f"地物が多すぎます（上限{MAX_ROWS:,}件）", line=feature.line)
        for name, value in feature.properties.items():
            if isinstance(value, str) and len(value) > MAX_CELL:
                raise OpenDataError("cell_too_long", f"{MAX_CELL:,}文字を超える値があります", line=feature.line)
            columns.setdefault(name)
        if len(columns) > MAX_COLUMNS:
            raise OpenDataError("too_many_columns", f"属性が多すぎます（上限{MAX_COLUMNS}）", line=feature.line)
    names = tuple(columns)
    yield Sheet(
        encoding,
        names,
        tuple(map(header_key, names)),
        True,
        lambda: (_feature_record(feature, names) for feature in features(text)),
    )


def _feature_record(feature: Feature, names: tuple[str, ...]) -> Record:
    return Record(feature.line, [feature.properties.get(name) for name in names], feature.geometry)
