"""How city hall finds its notices: by what became of them, topic, area, a language that is missing, words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import notice_index
from content import texts as text
from content.notice_index import NoticeArea
from content.notice_table import Notice


class Standing(StrEnum):
    """What has become of a notice by now, as a person would say it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    SCHEDULED = "scheduled"  # approved, its hour has not come
    SHOWN = "shown"
    OVER = "over"  # its time is over, or a correction stands in its place
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for; each narrows the list. `topic` takes its subtopics in; `areas`: one of these codes is named
    (what is for the whole city is not meant); `missing`: has no whole text in this language; `words`: all of them, in
    one language."""

    standing: Standing | None = None
    topic: str | None = None
    areas: Collection[str] | None = None
    missing: str | None = None
    words: str = ""


def standing(notice: Notice, now: dt.datetime) -> Standing:
    """What has become of it by now."""
    if notice.state != "published":
        return Standing(notice.state)
    if notice.shown_from is not None and notice.shown_from > now:
        return Standing.SCHEDULED
    return Standing.SHOWN if notice.shown(now) else Standing.OVER


def found(
    session: Session, query: Query, now: dt.datetime, *, before: int | None = None, most: int = 50
) -> Sequence[Notice]:
    """The notices that are looked for, the newest first; `before` is the id the page before ended with."""
    wanted = sa.select(Notice)
    if query.standing is not None:
        wanted = wanted.where(*_stands(query.standing, now))
    if query.topic is not None:
        below = Notice.topic.startswith(query.topic + ".", autoescape=True)
        wanted = wanted.where(sa.or_(Notice.topic == query.topic, below))
    if query.areas is not None:
        wanted = wanted.where(
            Notice.id.in_(sa.select(NoticeArea.notice_id).where(NoticeArea.area_code.in_(query.areas)))
        )
    if query.missing is not None:
        parts = [Notice.texts[query.missing][part].as_string() for part in ("title", "body")]
        wanted = wanted.where(sa.or_(*(sa.func.trim(sa.func.coalesce(part, "")) == "" for part in parts)))
    if query.words.strip():
        terms = notice_index.terms(query.words)
        wanted = wanted.where(notice_index.having(Notice.id.expression, terms, text.LANGUAGES) if terms else sa.false())
    if before is not None:
        wanted = wanted.where(Notice.id < before)
    return session.scalars(wanted.order_by(Notice.id.desc()).limit(most)).all()


def waiting(session: Session, most: int) -> Sequence[Notice]:
    """Those that wait for a second person, the longest waiting first."""
    wanted = sa.select(Notice).where(Notice.state == "submitted")
    return session.scalars(wanted.order_by(Notice.updated_at, Notice.id).limit(most)).all()


def _stands(one: Standing, now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    if one in (Standing.DRAFT, Standing.SUBMITTED, Standing.WITHDRAWN):
        return [Notice.state == one.value]
    published, begun = Notice.state == "published", Notice.shown_from <= now
    if one is Standing.SCHEDULED:
        return [published, ~begun]
    expired = sa.and_(Notice.expires_at.is_not(None), Notice.expires_at <= now)
    corrected = sa.and_(Notice.corrected_at.is_not(None), Notice.corrected_at <= now)
    over = sa.or_(expired, corrected)
    return [published, begun, over if one is Standing.OVER else ~over]
