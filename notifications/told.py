"""Who was told what: one bitmap a message and block of 4,096 device ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, insert_ignore

BLOCK = 4096
_EMPTY = bytes(BLOCK // 8)


class Told(Base):
    """Bit n of a block stands for device id `block * 4096 + n`: this message is meant for it and is in its inbox."""

    __tablename__ = "told"
    __table_args__ = (sa.Index(None, "block", "message_id"), {"sqlite_with_rowid": False})

    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"), primary_key=True)
    block: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    bitmap: Mapped[bytes] = mapped_column(sa.LargeBinary)


def mark(session: Session, message_id: int, device_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Marks devices as told and returns those that were not marked before, in the order given.

    The rows are locked until the caller commits, in order of block: two markers never deadlock
    and never both get the same device.
    """
    if len(device_ids) == 0:
        return device_ids
    blocks = device_ids // BLOCK
    fresh = np.zeros(len(device_ids), dtype=bool)
    for block in np.unique(blocks):
        insert_ignore(session, Told, {"message_id": message_id, "block": int(block), "bitmap": _EMPTY})
        key = (Told.message_id == message_id, Told.block == int(block))
        stored = session.execute(sa.select(Told.bitmap).where(*key).with_for_update()).scalar_one()
        bits = np.unpackbits(np.frombuffer(stored, dtype=np.uint8))
        where = np.flatnonzero(blocks == block)
        offsets = device_ids[where] % BLOCK
        _, first = np.unique(offsets, return_index=True)
        is_first = np.zeros(len(where), dtype=bool)
        is_first[first] = True
        new = is_first & (bits[offsets] == 0)
        if not new.any():
            continue
        fresh[where[new]] = True
        bits[offsets[new]] = 1
        session.execute(sa.update(Told).where(*key).values(bitmap=np.packbits(bits).tobytes()))
    return device_ids[fresh]


def unmark(session: Session, message_id: int, device_ids: NDArray[np.int64]) -> None:
    """Takes marks back: the message was withdrawn before these devices' turn came."""
    for block in np.unique(device_ids // BLOCK):
        key = (Told.message_id == message_id, Told.block == int(block))
        stored = session.scalar(sa.select(Told.bitmap).where(*key).with_for_update())
        if stored is None:
            continue
        bits = np.unpackbits(np.frombuffer(stored, dtype=np.uint8))
        bits[device_ids[device_ids // BLOCK == block] % BLOCK] = 0
        session.execute(sa.update(Told).where(*key).values(bitmap=np.packbits(bits).tobytes()))


def blocks(session: Session, message_ids: Sequence[int], after: int, most: int) -> list[int]:
    """The next blocks in which any of these messages told somebody."""
    return list(
        session.scalars(
            sa.select(Told.block)
            .where(Told.message_id.in_(message_ids), Told.block > after)
            .group_by(Told.block)
            .order_by(Told.block)
            .limit(most)
        )
    )


def in_block(session: Session, message_ids: Sequence[int], block: int) -> NDArray[np.int64]:
    """The ids of everybody in a block told any of these messages."""
    bits = np.zeros(BLOCK, dtype=np.uint8)
    for stored in session.scalars(sa.select(Told.bitmap).where(Told.message_id.in_(message_ids), Told.block == block)):
        bits |= np.unpackbits(np.frombuffer(stored, dtype=np.uint8))
    found: NDArray[np.int64] = np.flatnonzero(bits).astype(np.int64) + block * BLOCK
    return found


def everybody(session: Session, message_id: int) -> Iterator[int]:
    """Every device id told a message."""
    after = -1
    while found := blocks(session, [message_id], after, 1):
        after = found[0]
        yield from in_block(session, [message_id], after).tolist()


def count(session: Session, message_id: int) -> int:
    """How many devices were told a message."""
    stored = session.scalars(sa.select(Told.bitmap).where(Told.message_id == message_id))
    return sum(int.from_bytes(bitmap, "big").bit_count() for bitmap in stored)


def messages_of(session: Session, device_id: int, most: int) -> list[int]:
    """The ids of the messages a device was told, newest first."""
    block, offset = divmod(device_id, BLOCK)
    rows = session.execute(
        sa.select(Told.message_id, Told.bitmap).where(Told.block == block).order_by(Told.message_id.desc())
    ).yield_per(100)
    found: list[int] = []
    for message_id, bitmap in rows:
        if _has(bitmap, offset):
            found.append(message_id)
            if len(found) == most:
                break
    return found


def was_told(session: Session, message_id: int, device_id: int) -> bool:
    """The message was meant for this device."""
    block, offset = divmod(device_id, BLOCK)
    bitmap = session.scalar(sa.select(Told.bitmap).where(Told.message_id == message_id, Told.block == block))
    return bitmap is not None and _has(bitmap, offset)


def _has(bitmap: bytes, offset: int) -> bool:
    return bool(bitmap[offset // 8] >> (7 - offset % 8) & 1)
