"""City hall's steps with a notice, one function each: the staff API and the console both call these, nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flask import g

from backend import channel, clock
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import notices, revisions
from content.notices import Content, Notice, NoticeRefused
from notifications import announcements, preview, topics
from notifications.audiences import Audience, Count
from notifications.dangers import AreaRefused
from notifications.messages import Message
from notifications.preview import Sample
from notifications.topics import UnknownTopics

KIND = "notice"  # in the history of what people edit


def one(public_id: str) -> Notice:
    """The notice of this id; raises Problem 404."""
    notice = notices.by_public_id(session(), public_id) if "\0" not in public_id else None
    if notice is None:
        raise of_status(404, "There is no notice with this id.")
    return notice


def draft(content: Content) -> Notice:
    """Drafts one; it may still be incomplete. Raises NoticeRefused."""
    _must_exist(content.topic)
    return _kept(lambda: notices.create(session(), content, actor=g.editor, now=clock.now()))


def correct(earlier: Notice, content: Content) -> Notice:
    """Drafts the correction of a published notice. Raises NoticeRefused."""
    _must_exist(content.topic)
    make = notices.create
    return _kept(lambda: make(session(), content, actor=g.editor, now=clock.now(), corrects=earlier))


def edit(notice: Notice, content: Content, *, version: int) -> None:
    """Edits what is not published; raises Conflict when `version` is not the newest, NoticeRefused."""
    if content.topic != notice.topic:
        _must_exist(content.topic)
    before = said(notices.content_of(notice))
    now = clock.now()
    change = notices.edit
    _kept(lambda: change(session(), notice, content, actor=g.editor, version=version, now=now), before)


def submit(notice: Notice, *, version: int, accept_warnings: bool) -> None:
    """Hands it to a second person; refuses also what could not be rung or does not fit a push."""
    now = clock.now()
    _must_exist(notice.topic)
    announcements.audience_of(session(), notice, now, settings().zone)
    too_large = [one.language for one in samples(notice) if one.bytes is None]
    if too_large:
        raise NoticeRefused([(f"texts.{too_large[0]}.body", "The texts are too long for a push.")])
    notices.submit(
        session(),
        notice,
        actor=g.editor,
        version=version,
        now=now,
        city_tz=settings().zone,
        accept_warnings=accept_warnings,
    )


def approve(notice: Notice, *, seen_hash: str) -> None:
    """Publishes exactly what was seen, and tells those whom it rings: now, or when its hour comes."""
    now = clock.now()
    _must_exist(notice.topic)
    notices.approve(session(), notice, actor=g.editor, seen_hash=seen_hash, now=now)
    announcements.announce(session(), notice, now, settings().public_url, city_zone=settings().zone)


def send_back(notice: Notice, *, reason: str) -> None:
    """Returns it to its author."""
    notices.send_back(session(), notice, actor=g.editor, reason=reason, now=clock.now())


def withdraw(notice: Notice, *, reason: str | None) -> None:
    """Takes it back; a published one needs a reason, and what was not sent yet stays unsent."""
    notices.withdraw(session(), notice, actor=g.editor, now=clock.now(), reason=reason)
    announcements.retract(session(), notice)


def reach(notice: Notice) -> Count | None:
    """Whom it would ring; None when the shape of its areas is not at hand. Writes nothing. Raises AreaRefused."""
    return announcements.reach(session(), notice, clock.now(), settings().zone)


def count(notice: Notice) -> Count:
    """Whom it would ring, the shape of its areas made where it is not at hand. Raises AreaRefused, UnknownTopics."""
    now, zone = clock.now(), settings().zone
    announcements.audience_of(session(), notice, now, zone)
    return announcements.reach(session(), notice, now, zone) or Count()


def samples(notice: Notice) -> list[Sample]:
    """The push that it makes, in each language in which it is whole; none for one that only is listed."""
    if not announcements.rings(notice):
        return []
    now = clock.now()
    if notice.expires_at is not None:  # one whose time is over is shown as it was at its last moment
        now = min(now, notice.expires_at - dt.timedelta(seconds=1))
    saying = announcements.saying_of(session(), notice, Audience(), now, settings().public_url)
    return preview.samples(Message(**saying.row(now)), now, _encode)


def said(content: Content) -> dict[str, Any]:
    """A content as the history keeps it."""
    return {
        "texts": {language: dict(text) for language, text in content.texts.items()},
        "correction": dict(content.correction),
        "topic": content.topic,
        "areas": list(content.areas),
        "from_months": content.from_months,
        "to_months": content.to_months,
        "phase": content.phase,
        "push": str(content.push),
        "publish_at": content.publish_at.isoformat() if content.publish_at else None,
        "expires_at": content.expires_at.isoformat() if content.expires_at else None,
        "link": content.link,
        "attachments": [{**attached, "titles": dict(attached["titles"])} for attached in content.attachments],
    }


def content_of(kept: Mapping[str, Any]) -> Content:
    """The content that the history keeps."""
    body = dict(kept)
    for name in ("publish_at", "expires_at"):
        body[name] = dt.datetime.fromisoformat(body[name]) if body.get(name) else None
    return Content(**body)


def _kept(change: Callable[[], Notice], before: dict[str, Any] | None = None) -> Notice:
    """Makes a change, writes it into the history, and keeps the shape of its areas for whoever counts next."""
    notice = change()
    now, body = clock.now(), said(notices.content_of(notice))
    title = next((text["title"] for text in notice.texts.values() if text["title"]), "")
    revisions.record(
        session(), now, kind=KIND, subject=notice.public_id, name=title, who=g.editor.name, body=body, before=before
    )
    if notice.areas:
        with suppress(AreaRefused, UnknownTopics):  # a draft may still be wrong; its submission may not
            announcements.audience_of(session(), notice, now, settings().zone)
    return notice


def _must_exist(topic: str | None) -> None:
    if topic is not None and not topics.exists(session(), topic):
        raise NoticeRefused([("topic", f"there is no topic {topic!r}")])


def _encode(push: Any, now: dt.datetime) -> bytes:
    return channel.encode(settings(), push, now)
