"""What the city tells everybody: written, submitted, approved by a second person, shown from when until when."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content import texts as text
from content import workflow
from content.drafts import Content as Content
from content.drafts import NoticeRefused as NoticeRefused
from content.drafts import checked
from content.editors import Action, Editor
from content.texts import Finding, Texts
from content.workflow import Machine, Transition
from database import Base, BigId, Json, UtcDateTime, insert_ignore

REQUIRED_LANGUAGES = ("ja",)
MACHINE = Machine(
    "notice",
    states=("draft", "submitted", "published", "withdrawn"),
    transitions=(
        Transition(None, "draft", "draft", Action.DRAFT, authoring=True),
        Transition("draft", "edit", "draft", Action.DRAFT, authoring=True),
        Transition("submitted", "edit", "draft", Action.DRAFT, authoring=True),  # any edit voids a submission
        Transition("draft", "submit", "submitted", Action.SUBMIT, submitting=True),
        Transition("submitted", "submit", "submitted", Action.SUBMIT, submitting=True),  # renews one that lapsed
        Transition("submitted", "return", "draft", Action.RETURN, needs_reason=True),
        Transition("submitted", "approve", "published", Action.APPROVE, approving=True),
        Transition("draft", "withdraw", "withdrawn", Action.WITHDRAW),
        Transition("submitted", "withdraw", "withdrawn", Action.WITHDRAW),
        Transition("published", "withdraw", "withdrawn", Action.WITHDRAW, needs_reason=True),
    ),
    ended=frozenset({"withdrawn"}),
    # An everyday notice may wait over a long weekend; an evacuation alert has half an hour.
    approval_lapse=dt.timedelta(days=7),
)


class Conflict(Exception):
    """Somebody else changed the notice in between: read it again."""


class Notice(Base):
    """One notice. Its history is in the steps; after publication its content never changes."""

    __tablename__ = "notices"
    __table_args__ = (sa.Index(None, "state", "shown_from"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    topic: Mapped[str | None] = mapped_column(sa.Text, index=True)  # None: listed, but pushed to nobody
    state: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(sa.Integer)
    texts: Mapped[Texts] = mapped_column(Json)
    link: Mapped[str | None] = mapped_column(sa.Text)
    publish_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # None: when it is approved
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # when it was approved
    shown_from: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # the later of approval and publish_at
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def shown(self, now: dt.datetime) -> bool:
        """Whether residents see it in lists at this moment."""
        begun = self.shown_from is not None and self.shown_from <= now
        return self.state == "published" and begun and (self.expires_at is None or self.expires_at > now)


def content_of(notice: Notice) -> Content:
    """The content as it stands, to change one thing of it."""
    return Content(notice.texts, notice.topic, notice.link, notice.publish_at, notice.expires_at)


def content_hash(notice: Notice) -> str:
    """What an approval is bound to: everything a resident will read, where it leads, whom it reaches and when."""
    return workflow.content_hash(
        {
            "expires_at": notice.expires_at,
            "link": notice.link,
            "public_id": notice.public_id,
            "publish_at": notice.publish_at,
            "texts": notice.texts,
            "topic": notice.topic,
        }
    )


def create(
    session: Session,
    content: Content,
    *,
    actor: Editor,
    now: dt.datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Notice:
    """A new notice in draft; it may still be incomplete. Raises NoticeRefused, workflow.NotAllowed."""
    to = workflow.check(MACHINE, None, "draft", actor=actor, authors=(), now=now)
    public_id = base64.urlsafe_b64encode(random_bytes(16)).decode().rstrip("=")
    row = {"public_id": public_id, "state": to, "version": 1, "created_by": actor.id}
    insert_ignore(session, Notice, row | {"created_at": now, "updated_at": now} | checked(content))
    notice = session.scalars(sa.select(Notice).where(Notice.public_id == public_id)).one()
    _record(session, notice, None, "draft", actor, now)
    return notice


def edit(
    session: Session, notice: Notice, content: Content, *, actor: Editor, version: int, now: dt.datetime
) -> Notice:
    """Changes a draft or a submission, which voids it. `version` is the one the editor saw.

    Raises Conflict when it is not the newest, NoticeRefused, workflow.NotAllowed (a published notice
    is withdrawn and written anew, so that nobody reads what nobody approved).
    """
    _same_version(notice, version)
    before, columns = notice.state, checked(content)
    to = workflow.permit(session, MACHINE, notice.id, before, "edit", actor=actor, now=now)
    _move(session, notice, to, now, columns)
    _record(session, notice, before, "edit", actor, now)
    return notice


def proofread(notice: Notice, now: dt.datetime, city_tz: ZoneInfo) -> list[Finding]:
    """What is wrong or doubtful in the texts, for the author and the approver to see."""
    return text.lint(notice.texts, now, city_tz)


def submit(
    session: Session,
    notice: Notice,
    *,
    actor: Editor,
    version: int,
    now: dt.datetime,
    city_tz: ZoneInfo,
    accept_warnings: bool = False,
) -> str:
    """Hands a notice to a second person and returns the hash that he must approve.

    `accept_warnings`: what the proofreading doubts is meant so (an anniversary has another year's date). Raises
    NoticeRefused (no Japanese, a finding of the proofreading, already over), Conflict, workflow.NotAllowed.
    """
    _same_version(notice, version)
    before = notice.state
    to = workflow.permit(session, MACHINE, notice.id, before, "submit", actor=actor, now=now)
    errors = [(f"texts.{language}", "is required") for language in text.missing(notice.texts, REQUIRED_LANGUAGES)]
    errors += [
        (f"texts.{found.language}.{found.field}", ": ".join(filter(None, (found.message, found.excerpt))))
        for found in proofread(notice, now, city_tz)
        if found.severity == "error" or not accept_warnings
    ]
    if errors := errors + _over(notice, now):
        raise NoticeRefused(errors)
    _move(session, notice, to, now, {})
    _record(session, notice, before, "submit", actor, now)
    return content_hash(notice)


def send_back(session: Session, notice: Notice, *, actor: Editor, reason: str, now: dt.datetime) -> Notice:
    """Returns a submission to its author with a reason. Raises Conflict, workflow.NotAllowed."""
    before = notice.state
    to = workflow.permit(session, MACHINE, notice.id, before, "return", actor=actor, now=now, reason=reason)
    _move(session, notice, to, now, {})
    _record(session, notice, before, "return", actor, now, reason)
    return notice


def approve(session: Session, notice: Notice, *, actor: Editor, seen_hash: str, now: dt.datetime) -> Notice:
    """Publishes a submission: the second person's yes to exactly the content of `seen_hash`.

    Shown at once, or from `publish_at` on. The caller announces it in the same transaction.
    Raises workflow.NotAllowed (own work, another content, lapsed), NoticeRefused (already over), Conflict.
    """
    before = notice.state
    to = workflow.permit(
        session,
        MACHINE,
        notice.id,
        before,
        "approve",
        actor=actor,
        now=now,
        current_hash=content_hash(notice),
        seen_hash=seen_hash,
        authors=(notice.created_by,),
    )
    if errors := _over(notice, now):
        raise NoticeRefused(errors)
    shown_from = max(now, notice.publish_at or now)
    _move(session, notice, to, now, {"published_at": now, "shown_from": shown_from})
    _record(session, notice, before, "approve", actor, now)
    return notice


def withdraw(session: Session, notice: Notice, *, actor: Editor, now: dt.datetime, reason: str | None = None) -> Notice:
    """Takes a notice back for good; a published one needs a reason. Raises Conflict, workflow.NotAllowed."""
    before = notice.state
    to = workflow.permit(session, MACHINE, notice.id, before, "withdraw", actor=actor, now=now, reason=reason)
    _move(session, notice, to, now, {"withdrawn_at": now})
    _record(session, notice, before, "withdraw", actor, now, reason)
    return notice


def by_public_id(session: Session, public_id: str) -> Notice | None:
    """The notice of this public id, in whatever state."""
    return session.scalars(sa.select(Notice).where(Notice.public_id == public_id)).one_or_none()


def current(
    session: Session,
    now: dt.datetime,
    topic: str | None = None,
    after: tuple[dt.datetime, int] | None = None,
    limit: int = 50,
) -> Sequence[Notice]:
    """What residents see now, the newest first; `after` is (shown_from, id) of the last one of the page before."""
    query = sa.select(Notice).where(Notice.state == "published", Notice.shown_from <= now)
    query = query.where(sa.or_(Notice.expires_at.is_(None), Notice.expires_at > now))
    if topic is not None:
        query = query.where(Notice.topic == topic)
    if after is not None:
        moment, last_id = after
        query = query.where(
            sa.or_(Notice.shown_from < moment, sa.and_(Notice.shown_from == moment, Notice.id < last_id))
        )
    return session.scalars(query.order_by(Notice.shown_from.desc(), Notice.id.desc()).limit(limit)).all()


def every(session: Session, state: str | None = None, after_id: int | None = None, limit: int = 50) -> Sequence[Notice]:
    """All notices for the staff, the newest first; `after_id` is the id of the last one of the page before."""
    query = sa.select(Notice)
    if state is not None:
        query = query.where(Notice.state == state)
    if after_id is not None:
        query = query.where(Notice.id < after_id)
    return session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def _over(notice: Notice, now: dt.datetime) -> list[tuple[str, str]]:
    over = notice.expires_at is not None and notice.expires_at <= now
    return [("expires_at", "is already past")] if over else []


def _same_version(notice: Notice, version: int) -> None:
    if notice.version != version:
        raise Conflict(f"version {version} was meant, {notice.version} is the newest")


def _move(session: Session, notice: Notice, to: str, now: dt.datetime, changes: Mapping[str, Any]) -> None:
    """One conditional update; raises Conflict when somebody else moved or edited the notice in between."""
    update = sa.update(Notice).where(
        Notice.id == notice.id, Notice.state == notice.state, Notice.version == notice.version
    )
    values = {"state": to, "version": notice.version + 1, "updated_at": now, **changes}
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update.values(**values).execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        raise Conflict("somebody else changed it in between")
    session.refresh(notice)


def _record(
    session: Session,
    notice: Notice,
    before: str | None,
    action: str,
    actor: Editor,
    now: dt.datetime,
    reason: str | None = None,
) -> None:
    bound = content_hash(notice)
    workflow.record(
        session, MACHINE, notice.id, before, action, actor=actor, now=now, content_hash=bound, reason=reason
    )
