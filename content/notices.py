"""What the city tells everybody: written, submitted, approved by a second person, corrected, withdrawn."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import attachments, corrections, notice_index, workflow
from content import texts as text
from content.drafts import Content as Content
from content.drafts import NoticeRefused as NoticeRefused
from content.drafts import Phase as Phase
from content.drafts import Push as Push
from content.drafts import checked
from content.editors import Editor
from content.notice_table import MACHINE as MACHINE
from content.notice_table import Notice as Notice
from content.notice_table import content_hash as content_hash
from content.notice_table import content_of as content_of
from content.texts import Finding
from database import insert_ignore
from geo import areas

REQUIRED_LANGUAGES = ("ja",)


class Conflict(Exception):
    """Somebody else changed the notice in between: read it again."""


def create(
    session: Session,
    content: Content,
    *,
    actor: Editor,
    now: dt.datetime,
    corrects: Notice | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Notice:
    """A new notice in draft; it may still be incomplete. Raises NoticeRefused, workflow.NotAllowed.

    With `corrects` it will stand in the place of a published one, which stays readable.
    """
    to = workflow.check(MACHINE, None, "draft", actor=actor, authors=(), now=now)
    columns = _columns(session, content)
    if errors := corrections.uncorrectable(corrects) if corrects is not None else []:
        raise NoticeRefused(errors)
    public_id = base64.urlsafe_b64encode(random_bytes(16)).decode().rstrip("=")
    row = {"public_id": public_id, "state": to, "version": 1, "created_by": actor.id}
    row |= {"created_at": now, "updated_at": now, "corrects_id": corrects.id if corrects is not None else None}
    insert_ignore(session, Notice, row | columns)
    notice = session.scalars(sa.select(Notice).where(Notice.public_id == public_id)).one()
    notice_index.put(session, notice.id, columns)
    _record(session, notice, None, "draft", actor, now)
    return notice


def to_correct(notice: Notice, now: dt.datetime) -> Content:
    """What the correction of a notice begins with: its content, to be put right; a time that is past is left out."""
    content = content_of(notice)
    waits = content.publish_at is not None and content.publish_at > now
    return replace(content, publish_at=content.publish_at if waits else None, correction={})


def edit(
    session: Session, notice: Notice, content: Content, *, actor: Editor, version: int, now: dt.datetime
) -> Notice:
    """Changes a draft or a submission, which voids it. `version` is the one the editor saw.

    Raises Conflict when it is not the newest, NoticeRefused, workflow.NotAllowed (a published notice
    is corrected by another or withdrawn, so that nobody reads what nobody approved).
    """
    _same_version(notice, version)
    before, columns = notice.state, _columns(session, content)
    to = workflow.permit(session, MACHINE, notice.id, before, "edit", actor=actor, now=now)
    _move(session, notice, to, now, columns)
    notice_index.put(session, notice.id, columns)
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
    NoticeRefused (no Japanese, a finding of the proofreading, already over, no word on what it corrects), Conflict,
    workflow.NotAllowed.
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
    errors += [fault for one in REQUIRED_LANGUAGES for fault in attachments.untitled(notice.attachments, one)]
    if errors := errors + over(notice, now) + corrections.refusals(session, notice):
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
    if errors := over(notice, now) + corrections.refusals(session, notice):
        raise NoticeRefused(errors)
    shown_from = max(now, notice.publish_at or now)
    _move(session, notice, to, now, {"published_at": now, "shown_from": shown_from})
    corrections.take_over(session, notice, now)
    _record(session, notice, before, "approve", actor, now)
    return notice


def withdraw(session: Session, notice: Notice, *, actor: Editor, now: dt.datetime, reason: str | None = None) -> Notice:
    """Takes a notice back for good; a published one needs a reason. Raises Conflict, workflow.NotAllowed."""
    before = notice.state
    to = workflow.permit(session, MACHINE, notice.id, before, "withdraw", actor=actor, now=now, reason=reason)
    _move(session, notice, to, now, {"withdrawn_at": now})
    corrections.give_back(session, notice, now)
    _record(session, notice, before, "withdraw", actor, now, reason)
    return notice


def by_public_id(session: Session, public_id: str) -> Notice | None:
    """The notice of this public id, in whatever state."""
    return session.scalars(sa.select(Notice).where(Notice.public_id == public_id)).one_or_none()


def every(
    session: Session,
    state: str | None = None,
    after_id: int | None = None,
    limit: int = 50,
    *,
    topic: str | None = None,
) -> Sequence[Notice]:
    """All notices for the staff, the newest first; `after_id` is the id of the last one of the page before."""
    query = sa.select(Notice)
    if state is not None:
        query = query.where(Notice.state == state)
    if topic is not None:
        query = query.where(Notice.topic == topic)
    if after_id is not None:
        query = query.where(Notice.id < after_id)
    return session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def _columns(session: Session, content: Content) -> dict[str, Any]:
    """What is kept of a content; raises NoticeRefused, also for an area that there is not."""
    content = replace(content, areas=[areas.canonical_code(code) for code in content.areas])
    columns = checked(content)
    unknown = [
        (f"areas.{at}", "there is no such area")
        for at, code in enumerate(content.areas)
        if areas.get(session, code) is None
    ]
    if unknown:
        raise NoticeRefused(unknown)
    return columns


def over(notice: Notice, now: dt.datetime) -> list[tuple[str, str]]:
    """Why a notice cannot go out any more: its time is over."""
    past = notice.expires_at is not None and notice.expires_at <= now
    return [("expires_at", "is already past")] if past else []


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
