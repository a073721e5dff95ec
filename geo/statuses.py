"""Every word staff said of a place's opening and crowding: who, when, what; the last one stands in `sites`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime


class StatusWord(Base):
    """What somebody said of one place at one moment. Only ever appended."""

    __tablename__ = "site_status_words"
    __table_args__ = (sa.Index(None, "site_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    site_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("sites.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(sa.Text)  # geo.sites.SiteStatus
    crowding: Mapped[str | None] = mapped_column(sa.Text)  # geo.sites.Crowding
    note: Mapped[str | None] = mapped_column(sa.Text)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(sa.Text)


def append(
    session: Session, site_id: int, *, status: str, crowding: str | None, note: str | None, at: dt.datetime, by: str
) -> None:
    """Keeps a word."""
    row = {"site_id": site_id, "status": status, "crowding": crowding, "note": note, "at": at, "by": by}
    session.execute(sa.insert(StatusWord).values(**row))


def history(session: Session, site_id: int, limit: int = 50) -> Sequence[StatusWord]:
    """What was said of a place, the newest first."""
    wanted = sa.select(StatusWord).where(StatusWord.site_id == site_id).order_by(StatusWord.id.desc())
    return session.scalars(wanted.limit(limit)).all()
