"""Freshly published notices become messages: to those whom they concern, or to everyone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from content import corrections
from content.childcare.ages import months_of_birth
from content.notices import Notice, Push
from notifications import audiences, dangers, messages, topics
from notifications.audiences import Audience, Count
from notifications.dispatch import batches
from notifications.identifier import derived_identifier
from notifications.messages import Kind, Lane, Message, Saying

# A notice without an end is news for this long; after that a phone that was off need not ring for it.
NEWS_FOR = dt.timedelta(days=3)
_NOT_AT_HAND = 0  # of no shape
Inside = Callable[[Session, Sequence[str]], int]  # the id of the shape of some areas
_MOST_AREAS_NAMED = 3  # in the reason, which travels with every push


def audience_of(
    session: Session, notice: Notice, now: dt.datetime, city_zone: ZoneInfo, *, inside: Inside | None = None
) -> Audience | None:
    """Whose phones a notice rings; None when it rings nobody's.

    Of those concerned each must follow its topic (or one above; a topic that nobody can switch off is followed by
    all), have a place in its areas, and a child of its ages at the moment it is shown: all of it that the notice
    says. A correction goes also to whoever was told what it corrects. Raises topics.UnknownTopics,
    dangers.AreaRefused for an area without a boundary. `inside` finds the shape of areas; usually it is made.
    """
    audience = _asked(session, notice, now, city_zone, inside or _inside)
    if audience is None:
        return None
    earlier = corrections.corrected_by(session, notice)
    said = messages.by_origin(session, _origin(earlier)) if earlier is not None else None
    return replace(audience, told_message_ids=(said.id,)) if said is not None else audience


def rings(notice: Notice) -> bool:
    """Whether it is meant to ring anybody at all: not one that only is listed, nor one that concerns nobody by name."""
    ages = notice.from_months is not None or notice.to_months is not None
    named = notice.push == Push.EVERYONE or notice.topic is not None or bool(notice.areas) or ages
    return notice.push != Push.NONE and named


def reach(session: Session, notice: Notice, now: dt.datetime, city_zone: ZoneInfo) -> Count | None:
    """How many phones a notice would ring, of those of now; writes nothing.

    None where that is not known without writing: `audience_of` was never asked for these areas, or so long ago that
    their shape was cleared away. Raises as `audience_of`.
    """
    audience = audience_of(session, notice, now, city_zone, inside=_known)
    if audience is None:
        return Count()
    return audiences.count(session, audience, now) if audience.danger_area_id != _NOT_AT_HAND else None


def _asked(session: Session, notice: Notice, now: dt.datetime, city_zone: ZoneInfo, inside: Inside) -> Audience | None:
    if not rings(notice):
        return None
    if notice.push == Push.EVERYONE:
        return Audience(everyone=True)
    topic = None
    if notice.topic is not None:
        if not topics.exists(session, notice.topic):
            raise topics.UnknownTopics([notice.topic])
        # What nobody can switch off is no condition.
        topic = notice.topic if topics.may_be_left_out(session, notice.topic) else None
    born = None
    if notice.from_months is not None or notice.to_months is not None:
        day = _begins(notice, now).astimezone(city_zone).date()
        born = months_of_birth(day, notice.from_months, notice.to_months)
    if notice.areas:
        return Audience(danger_area_id=inside(session, notice.areas), followers_of=topic, parents_of=born)
    if born is not None:
        return Audience(born=born, followers_of=topic)
    if topic is not None:
        return Audience(topic=topic)
    return Audience(everyone=True)  # of a topic that nobody can switch off


def _inside(session: Session, codes: Sequence[str]) -> int:
    try:
        shape = dangers.compose(session, polygon=None, area_codes=codes, minus_area_codes=(), minus_polygon=None)
    except dangers.AreaRefused as refused:
        raise _without_boundary(refused) from refused
    return shape.id


def _known(session: Session, codes: Sequence[str]) -> int:
    try:
        return dangers.at_hand(session, codes) or _NOT_AT_HAND
    except dangers.AreaRefused as refused:
        raise _without_boundary(refused) from refused


def _without_boundary(refused: dangers.AreaRefused) -> dangers.AreaRefused:
    return dangers.AreaRefused("areas", f"{refused.reason}: nobody can be rung there; set push to none")


def announce(
    session: Session, notice: Notice, now: dt.datetime, public_url: str = "", *, city_zone: ZoneInfo
) -> Message | None:
    """Tells those whom a notice rings, in the transaction that publishes it; None when there is nobody to ring.

    Once a notice, however often it is called; from the moment on at which it is shown, or later, when a worker is
    back, while it is news. What a correction corrects is not sent to anybody else any more. Raises as `audience_of`.
    """
    earlier = corrections.corrected_by(session, notice)
    if earlier is not None:
        retract(session, earlier)
    audience = audience_of(session, notice, now, city_zone)
    if audience is None:
        return None
    return messages.post(session, saying_of(session, notice, audience, now, public_url), now)


def saying_of(session: Session, notice: Notice, audience: Audience, now: dt.datetime, public_url: str) -> Saying:
    """What is said of a notice, to be posted or only to be looked at."""
    begins = _begins(notice, now)
    news_until = begins + NEWS_FOR
    return Saying(
        origin=_origin(notice),
        # A correction takes the place of what it corrects on the phone, too.
        thread=derived_identifier("notice", corrections.first(session, notice).public_id),
        kind=Kind.NOTICE,
        lane=Lane.NOTICE,
        texts=notice.texts,
        link=notice.link or f"{public_url.rstrip('/')}/v1/notices/{notice.public_id}",
        reason=_reason(notice),
        audience=audience,
        not_before=begins,
        expires_at=min(news_until, notice.expires_at) if notice.expires_at else news_until,
    )


def retract(session: Session, notice: Notice) -> None:
    """A notice was withdrawn or corrected: whatever of its message was not handed over yet stays unsaid."""
    message = messages.by_origin(session, _origin(notice))
    if message is not None:
        messages.withdraw(session, [message.id])
        batches.withdraw(session, [message.id])


def _begins(notice: Notice, now: dt.datetime) -> dt.datetime:
    return max(now, notice.publish_at or now)


def _origin(notice: Notice) -> str:
    return f"notice:{notice.public_id}"


def _reason(notice: Notice) -> str:
    """Why it came: each condition that was met, with a blank between."""
    if notice.push == Push.EVERYONE:
        return "everyone"
    ages = notice.from_months is not None or notice.to_months is not None
    said = [f"area:{code}" for code in notice.areas[:_MOST_AREAS_NAMED]] + (["child"] if ages else [])
    return " ".join(([f"topic:{notice.topic}"] if notice.topic is not None else []) + said)
