"""Reviews: what one person released alone is read and signed by another afterwards, or the operator is called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from content import workflow
from content.editors import Action, Editor, may
from content.workflow import NotAllowed
from database import Base, BigId, UtcDateTime
from notifications.alerts import Alert, content_hash
from notifications.dangers import DangerArea
from notifications.dispatch import duties, incidents
from notifications.dispatch.duties import Duty

WITHIN = dt.timedelta(hours=24)
LOOKED_AFTER = dt.timedelta(minutes=5)
INCIDENT = "review"


class Verdict(StrEnum):
    """What the second person says of it."""

    RIGHT = "right"
    CORRECT = "correct"  # right to send, but something of it must be corrected or lifted
    WRONG = "wrong"  # should not have been sent


class Review(Base):
    """One alert that one person released alone; open until another person signs."""

    __tablename__ = "alert_reviews"
    __table_args__ = (sa.Index(None, "signed_at", "due_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("alerts.id"), unique=True)
    released_by_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"))
    released_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(sa.Text)
    content_hash: Mapped[str] = mapped_column(sa.Text)  # of what was released
    signed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    signed_by_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("editors.id"))
    verdict: Mapped[str | None] = mapped_column(sa.Text)
    note: Mapped[str | None] = mapped_column(sa.Text)

    alert: Mapped[Alert] = relationship(lazy="joined", viewonly=True)
    released_by: Mapped[Editor] = relationship(lazy="joined", viewonly=True, foreign_keys=[released_by_id])
    signed_by: Mapped[Editor | None] = relationship(lazy="joined", viewonly=True, foreign_keys=[signed_by_id])

    def overdue(self, now: dt.datetime) -> bool:
        """Nobody signed in time."""
        return self.signed_at is None and self.due_at <= now


def demand(session: Session, alert: Alert, *, actor: Editor, reason: str, now: dt.datetime) -> Review:
    """Opens the review of an alert that `actor` has just released alone."""
    review = Review(
        alert_id=alert.id,
        released_by_id=actor.id,
        released_at=now,
        due_at=now + WITHIN,
        reason=reason.strip(),
        content_hash=_hash_of(session, alert),
    )
    session.add(review)
    session.flush()
    return review


def waiting(session: Session, most: int = 20) -> Sequence[Review]:
    """What nobody has signed yet, the oldest first."""
    return session.scalars(sa.select(Review).where(Review.signed_at.is_(None)).order_by(Review.id).limit(most)).all()


def of_alert(session: Session, alert: Alert) -> Review | None:
    """The review of an alert; None for one that two people released."""
    return session.scalars(sa.select(Review).where(Review.alert_id == alert.id)).one_or_none()


def untouched(session: Session, review: Review) -> bool:
    """Whether the alert is still, letter by letter, what was released."""
    return _hash_of(session, review.alert) == review.content_hash


def sign(session: Session, review: Review, *, actor: Editor, verdict: Verdict, note: str, now: dt.datetime) -> Review:
    """Another person's word, once and for good.

    Raises NotAllowed: the role, one's own work (whoever had any hand in it), no note, signed already.
    """
    if not may(actor, Action.APPROVE):
        raise NotAllowed("role", f"the role {actor.role} does not permit 'approve'")
    past = workflow.steps(session, "alert", review.alert_id)
    if actor.id in workflow.authors_in(review.alert.machine, past) | {review.released_by_id}:
        raise NotAllowed("own_work", "another person must review it: you wrote, edited or released this")
    if not note.strip():
        raise NotAllowed("reason_missing", "a review needs a note")
    signed: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Review)
        .where(Review.id == review.id, Review.signed_at.is_(None))
        .values(signed_at=now, signed_by_id=actor.id, verdict=Verdict(verdict).value, note=note.strip())
        .execution_options(synchronize_session=False)
    )
    if signed.rowcount != 1:
        raise NotAllowed("wrong_state", "somebody has signed this review already")
    incidents.close(session, INCIDENT, actor.name, now, review.alert.public_id)
    session.refresh(review)
    return review


def call(session: Session, now: dt.datetime) -> int:
    """Opens an incident of its own, for which the operator is paged, for each overdue review; returns how many are.

    Whoever resolves the incident without a signature finds it again at the next look.
    """
    overdue = sa.select(Review).where(Review.signed_at.is_(None), Review.due_at <= now).order_by(Review.id)
    # Locked, so that a signature given meanwhile finds the incident and ends it.
    late = session.scalars(overdue.with_for_update(of=Review)).all()
    known = {one.subject for one in incidents.open_ones(session) if one.kind == INCIDENT}
    for review in late:
        subject = review.alert.public_id
        if subject not in known:
            detail = f"nobody has reviewed within 24 hours: {subject} (released alone by {review.released_by.name})"
            incidents.report(session, INCIDENT, detail, now, subject)
    return len(late)


DUTY = Duty("alerts.review", LOOKED_AFTER, duties.in_one_transaction(call))


def _hash_of(session: Session, alert: Alert) -> str:
    return content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))
