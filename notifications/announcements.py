"""Freshly published notices become messages to the followers of their topic."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from content.notices import Notice
from notifications import messages, topics
from notifications.audiences import Audience
from notifications.dispatch import batches
from notifications.identifier import derived_identifier
from notifications.messages import Kind, Lane, Message, Saying

# A notice without an end is news for this long; after that a phone that was off need not ring for it.
NEWS_FOR = dt.timedelta(days=3)


def announce(session: Session, notice: Notice, now: dt.datetime, public_url: str = "") -> Message | None:
    """Tells the followers of a notice's topic, in the transaction that publishes it; None when it has no topic.

    Once a notice, however often it is called. Raises topics.UnknownTopics.
    """
    if notice.topic is None:
        return None
    if not topics.exists(session, notice.topic):
        raise topics.UnknownTopics([notice.topic])
    begins = max(now, notice.publish_at or now)
    news_until = begins + NEWS_FOR
    saying = Saying(
        origin=f"notice:{notice.public_id}",
        thread=derived_identifier("notice", notice.public_id),
        kind=Kind.NOTICE,
        lane=Lane.NOTICE,
        texts=notice.texts,
        link=notice.link or f"{public_url.rstrip('/')}/v1/notices/{notice.public_id}",
        reason=f"topic:{notice.topic}",
        audience=Audience(topic=notice.topic),
        not_before=begins,
        expires_at=min(news_until, notice.expires_at) if notice.expires_at else news_until,
    )
    return messages.post(session, saying, now)


def retract(session: Session, notice: Notice) -> None:
    """A notice was withdrawn: whatever of its message was not handed over yet stays unsaid."""
    message = messages.by_origin(session, f"notice:{notice.public_id}")
    if message is not None:
        messages.withdraw(session, [message.id])
        batches.withdraw(session, [message.id])
