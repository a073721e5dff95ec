"""What an author hands in for a notice, checked before it is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from content import texts as text
from content.texts import Texts

LINK_MAX = 500
TOPIC_MAX = 100


class NoticeRefused(ValueError):
    """A notice cannot be kept or submitted as it is; `errors` lists (field, reason)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in self.errors))


@dataclass(frozen=True, slots=True)
class Content:
    """What an author says: texts by language, the topic whose followers hear of it, a link, from when until when."""

    texts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    topic: str | None = None
    link: str | None = None
    publish_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None


def checked(content: Content) -> dict[str, Any]:
    """The columns of a content; raises NoticeRefused listing everything that cannot be stored."""
    errors: list[tuple[str, str]] = []
    texts: Texts = {}
    try:
        texts = text.clean(content.texts)
    except text.TextsError as refused:
        errors.append((".".join(filter(None, ("texts", refused.language, refused.field))), refused.reason))
    if content.link is not None and (problem := _link_problem(content.link)):
        errors.append(("link", problem))
    if content.topic is not None and not 0 < len(content.topic) <= TOPIC_MAX:
        errors.append(("topic", f"must have 1 to {TOPIC_MAX} characters"))
    if content.publish_at and content.expires_at and content.expires_at <= content.publish_at:
        errors.append(("expires_at", "must lie after publish_at"))
    if errors:
        raise NoticeRefused(errors)
    columns: dict[str, Any] = {"texts": texts, "topic": content.topic, "link": content.link}
    return columns | {"publish_at": content.publish_at, "expires_at": content.expires_at}


def _link_problem(link: str) -> str | None:
    if len(link) > LINK_MAX:
        return f"{len(link)} characters, at most {LINK_MAX}"
    try:
        parts = urlsplit(link)
        whole = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        whole = False
    plain = all(character.isprintable() and not character.isspace() for character in link)
    return None if whole and plain else "must be a whole address that begins with https://"
