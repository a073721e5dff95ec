"""The governor: how fast all workers together may hand over, kept in rows that they share."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, UtcDateTime


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
