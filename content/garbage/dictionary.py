"""What goes where: items with readings and aliases, found however they are typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from content.folding import fold
from database import Base, BigId, Json, UtcDateTime

Words = dict[str, str]
LONGEST_WORD = 200  # characters of a key
SORTED_BY = 60  # characters; it stands in cursors


class WordKind(IntEnum):
    """What an item is found by."""

    NAME = 0
    ALIAS = 1
    READING = 2


class GarbageItem(Base):
    """One thing to be thrown away, and its category. Withdrawn, never deleted."""

    __tablename__ = "garbage_items"
    __table_args__ = (
        sa.UniqueConstraint("source", "key"),
        sa.Index(None, "sort_key", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    key: Mapped[str] = mapped_column(sa.Text)
    names: Mapped[Words] = mapped_column(Json)
    reading: Mapped[str] = mapped_column(sa.Text)  # hiragana; empty when unknown
    aliases: Mapped[list[str]] = mapped_column(Json)
    category_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("garbage_categories.id"))
    notes: Mapped[Words] = mapped_column(Json)
    size_rule: Mapped[Words] = mapped_column(Json)
    cautions: Mapped[list[str]] = mapped_column(Json)  # codes of `content.garbage.cautions`
    link: Mapped[str | None] = mapped_column(sa.Text)
    sort_key: Mapped[str] = mapped_column(sa.Text)  # the order of the dictionary: reading, else name, folded
    content_hash: Mapped[str] = mapped_column(sa.Text)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class GarbageItemWord(Base):
    """A folded word under which an item is found."""

    __tablename__ = "garbage_item_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    item_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("garbage_items.id"), primary_key=True)
    kind: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    word: Mapped[str] = mapped_column(sa.Text, primary_key=True)


@dataclass(frozen=True, slots=True)
class Hit:
    """A found item and how well it fits: 0 exactly, 1 by the beginning, 2 by its reading, 3 somewhere inside."""

    item: GarbageItem
    rank: int

    @property
    def place(self) -> tuple[int, str, int]:
        """Where it stands in the order of a search."""
        return self.rank, self.item.sort_key, self.item.id


def words_of(names: Iterable[str], aliases: Iterable[str], reading: str) -> set[tuple[int, str]]:
    """The folded words of an item with their kinds."""
    found = {(int(WordKind.NAME), fold(name)) for name in names}
    found |= {(int(WordKind.ALIAS), fold(alias)) for alias in aliases}
    found.add((int(WordKind.READING), fold(reading)))
    return {(kind, word[:LONGEST_WORD]) for kind, word in found if word}


def search(
    session: Session,
    q: str | None = None,
    *,
    source: str | None = None,
    category_id: int | None = None,
    after: tuple[int, str, int] | None = None,
    limit: int = 50,
) -> list[Hit]:
    """Items whose name, alias or reading fits `q`, the best first; all of the dictionary in its order without `q`.

    `after` is the `place` of the last hit of the page before. Empty for words of which nothing is left when folded.
    """
    rank: sa.ColumnElement[int] = sa.literal(0)
    wanted = sa.select(GarbageItem)
    if q is not None:
        key = fold(q)[:LONGEST_WORD]
        if not key:
            return []
        best = _ranked(key).subquery()
        wanted = wanted.join(best, best.c.item_id == GarbageItem.id)
        rank = best.c.rank
    wanted = wanted.where(GarbageItem.withdrawn_at.is_(None))
    if source is not None:
        wanted = wanted.where(GarbageItem.source == source)
    if category_id is not None:
        wanted = wanted.where(GarbageItem.category_id == category_id)
    # Both stores must put kana in one order, whatever the database's collation.
    order = _binary(session, GarbageItem.sort_key)
    if after is not None:
        number, name, last = after
        later = sa.or_(order > name, sa.and_(order == name, GarbageItem.id > last))
        wanted = wanted.where(sa.or_(rank > number, sa.and_(rank == number, later)))
    ranked = wanted.add_columns(rank.label("rank")).order_by("rank", order, GarbageItem.id).limit(limit)
    return [Hit(row[0], row[1]) for row in session.execute(ranked)]


def by_key(session: Session, source: str, key: str) -> GarbageItem | None:
    """The item of a key of its list, withdrawn or not."""
    wanted = sa.select(GarbageItem).where(GarbageItem.source == source, GarbageItem.key == key)
    return session.scalars(wanted).one_or_none()


def _ranked(key: str) -> sa.Select[int, Any]:
    word, kind = GarbageItemWord.word, GarbageItemWord.kind
    named = kind != int(WordKind.READING)
    rank = sa.case(
        (sa.and_(named, word == key), 0),
        (sa.and_(named, word.startswith(key, autoescape=True)), 1),
        (word.startswith(key, autoescape=True), 2),
        else_=3,
    )
    fitting = word.contains(key, autoescape=True)
    return sa.select(GarbageItemWord.item_id, sa.func.min(rank).label("rank")).where(fitting).group_by("item_id")


def _binary(session: Session, column: InstrumentedAttribute[str]) -> sa.ColumnElement[str]:
    return sa.collate(column, "C") if session.get_bind().dialect.name == "postgresql" else sa.collate(column, "BINARY")


def put_words(session: Session, items: Sequence[tuple[GarbageItem, set[tuple[int, str]]]]) -> None:
    """Writes the words of these items anew."""
    ids = [item.id for item, _ in items]
    for start in range(0, len(ids), 500):
        gone = sa.delete(GarbageItemWord).where(GarbageItemWord.item_id.in_(ids[start : start + 500]))
        session.execute(gone)
    rows = [{"item_id": item.id, "kind": kind, "word": word} for item, words in items for kind, word in sorted(words)]
    if rows:
        session.execute(sa.insert(GarbageItemWord), rows)
