"""Census: a round over all devices, a window at a time: counts the living, drops stale tokens, erases the lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime, transaction
from notifications.devices import Device, TokenState

# FCM's advice: a token without contact for a month is stale; Android's expire after 270 days (see Keeping.token).
STALE_AFTER = dt.timedelta(days=30)
ROUND_EVERY = dt.timedelta(hours=20)
# Read without a lock, in some hundredths of a second; changed in steps that lock so few.
IDS_A_WINDOW, DEVICES_A_STEP = 20_000, 200
ROUNDS_KEPT = 30


class Census(Base):
    """One round: how far it has come, what it counted, and when it was through."""

    __tablename__ = "censuses"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    after: Mapped[int] = mapped_column(sa.BigInteger)  # devices up to this id are counted
    devices: Mapped[int] = mapped_column(sa.BigInteger)
    reachable: Mapped[int] = mapped_column(sa.BigInteger)  # have a token that a push can be tried with
    stale: Mapped[int] = mapped_column(sa.BigInteger)  # of those: not heard of for a month


@dataclass(frozen=True, slots=True)
class Window:
    """What one step of a round did."""

    tokens_dropped: int = 0
    devices_erased: int = 0
    finished: bool = False


def latest(session: Session) -> Census | None:
    """The last round that came to its end."""
    through = sa.select(Census).where(Census.finished_at.is_not(None))
    return session.scalars(through.order_by(Census.id.desc()).limit(1)).first()


def due(session: Session, now: dt.datetime) -> bool:
    """A round is under way, or the last one is long ago."""
    newest = session.scalars(sa.select(Census).order_by(Census.id.desc()).limit(1)).first()
    return newest is None or newest.finished_at is None or newest.started_at <= now - ROUND_EVERY


def unseen(session: Session, now: dt.datetime, token: dt.timedelta, device: dt.timedelta) -> tuple[int, int]:
    """How many tokens would be dropped and how many devices erased now: a look at the whole table."""
    lost = Device.seen_at < now - device
    old = sa.and_(Device.token.is_not(None), Device.seen_at < now - token, sa.not_(lost))
    count = sa.func.count
    tokens, devices = session.execute(sa.select(count().filter(old), count().filter(lost)).select_from(Device)).one()
    return tokens, devices


def step(engine: Engine, now: dt.datetime, token: dt.timedelta, device: dt.timedelta) -> Window:
    """The next window of the round under way, or the first of a new one.

    Devices unseen for `device` are erased with all that is kept of them; those unseen for `token` lose only their
    token. Two at once count a window once: who comes second changes nothing.
    """
    with transaction(engine) as session:
        newest = session.scalars(sa.select(Census).order_by(Census.id.desc()).limit(1)).first()
        if newest is None or newest.finished_at is not None:
            newest = Census(started_at=now, finished_at=None, after=0, devices=0, reachable=0, stale=0)
            session.add(newest)
            session.flush()
    with transaction(engine, "read") as session:
        last = session.scalar(
            sa.select(sa.func.max(Device.id)).where(
                Device.id.in_(
                    sa.select(Device.id).where(Device.id > newest.after).order_by(Device.id).limit(IDS_A_WINDOW)
                )
            )
        )
        window = sa.and_(Device.id > newest.after, Device.id <= (last or 0))
        old = sa.and_(window, Device.seen_at < now - token, Device.token.is_not(None))
        lost = _some(session, sa.and_(window, Device.seen_at < now - device)) if last else []
        silent = _some(session, old) if last else []
    if lost or silent:
        # Few at a time; the window is looked at again until nobody in it is left to be changed.
        with transaction(engine) as session:
            erased = _erase(session, lost, now - device)
            dropped = _drop_tokens(session, [one for one in silent if one not in set(lost)], now - token)
        if erased or dropped:
            return Window(dropped, erased)
    with transaction(engine) as session:
        counted = _counted(session, window, now) if last else (0, 0, 0)
        moved: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
            sa.update(Census)
            .where(Census.id == newest.id, Census.after == newest.after, Census.finished_at.is_(None))
            .values(
                after=last if last else newest.after,
                finished_at=None if last else sa.literal(now, UtcDateTime),
                devices=Census.devices + counted[0],
                reachable=Census.reachable + counted[1],
                stale=Census.stale + counted[2],
            )
        )
        if not last and moved.rowcount == 1:
            session.execute(sa.delete(Census).where(Census.id <= newest.id - ROUNDS_KEPT))
    return Window(finished=not last)


def _some(session: Session, which: sa.ColumnElement[bool]) -> list[int]:
    return list(session.scalars(sa.select(Device.id).where(which).order_by(Device.id).limit(DEVICES_A_STEP)))


def _counted(session: Session, window: sa.ColumnElement[bool], now: dt.datetime) -> tuple[int, int, int]:
    reachable = sa.and_(Device.token.is_not(None), Device.token_state == TokenState.ACTIVE.value)
    stale = sa.and_(reachable, Device.seen_at < now - STALE_AFTER)
    count = sa.func.count
    living, rung, old = session.execute(
        sa.select(count(), count().filter(reachable), count().filter(stale)).where(window)
    ).one()
    return living, rung, old


def _erase(session: Session, ids: list[int], before: dt.datetime) -> int:
    """Places, topics and receipts go with them (cascading). One that was heard of meanwhile stays."""
    held = _hold(session, ids, before)
    return _rowcount(session, sa.delete(Device).where(Device.id.in_(held)))


def _drop_tokens(session: Session, ids: list[int], before: dt.datetime) -> int:
    held = _hold(session, ids, before)
    nothing = {"token": None, "token_hash": None, "token_at": None, "token_state": TokenState.NONE.value}
    return _rowcount(session, sa.update(Device).where(Device.id.in_(held)).values(nothing))


def _hold(session: Session, ids: list[int], before: dt.datetime) -> list[int]:
    """Locks them in the order of their ids, leaving out whom somebody else holds: no two can wait for each other."""
    if not ids:
        return []
    still = sa.select(Device.id).where(Device.id.in_(ids), Device.seen_at < before)
    return list(session.scalars(still.order_by(Device.id).with_for_update(skip_locked=True)))


def _rowcount(session: Session, statement: sa.Update | sa.Delete) -> int:
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return result.rowcount
