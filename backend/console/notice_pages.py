"""Notices: found, looked at, submitted, published by another person, withdrawn; their history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling, notice_steps
from backend.console import door, edited, history, notice_form, notice_sight, refusals
from backend.console.door import page
from backend.console.language import say
from backend.console.notice_writing import LABELS, REFUSED, SECTION, in_words, show, version_of
from backend.transaction import session
from content import notice_search
from content.childcare.published import codes_above
from content.notice_search import Query, Standing
from content.notices import Notice
from content.texts import LANGUAGES
from geo import areas
from notifications.audiences import Count
from notifications.dangers import AreaRefused
from notifications.topics import UnknownTopics

PAGE = 30


def _to(notice: Notice) -> ResponseReturnValue:
    return redirect(url_for("console.notices_one", public_id=notice.public_id), 303)


@page("/notices", "read", name="notices")
def listed() -> ResponseReturnValue:
    """Newest first, narrowed by what was asked for, a page at a time."""
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("q", "state", "topic", "area", "missing")}
    named = areas.find(session(), asked["area"], limit=1) if asked["area"] else ()
    code = named[0].code if named else asked["area"]
    query = Query(
        standing=Standing(asked["state"]) if asked["state"] in set(Standing) else None,
        topic=asked["topic"] or None,
        areas=(codes_above(session(), code) or (code,)) if code else None,
        missing=asked["missing"] if asked["missing"] in LANGUAGES else None,
        words=asked["q"],
    )
    before, now = request.args.get("before", ""), clock.now()
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    found = notice_search.found(session(), query, now, before=number, most=PAGE + 1)
    older = f"{url_for(SECTION)}?{urlencode({**asked, 'before': found[PAGE - 1].id})}" if len(found) > PAGE else None
    return show(
        "notices.html", found=found[:PAGE], older=older, asked=asked, standing_of=notice_search.standing,
        subjects=notice_form.subjects(asked["topic"]), area_name=named[0].name if named else "",
    )  # fmt: skip


@page("/notices/<public_id>", "read", name="notices_one")
def look(public_id: str) -> ResponseReturnValue:
    """Everything of one."""
    return _look(notice_steps.one(public_id))


def _look(notice: Notice, wrong: Any = (), status: int = 200, count: Count | None = None) -> ResponseReturnValue:
    seen = notice_sight.sight_of(notice, count)
    return show(
        "notice.html", status, seen=seen, notice=notice, wrong=list(wrong), Standing=Standing,
        phases=notice_form.PHASES, pushes=notice_form.PUSHES, kinds=notice_form.ATTACHED,
    )  # fmt: skip


@page("/notices/<public_id>/reach", "read", post=True, name="notices_reach")
def reach(public_id: str) -> ResponseReturnValue:
    """Counts anew whom it would ring."""
    notice = notice_steps.one(public_id)
    journaling.nothing()
    try:
        return _look(notice, count=notice_steps.count(notice))
    except (AreaRefused, UnknownTopics):
        return _look(notice)


@page("/notices/<public_id>/submit", "submit", post=True, name="notices_submit")
def submit(public_id: str) -> ResponseReturnValue:
    """Hands it to a second person."""
    notice, accept = notice_steps.one(public_id), "accept_warnings" in request.form
    try:
        notice_steps.submit(notice, version=version_of(request.form.get("version", "")), accept_warnings=accept)
    except REFUSED as error:
        return _look(notice, refusals.reasons(error), 422)
    journaling.note(notice.public_id, version=notice.version)
    door.tell(say("提出しました。別の人が承認すると公開されます。"))
    return _to(notice)


@page("/notices/<public_id>/approve", "approve", "publish", post=True, name="notices_approve")
def approve(public_id: str) -> ResponseReturnValue:
    """Publishes exactly what this person has seen."""
    notice, seen = notice_steps.one(public_id), request.form.get("content_hash", "")
    if "seen" not in request.form:
        return _look(notice, [("", say("確かめて印を付けてください。"))], 422)
    try:
        notice_steps.approve(notice, seen_hash=seen)
    except REFUSED as error:
        return _look(notice, refusals.reasons(error), 422)
    journaling.note(notice.public_id, content_hash=seen[:64])
    later = notice_search.standing(notice, clock.now()) is Standing.SCHEDULED
    door.tell(say("承認しました。掲載を始める日時に公開されます。") if later else say("承認しました。公開されました。"))
    return _to(notice)


@page("/notices/<public_id>/return", "return", post=True, name="notices_return", keeps=True)
def send_back(public_id: str) -> ResponseReturnValue:
    """Returns it to its author with a word."""
    notice, reason = notice_steps.one(public_id), _reason()
    notice_steps.send_back(notice, reason=reason)
    journaling.note(notice.public_id, reason=reason)
    door.tell(say("差し戻しました。"))
    return _to(notice)


@page("/notices/<public_id>/withdraw", "withdraw", post=True, name="notices_withdraw", keeps=True)
def withdraw(public_id: str) -> ResponseReturnValue:
    """Takes it back for good; what was published with a reason."""
    notice, reason = notice_steps.one(public_id), _reason()
    published = notice.published_at is not None
    notice_steps.withdraw(notice, reason=reason or None)
    journaling.note(notice.public_id, reason=reason)
    door.tell(say("取り下げました。") if published else say("破棄しました。"))
    return _to(notice)


@page("/notices/<public_id>/history", "read", name="notices_history")
def changes(public_id: str) -> ResponseReturnValue:
    """Every version, and what changed in it."""
    notice = notice_steps.one(public_id)
    back = url_for("console.notices_one", public_id=public_id)
    open_still = notice.state in ("draft", "submitted") and door.may("draft")

    def address(number: int) -> str:
        return url_for("console.notices_restore", public_id=public_id, number=number)

    return history.history_page(
        notice_steps.KIND, notice.public_id, notice_sight.title(notice), back, address if open_still else None,
        labels=LABELS, words=in_words, section=SECTION,
    )  # fmt: skip


@page("/notices/<public_id>/history/<int:number>", "draft", post=True, name="notices_restore")
def restore(public_id: str, number: int) -> ResponseReturnValue:
    """Makes an earlier version the content of the draft again."""
    notice = notice_steps.one(public_id)
    body = edited.asked_back(notice_steps.KIND, notice.public_id, number)
    if body is None:
        return redirect(url_for("console.notices_history", public_id=public_id), 303)
    notice_steps.edit(notice, notice_steps.content_of(body), version=notice.version)
    journaling.note(notice.public_id, restored=number)
    door.tell(say("%(number)s 版の内容に戻しました。", number=number))
    return _to(notice)


def _reason() -> str:
    return request.form.get("reason", "").strip()[:1000]
