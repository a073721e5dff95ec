"""Incidents: faults that only an operator can mend, kept until somebody says they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime, insert_ignore
from notifications.channels.promise import Fault
from notifications.dispatch import batches


class Incident(Base):
    """One open or closed fault. The same kind is open once for each subject, however many batches meet it."""

    __tablename__ = "incidents"
    __table_args__ = (
        sa.Index("uq_incidents_open", "kind", "subject", unique=True, sqlite_where=sa.text("closed_at IS NULL"),
                 postgresql_where=sa.text("closed_at IS NULL")),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text)
    subject: Mapped[str] = mapped_column(sa.Text, server_default="")  # what it is about; "": all that is sent
    detail: Mapped[str] = mapped_column(sa.Text)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    times: Mapped[int] = mapped_column(sa.Integer)
    paged_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(sa.Text)


def report(session: Session, kind: str, detail: str, now: dt.datetime, subject: str = "") -> Incident:
    """Opens an incident, or counts one more of the same kind and subject that is open already."""
    row = {"kind": kind, "subject": subject, "detail": detail, "opened_at": now, "seen_at": now, "times": 0}
    insert_ignore(session, Incident, row)
    incident = session.scalars(sa.select(Incident).where(*_open(kind, subject)).with_for_update()).one()
    incident.detail, incident.seen_at = detail, now
    incident.times += 1
    session.flush()
    return incident


def open_ones(session: Session) -> Sequence[Incident]:
    """What is open, the oldest first."""
    return session.scalars(sa.select(Incident).where(Incident.closed_at.is_(None)).order_by(Incident.id)).all()


def closed_ones(session: Session, most: int = 20) -> Sequence[Incident]:
    """What was mended, the latest first."""
    query = sa.select(Incident).where(Incident.closed_at.is_not(None)).order_by(Incident.closed_at.desc())
    return session.scalars(query.limit(most)).all()


def to_page(session: Session) -> Incident | None:
    """An open incident that nobody was called for yet."""
    query = sa.select(Incident).where(Incident.closed_at.is_(None), Incident.paged_at.is_(None))
    return session.scalars(query.order_by(Incident.id).limit(1)).first()


def close(session: Session, kind: str, by: str, now: dt.datetime, subject: str = "") -> None:
    """Ends an open incident of a kind that stopped no batch: its cause is gone."""
    session.execute(sa.update(Incident).where(*_open(kind, subject)).values(closed_at=now, closed_by=by))


def resolve(session: Session, incident_id: int, by: str, now: dt.datetime) -> int | None:
    """Says that a fault is mended: what such faults stopped goes back into the queue.

    The number of batches, none for an incident that stopped nothing; None if it is not open.
    """
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        sa.update(Incident)
        .where(Incident.id == incident_id, Incident.closed_at.is_(None))
        .values(closed_at=now, closed_by=by)
    )
    if result.rowcount != 1:
        return None
    kind = session.scalars(sa.select(Incident.kind).where(Incident.id == incident_id)).one()
    return batches.restart(session, now) if kind in tuple(Fault) else 0


def _open(kind: str, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    return Incident.kind == kind, Incident.subject == subject, Incident.closed_at.is_(None)
