"""Many thousands of rows as a few columns: packed by the database, unpacked by numpy, one statement each.

A row object for each of a million phones costs more than finding them. Lists go in and come out as one value:
JSON and comma-separated numbers on SQLite, arrays and packed bytes on PostgreSQL. Cells and devices are looked up
one by one in the order given, by the very index, whatever the planner believes about the length of a list.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from database import UtcDateTime
from notifications.places import PlaceName

Whole = NDArray[np.int64]
Runs = tuple[Whole, Whole]  # of cells, as of geo.mesh.runs

WORD_END, ROW_END = "\x1f", "\x1e"  # in no language tag, platform or state

_IN_CELLS = {
    "sqlite": (
        "SELECT group_concat(device_id), group_concat(origin_cell) FROM (SELECT p.device_id, p.origin_cell"
        " FROM json_each(:runs) c CROSS JOIN places p ON p.name = :name"
        " AND p.cell BETWEEN json_extract(c.value, '$[0]') AND json_extract(c.value, '$[1]'){when} LIMIT :most)"
    ),
    "postgresql": (
        "SELECT string_agg(int8send(device_id), ''), string_agg(int8send(origin_cell), '')"
        " FROM (SELECT p.device_id, p.origin_cell FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]))"
        " c (first, last) CROSS JOIN LATERAL (SELECT device_id, origin_cell FROM places WHERE name = :name"
        " AND cell BETWEEN c.first AND c.last{when} ORDER BY cell, device_id OFFSET 0) p LIMIT :most) f"
    ),
}
_DEVICES = {
    "sqlite": (
        "SELECT group_concat(d.id),"
        " group_concat(language || '\x1f' || platform || '\x1f' || token_state || '\x1f' || wishes, '\x1e')"
        " FROM json_each(:ids) i CROSS JOIN devices d INDEXED BY ix_devices_reach ON d.id = i.value"
    ),
    "postgresql": (
        "SELECT string_agg(int8send(id), ''),"
        " string_agg(language || '\x1f' || platform || '\x1f' || token_state || '\x1f' || wishes, '\x1e')"
        " FROM (SELECT id, language, platform, token_state, wishes FROM devices WHERE id = ANY(CAST(:ids AS bigint[]))"
        " ORDER BY id) d"
    ),
}
_PLACES_OF = {
    "sqlite": (
        "SELECT group_concat(p.device_id), group_concat(p.name, '\x1e'), group_concat(p.cell)"
        " FROM json_each(:ids) i CROSS JOIN places p ON p.device_id = i.value WHERE p.cell = p.origin_cell"
    ),
    "postgresql": (
        "SELECT string_agg(int8send(device_id), ''), string_agg(name, '\x1e'), string_agg(int8send(cell), '')"
        " FROM (SELECT device_id, name, cell FROM places WHERE device_id = ANY(CAST(:ids AS bigint[]))"
        " AND cell = origin_cell) p"
    ),
}


def in_cells(
    session: Session,
    runs: Runs,
    name: PlaceName,
    most: int,
    since: dt.datetime | None = None,
    before: dt.datetime | None = None,
) -> tuple[Whole, Whole]:
    """Device and own cell of the places of one name that touch these cells, in the order of the cells, then devices.

    No more than `most`; only places put at `since` or later, and earlier than `before`, where these are given.
    """
    store = session.get_bind().dialect.name
    when, moments = "", {}
    for word, sign, moment in (("since", ">=", since), ("before", "<", before)):
        if moment is not None:
            when += f" AND updated_at {sign} :{word}"
            moments[word] = moment
    text = sa.text(_IN_CELLS[store].format(when=when)).bindparams(
        *(sa.bindparam(word, type_=UtcDateTime) for word in moments)
    )
    firsts, lasts = runs
    if store == "sqlite":
        listed = {"runs": json.dumps(list(zip(firsts.tolist(), lasts.tolist(), strict=True)))}
    else:
        listed = {"firsts": _listed(store, firsts), "lasts": _listed(store, lasts)}
    asked = {"name": name.value, "most": most, **listed, **moments}
    found = session.execute(text, asked).one()
    return _numbers(store, found[0]), _numbers(store, found[1])


def devices(session: Session, ids: Whole) -> tuple[Whole, list[str]]:
    """Of devices (ids rising) those that are there, and of each language, platform, state of its token and wishes."""
    store = session.get_bind().dialect.name
    found = session.execute(sa.text(_DEVICES[store]), {"ids": _listed(store, ids)}).one()
    return _numbers(store, found[0]), _words(found[1])


def places_of(session: Session, ids: Whole) -> tuple[Whole, list[str], Whole]:
    """The places of devices: device, name, own cell."""
    store = session.get_bind().dialect.name
    found = session.execute(sa.text(_PLACES_OF[store]), {"ids": _listed(store, ids)}).one()
    return _numbers(store, found[0]), _words(found[1]), _numbers(store, found[2])


class Keys(Enum):
    """What the keys of a window's rows are."""

    NUMBERS = auto()
    WORDS = auto()
    BOTH = auto()  # pairs: `k.value` is the number, `k.word` the word


def in_window(
    session: Session,
    table: str,
    condition: str,
    kind: Keys,
    keys: Sequence[Any],
    since: int,
    until: int,
    most: int | None = None,
    **values: Any,
) -> tuple[Whole, list[str] | None]:
    """Devices with `since` <= id < `until` whose row `r` of a table meets a condition; of garbage days the labels too.

    The condition, words of this house, compares columns with `k.value`, one of `keys`, and with `values`. In the
    order of the keys; no more than `most`.
    """
    store = session.get_bind().dialect.name
    labelled = table == "garbage_days"
    asked: dict[str, Any] = {"since": since, "until": until, **values}
    if store == "sqlite":
        asked |= {"keys": json.dumps(keys), "most": -1 if most is None else most}
    elif kind is Keys.BOTH:
        asked |= {"keys": [number for number, _ in keys], "words": [word for _, word in keys], "most": most}
    else:
        asked |= {"keys": list(keys), "most": most}
    found = session.execute(_window_query(store, table, condition, kind, labelled), asked).one()
    return _numbers(store, found[0]), _words(found[1]) if labelled else None


@cache
def _window_query(store: str, table: str, condition: str, kind: Keys, labelled: bool) -> sa.TextClause:
    column = "r.label" if labelled else "'' AS label"
    where = f"{condition} AND r.device_id >= :since AND r.device_id < :until"
    if store == "sqlite":
        labels = ", group_concat(label, '\x1e')" if labelled else ""
        if kind is Keys.BOTH:
            pair = "json_extract(value, '$[0]') AS value, json_extract(value, '$[1]') AS word"
            # Written down once, so that each key is not read anew for every row.
            listed = f"(WITH made AS MATERIALIZED (SELECT {pair} FROM json_each(:keys)) SELECT value, word FROM made)"  # noqa: S608
        else:
            listed = "json_each(:keys)"
        return sa.text(
            f"SELECT group_concat(device_id){labels} FROM (SELECT r.device_id, {column}"  # noqa: S608
            f" FROM {listed} k CROSS JOIN {table} r ON {where} LIMIT :most)"
        )
    labels = ", string_agg(label, '\x1e')" if labelled else ""
    if kind is Keys.BOTH:
        listed = "unnest(CAST(:keys AS bigint[]), CAST(:words AS text[])) k (value, word)"
    else:
        listed = f"unnest(CAST(:keys AS {'text' if kind is Keys.WORDS else 'bigint'}[])) k (value)"
    return sa.text(
        f"SELECT string_agg(int8send(device_id), ''){labels} FROM (SELECT f.device_id, f.label"  # noqa: S608
        f" FROM {listed} CROSS JOIN LATERAL (SELECT r.device_id, {column}"
        f" FROM {table} r WHERE {where} OFFSET 0) f LIMIT :most) w"
    )


def meeting(session: Session, ids: Whole, table: str, condition: str, **values: Any) -> Whole:
    """Of devices those that have a row `r` in a table that meets a condition, words of this house with `values`."""
    store = session.get_bind().dialect.name
    if store == "sqlite":
        text = (
            f"SELECT group_concat(r.device_id) FROM json_each(:ids) i CROSS JOIN {table} r"  # noqa: S608
            f" ON r.device_id = i.value AND {condition}"
        )
    else:
        text = (
            "SELECT string_agg(int8send(r.device_id), '') FROM unnest(CAST(:ids AS bigint[])) i (id)"  # noqa: S608
            f" JOIN {table} r ON r.device_id = i.id AND {condition}"
        )
    return _numbers(store, session.scalar(sa.text(text), {"ids": _listed(store, ids), **values}))


def ids(session: Session, query: sa.Select[int]) -> Whole:
    """The one column of whole numbers of a query, in its order."""
    column = query.subquery().c[0]
    if session.get_bind().dialect.name == "sqlite":
        return _numbers("sqlite", session.scalar(sa.select(sa.func.group_concat(column))))
    return _numbers("postgresql", session.scalar(sa.select(sa.func.string_agg(sa.func.int8send(column), b""))))


def _listed(store: str, numbers: Whole) -> str:
    inner = ",".join(map(str, numbers.tolist()))
    return f"[{inner}]" if store == "sqlite" else f"{{{inner}}}"


def _numbers(store: str, packed: Any) -> Whole:
    if packed is None:
        return np.zeros(0, np.int64)
    if store == "sqlite":
        return np.fromstring(packed, dtype=np.int64, sep=",")
    return np.frombuffer(packed, dtype=">i8").astype(np.int64)


def _words(packed: str | None) -> list[str]:
    return [] if packed is None else packed.split(ROW_END)
