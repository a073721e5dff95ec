"""What an author hands in for a notice, checked before it is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from content import attachments
from content import texts as text
from content.childcare.ages import OLDEST_MONTHS
from content.texts import Texts

TOPIC_MAX = 100
MOST_AREAS = 50
CORRECTION_MAX = 500


class NoticeRefused(ValueError):
    """A notice cannot be kept or submitted as it is; `errors` lists (field, reason)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in self.errors))


class Phase(StrEnum):
    """How far a disaster has come; what concerns an earlier phase is shown before a later one."""

    AT_ONCE = "at_once"  # 発災直後
    AFTER = "after"  # 応急
    RECOVERY = "recovery"  # 復旧
    REBUILDING = "rebuilding"  # 復興

    @property
    def rank(self) -> int:
        """Its place in lists."""
        return list(Phase).index(self)


EVERYDAY = len(Phase)  # the rank of what belongs to no disaster


class Push(StrEnum):
    """Whose phones a notice rings when it is shown."""

    NONE = "none"  # it is only listed
    CONCERNED = "concerned"  # followers of its topic, in its areas, with a child of its ages: all that is said of it
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Content:
    """What an author says: texts by language, what it is about, whom it concerns and whom it rings, from when to when.

    `areas`: codes; none: the whole city. Ages of children in whole months: from `from_months` until `to_months` is
    reached; none: not for an age. `correction`: what a notice that corrects another puts right, by language.
    """

    texts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    topic: str | None = None
    link: str | None = None
    publish_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    areas: Sequence[str] = ()
    from_months: int | None = None
    to_months: int | None = None
    phase: Phase | str | None = None
    push: Push | str = Push.CONCERNED
    attachments: Sequence[Mapping[str, Any]] = ()
    correction: Mapping[str, str] = field(default_factory=dict)


def checked(content: Content) -> dict[str, Any]:
    """The columns of a content; raises NoticeRefused listing everything that cannot be stored."""
    errors: list[tuple[str, str]] = []
    texts: Texts = {}
    try:
        texts = text.clean(content.texts)
    except text.TextsError as refused:
        errors.append((".".join(filter(None, ("texts", refused.language, refused.field))), refused.reason))
    if content.link is not None and (problem := attachments.link_problem(content.link)):
        errors.append(("link", problem))
    if content.topic is not None and not 0 < len(content.topic) <= TOPIC_MAX:
        errors.append(("topic", f"must have 1 to {TOPIC_MAX} characters"))
    if content.publish_at and content.expires_at and content.expires_at <= content.publish_at:
        errors.append(("expires_at", "must lie after publish_at"))
    hung, wrong = attachments.checked(content.attachments)
    correction, mistaken = attachments.phrases(content.correction, "correction", CORRECTION_MAX)
    errors += wrong + mistaken + _whom(content)
    if errors:
        raise NoticeRefused(errors)
    phase = Phase(content.phase) if content.phase is not None else None
    return {
        "texts": texts,
        "topic": content.topic,
        "link": content.link,
        "publish_at": content.publish_at,
        "expires_at": content.expires_at,
        "areas": list(dict.fromkeys(content.areas)),
        "from_months": content.from_months,
        "to_months": content.to_months,
        "phase": phase.value if phase is not None else None,
        "phase_rank": phase.rank if phase is not None else EVERYDAY,
        "push": Push(content.push).value,
        "attachments": hung,
        "correction": correction,
    }


def _whom(content: Content) -> list[tuple[str, str]]:
    errors: list[tuple[str, str]] = []
    if len(content.areas) > MOST_AREAS:
        errors.append(("areas", f"{len(content.areas)} areas, at most {MOST_AREAS}"))
    for name, months in (("from_months", content.from_months), ("to_months", content.to_months)):
        if months is not None and not 0 <= months <= OLDEST_MONTHS:
            errors.append((name, f"must lie between 0 and {OLDEST_MONTHS} months"))
    if content.to_months is not None and content.to_months <= (content.from_months or 0):
        errors.append(("to_months", "must be more than from_months"))
    if content.phase is not None and content.phase not in set(Phase):
        errors.append(("phase", f"is one of {', '.join(Phase)}, or null"))
    if content.push not in set(Push):
        errors.append(("push", f"is one of {', '.join(Push)}"))
    return errors
