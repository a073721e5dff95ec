"""The history of what people edit: the whole state after each saved change, and what differs between two states."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, UtcDateTime, insert_ignore

_PLAIN_KEY = re.compile(r'[^.\[\]"]+')
_PART = re.compile(r'\.?(?P<key>[^.\[\]"]+)|\[(?P<index>\d+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


class Revision(Base):
    """One saved state of one subject. Rows are only ever added."""

    __tablename__ = "edited_states"
    __table_args__ = (sa.UniqueConstraint("kind", "subject", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(sa.Text)  # what it is: "notice", "garbage_area" …
    subject: Mapped[str] = mapped_column(sa.Text)  # which one: its key or id as text
    number: Mapped[int] = mapped_column(sa.Integer)  # 1, 2, 3 … of this subject
    name: Mapped[str] = mapped_column(sa.Text)  # as the subject was called then
    who: Mapped[str] = mapped_column(sa.Text)  # as the person was called then; "" where nobody is known
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    body: Mapped[dict[str, Any]] = mapped_column(Json)


class Absent(Enum):
    """The value where there is none: not the same as null."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path` is "title.en" or "rules[2].weekday"; `before` is ABSENT where it was added,
    `after` where it was taken away. Numbers in brackets count in the new list, but for an item that was taken away
    as a whole, which is counted in the old one.
    """

    path: str
    before: Any
    after: Any


def record(
    session: Session,
    now: dt.datetime,
    *,
    kind: str,
    subject: str,
    name: str,
    who: str,
    body: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> Revision:
    """Keeps the whole state after a saved change; a state that is the last one already gets no row.

    `before`: the state that the change began from. Where that is not the last one kept (there was none yet, or an
    import changed it since), it gets a row of its own without a name: no person is said to have done what others
    did. Days and moments are kept as ISO text. Raises TypeError for what has no JSON form. The caller holds the
    subject's own lock or version; two who record at once get two numbers all the same.
    """
    if before is not None:
        record(session, now, kind=kind, subject=subject, name=name, who="", body=before)
    plain: dict[str, Any] = _plain(body)
    while True:
        last = _last(session, kind, subject)
        if last is not None and _same(last.body, plain):
            return last
        number = last.number + 1 if last is not None else 1
        row = {"kind": kind, "subject": subject, "number": number, "name": name, "who": who, "at": now, "body": plain}
        if insert_ignore(session, Revision, row):
            return session.scalars(_of(kind, subject).where(Revision.number == number)).one()


def history(session: Session, kind: str, subject: str, limit: int = 50, *, before: int | None = None) -> list[Revision]:
    """The last states of a subject, newest first; `before` is the number of the last one of the page before."""
    wanted = _of(kind, subject).order_by(Revision.number.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Revision.number < before)
    return list(session.scalars(wanted))


def one(session: Session, kind: str, subject: str, number: int) -> Revision | None:
    """One state of a subject by its number."""
    if not 0 < number < 2**31:
        return None
    return session.scalars(_of(kind, subject).where(Revision.number == number)).one_or_none()


def changes(before: Mapping[str, object] | None, after: Mapping[str, object]) -> list[Change]:
    """What was added, taken away or altered, in the order in which the old state, then the new one names it.

    What is added or taken away comes as one change with all that is in it. Items of a list that stayed are found
    again where others came before them.
    """
    return list(_between("", _plain(before or {}), _plain(after)))


def parts(path: str) -> list[str | int]:
    """The keys and indices of a path. Raises ValueError for what is none."""
    found: list[str | int] = []
    at = 0
    while at < len(path):
        part = _PART.match(path, at)
        if part is None:
            raise ValueError(f"{path!r} is no path from its character {at + 1} on")
        quoted, index = part["quoted"], part["index"]
        found.append(json.loads(quoted) if quoted else int(index) if index else part["key"])
        at = part.end()
    return found


def _of(kind: str, subject: str) -> sa.Select[Revision]:
    return sa.select(Revision).where(Revision.kind == kind, Revision.subject == subject)


def _last(session: Session, kind: str, subject: str) -> Revision | None:
    return session.scalars(_of(kind, subject).order_by(Revision.number.desc()).limit(1)).one_or_none()


def _between(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _between(_below(path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(path, before, after)
    elif not _same(before, after):
        yield Change(path, before, after)


def _items(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    spelt = [[_spelt(item) for item in side] for side in (before, after)]
    for kind, i, i_end, j, j_end in SequenceMatcher(None, spelt[0], spelt[1], autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        both = min(i_end - i, j_end - j)
        for step in range(both):
            yield from _between(f"{path}[{j + step}]", before[i + step], after[j + step])
        yield from (Change(f"{path}[{gone}]", before[gone], ABSENT) for gone in range(i + both, i_end))
        yield from (Change(f"{path}[{new}]", ABSENT, after[new]) for new in range(j + both, j_end))


def _below(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _same(one_value: Any, other: Any) -> bool:
    if one_value is ABSENT or other is ABSENT:
        return one_value is other
    return _spelt(one_value) == _spelt(other)


def _spelt(value: Any) -> str:
    # Unlike Python's own comparison this tells true from 1, and like JSON's it does not tell 1.0 from 1.
    return json.dumps(_numbers(value), ensure_ascii=False, sort_keys=True)


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value.value if isinstance(value, Enum) else value
        case dt.date():  # a moment is one as well
            return value.isoformat()
        case dt.time():
            return value.isoformat(timespec="minutes")
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise TypeError("keys must be text")
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")
