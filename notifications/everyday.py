"""Everyday pushes give way: to quiet hours, to a day's most, to what is read in the inbox only. What saves lives never.

Whoever is not rung is told all the same: it stands in the inbox, with the reason why no push came.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Mapped, Session, mapped_column

from content import calendar
from database import Base, BigId, insert_ignore_all
from notifications import columns, preferences
from notifications.messages import Kind, Message
from notifications.preferences import InboxTopic, Preferences
from notifications.recipients import Recipients
from notifications.told import BLOCK
from notifications.topics import lineage

EVERYDAY = frozenset({Kind.NOTICE.value, Kind.GARBAGE.value, Kind.CHILD.value})
# Counted as everything everyday is, and never dropped by the count: the resident chose their very hour.
ASKED_FOR = frozenset({Kind.GARBAGE.value, Kind.CHILD.value})


class Why(StrEnum):
    """Why no push came."""

    QUIET = "quiet"  # it would have been stale at the end of the quiet hours
    ENOUGH = "enough"  # the day had its most already
    INBOX = "inbox"  # this sort, or topic, is read in the inbox only


class Held(Base):
    """Bit n of a block: device `block * 4096 + n` was told this message without a push, for this reason."""

    __tablename__ = "held_back"
    __table_args__ = (sa.Index(None, "block", "message_id"), {"sqlite_with_rowid": False})

    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"), primary_key=True)
    why: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    block: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    bitmap: Mapped[bytes] = mapped_column(sa.LargeBinary)


class EverydayCount(Base):
    """How many everyday pushes each device of a block was meant to get on a day of the city: a byte each."""

    __tablename__ = "everyday_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: Mapped[dt.date] = mapped_column(sa.Date, primary_key=True)
    block: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    counts: Mapped[bytes] = mapped_column(sa.LargeBinary)


@dataclass(frozen=True, slots=True)
class When:
    """From when on a push may be handed over (None: now), and the quiet hours in which it again may not."""

    not_before: dt.datetime | None = None
    quiet: tuple[dt.datetime, dt.datetime] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """For each recipient whether it is rung, and when: its position in `whens`."""

    rung: NDArray[np.bool_]
    whens: tuple[When, ...]
    when: NDArray[np.int64]


def saves_lives(message: Message) -> bool:
    """The whole bypass: evacuation alerts of every level, their updates and their lifting, unless they are drills."""
    return not message.drill and message.kind in (Kind.ALERT, Kind.UPDATE, Kind.CANCEL, Kind.ALL_CLEAR)


def decide(session: Session, message: Message, known: Recipients, now: dt.datetime, zone: ZoneInfo) -> Decision:
    """Whom a message rings now, whom later, whom not at all; notes whom not and why.

    Recipients come once; those without a token count as rung. Called in the transaction that puts them into batches.
    """
    rung, always = np.ones(len(known), np.bool_), np.zeros(len(known), np.int64)
    sort = "drill" if message.drill else message.kind
    if saves_lives(message) or sort not in preferences.SORTS:
        return Decision(rung, (When(),), always)
    wishes = [preferences.read(one.wishes) for one in known.sorts]
    of = known.sort_of
    ids = known.found.device_ids
    unheard = np.array([sort in wish.inbox_only for wish in wishes], np.bool_)[of]
    if message.reason.startswith("topic:"):
        unheard |= np.isin(ids, _inbox_only(session, message.reason.split(" ")[0].removeprefix("topic:"), ids))
    _note(session, message, ids[unheard], Why.INBOX)
    rung &= ~unheard
    if message.kind not in EVERYDAY or message.drill:
        return Decision(rung, (When(),), always)
    of_sort = [_when(wish, message, now, zone) for wish in wishes]
    stale = np.array([one is None for one in of_sort], np.bool_)[of] & rung
    _note(session, message, ids[stale], Why.QUIET)
    rung &= ~stale
    whens = tuple(dict.fromkeys(one or When() for one in of_sort))
    when = np.array([whens.index(one or When()) for one in of_sort], np.int64)[of]
    most = np.array([255 if message.kind in ASKED_FOR else wish.a_day for wish in wishes], np.int64)[of]
    reachable = np.array([one.can_receive for one in known.sorts], np.bool_)[of]
    days = [calendar.day_of(one.not_before or now, zone) for one in whens]
    day_of = np.array([day.toordinal() for day in days], np.int64)[when]
    for day in sorted(set(days)):
        mine = np.flatnonzero(rung & reachable & (day_of == day.toordinal()))
        too_many = mine[~_counted(session, day, ids[mine], most[mine])]
        _note(session, message, ids[too_many], Why.ENOUGH)
        rung[too_many] = False
    return Decision(rung, whens, when)


def _when(wish: Preferences, message: Message, now: dt.datetime, zone: ZoneInfo) -> When | None:
    """When a push may be handed over; None when it would be stale by then."""
    ends = wish.quiet_until(now, zone)
    if ends is not None and ends >= message.expires_at:
        return None
    quiet = wish.next_quiet(ends or now, zone)
    return When(ends, quiet if quiet is not None and quiet[0] < message.expires_at else None)


def why_not(session: Session, device_id: int, message_ids: list[int]) -> dict[int, Why]:
    """Of these messages those that came to a device without a push, and why."""
    block, offset = divmod(device_id, BLOCK)
    query = sa.select(Held.message_id, Held.why, Held.bitmap).where(
        Held.block == block, Held.message_id.in_(message_ids)
    )
    return {
        number: Why(why)
        for number, why, bitmap in session.execute(query)
        if bitmap[offset // 8] >> (7 - offset % 8) & 1
    }


def _inbox_only(session: Session, slug: str, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(ids):
        return ids
    query = sa.select(InboxTopic.device_id).where(
        InboxTopic.slug.in_(lineage(slug)), InboxTopic.device_id.between(int(ids.min()), int(ids.max()))
    )
    return columns.ids(session, query)


def _counted(session: Session, day: dt.date, ids: NDArray[np.int64], most: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Counts a push for each of these devices whose day has not had its most; says for whom it was counted."""
    if not len(ids):
        return np.zeros(0, np.bool_)
    blocks = np.unique(ids // BLOCK)
    empty = [{"day": day, "block": block, "counts": bytes(BLOCK)} for block in blocks.tolist()]
    insert_ignore_all(session, EverydayCount, empty)
    # Locked in the order of the blocks: planners of other messages wait, and never in a circle.
    rows = session.execute(
        sa.select(EverydayCount.block, EverydayCount.counts)
        .where(EverydayCount.day == day, EverydayCount.block.in_(blocks.tolist()))
        .order_by(EverydayCount.block)
        .with_for_update()
    ).all()
    counts = np.frombuffer(b"".join(row.counts for row in rows), np.uint8).copy()
    at = np.searchsorted(blocks, ids // BLOCK) * BLOCK + ids % BLOCK
    open_: NDArray[np.bool_] = counts[at] < most
    counts[at[open_]] += counts[at[open_]] < 255
    table = EverydayCount.__table__
    session.connection().execute(
        sa.update(EverydayCount)
        .where(table.c.day == day, table.c.block == sa.bindparam("of_block"))
        .values(counts=sa.bindparam("now")),
        [
            {"of_block": block, "now": counts[i * BLOCK : (i + 1) * BLOCK].tobytes()}
            for i, block in enumerate(blocks.tolist())
        ],
    )
    return open_


def _note(session: Session, message: Message, ids: NDArray[np.int64], why: Why) -> None:
    """Remembers who was told without a push; only the message's planner writes here, which holds its row."""
    if not len(ids):
        return
    blocks = np.unique(ids // BLOCK)
    rows = [
        {"message_id": message.id, "why": why.value, "block": block, "bitmap": bytes(BLOCK // 8)}
        for block in blocks.tolist()
    ]
    insert_ignore_all(session, Held, rows)
    mine = (Held.message_id == message.id, Held.why == why.value, Held.block.in_(blocks.tolist()))
    stored = dict(session.execute(sa.select(Held.block, Held.bitmap).where(*mine)).all())
    bits = np.unpackbits(np.frombuffer(b"".join(stored[block] for block in blocks.tolist()), np.uint8))
    bits[np.searchsorted(blocks, ids // BLOCK) * BLOCK + ids % BLOCK] = 1
    packed = np.packbits(bits.reshape(-1, BLOCK), axis=1)
    table = Held.__table__
    session.connection().execute(
        sa.update(Held)
        .where(table.c.message_id == message.id, table.c.why == why.value, table.c.block == sa.bindparam("of_block"))
        .values(bitmap=sa.bindparam("now")),
        [{"of_block": block, "now": row.tobytes()} for block, row in zip(blocks.tolist(), packed, strict=True)],
    )
