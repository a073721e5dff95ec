"""A notice is written: the form of a new one, of a draft and of a correction; nothing typed is lost or overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling, notice_steps
from backend.console import edited, history, notice_form, notice_sight, refusals
from backend.console.door import page
from backend.console.language import mark, say
from backend.console.notice_form import Typed
from backend.transaction import session
from content import notices, revisions
from content.attachments import MOST
from content.notices import Conflict, Content, Notice, NoticeRefused
from content.texts import ENDONYMS, LANGUAGES
from content.workflow import NotAllowed
from geo import areas
from notifications.dangers import AreaRefused
from notifications.topics import UnknownTopics

SECTION = "console.notices"
REFUSED = (NoticeRefused, AreaRefused, UnknownTopics)
_NEW = mark("お知らせを書く")
_EDIT = mark("お知らせを直す")
_CORRECT = mark("お知らせを訂正する")
_WORDS = {
    "phase": {str(one): words for one, words in notice_form.PHASES.items()},
    "push": {str(one): words for one, words in notice_form.PUSHES.items()},
    "attachments[].kind": {str(one): words for one, words in notice_form.ATTACHED.items()},
}
LABELS = {
    "correction": mark("何を訂正したか"),
    "topic": mark("話題"),
    "areas": mark("区域"),
    "from_months": mark("月齢（か月以上）"),
    "to_months": mark("月齢（か月未満）"),
    "phase": mark("災害の段階"),
    "push": mark("届け方"),
    "publish_at": mark("掲載を始める日時"),
    "expires_at": mark("掲載を終える日時"),
    "link": mark("詳しいページ"),
    "attachments": mark("添付"),
    "attachments[].url": mark("アドレス"),
    "attachments[].kind": mark("種類"),
    "attachments[].titles": mark("題"),
}


def show(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    """A page of notices."""
    shared = {"section": SECTION, "sight": notice_sight, "endonyms": ENDONYMS, "languages": LANGUAGES}
    return render_template(f"console/{template}", **shared, **values), status


def _form(
    typed: Typed,
    *,
    heading: str,
    notice: Notice | None = None,
    corrects: Notice | None = None,
    wrong: Any = (),
    fields: Any = (),
    met: Any = None,
    status: int = 200,
) -> ResponseReturnValue:
    found, more = notice_form.choices(typed)
    rows = min(MOST, len(typed.attachments) + notice_form.SPARE_ROWS)
    return show(
        "notice_form.html", status, typed=typed, notice=notice, corrects=corrects, heading=heading, found=found,
        more=more, wrong=list(wrong), fields=set(fields), met=met, rows=rows,
        subjects=notice_form.subjects(typed.topic),
        phases=notice_form.PHASES, pushes=notice_form.PUSHES, kinds=notice_form.ATTACHED,
    )  # fmt: skip


def _kept(
    make: Callable[[Content], Notice],
    before: Content,
    *,
    heading: str,
    notice: Notice | None = None,
    corrects: Notice | None = None,
) -> ResponseReturnValue:
    """Reads the form and keeps what was typed, or shows it again with what is wrong or was searched for."""
    typed = notice_form.read(request.form)
    again: dict[str, Any] = {"heading": heading, "notice": notice, "corrects": corrects}
    if request.form.get("do") in ("find", "more"):
        journaling.nothing()
        return _form(typed, **again)
    try:
        done = make(notice_form.content_of(typed, before))
    except REFUSED as error:
        fields = [name for name, _ in getattr(error, "errors", ())]
        return _form(typed, **again, wrong=refusals.reasons(error), fields=fields, status=422)
    except NotAllowed as error:  # it was submitted, published or withdrawn meanwhile
        return _form(typed, **again, wrong=[("", refusals.headline(error))], status=409)
    except Conflict as error:
        return _met(typed, error, again)
    if notice is None:
        journaling.note(action="notices.create")
    if corrects is not None:
        journaling.note(corrects=corrects.public_id)
    journaling.note(done.public_id, version=done.version, title=notice_sight.title(done)[:80])
    return redirect(url_for("console.notices_one", public_id=done.public_id), 303)


def _met(typed: Typed, error: Conflict, again: dict[str, Any]) -> ResponseReturnValue:
    """Two wrote at once: the second sees what the first kept, and decides."""
    notice: Notice = again["notice"]
    newest = next(iter(revisions.history(session(), notice_steps.KIND, notice.public_id, 1)), None)
    stored = notice_steps.said(notices.content_of(notice))
    try:
        mine = notice_steps.said(notice_form.content_of(typed, notices.content_of(notice)))
        differing = list(history.in_words(revisions.changes(stored, mine), LABELS, in_words))
    except NoticeRefused:
        differing = []
    typed.version = str(notice.version)  # whoever says so below may now save over what he has been shown
    met = {"who": newest.who if newest is not None else "", "said": differing[: edited.MOST_NAMED]}
    return _form(typed, **again, wrong=[("", refusals.headline(error))], met=met, status=409)


@page("/notices/new", "draft", name="notices_new")
def new() -> ResponseReturnValue:
    """An empty form, or one that begins with the words of an earlier notice."""
    like = request.args.get("like", "")
    content = Content()
    if like:
        earlier = notices.content_of(notice_steps.one(like))
        again = {name: getattr(earlier, name) for name in ("texts", "topic", "areas", "from_months", "to_months")}
        content = Content(**again, phase=earlier.phase, push=earlier.push, link=earlier.link)
    return _form(notice_form.of_content(content), heading=_NEW)


@page("/notices/new", "draft", post=True, name="notices_create", keeps=True)
def create() -> ResponseReturnValue:
    """Keeps it as a draft; it may still be incomplete."""
    return _kept(notice_steps.draft, Content(), heading=_NEW)


@page("/notices/<public_id>/edit", "draft", name="notices_edit")
def edit(public_id: str) -> ResponseReturnValue:
    """The form of a draft."""
    notice = notice_steps.one(public_id)
    return _form(notice_form.of_content(notices.content_of(notice), notice.version), heading=_EDIT, notice=notice)


@page("/notices/<public_id>/edit", "draft", post=True, name="notices_save", keeps=True)
def save(public_id: str) -> ResponseReturnValue:
    """Keeps the changes, unless somebody else was faster and this person has not said that he has seen it."""
    notice = notice_steps.one(public_id)
    seen = version_of(request.form.get("version", ""))

    def make(content: Content) -> Notice:
        if request.form.get("met") and "overwrite" not in request.form:
            raise Conflict("somebody else changed it in between")
        notice_steps.edit(notice, content, version=seen)
        return notice

    return _kept(make, notices.content_of(notice), heading=_EDIT, notice=notice)


@page("/notices/<public_id>/correct", "draft", name="notices_correct")
def correct(public_id: str) -> ResponseReturnValue:
    """The form of a correction: the content that is published, to be put right."""
    earlier = notice_steps.one(public_id)
    content = notices.to_correct(earlier, clock.now())
    return _form(notice_form.of_content(content), heading=_CORRECT, corrects=earlier)


@page("/notices/<public_id>/correct", "draft", post=True, name="notices_correct_create", keeps=True)
def correct_it(public_id: str) -> ResponseReturnValue:
    """Drafts the correction."""
    earlier = notice_steps.one(public_id)
    content = notices.to_correct(earlier, clock.now())
    return _kept(lambda said: notice_steps.correct(earlier, said), content, heading=_CORRECT, corrects=earlier)


def in_words(path: str, value: Any) -> str | None:
    """A value of the history in words."""
    if path == "topic":
        return notice_sight.topic_name(str(value))
    if path == "areas[]":
        area = areas.get(session(), str(value))
        return area.name if area is not None else None
    words = _WORDS.get(path, {}).get(str(value))
    return say(words) if words is not None else None


def version_of(written: str) -> int:
    """The version that a form was made of; -1 for none, which no notice has."""
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else -1
