"""/v1/staff/notices: written, submitted, approved by another person and thereby told to the topic's followers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask import request
from flask.views import MethodView
from marshmallow import validate

from backend import clock, notice_steps
from backend.api import cursor, notice_forms
from backend.api.alert_forms import ApproveForm, ReturnForm
from backend.api.blueprint import Blueprint
from backend.api.history import steps_view
from backend.api.notice_forms import (
    CorrectionForm,
    NoticeEdit,
    NoticeForm,
    NoticeSubmit,
    NoticeWithdraw,
    Reach,
    StaffNotice,
    StaffNoticeFull,
)
from backend.auth import staff_required
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import corrections
from content import notices as house
from content import texts as text
from content.notices import MACHINE, Content, Notice


class StaffNoticeQuery(cursor.PageQuery):
    """Which notices."""

    state = ma.fields.String(load_default=None, validate=validate.OneOf(MACHINE.states))
    topic = ma.fields.String(load_default=None, validate=validate.Length(1, 100))


class StaffNoticePage(ma.Schema):
    """Newest first."""

    items = ma.fields.List(ma.fields.Nested(StaffNotice))
    next = ma.fields.String(allow_none=True)


blp = Blueprint(
    "staff_notices",
    __name__,
    url_prefix="/v1/staff/notices",
    description="お知らせの起案と承認 · Notices, for city hall",
)


@blp.route("")
class Many(MethodView):
    @staff_required("read")
    @blp.arguments(StaffNoticeQuery, location="query")
    @blp.response(200, StaffNoticePage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """すべての状態のものを新しい順に。Every state, the newest first."""
        key = cursor.decode(query["cursor"], int)
        topic = (query["topic"] or "").replace("\0", "") or None
        found = house.every(session(), query["state"], key[0] if key else None, query["limit"] + 1, topic=topic)
        last = [found[: query["limit"]][-1].id] if found else []
        return cursor.page([_brief(notice) for notice in found], query["limit"], *last)

    @staff_required("draft")
    @blp.arguments(NoticeForm)
    @blp.response(201, StaffNoticeFull)
    def post(self, form: dict[str, Any]) -> dict[str, Any]:
        """起案する。未完成でもよい。Drafts one; it may still be incomplete."""
        return _full(notice_steps.draft(notice_forms.content(form, Content())))


@blp.route("/<public_id>")
class One(MethodView):
    @staff_required("read")
    @blp.response(200, StaffNoticeFull)
    def get(self, public_id: str) -> dict[str, Any]:
        """一件を、したこと全部とともに。One notice with every step."""
        return _full(notice_steps.one(public_id))

    @staff_required("draft")
    @blp.arguments(NoticeEdit)
    @blp.response(200, StaffNoticeFull)
    def patch(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """直す。提出済みなら提出は無効になる。Edits it; an edit voids a submission."""
        notice = notice_steps.one(public_id)
        version = _seen(form, notice)
        notice_steps.edit(notice, notice_forms.content(form, house.content_of(notice)), version=version)
        return _full(notice)

    @staff_required("withdraw")
    @blp.response(204)
    def delete(self, public_id: str) -> None:
        """公開前のものを捨てる（したことの記録は残る）。公開したものは理由を添えて withdraw で。Discards a draft."""
        notice_steps.withdraw(notice_steps.one(public_id), reason=None)


@blp.route("/<public_id>/correct")
class Correct(MethodView):
    @staff_required("draft")
    @blp.arguments(CorrectionForm)
    @blp.response(201, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """公開したお知らせの訂正を起案する。承認されると代わりに掲載され、元のものも「訂正済み」として読める。

        内容は元のお知らせから引き継ぎ、書いた項目だけが変わる。元の通知を受け取った端末にも届く。
        Drafts the correction of a published notice, which begins with its content and, approved, stands in its place.
        """
        earlier = notice_steps.one(public_id)
        content = notice_forms.content(form, house.to_correct(earlier, clock.now()))
        return _full(notice_steps.correct(earlier, content))


@blp.route("/<public_id>/reach")
class ReachView(MethodView):
    @staff_required("read")
    @blp.response(200, Reach)
    def post(self, public_id: str) -> dict[str, Any]:
        """いま公開したら何台に届くか。数えるだけで、送らない。Counts whom it would ring; sends nothing."""
        return asdict(notice_steps.count(notice_steps.one(public_id)))


@blp.route("/<public_id>/submit")
class Submit(MethodView):
    @staff_required("submit")
    @blp.arguments(NoticeSubmit)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """別の人の承認を求める。Hands it to a second person."""
        notice = notice_steps.one(public_id)
        notice_steps.submit(notice, version=_seen(form, notice), accept_warnings=form["accept_warnings"])
        return _full(notice)


@blp.route("/<public_id>/approve")
class Approve(MethodView):
    @staff_required("approve", "publish")
    @blp.arguments(ApproveForm)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """見た内容のハッシュを添えて承認すると公開され、push のとおりに届く。

        publish_at が先なら、その時刻に掲載され届く（送り手が止まっていても、戻りしだい一度だけ）。
        Approves exactly what was seen; it is shown and told at once, or from its publication time on.
        """
        notice = notice_steps.one(public_id)
        notice_steps.approve(notice, seen_hash=form["content_hash"])
        return _full(notice)


@blp.route("/<public_id>/return")
class SendBack(MethodView):
    @staff_required("return")
    @blp.arguments(ReturnForm)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """理由を添えて差し戻す。Returns it to its author with a reason."""
        notice = notice_steps.one(public_id)
        notice_steps.send_back(notice, reason=form["reason"])
        return _full(notice)


@blp.route("/<public_id>/withdraw")
class Withdraw(MethodView):
    @staff_required("withdraw")
    @blp.arguments(NoticeWithdraw)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """取り下げる。まだ送っていない分は送られない。Takes it back; what was not sent yet stays unsent."""
        notice = notice_steps.one(public_id)
        notice_steps.withdraw(notice, reason=form["reason"])
        return _full(notice)


def _seen(form: dict[str, Any], notice: Notice) -> int:
    """The version the editor has read: the body's (another one is a 409), or If-Match's (another one is a 412)."""
    if "version" in form:
        return int(form["version"])
    if not request.if_match or request.if_match.star_tag:
        raise of_status(428, "Name the version you have read, in `version` or in If-Match.")
    if not request.if_match.contains(str(notice.version)):
        raise of_status(412, f"Version {notice.version} is the newest: read it again.")
    return notice.version


_COLUMNS = (
    "state", "version", "topic", "texts", "link", "areas", "from_months", "to_months", "phase", "push", "attachments",
    "correction", "publish_at", "expires_at", "created_at", "updated_at", "published_at", "shown_from", "corrected_at",
    "withdrawn_at",
)  # fmt: skip


def _brief(notice: Notice) -> dict[str, Any]:
    earlier = corrections.corrected_by(session(), notice)
    return {name: getattr(notice, name) for name in _COLUMNS} | {
        "id": notice.public_id,
        "content_hash": house.content_hash(notice),
        "missing_languages": text.missing(notice.texts),
        "corrects": earlier.public_id if earlier is not None else None,
    }


def _full(notice: Notice) -> dict[str, Any]:
    return _brief(notice) | {
        "steps": steps_view(MACHINE.subject_kind, notice.id),
        "findings": [asdict(finding) for finding in house.proofread(notice, clock.now(), settings().zone)],
        "actions": [action for action in MACHINE.actions(notice.state) if action != "restore"],
    }
