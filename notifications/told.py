"""Who was told what: one bitmap a message and block of 4,096 device ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, insert_ignore_all

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
    and never both get the same device. A transaction marks a message once: what it locks later
    is not in that order any more.
    """
    return device_ids[newly(session, message_id, device_ids)]


def newly(session: Session, message_id: int, device_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Marks as `mark` does, in four statements however many blocks; says of each device whether it was new."""
    if len(device_ids) == 0:
        return np.zeros(0, dtype=bool)
    blocks = device_ids // BLOCK
    touched = np.unique(blocks)
    found = _locked(session, message_id, touched.tolist())
    missing = sorted(set(touched.tolist()) - set(found))
    if missing:
        rows = [{"message_id": message_id, "block": block, "bitmap": _EMPTY} for block in missing]
        insert_ignore_all(session, Told, rows)
        found = _locked(session, message_id, touched.tolist())
    bits = np.unpackbits(np.frombuffer(b"".join(found[block] for block in touched.tolist()), dtype=np.uint8))
    rows_of = np.searchsorted(touched, blocks)
    at = rows_of * BLOCK + device_ids % BLOCK
    fresh = np.zeros(len(device_ids), dtype=bool)
    fresh[np.unique(device_ids, return_index=True)[1]] = True
    fresh &= bits[at] == 0
    bits[at[fresh]] = 1
    _write(session, message_id, touched, bits, np.unique(rows_of[fresh]))
    return fresh


def unmark(session: Session, message_id: int, device_ids: NDArray[np.int64]) -> None:
    """Takes marks back: the message was withdrawn before these devices' turn came."""
    found = _locked(session, message_id, np.unique(device_ids // BLOCK).tolist())
    if not found:
        return
    known = np.array(sorted(found), dtype=np.int64)
    device_ids = device_ids[np.isin(device_ids // BLOCK, known)]
    bits = np.unpackbits(np.frombuffer(b"".join(found[block] for block in known.tolist()), dtype=np.uint8))
    rows_of = np.searchsorted(known, device_ids // BLOCK)
    bits[rows_of * BLOCK + device_ids % BLOCK] = 0
    _write(session, message_id, known, bits, np.unique(rows_of))


def _locked(session: Session, message_id: int, numbers: Sequence[int]) -> dict[int, bytes]:
    """The bitmaps of those of these blocks that are there, locked one after the other."""
    if session.get_bind().dialect.name == "postgresql":
        # One parameter: a statement that is longer for every block would be read anew each time.
        listed = sa.literal(f"{{{','.join(map(str, numbers))}}}", sa.String)
        among = Told.block == sa.any_(sa.cast(listed, ARRAY(sa.BigInteger)))
    else:
        among = Told.block.in_(numbers)
    query = sa.select(Told.block, Told.bitmap).where(Told.message_id == message_id, among)
    return dict(session.execute(query.order_by(Told.block).with_for_update()).all())


def _write(
    session: Session, message_id: int, numbers: NDArray[np.int64], bits: NDArray[np.uint8], changed: NDArray[np.int64]
) -> None:
    """Writes the changed ones (positions in `numbers`) of these blocks' bits."""
    if len(changed) == 0:
        return
    packed = np.packbits(bits.reshape(-1, BLOCK)[changed], axis=1)
    blocks_ = numbers[changed].tolist()
    if session.get_bind().dialect.name == "postgresql":
        # One statement: of a thousand, each would wait for the one before. And one value for all bitmaps.
        many = sa.text(
            "UPDATE told"
            " SET bitmap = substring(CAST(:bitmaps AS bytea) FROM (CAST(n.at AS integer) - 1) * :size + 1 FOR :size)"
            " FROM unnest(CAST(:blocks AS bigint[])) WITH ORDINALITY n (block, at)"
            " WHERE told.message_id = :message_id AND told.block = n.block"
        )
        listed = f"{{{','.join(map(str, blocks_))}}}"
        whole = {"bitmaps": packed.tobytes(), "blocks": listed, "size": len(_EMPTY), "message_id": message_id}
        session.execute(many, whole)
        return
    table = Told.__table__
    one = sa.update(Told).where(
        table.c.message_id == sa.bindparam("of_message"), table.c.block == sa.bindparam("of_block")
    )
    session.connection().execute(
        one.values(bitmap=sa.bindparam("bitmap")),
        [
            {"of_message": message_id, "of_block": block, "bitmap": row.tobytes()}
            for block, row in zip(blocks_, packed, strict=True)
        ],
    )


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
    return in_blocks(session, message_ids, [block])


def in_blocks(session: Session, message_ids: Sequence[int], numbers: Sequence[int]) -> NDArray[np.int64]:
    """The ids of everybody in these blocks told any of these messages, rising."""
    known = np.array(sorted(numbers), dtype=np.int64)
    bits = np.zeros((len(known), BLOCK // 8), dtype=np.uint8)
    query = sa.select(Told.block, Told.bitmap).where(Told.message_id.in_(message_ids), Told.block.in_(numbers))
    for block, stored in session.execute(query):
        bits[np.searchsorted(known, block)] |= np.frombuffer(stored, dtype=np.uint8)
    rows, offsets = np.nonzero(np.unpackbits(bits, axis=1))
    return known[rows] * BLOCK + offsets


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
