"""/v1/staff/topics: subjects are added, renamed, put in order, retired; a slug is never given to another one."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import structlog
from flask import g
from flask.views import MethodView
from marshmallow import validate

from backend import topic_steps
from backend.api import speech
from backend.api.blueprint import Blueprint
from backend.api.topic_sights import TopicSchema, flat
from backend.auth import staff_required
from backend.errors import of_status
from backend.topic_steps import SlugTaken
from backend.transaction import session
from content.texts import LANGUAGES
from notifications import topics
from notifications.topics import SLUG_MAX

log = structlog.get_logger("audit")

blp = Blueprint(
    "staff_topics", __name__, url_prefix="/v1/staff/topics", description="話題の管理 · Topics, for city hall"
)


def _words(required: bool, **metadata: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        required=required,
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.String(),
        metadata=metadata,
    )


class TopicChange(ma.Schema):
    """What changes; what is left out stays. Words are replaced as a whole."""

    names = _words(
        False,
        description="言語ごとの名前。ja は必ず。",
        example={"ja": "断水・水道工事", "en": "Water outages and works"},
    )
    descriptions = _words(
        False, description="何が届くか、ひとことで。", example={"ja": "断水や濁り水の予定をお知らせします。"}
    )
    position = ma.fields.Integer(
        validate=validate.Range(0, 9_999), metadata={"description": "同じ親の中での順。", "example": 3}
    )
    by_default = ma.fields.Boolean(metadata={"description": "アプリが初回に選んだ状態で見せる。", "example": False})
    optional = ma.fields.Boolean(
        metadata={"description": "false にすると、選んでいない人にも届き、外せない。", "example": True}
    )
    retired = ma.fields.Boolean(
        metadata={"description": "true で終える（選んでいる人はそのまま、新しくは選べない）。false で再開。"}
    )


class TopicForm(TopicChange):
    """A new topic."""

    class Meta:
        """It begins alive."""

        exclude = ("retired",)

    slug = ma.fields.String(
        required=True,
        validate=validate.Length(1, SLUG_MAX),
        metadata={"description": "変えられない。親の slug に点でつなぐ。", "example": "notices.water"},
    )
    names = _words(True, description="言語ごとの名前。ja は必ず。", example={"ja": "断水・水道工事", "en": "Water"})


class TopicAll(ma.Schema):
    """Every topic there ever was, parents before children."""

    items = ma.fields.List(ma.fields.Nested(TopicSchema))


@blp.route("")
class Many(MethodView):
    """All topics."""

    @staff_required("read")
    @blp.response(200, TopicAll)
    def get(self) -> dict[str, Any]:
        """終えたものも含むすべての話題。Every topic, also the retired ones."""
        wanted = speech.wanted()
        return {"items": [flat(topic, wanted) for topic in topics.tree(session(), retired=True)]}

    @staff_required("shape")
    @blp.arguments(TopicForm)
    @blp.response(201, TopicSchema)
    @blp.alt_response(409, description="the slug is, or was, another topic's")
    def post(self, form: dict[str, Any]) -> dict[str, Any]:
        """話題を加える。終えた話題の slug も二度と使えない。Adds a topic; a slug is never used twice."""
        slug = form.pop("slug")
        try:
            topic = topic_steps.add(slug, {"position": 0} | form)
        except SlugTaken as taken:
            raise of_status(409, taken.reason, field="slug") from None
        log.info("topic_added", by=g.editor.name, topic=slug)
        return flat(topic, speech.wanted())


@blp.route("/<slug>")
class One(MethodView):
    """One topic."""

    @staff_required("shape")
    @blp.arguments(TopicChange)
    @blp.response(200, TopicSchema)
    def patch(self, form: dict[str, Any], slug: str) -> dict[str, Any]:
        """名前・説明・順・既定・外せるかを変え、終え、再開する。Renames, orders, retires or revives it."""
        topic_steps.turn()
        topic = topic_steps.one(slug)
        retired = form.pop("retired", topic.retired)
        topic_steps.change(topic, form, retired=retired)
        log.info("topic_changed", by=g.editor.name, topic=slug, fields=sorted(form), retired=retired)
        return flat(topic, speech.wanted())
