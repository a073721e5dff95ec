"""What residents see of the notices: what is shown now, for whom they ask, in which order, and what is related."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import notice_index
from content import texts as text
from content.drafts import Phase
from content.notice_index import NoticeArea
from content.notice_table import Notice

# How much two notices have to do with each other.
_SAME_TOPIC, _SAME_AREA, _SAME_PHASE = 4, 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a reader asks for; each narrows the list.

    `topic` takes its subtopics in. `areas`: a code and those above it; what names no area concerns everybody, and so
    does what names no age. `q`: all of its words, in one of the `languages` (tags, the dearest first) or those that
    stand in for them. `by_phase`: what concerns an earlier phase of a disaster first, the everyday last.
    """

    topic: str | None = None
    areas: Collection[str] | None = None
    age_months: int | None = None
    phase: Phase | None = None
    since: dt.datetime | None = None
    q: str | None = None
    languages: Sequence[str] = ()
    by_phase: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a notice stands in the list."""

    rank: int
    shown_from: dt.datetime
    id: int

    @staticmethod
    def of(notice: Notice) -> Place:
        """The place of a published notice."""
        if notice.shown_from is None:
            raise ValueError("what nobody approved has no place in the list")
        return Place(notice.phase_rank, notice.shown_from, notice.id)


def current(
    session: Session, now: dt.datetime, wishes: Wishes = Wishes(), after: Place | None = None, limit: int = 50
) -> list[Notice]:
    """What residents see now: by phase, within it the newest first; behind `after`, the last of the page before.

    Published, begun, not over, and not corrected by another that is shown by now. Empty for a `q` of which nothing is
    left when folded.
    """
    query = _shown(now)
    if wishes.topic is not None:
        below = Notice.topic.startswith(wishes.topic + ".", autoescape=True)
        query = query.where(sa.or_(Notice.topic == wishes.topic, below))
    if wishes.areas is not None:
        query = query.where(notice_index.concerning(Notice.id.expression, wishes.areas))
    if wishes.age_months is not None:
        query = query.where(
            sa.or_(Notice.from_months.is_(None), Notice.from_months <= wishes.age_months),
            sa.or_(Notice.to_months.is_(None), Notice.to_months > wishes.age_months),
        )
    if wishes.phase is not None:
        query = query.where(Notice.phase == wishes.phase.value)
    if wishes.since is not None:
        query = query.where(Notice.shown_from >= wishes.since)
    if wishes.q is not None:
        terms = notice_index.terms(wishes.q)
        if not terms:
            return []
        query = query.where(notice_index.having(Notice.id.expression, terms, text.chain(wishes.languages)))
    by_phase = [Notice.phase_rank] if wishes.by_phase else []
    if after is not None:
        query = query.where(_behind(after, wishes.by_phase))
    return list(session.scalars(query.order_by(*by_phase, Notice.shown_from.desc(), Notice.id.desc()).limit(limit)))


def related(
    session: Session, notice: Notice, now: dt.datetime, apart: Collection[int] = (), limit: int = 5
) -> list[Notice]:
    """What is shown now and has the topic, an area or the phase of a notice: the most in common first, then the newest.

    Nothing of `apart` (ids: its own earlier and later versions).
    """
    shared: list[sa.ColumnElement[int]] = []
    if notice.topic is not None:
        shared.append(sa.case((Notice.topic == notice.topic, _SAME_TOPIC), else_=0))
    if notice.areas:
        same = sa.select(NoticeArea.notice_id).where(NoticeArea.area_code.in_(notice.areas))
        shared.append(sa.case((Notice.id.in_(same), _SAME_AREA), else_=0))
    if notice.phase is not None:
        shared.append(sa.case((Notice.phase == notice.phase, _SAME_PHASE), else_=0))
    if not shared:
        return []
    common = sum(shared[1:], shared[0])
    query = _shown(now).where(Notice.id.not_in({notice.id, *apart}), common > 0)
    return list(session.scalars(query.order_by(common.desc(), Notice.shown_from.desc(), Notice.id.desc()).limit(limit)))


def _shown(now: dt.datetime) -> sa.Select[Notice]:
    return sa.select(Notice).where(
        Notice.state == "published",
        Notice.shown_from <= now,
        sa.or_(Notice.expires_at.is_(None), Notice.expires_at > now),
        sa.or_(Notice.corrected_at.is_(None), Notice.corrected_at > now),
    )


def _behind(after: Place, by_phase: bool) -> sa.ColumnElement[bool]:
    earlier = sa.or_(
        Notice.shown_from < after.shown_from,
        sa.and_(Notice.shown_from == after.shown_from, Notice.id < after.id),
    )
    if not by_phase:
        return earlier
    return sa.or_(Notice.phase_rank > after.rank, sa.and_(Notice.phase_rank == after.rank, earlier))
