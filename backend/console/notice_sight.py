"""What a page shows of a notice: how phones show it, whom it reaches, what is doubtful, what is next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g

from backend import clock, notice_steps
from backend.config import settings
from backend.console import refusals
from backend.console.language import mark, say
from backend.console.notice_form import name_of
from backend.transaction import session
from content import attachments, corrections, notice_search, notices, workflow
from content import texts as text
from content.notice_search import Standing
from content.notices import MACHINE, REQUIRED_LANGUAGES, Notice
from content.texts import Text
from content.workflow import Step
from geo import areas
from notifications import announcements, topics
from notifications.audiences import Count
from notifications.dangers import AreaRefused
from notifications.preview import Sample
from notifications.topics import UnknownTopics

STANDINGS = {
    Standing.DRAFT: mark("下書き"),
    Standing.SUBMITTED: mark("承認待ち"),
    Standing.SCHEDULED: mark("公開予約"),
    Standing.SHOWN: mark("掲載中"),
    Standing.OVER: mark("掲載終了"),
    Standing.WITHDRAWN: mark("取り下げ"),
}


@dataclass(frozen=True, slots=True)
class Worded:
    """One language: what its reader sees, and what is doubtful about the text."""

    language: str
    name: str
    shown: Text | None  # None: no text in any language
    instead: str  # the name of the language that stands in for a missing text
    push: Sample | None
    correction: str
    attached: list[tuple[str, str, str]]  # address, kind, title
    errors: list[str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Sight:
    """A notice with everything that its page says."""

    notice: Notice
    standing: Standing
    content_hash: str
    steps: Sequence[Step]
    words: list[Worded]
    missing: list[str]
    rings: bool
    reach: Count | None
    unreachable: str  # why nobody can be rung
    topic: str
    areas: list[str]
    own_work: bool  # the reader had a hand in it
    lapses_at: dt.datetime | None
    corrects: Notice | None
    corrected_by: Notice | None
    barred: list[tuple[str, str]]  # what keeps it from being submitted beside its texts

    @property
    def submittable(self) -> bool:
        """Nothing bars the way to a second person."""
        return not self.barred and not self.unreachable and not any(one.errors for one in self.words)

    @property
    def warned(self) -> bool:
        """Something must be accepted knowingly."""
        return any(one.warnings for one in self.words)


def sight_of(notice: Notice, count: Count | None = None) -> Sight:
    """Everything of one notice, from the functions that will publish it; `count`: whom it reaches, just counted."""
    now = clock.now()
    steps = workflow.steps(session(), MACHINE.subject_kind, notice.id)
    submission = workflow.last_submission(MACHINE, steps)
    unreachable = ""
    try:
        count = count or notice_steps.reach(notice)
    except (AreaRefused, UnknownTopics) as error:
        unreachable = refusals.reason(error.reason if isinstance(error, AreaRefused) else "there is no topic")
    lapse = MACHINE.approval_lapse
    return Sight(
        notice=notice,
        standing=notice_search.standing(notice, now),
        content_hash=notices.content_hash(notice),
        steps=steps,
        words=_words(notice, now),
        missing=text.missing(notice.texts),
        rings=announcements.rings(notice),
        reach=count,
        unreachable=unreachable,
        topic=topic_name(notice.topic),
        areas=[area.name for code in notice.areas if (area := areas.get(session(), code)) is not None],
        own_work=g.editor.id in workflow.authors_in(MACHINE, steps) | {notice.created_by},
        lapses_at=submission.at + lapse if submission is not None and lapse is not None else None,
        corrects=corrections.corrected_by(session(), notice),
        corrected_by=corrections.correction_of(session(), notice, now),
        barred=_barred(notice, now),
    )


def title(notice: Notice) -> str:
    """Its title for lists: in Japanese, or in whatever language there is one."""
    titles = [notice.texts[one]["title"] for one in text.LANGUAGES if one in notice.texts]
    return next((one for one in titles if one), say("（題なし）"))


def gaps(notice: Notice) -> list[str]:
    """Languages in which it cannot be read."""
    return text.missing(notice.texts)


def topic_name(slug: str | None) -> str:
    """A topic's name for the reader of this page."""
    if slug is None:
        return ""
    topic = topics.get(session(), slug)
    return name_of(topic.names, slug) if topic is not None else slug


def _words(notice: Notice, now: dt.datetime) -> list[Worded]:
    found = notices.proofread(notice, now, settings().zone)
    pushes = {one.language: one for one in notice_steps.samples(notice)}
    listed = []
    for language in text.LANGUAGES:
        try:
            spoken, shown = text.choose(notice.texts, language)
        except text.TextsError:
            spoken, shown = language, None
        errors: list[str] = []
        warnings: list[str] = []
        for finding in found:
            if finding.language == language:
                said = f"{refusals.field(finding.field)}: {refusals.reason(f'{finding.message}: {finding.excerpt}')}"
                (errors if finding.severity == "error" else warnings).append(said)
        if language in pushes and pushes[language].bytes is None:
            errors.append(say("プッシュに入りきりません。短くしてください。"))
        instead = "" if spoken == language else text.ENDONYMS[spoken]
        push, name = pushes.get(spoken), text.ENDONYMS[language]
        said_of = _best(notice.correction, language) if notice.corrects_id is not None else ""
        attached = [(one["url"], one["kind"], _best(one["titles"], language)) for one in notice.attachments]
        listed.append(Worded(language, name, shown, instead, push, said_of, attached, errors, warnings))
    return listed


def _best(phrases: dict[str, str], language: str) -> str:
    tags = (*text.chain(language), *text.LANGUAGES)
    return next((phrases[one] for one in tags if one in phrases), "")


def _barred(notice: Notice, now: dt.datetime) -> list[tuple[str, str]]:
    faults = [(f"texts.{one}", "is required") for one in text.missing(notice.texts, REQUIRED_LANGUAGES)]
    faults += [fault for one in REQUIRED_LANGUAGES for fault in attachments.untitled(notice.attachments, one)]
    faults += notices.over(notice, now) + corrections.refusals(session(), notice)
    return [(refusals.field(name), refusals.reason(said)) for name, said in faults]
