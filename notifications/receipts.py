"""What apps say of a message: shown, opened."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from database import Base, BigId, UtcDateTime, insert_ignore


class ReceiptKind(StrEnum):
    """What happened on the phone."""

    SHOWN = "shown"
    OPENED = "opened"


class Receipt(Base):
    """A device's word about a message, kept once."""

    __tablename__ = "receipts"
    __table_args__ = (sa.Index(None, "device_id"), {"sqlite_with_rowid": False})

    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"), primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Heard:
    """What phones said of one message. Seconds run from the message's beginning (an alert's approval) to `shown`."""

    shown: int = 0
    opened: int = 0
    devices: int = 0  # that said anything
    shown_p50_s: float | None = None
    shown_p95_s: float | None = None


def put(
    session: Session,
    message_id: int,
    device_id: int,
    kind: ReceiptKind,
    now: dt.datetime,
    *,
    at: dt.datetime | None = None,
    begun: dt.datetime | None = None,
) -> bool:
    """Keeps a receipt; False when the device had said so before.

    `at` is the phone's own word of when it happened. A clock that claims the future, or a moment before the message
    had `begun`, is not believed: then it counts from when we heard of it.
    """
    believed = at is not None and at <= now and (begun is None or at >= begun)
    row = {"message_id": message_id, "device_id": device_id, "kind": kind.value, "at": at if believed else now}
    return insert_ignore(session, Receipt, row)


def count(session: Session, message_id: int) -> dict[ReceiptKind, int]:
    """How many devices said what of a message."""
    rows = session.execute(
        sa.select(Receipt.kind, sa.func.count()).where(Receipt.message_id == message_id).group_by(Receipt.kind)
    )
    return {ReceiptKind(kind): number for kind, number in rows}


def heard(session: Session, message_id: int, begun: dt.datetime) -> Heard:
    """What phones said of a message that might begin at `begun`. Counted by the store, to the second."""
    second = _second(session)
    query = sa.select(Receipt.kind, second, sa.func.count()).where(Receipt.message_id == message_id)
    # The second in which it happened began up to one second earlier: never less than nothing.
    start = math.floor(begun.timestamp())
    waits: dict[str, list[tuple[float, int]]] = {kind.value: [] for kind in ReceiptKind}
    for kind, epoch, number in session.execute(query.group_by(Receipt.kind, second)):
        waits[kind].append((max(0.0, float(epoch) - start), number))
    shown = sorted(waits[ReceiptKind.SHOWN])
    counted = {kind: sum(number for _, number in said) for kind, said in waits.items()}
    return Heard(
        shown=counted[ReceiptKind.SHOWN],
        opened=counted[ReceiptKind.OPENED],
        devices=counted[ReceiptKind.SHOWN] + _opened_only(session, message_id),
        shown_p50_s=_rank(shown, 0.5),
        shown_p95_s=_rank(shown, 0.95),
    )


def _opened_only(session: Session, message_id: int) -> int:
    """Devices that said opened and not shown: cheaper to count than distinct devices."""
    shown = aliased(Receipt)
    also = sa.select(shown.device_id).where(
        shown.message_id == message_id, shown.device_id == Receipt.device_id, shown.kind == ReceiptKind.SHOWN.value
    )
    only = sa.and_(Receipt.message_id == message_id, Receipt.kind == ReceiptKind.OPENED.value, ~also.exists())
    return session.scalars(sa.select(sa.func.count()).select_from(Receipt).where(only)).one()


def of_device(session: Session, message_id: int, device_id: int) -> dict[str, dt.datetime]:
    """What one device said of a message, by kind, and when it happened."""
    query = sa.select(Receipt.kind, Receipt.at).where(Receipt.message_id == message_id, Receipt.device_id == device_id)
    return dict(session.execute(query).all())


def _second(session: Session) -> sa.ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return sa.func.floor(sa.extract("epoch", Receipt.at))
    return sa.cast(sa.func.strftime("%s", Receipt.at), sa.Integer)


def _rank(waits: list[tuple[float, int]], share: float) -> float | None:
    """The wait that this share does not exceed (nearest rank)."""
    left = math.ceil(share * sum(number for _, number in waits))
    for wait, number in waits:
        left -= number
        if left <= 0:
            return wait
    return None


def remove(session: Session, message_id: int, most: int) -> int:
    """Forgets up to `most` receipts of a message; returns how many they were."""
    key = (Receipt.device_id, Receipt.kind)
    last = session.execute(
        sa.select(*key).where(Receipt.message_id == message_id).order_by(*key).offset(most - 1).limit(1)
    ).first()
    query = sa.delete(Receipt).where(Receipt.message_id == message_id)
    if last is not None:
        query = query.where(sa.tuple_(*key) <= sa.tuple_(sa.literal(last[0]), sa.literal(last[1])))
    result: sa.CursorResult[tuple[()]] = session.execute(query)  # type: ignore[assignment]
    return result.rowcount
