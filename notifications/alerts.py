"""Evacuation alerts: what an alert is, the states it moves through, which are live."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import shapely
import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Mapped, Session, mapped_column

from content import workflow
from content.editors import Action
from content.workflow import Machine, Transition
from database import Base, BigId, Json, UtcDateTime
from notifications import dangers
from notifications.dangers import DangerArea


class Act(StrEnum):
    """What an alert does to those it reaches."""

    ORDER = "order"
    UPDATE = "update"
    CANCEL = "cancel"  # issued in error
    ALL_CLEAR = "all_clear"


class State(StrEnum):
    """Where an alert stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    LIVE = "live"  # an order or update in force
    DONE = "done"  # a cancel or all-clear that was sent
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    LIFTED = "lifted"
    EXPIRED = "expired"
    DISCARDED = "discarded"


def _machine(kind: str, approved: State, *, grave: bool = False) -> Machine:
    draft, submitted = State.DRAFT.value, State.SUBMITTED.value
    rows = [
        Transition(None, "draft", draft, Action.DRAFT, authoring=True),
        Transition(draft, "edit", draft, Action.DRAFT, authoring=True),
        Transition(submitted, "edit", draft, Action.DRAFT, authoring=True),
        Transition(draft, "submit", submitted, Action.SUBMIT, submitting=True),
        Transition(submitted, "submit", submitted, Action.SUBMIT, submitting=True),  # renews one that lapsed
        Transition(submitted, "return", draft, Action.RETURN, needs_reason=True),
        Transition(submitted, "approve", approved.value, Action.APPROVE, approving=True),
        Transition(draft, "discard", State.DISCARDED.value, Action.WITHDRAW),
        Transition(submitted, "discard", State.DISCARDED.value, Action.WITHDRAW),
    ]
    if grave:
        rows.append(
            Transition(
                submitted, "break_glass", approved.value, Action.BREAK_GLASS, approving=True, alone=True,
                needs_reason=True,
            )
        )  # fmt: skip
    ended = {State.DISCARDED.value, State.DONE.value}
    states = [draft, submitted, approved.value, State.DISCARDED.value]
    if approved is State.LIVE:
        for action, to in (
            ("supersede", State.SUPERSEDED),
            ("cancel", State.CANCELLED),
            ("lift", State.LIFTED),
            ("expire", State.EXPIRED),
        ):
            # Done by the house when the follow-up, which two people saw, is approved.
            rows.append(Transition(State.LIVE.value, action, to.value, None))
            states.append(to.value)
            ended.add(to.value)
    return Machine(kind, tuple(states), tuple(rows), frozenset(ended) & frozenset(states))


_ORDERS = _machine("alert", State.LIVE)
_GRAVE_ORDERS = _machine("alert", State.LIVE, grave=True)
_LIFTINGS = _machine("alert", State.DONE)


def machine(act: Act, *, grave: bool = False) -> Machine:
    """The table of transitions for an act; `grave` is level 5 and no drill, which one person may release alone."""
    if act not in (Act.ORDER, Act.UPDATE):
        return _LIFTINGS
    return _GRAVE_ORDERS if grave else _ORDERS


class Alert(Base):
    """One alert. After approval nothing of it changes but its state."""

    __tablename__ = "alerts"
    __table_args__ = (sa.Index(None, "state", "expires_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    thread: Mapped[str] = mapped_column(sa.Text, index=True)
    act: Mapped[str] = mapped_column(sa.Text)
    supersedes_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("alerts.id"))
    drill: Mapped[bool] = mapped_column(sa.Boolean)
    state: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(sa.Integer)
    hazard: Mapped[str] = mapped_column(sa.Text)
    level: Mapped[int | None] = mapped_column(sa.Integer)
    area: Mapped[dict[str, Any]] = mapped_column(Json)  # as the author composed it
    area_names: Mapped[dict[str, str]] = mapped_column(Json)
    danger_area_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("danger_areas.id"))
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Json)
    texts_edited: Mapped[list[str]] = mapped_column(Json)  # languages whose template wording was changed by hand
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    submitted_count: Mapped[int | None] = mapped_column(sa.Integer)
    issued_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    message_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("messages.id"))

    @property
    def machine(self) -> Machine:
        """The table of transitions this alert obeys."""
        return machine(Act(self.act), grave=self.level == 5 and not self.drill)

    def state_at(self, now: dt.datetime) -> State:
        """The state people should see: a live alert whose time is over has expired, ticked or not."""
        state = State(self.state)
        return State.EXPIRED if state is State.LIVE and self.expires_at <= now else state


def content_hash(alert: Alert, danger_area: DangerArea) -> str:
    """What an approval is bound to: texts, shape, subtractions, hazard, level, expiry, drill, what it supersedes.

    Never counts or shelter lists: those move with the people and the doors.
    """
    return workflow.content_hash(
        {
            "act": alert.act,
            "area": alert.area,
            "area_names": alert.area_names,
            "drill": alert.drill,
            "expires_at": alert.expires_at.isoformat(),
            "geometry": danger_area.digest,
            "hazard": alert.hazard,
            "level": alert.level,
            "supersedes": alert.supersedes_id,
            "texts": alert.texts,
            "thread": alert.thread,
        }
    )


def by_public_id(session: Session, public_id: str, *, drill: bool) -> Alert | None:
    """The alert with this public id among the real ones, or among the drills."""
    return session.scalar(sa.select(Alert).where(Alert.public_id == public_id, Alert.drill == drill))


def listing(
    session: Session, *, drill: bool, state: State | None, most: int, before: int | None = None
) -> Sequence[Alert]:
    """The newest alerts (or drills), of one state or of all; `before` is the id the page before ended with."""
    query = sa.select(Alert).where(Alert.drill == drill).order_by(Alert.id.desc()).limit(most)
    if before is not None:
        query = query.where(Alert.id < before)
    if state is not None:
        query = query.where(Alert.state == state.value)
    return session.scalars(query).all()


def live(session: Session, now: dt.datetime, *, drill: bool = False) -> Sequence[Alert]:
    """Orders and updates in force at a moment, the newest first."""
    query = sa.select(Alert).where(Alert.state == State.LIVE.value, Alert.expires_at > now, Alert.drill == drill)
    return session.scalars(query.order_by(Alert.id.desc())).all()


def public(session: Session, now: dt.datetime, *, drill: bool = False, lifted_within: dt.timedelta) -> Sequence[Alert]:
    """What residents are shown: in force first, then what ended within the given time, and what ended it."""
    since = now - lifted_within
    ended = sa.and_(
        Alert.state.in_([s.value for s in (State.LIFTED, State.CANCELLED, State.DONE)]),
        sa.func.coalesce(Alert.ended_at, Alert.issued_at) >= since,
    )
    expired = sa.and_(Alert.state.in_([State.LIVE.value, State.EXPIRED.value]), Alert.expires_at >= since)
    query = sa.select(Alert).where(Alert.drill == drill, Alert.issued_at.is_not(None), sa.or_(ended, expired))
    found = session.scalars(query.order_by(Alert.id.desc())).all()
    return sorted(found, key=lambda alert: alert.state_at(now) is not State.LIVE)


def danger_area(session: Session, now: dt.datetime, *, drill: bool = False) -> BaseGeometry | None:
    """The union of every live danger area; drills never close a real shelter. None when nothing is live."""
    wanted = {alert.danger_area_id for alert in live(session, now, drill=drill)}
    if not wanted:
        return None
    areas = session.scalars(sa.select(DangerArea).where(DangerArea.id.in_(wanted))).all()
    return shapely.union_all([dangers.shape(area) for area in areas])


def move(session: Session, alert: Alert, to: State, now: dt.datetime, changes: Mapping[str, Any] | None = None) -> bool:
    """Moves an alert by one conditional update: False when somebody else moved or edited it in between."""
    ends = {State.SUPERSEDED, State.CANCELLED, State.LIFTED, State.EXPIRED, State.DISCARDED}
    values: dict[str, Any] = {"state": to.value, "version": alert.version + 1, **(changes or {})}
    if to in ends:
        values["ended_at"] = now
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Alert)
        .where(Alert.id == alert.id, Alert.state == alert.state, Alert.version == alert.version)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        return False
    session.refresh(alert)
    return True


def overdue(session: Session, now: dt.datetime) -> bool:
    """Some alert in force has outlived its time."""
    over = sa.select(Alert.id).where(Alert.state == State.LIVE.value, Alert.expires_at <= now).limit(1)
    return session.scalar(over) is not None


def expire(session: Session, now: dt.datetime) -> int:
    """Writes down that live alerts whose time is over have expired; returns how many."""
    over = sa.select(Alert).where(Alert.state == State.LIVE.value, Alert.expires_at <= now)
    moved = 0
    for alert in session.scalars(over).all():
        step_hash = content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))
        to = workflow.permit(session, alert.machine, alert.id, alert.state, "expire", actor=None, now=now)
        before = alert.state
        if move(session, alert, State(to), now):
            workflow.record(
                session, alert.machine, alert.id, before, "expire", actor=None, now=now, content_hash=step_hash
            )
            moved += 1
    return moved
