"""What is said, to whom, from when until when, once only: the waist of the house."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, UtcDateTime, insert_ignore
from notifications import nudges, told
from notifications.audiences import Audience
from notifications.identifier import derived_identifier


class Kind(StrEnum):
    """What sort of thing is said."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"
    ALL_CLEAR = "all_clear"
    NOTICE = "notice"
    GARBAGE = "garbage"  # reminders and their corrections
    CHILD = "child"
    TEST = "test"


class Lane(IntEnum):
    """What goes first: a smaller lane is always served before a larger one."""

    EVACUATION = 0
    LIFTING = 1  # cancels and all-clears
    TEST = 2
    DRILL = 3
    NOTICE = 5
    REMINDER = 6


def rank(lane: Lane, level: int | None) -> int:
    """The place of a message in every queue: lanes first, then the higher level; no level (tsunami) is the highest."""
    return int(lane) * 10 + (0 if level is None else 5 - level)


class Planning(StrEnum):
    """How far the audience has been turned into batches."""

    WAITING = "waiting"
    LATECOMERS = "latecomers"  # all planned once; a last pass waits for phones that moved meanwhile
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Message(Base):
    """Everything that makes a phone ring. Frozen at birth, but for how far its planning has come."""

    __tablename__ = "messages"
    __table_args__ = (sa.Index(None, "planning", "rank", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    thread: Mapped[str] = mapped_column(sa.Text, index=True)
    origin: Mapped[str] = mapped_column(sa.Text, unique=True)
    kind: Mapped[str] = mapped_column(sa.Text)
    rank: Mapped[int] = mapped_column(sa.Integer)  # smaller goes first, in planning and in sending
    drill: Mapped[bool] = mapped_column(sa.Boolean)
    level: Mapped[int | None] = mapped_column(sa.Integer)
    hazard: Mapped[str | None] = mapped_column(sa.Text)
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Json)
    link: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text)  # why a device got it: area:…, topic:…, test
    audience: Mapped[dict[str, Any]] = mapped_column(Json)
    hull: Mapped[dict[str, Any] | None] = mapped_column(Json)  # the danger area as phones check it, outward
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    not_before: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    planning: Mapped[str] = mapped_column(sa.Text)
    plan_due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    plan_part: Mapped[int] = mapped_column(sa.Integer, default=0)
    plan_offset: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    plan_sweeps: Mapped[int] = mapped_column(sa.Integer, default=0)
    planned_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # The sites that were suitable when planning began: one snapshot for the whole message.
    candidates: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """Something about to be said: everything a message is frozen with."""

    origin: str  # unique: the same origin is said once
    thread: str
    kind: Kind
    lane: Lane
    texts: Mapping[str, Mapping[str, Any]]
    link: str
    reason: str
    audience: Audience
    expires_at: dt.datetime
    not_before: dt.datetime | None = None
    drill: bool = False
    level: int | None = None
    hazard: str | None = None
    hull: Mapping[str, Any] | None = None

    def row(self, now: dt.datetime) -> dict[str, Any]:
        """The message as it would be written now. Raises ValueError when it expires before it begins."""
        begins = self.not_before if self.not_before is not None and self.not_before > now else now
        if self.expires_at <= begins:
            raise ValueError(f"it expires at {self.expires_at.isoformat()}, before it begins at {begins.isoformat()}")
        return {
            "public_id": derived_identifier("message", self.origin),
            "thread": self.thread,
            "origin": self.origin,
            "kind": self.kind.value,
            "rank": rank(self.lane, self.level),
            "drill": self.drill,
            "level": self.level,
            "hazard": self.hazard,
            "texts": {language: dict(text) for language, text in self.texts.items()},
            "link": self.link,
            "reason": self.reason,
            "audience": self.audience.to_json(),
            "hull": dict(self.hull) if self.hull is not None else None,
            "created_at": now,
            "not_before": begins,
            "expires_at": self.expires_at,
            "planning": Planning.WAITING.value,
            "plan_due_at": begins,
            "plan_part": 0,
            "plan_offset": 0,
            "plan_sweeps": 0,
        }


def post(session: Session, saying: Saying, now: dt.datetime) -> Message:
    """Says something to an audience: the only way to make a phone ring.

    A row in the caller's transaction; the workers find it once that is committed. The same
    origin is said once: a second call returns the first message and changes nothing.
    Raises ValueError when it would expire before it begins.
    """
    new = insert_ignore(session, Message, saying.row(now))
    message = session.scalars(sa.select(Message).where(Message.origin == saying.origin)).one()
    if new:
        nudges.there_is_work(session, message.rank)
    return message


def of_thread(session: Session, thread: str) -> Sequence[Message]:
    """Everything said in one lineage, oldest first."""
    return session.scalars(sa.select(Message).where(Message.thread == thread).order_by(Message.id)).all()


def by_public_id(session: Session, public_id: str) -> Message | None:
    """The message with this public id."""
    return session.scalar(sa.select(Message).where(Message.public_id == public_id))


def listing(
    session: Session, *, kind: Kind | None = None, drill: bool | None = None, before: int | None = None, most: int = 50
) -> Sequence[Message]:
    """What was said, the newest first; tests of single phones only when `kind` asks for them.

    `drill` None: both; `before` is the id the last page ended with.
    """
    wanted = sa.select(Message).order_by(Message.id.desc()).limit(most)
    wanted = wanted.where(Message.kind == kind.value if kind else Message.kind != Kind.TEST.value)
    if before is not None:
        wanted = wanted.where(Message.id < before)
    if drill is not None:
        wanted = wanted.where(Message.drill == drill)
    return session.scalars(wanted).all()


def by_origin(session: Session, origin: str) -> Message | None:
    """The message that a cause brought about."""
    return session.scalar(sa.select(Message).where(Message.origin == origin))


def withdraw(session: Session, message_ids: Sequence[int]) -> None:
    """Stops planning of messages that something newer has overtaken; what was handed over stays told."""
    session.execute(
        sa.update(Message)
        .where(Message.id.in_(message_ids), Message.planning != Planning.DONE.value)
        .values(planning=Planning.WITHDRAWN.value)
    )


def inbox(session: Session, device_id: int, since: dt.datetime, most: int = 50) -> list[Message]:
    """What a device was told since a moment, newest first, pushed or not."""
    ids = told.messages_of(session, device_id, most)
    if not ids:
        return []
    query = sa.select(Message).where(Message.id.in_(ids), Message.created_at >= since).order_by(Message.id.desc())
    return list(session.scalars(query))
