"""/v1/staff/notices: written, submitted, approved by another person and thereby told to the topic's followers."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import marshmallow as ma
from flask import g, request
from flask.views import MethodView
from marshmallow import validate

from backend import clock
from backend.api import cursor
from backend.api.alert_forms import ApproveForm, OneText, ReturnForm
from backend.api.alert_sights import FindingSchema
from backend.api.blueprint import Blueprint
from backend.api.history import StepSchema, steps_view
from backend.auth import staff_required
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import notices as house
from content import texts as text
from content.notices import MACHINE, Content, Notice
from content.texts import LANGUAGES
from notifications import announcements, topics


class NoticeForm(ma.Schema):
    """What an author says. In an edit, what is left out stays, and a language given as null is taken out."""

    texts = ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.Nested(OneText, allow_none=True),
        metadata={
            "description": "言語ごとの題と文。公開には ja が要る。",
            "example": {"ja": {"title": "断水のお知らせ", "body": "泉町で水道工事のため断水します。"}},
        },
    )
    topic = ma.fields.String(
        allow_none=True,
        metadata={"description": "この話題を選んだ人にプッシュが届く。null なら掲載だけ。", "example": "notices"},
    )
    link = ma.fields.String(allow_none=True, metadata={"description": "詳しいページ（https）。", "example": None})
    publish_at = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "この時刻から。null なら承認と同時に。", "example": None}
    )
    expires_at = ma.fields.AwareDateTime(allow_none=True, metadata={"example": None})


class NoticeEdit(NoticeForm):
    """Changes to the version that the editor has read, named here or in If-Match."""

    version = ma.fields.Integer()


class NoticeSubmit(ma.Schema):
    """The version that is handed over, named here or in If-Match."""

    version = ma.fields.Integer()
    accept_warnings = ma.fields.Boolean(
        load_default=False, metadata={"description": "校正の警告（別の年の日付など）を承知で出す。"}
    )


class NoticeWithdraw(ma.Schema):
    """Why; a published notice needs a reason."""

    reason = ma.fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 1000))


class StaffNotice(ma.Schema):
    """A notice as city hall sees it."""

    id = ma.fields.String()
    state = ma.fields.String(metadata={"description": "draft | submitted | published | withdrawn"})
    version = ma.fields.Integer()
    content_hash = ma.fields.String(metadata={"description": "承認はこの内容に結び付く。"})
    topic = ma.fields.String(allow_none=True)
    texts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(OneText))
    missing_languages = ma.fields.List(ma.fields.String(), metadata={"description": "まだない言語。"})
    link = ma.fields.String(allow_none=True)
    publish_at = ma.fields.AwareDateTime(allow_none=True)
    expires_at = ma.fields.AwareDateTime(allow_none=True)
    created_at = ma.fields.AwareDateTime()
    updated_at = ma.fields.AwareDateTime()
    published_at = ma.fields.AwareDateTime(allow_none=True)
    shown_from = ma.fields.AwareDateTime(allow_none=True)
    withdrawn_at = ma.fields.AwareDateTime(allow_none=True)


class StaffNoticeFull(StaffNotice):
    """With its history, what the proofreading says, and what can be done next by somebody."""

    steps = ma.fields.List(ma.fields.Nested(StepSchema))
    findings = ma.fields.List(ma.fields.Nested(FindingSchema))
    actions = ma.fields.List(ma.fields.String())


class StaffNoticeQuery(cursor.PageQuery):
    """Which notices."""

    state = ma.fields.String(load_default=None, validate=validate.OneOf(MACHINE.states))


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
        found = house.every(session(), query["state"], key[0] if key else None, query["limit"] + 1)
        last = [found[: query["limit"]][-1].id] if found else []
        return cursor.page([_brief(notice) for notice in found], query["limit"], *last)

    @staff_required("draft")
    @blp.arguments(NoticeForm)
    @blp.response(201, StaffNoticeFull)
    def post(self, form: dict[str, Any]) -> dict[str, Any]:
        """起案する。未完成でもよい。Drafts one; it may still be incomplete."""
        content = _content(form, Content())
        return _full(house.create(session(), content, actor=g.editor, now=clock.now()))


@blp.route("/<public_id>")
class One(MethodView):
    @staff_required("read")
    @blp.response(200, StaffNoticeFull)
    def get(self, public_id: str) -> dict[str, Any]:
        """一件を、したこと全部とともに。One notice with every step."""
        return _full(_one(public_id))

    @staff_required("draft")
    @blp.arguments(NoticeEdit)
    @blp.response(200, StaffNoticeFull)
    def patch(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """直す。提出済みなら提出は無効になる。Edits it; an edit voids a submission."""
        notice = _one(public_id)
        version = _seen(form, notice)
        content = _content(form, house.content_of(notice))
        house.edit(session(), notice, content, actor=g.editor, version=version, now=clock.now())
        return _full(notice)


@blp.route("/<public_id>/submit")
class Submit(MethodView):
    @staff_required("submit")
    @blp.arguments(NoticeSubmit)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """別の人の承認を求める。Hands it to a second person."""
        notice = _one(public_id)
        _must_exist(notice.topic)
        house.submit(
            session(),
            notice,
            actor=g.editor,
            version=_seen(form, notice),
            now=clock.now(),
            city_tz=settings().zone,
            accept_warnings=form["accept_warnings"],
        )
        return _full(notice)


@blp.route("/<public_id>/approve")
class Approve(MethodView):
    @staff_required("approve", "publish")
    @blp.arguments(ApproveForm)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """見た内容のハッシュを添えて承認すると公開され、話題を選んだ人に届く。Approves exactly what was seen."""
        notice, now = _one(public_id), clock.now()
        _must_exist(notice.topic)
        house.approve(session(), notice, actor=g.editor, seen_hash=form["content_hash"], now=now)
        announcements.announce(session(), notice, now, settings().public_url, city_zone=settings().zone)
        return _full(notice)


@blp.route("/<public_id>/return")
class SendBack(MethodView):
    @staff_required("return")
    @blp.arguments(ReturnForm)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """理由を添えて差し戻す。Returns it to its author with a reason."""
        notice = _one(public_id)
        house.send_back(session(), notice, actor=g.editor, reason=form["reason"], now=clock.now())
        return _full(notice)


@blp.route("/<public_id>/withdraw")
class Withdraw(MethodView):
    @staff_required("withdraw")
    @blp.arguments(NoticeWithdraw)
    @blp.response(200, StaffNoticeFull)
    def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
        """取り下げる。まだ送っていない分は送られない。Takes it back; what was not sent yet stays unsent."""
        notice = _one(public_id)
        house.withdraw(session(), notice, actor=g.editor, now=clock.now(), reason=form["reason"])
        announcements.retract(session(), notice)
        return _full(notice)


def _one(public_id: str) -> Notice:
    notice = house.by_public_id(session(), public_id)
    if notice is None:
        raise of_status(404, "There is no notice with this id.")
    return notice


def _seen(form: dict[str, Any], notice: Notice) -> int:
    """The version the editor has read: the body's (another one is a 409), or If-Match's (another one is a 412)."""
    if "version" in form:
        return int(form["version"])
    if not request.if_match or request.if_match.star_tag:
        raise of_status(428, "Name the version you have read, in `version` or in If-Match.")
    if not request.if_match.contains(str(notice.version)):
        raise of_status(412, f"Version {notice.version} is the newest: read it again.")
    return notice.version


def _content(form: dict[str, Any], before: Content) -> Content:
    """The content that a form makes of the one before. Raises Problem for a topic that does not exist."""
    said = {name: form[name] for name in ("topic", "link", "publish_at", "expires_at") if name in form}
    _must_exist(said.get("topic"))
    texts = {**before.texts, **form.get("texts", {})}
    return replace(before, texts={language: one for language, one in texts.items() if one is not None}, **said)


def _must_exist(topic: str | None) -> None:
    if topic is not None and not topics.exists(session(), topic):
        raise of_status(422, f"There is no topic {topic!r}.", field="topic")


def _brief(notice: Notice) -> dict[str, Any]:
    columns = (
        "state", "version", "topic", "texts", "link", "publish_at", "expires_at", "created_at", "updated_at",
        "published_at", "shown_from", "withdrawn_at",
    )  # fmt: skip
    return {name: getattr(notice, name) for name in columns} | {
        "id": notice.public_id,
        "content_hash": house.content_hash(notice),
        "missing_languages": text.missing(notice.texts),
    }


def _full(notice: Notice) -> dict[str, Any]:
    return _brief(notice) | {
        "steps": steps_view(MACHINE.subject_kind, notice.id),
        "findings": [asdict(finding) for finding in house.proofread(notice, clock.now(), settings().zone)],
        "actions": list(MACHINE.actions(notice.state)),
    }
