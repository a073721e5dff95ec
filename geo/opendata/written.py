"""Records written as a table or as GeoJSON, piece by piece, for anybody to reuse."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

Records = Iterable[dict[str, Any]]
_PIECE = 32_768  # characters: large enough that a list of the whole country is not sent in a million pieces


def table(columns: Sequence[str], records: Records) -> Iterator[str]:
    """The records as CSV: UTF-8 with a byte order mark when encoded, CRLF, quotes where needed; None is empty.

    Values are written as they are: a name that a spreadsheet would take for a formula is not
    changed, because what is published must equal what is stored.
    """
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for one in records:
        if buffer.tell() >= _PIECE:
            yield _taken(buffer)
        writer.writerow(["" if (value := one.get(name)) is None else value for name in columns])
    yield _taken(buffer)


def collection(
    records: Records, *, left_out: Collection[str] = (), at: tuple[str, str] | None = ("経度", "緯度")
) -> Iterator[str]:
    """The records as a GeoJSON FeatureCollection (RFC 7946), one feature a line.

    The geometry is the member "geometry" of a record, or with `at` the point of these two members (longitude,
    latitude); null where a record has no place. `left_out` and the geometry do not stand among the properties.
    """
    buffer = io.StringIO()
    buffer.write('{"type":"FeatureCollection","features":[')
    hidden = {*left_out, "geometry", *(at or ())}
    between = "\n"
    for one in records:
        if buffer.tell() >= _PIECE:
            yield _taken(buffer)
        geometry = one.get("geometry")
        if at is not None and one[at[0]] is not None:
            geometry = {"type": "Point", "coordinates": [one[at[0]], one[at[1]]]}
        properties = {name: value for name, value in one.items() if name not in hidden}
        feature = {"type": "Feature", "geometry": geometry, "properties": properties}
        buffer.write(between + json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
        between = ",\n"
    buffer.write("\n]}\n")
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
