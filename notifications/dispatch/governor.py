"""The governor: how fast all workers together may hand over, kept in rows that they share."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, UtcDateTime, insert_ignore
from notifications.channels.promise import Outlet
from notifications.dispatch import leases

# Retries and clocks that differ a little must not reach the provider's own count.
SAFE_SHARE = 0.95
WINDOW_S = 60
# So far back a second's use still says how fast the provider has lately seen us.
REMEMBERED_S = 10
# The first second of a ramp: FCM asks not to begin with a burst, and five hundred are none.
FIRST_SECOND = 500
# A second's share is opened little by little, so much of it ahead that who asks four times a second gets it all.
AHEAD_S = 0.3


class Governor(Base):
    """One row an outlet: until when everybody waits. Locked by whoever reserves."""

    __tablename__ = "governors"

    outlet: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    # The provider asked the whole project to wait until then; afterwards the ramp begins anew.
    paused_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(sa.Text)


class Reservation(Base):
    """How many hand-overs were reserved in one second of one outlet. Kept for some minutes."""

    __tablename__ = "reservations"
    __table_args__ = ({"sqlite_with_rowid": False},)

    outlet: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    second: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)  # since 1970
    taken: Mapped[int] = mapped_column(sa.Integer)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a provider allows. FCM: 600,000 messages a minute and project, reached from nothing over 60 seconds."""

    per_minute: int
    share: float = 1.0  # of the quota, when another system uses the same project
    ramp_s: float = 60.0  # 0: no ramp

    @property
    def a_second(self) -> float:
        """The most in one second, our safety margin taken off."""
        return self.per_minute * self.share * SAFE_SHARE / WINDOW_S

    @property
    def a_window(self) -> int:
        """The most in any sixty seconds."""
        return int(self.per_minute * self.share * SAFE_SHARE)

    @property
    def slope(self) -> float:
        """By how much each second may exceed the one before."""
        return self.per_minute * self.share / WINDOW_S / self.ramp_s if self.ramp_s > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Grant:
    """What a worker may hand over now, and until when everybody waits (None: nobody does)."""

    hand_overs: int
    paused_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How an outlet stands: hand-overs reserved in the last sixty seconds, and its pause with the reason."""

    reserved: int
    paused_until: dt.datetime | None
    reason: str


def reserve(session: Session, outlet: Outlet, wanted: int, now: dt.datetime, pace: Pace) -> Grant:
    """Reserves up to so many hand-overs of this moment; what is granted must be used within a second.

    Every hand-over counts, retries too. Over any sixty seconds no more than 95 % of the quota is granted, and each
    second little more than the seconds before really used, so that a fan-out rises from nothing to the full quota
    over `ramp_s` (FCM: ramp up over at least 60 seconds, no bursts). The row of the outlet is locked until the
    caller commits: reservations of all workers come one after the other.
    """
    held_up = _locked(session, outlet).paused_until
    moment = _moment(session, now)
    if held_up is not None and moment < held_up.timestamp():
        return Grant(0, held_up)
    this = int(moment)
    rows = session.execute(
        sa.select(Reservation.second, Reservation.taken).where(
            Reservation.outlet == outlet.value, Reservation.second > this - WINDOW_S
        )
    )
    taken: dict[int, int] = dict(rows.all())
    if held_up is not None:
        in_ramp = {second: used for second, used in taken.items() if second >= held_up.timestamp()}
    else:
        in_ramp = taken
    open_part = min(1.0, moment - this + AHEAD_S)
    left = math.ceil(_most_of_second(this, in_ramp, pace) * open_part) - taken.get(this, 0)
    granted = max(0, min(wanted, left, pace.a_window - sum(taken.values())))
    if granted:
        _take(session, outlet, this, granted)
    return Grant(granted)


def pause(session: Session, outlet: Outlet, until: dt.datetime, reason: str) -> None:
    """Holds everybody on an outlet until then, at the provider's word about the whole project; the longest stands."""
    governor = _locked(session, outlet)
    if governor.paused_until is None or governor.paused_until < until:
        session.execute(
            sa.update(Governor).where(Governor.outlet == outlet.value).values(paused_until=until, reason=reason)
        )


def paused(session: Session, now: dt.datetime) -> dict[Outlet, dt.datetime]:
    """The outlets on which everybody waits, and until when."""
    rows = session.execute(
        sa.select(Governor.outlet, Governor.paused_until).where(Governor.paused_until > leases.clock(session, now))
    )
    return {Outlet(outlet): until for outlet, until in rows if until is not None}


def standing(session: Session, outlet: Outlet, now: dt.datetime) -> Standing:
    """How an outlet stands, for people who watch."""
    since = int(_moment(session, now)) - WINDOW_S
    reserved = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Reservation.taken), 0)).where(
            Reservation.outlet == outlet.value, Reservation.second > since
        )
    )
    row = session.execute(
        sa.select(Governor.paused_until, Governor.reason).where(
            Governor.outlet == outlet.value, Governor.paused_until > leases.clock(session, now)
        )
    ).first()
    return Standing(int(reserved or 0), *(row or (None, "")))


def forget(session: Session, before: dt.datetime) -> int:
    """Deletes reservations older than a moment (they matter for a minute); returns how many."""
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        sa.delete(Reservation).where(Reservation.second < int(before.timestamp()))
    )
    return result.rowcount


def _most_of_second(second: int, taken: dict[int, int], pace: Pace) -> float:
    if math.isinf(pace.slope):
        return pace.a_second
    ramp = max(
        (taken[second - back] + pace.slope * back for back in range(1, REMEMBERED_S + 1) if second - back in taken),
        default=0.0,
    )
    return min(pace.a_second, max(min(FIRST_SECOND, pace.a_second), ramp))


def _locked(session: Session, outlet: Outlet) -> sa.Row[dt.datetime | None]:
    query = sa.select(Governor.paused_until).where(Governor.outlet == outlet.value).with_for_update()
    row = session.execute(query).first()
    if row is None:
        insert_ignore(session, Governor, {"outlet": outlet.value, "paused_until": None, "reason": ""})
        row = session.execute(query).one()
    return row


def _moment(session: Session, now: dt.datetime) -> float:
    """Seconds since 1970 on the clock that all workers share."""
    if session.get_bind().dialect.name != "postgresql":
        return now.timestamp()
    return float(session.scalar(sa.select(sa.extract("epoch", leases.clock(session, now)))) or 0.0)


def _take(session: Session, outlet: Outlet, second: int, granted: int) -> None:
    key = (Reservation.outlet == outlet.value, Reservation.second == second)
    if not insert_ignore(session, Reservation, {"outlet": outlet.value, "second": second, "taken": granted}):
        session.execute(
            sa.update(Reservation)
            .where(*key)
            .values(taken=Reservation.taken + granted)
            .execution_options(synchronize_session=False)
        )
