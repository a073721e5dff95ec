"""The journal: everything anyone did at city hall's doors, appended in one chain of hashes and never rewritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from content.editors import Editor
from content.fingerprint import content_hash
from database import Base, BigId, Json, UtcDateTime, insert_ignore

Door = Literal["console", "api", "command"]
BEGINNING = "0" * 64  # what the first entry follows
_HEAD = "journal"


class Entry(Base):
    """One thing that somebody did. `hash` covers everything else and the hash of the entry before."""

    __tablename__ = "journal"

    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)  # 1, 2, 3 … without gaps
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    editor_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("editors.id"), index=True)
    name: Mapped[str] = mapped_column(sa.Text)  # as the person was called then
    door: Mapped[str] = mapped_column(sa.Text)
    action: Mapped[str] = mapped_column(sa.Text)
    subject: Mapped[str] = mapped_column(sa.Text)  # what it was done to, "" for nothing in particular
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    previous: Mapped[str] = mapped_column(sa.Text)
    hash: Mapped[str] = mapped_column(sa.Text)


class Head(Base):
    """The end of the chain: one row, locked while an entry is appended."""

    __tablename__ = "journal_heads"

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    entries: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.Text)


@event.listens_for(Entry, "before_update")
@event.listens_for(Entry, "before_delete")
def _refuse_rewriting(_mapper: Mapper[Entry], _connection: Connection, entry: Entry) -> None:
    raise RuntimeError(f"entry {entry.number} of the journal is history: it is never changed or deleted")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole chain found. `number` is the first entry that is not as it was written."""

    entries: int
    hash: str  # of the last entry that is sound
    number: int | None = None
    reason: str = ""

    @property
    def sound(self) -> bool:
        """Every entry is as it was written, and none is missing."""
        return not self.reason


def append(
    session: Session,
    *,
    now: dt.datetime,
    actor: Editor | None,
    door: Door,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
    name: str = "",
) -> Entry:
    """Writes one entry behind the last, in the caller's transaction.

    Others who append wait until that transaction ends: call it last. `detail` is plain JSON, without secrets,
    tokens or places of phones. `name` is for who is no `actor` (a command). Raises TypeError or ValueError for
    a detail that has no JSON form.
    """
    if session.get(Head, _HEAD) is None:
        insert_ignore(session, Head, {"name": _HEAD, "entries": 0, "hash": BEGINNING})
    # The update takes the row's lock, and what is read after it is nobody else's any more.
    session.execute(
        sa.update(Head)
        .where(Head.name == _HEAD)
        .values(entries=Head.entries + 1)
        .execution_options(synchronize_session=False)
    )
    last = session.execute(sa.select(Head.entries, Head.hash).where(Head.name == _HEAD)).one()
    row: dict[str, Any] = {
        "number": last.entries,
        "at": now,
        "editor_id": actor.id if actor is not None else None,
        "name": actor.name if actor is not None else name,
        "door": door,
        "action": action,
        "subject": subject,
        "detail": dict(detail or {}),
        "previous": last.hash,
    }
    entry = Entry(**row, hash=content_hash(row))
    session.add(entry)
    session.flush()
    session.execute(
        sa.update(Head).where(Head.name == _HEAD).values(hash=entry.hash).execution_options(synchronize_session=False)
    )
    return entry


def search(
    session: Session,
    *,
    text: str = "",
    who: str = "",
    action: str = "",
    subject: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before: int | None = None,
    most: int = 100,
) -> Sequence[Entry]:
    """Entries, newest first: those whose person, action or subject holds `text`, from `since` until before `until`.

    `who`, `action` and `subject` are each looked for in their own column. `before` is the number of the last entry
    of the page before.
    """
    wanted = sa.select(Entry).order_by(Entry.number.desc()).limit(most)
    own = (Entry.name, Entry.action, Entry.subject)
    for said, columns in ((text, own), (who, own[:1]), (action, own[1:2]), (subject, own[2:])):
        if plain := said.replace("\0", "").strip():
            wanted = wanted.where(sa.or_(*(column.contains(plain, autoescape=True) for column in columns)))
    if since is not None:
        wanted = wanted.where(Entry.at >= since)
    if until is not None:
        wanted = wanted.where(Entry.at < until)
    if before is not None:
        wanted = wanted.where(Entry.number < before)
    return session.scalars(wanted).all()


def verify(session: Session) -> Verdict:
    """Walks the whole chain and stops at the first entry that was altered, taken out or put in between.

    Who can rewrite every later entry and the head can hide a change: keep a hash of the past elsewhere
    (`yobikake audit verify` prints it).
    """
    number, previous = 0, BEGINNING
    columns = (*Entry.__table__.c,)
    for row in session.execute(sa.select(*columns).order_by(Entry.number).execution_options(yield_per=1_000)):
        said = dict(row._mapping)
        own = said.pop("hash")
        if row.number != number + 1:
            return Verdict(number, previous, number + 1, "is missing")
        if row.previous != previous:
            return Verdict(number, previous, row.number, "does not follow the entry before it")
        if content_hash(said) != own:
            return Verdict(number, previous, row.number, "was altered")
        number, previous = row.number, own
    head = session.execute(sa.select(Head.entries, Head.hash).where(Head.name == _HEAD)).one_or_none()
    entries, end = (head.entries, head.hash) if head is not None else (0, BEGINNING)
    if entries > number:
        return Verdict(number, previous, number + 1, "is missing")
    if (entries, end) != (number, previous):
        return Verdict(number, previous, number, "is not the last that was written")
    return Verdict(number, previous)
