"""Summaries: what stays of a message when its ledger no longer says who."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, UtcDateTime, insert_ignore
from notifications import receipts
from notifications.channels.promise import Outcome
from notifications.dispatch import tally
from notifications.dispatch.tally import Tally
from notifications.messages import Message
from notifications.receipts import Heard


class MessageSummary(Base):
    """Counts and times of one message, of nobody in particular. Each half is written when what it sums up goes."""

    __tablename__ = "message_summaries"

    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"), primary_key=True)
    outcomes: Mapped[dict[str, int] | None] = mapped_column(Json)  # name of the outcome → recipients
    handed_over: Mapped[int | None] = mapped_column(sa.BigInteger)
    batches: Mapped[int | None] = mapped_column(sa.Integer)
    first_handed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    times: Mapped[bytes | None] = mapped_column(sa.LargeBinary)  # see Tally.packed_times
    receipts: Mapped[dict[str, Any] | None] = mapped_column(Json)  # see receipts.Heard
    written_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def of(session: Session, message_id: int) -> MessageSummary | None:
    """What was written of a message, None while its ledger is whole."""
    return session.get(MessageSummary, message_id)


def write_sending(session: Session, message: Message, now: dt.datetime) -> None:
    """Sums the batches up, once: a second call finds the first one's words and leaves them."""
    row = _row(session, message, now)
    if row.outcomes is not None:
        return
    found = tally.of_message(session, message.id)
    row.outcomes = {outcome.name.lower(): found.count(outcome) for outcome in Outcome if found.count(outcome)}
    row.handed_over, row.batches = found.handed_over, sum(found.batches.values())
    row.first_handed_at, row.times = found.first_handed_at, found.packed_times()
    session.flush()


def write_receipts(session: Session, message: Message, now: dt.datetime) -> None:
    """Sums the receipts up, once."""
    row = _row(session, message, now)
    if row.receipts is None:
        row.receipts = asdict(receipts.heard(session, message.id, message.not_before))
        session.flush()


def sending(summary: MessageSummary) -> Tally | None:
    """The tally as it was when it was summed up; None while the batches are still there."""
    if summary.outcomes is None or summary.times is None:
        return None
    found = Tally(handed_over=summary.handed_over or 0, first_handed_at=summary.first_handed_at)
    for name, number in summary.outcomes.items():
        found.outcomes[Outcome[name.upper()]] = number
    found.batches["closed"] = summary.batches or 0
    found.answers, found.accepted = Tally.unpacked_times(summary.times)
    return found


def heard(summary: MessageSummary) -> Heard | None:
    """The receipts as they were when they were summed up; None while they are still there."""
    return None if summary.receipts is None else Heard(**summary.receipts)


def _row(session: Session, message: Message, now: dt.datetime) -> MessageSummary:
    insert_ignore(session, MessageSummary, {"message_id": message.id, "written_at": now})
    return session.get_one(MessageSummary, message.id, with_for_update=True, populate_existing=True)
