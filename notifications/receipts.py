"""What apps say of a message: shown, opened."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

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


def put(session: Session, message_id: int, device_id: int, kind: ReceiptKind, now: dt.datetime) -> bool:
    """Keeps a receipt; False when the device had said so before."""
    return insert_ignore(
        session, Receipt, {"message_id": message_id, "device_id": device_id, "kind": kind.value, "at": now}
    )


def count(session: Session, message_id: int) -> dict[ReceiptKind, int]:
    """How many devices said what of a message."""
    rows = session.execute(
        sa.select(Receipt.kind, sa.func.count()).where(Receipt.message_id == message_id).group_by(Receipt.kind)
    )
    return {ReceiptKind(kind): number for kind, number in rows}
