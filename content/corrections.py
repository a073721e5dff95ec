"""A published notice is never changed: another one corrects it, says what was wrong, and stands in its place."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import workflow
from content.drafts import NoticeRefused
from content.notice_table import MACHINE, Notice, content_hash


def refusals(session: Session, notice: Notice) -> list[tuple[str, str]]:
    """Why a correction cannot be submitted: it does not say what it corrects, or that is not there to be corrected."""
    if notice.corrects_id is None:
        return [("correction", "only a notice that corrects another has one")] if notice.correction else []
    missing = "ja" not in notice.correction
    errors = [("correction.ja", "is required: say what was corrected")] if missing else []
    return errors + uncorrectable(session.get_one(Notice, notice.corrects_id))


def uncorrectable(earlier: Notice) -> list[tuple[str, str]]:
    """Why a notice cannot be corrected (any more)."""
    if earlier.state != "published":
        return [("corrects", f"the notice to be corrected is {earlier.state}")]
    if earlier.corrected_at is not None:
        return [("corrects", "the notice has been corrected already: correct its correction")]
    return []


def take_over(session: Session, notice: Notice, now: dt.datetime) -> None:
    """An approved correction stands in the place of the one it corrects from the moment it is shown.

    Raises NoticeRefused when that one was withdrawn or corrected meanwhile.
    """
    earlier = corrected_by(session, notice)
    if earlier is None:
        return
    if errors := uncorrectable(earlier):
        raise NoticeRefused(errors)
    if not _put(session, earlier, notice.shown_from, now, Notice.corrected_at.is_(None)):
        raise NoticeRefused([("corrects", "the notice was withdrawn or corrected in this moment: read it again")])
    _record(session, earlier, "correct", now)


def give_back(session: Session, notice: Notice, now: dt.datetime) -> None:
    """A correction was withdrawn. If nobody could see it yet, what it would have corrected stays in its place."""
    if notice.shown_from is None or notice.ever_shown(now):
        return
    earlier = corrected_by(session, notice)
    if earlier is None or earlier.state != "published":
        return
    if _put(session, earlier, None, now, Notice.corrected_at == notice.shown_from):
        _record(session, earlier, "restore", now)


def corrected_by(session: Session, notice: Notice) -> Notice | None:
    """The earlier notice that this one corrects."""
    return session.get(Notice, notice.corrects_id) if notice.corrects_id is not None else None


def correction_of(session: Session, notice: Notice, now: dt.datetime) -> Notice | None:
    """The notice that stands in the place of this one by now; it may be withdrawn itself."""
    if not notice.corrected(now):
        return None
    later = sa.select(Notice).where(Notice.corrects_id == notice.id, Notice.shown_from == notice.corrected_at)
    return next((one for one in session.scalars(later.order_by(Notice.id.desc())) if one.ever_shown(now)), None)


def history(session: Session, notice: Notice) -> list[Notice]:
    """The earlier versions of a notice, the oldest first, but those that were withdrawn as a whole."""
    found: list[Notice] = []
    earlier = corrected_by(session, notice)
    while earlier is not None:
        found.append(earlier)
        earlier = corrected_by(session, earlier)
    return [one for one in reversed(found) if one.state != "withdrawn"]


def first(session: Session, notice: Notice) -> Notice:
    """The notice at the beginning of a chain of corrections."""
    while (earlier := corrected_by(session, notice)) is not None:
        notice = earlier
    return notice


def _put(
    session: Session, earlier: Notice, at: dt.datetime | None, now: dt.datetime, still: sa.ColumnElement[bool]
) -> bool:
    update = sa.update(Notice).where(Notice.id == earlier.id, Notice.state == "published", still)
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update.where(Notice.version == earlier.version)
        .values(corrected_at=at, updated_at=now, version=earlier.version + 1)
        .execution_options(synchronize_session=False)
    )
    session.refresh(earlier)
    return result.rowcount == 1


def _record(session: Session, earlier: Notice, action: str, now: dt.datetime) -> None:
    workflow.permit(session, MACHINE, earlier.id, earlier.state, action, actor=None, now=now)
    bound = content_hash(earlier)
    workflow.record(session, MACHINE, earlier.id, earlier.state, action, actor=None, now=now, content_hash=bound)
