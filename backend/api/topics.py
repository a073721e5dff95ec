"""/v1/topics: the tree of subjects, as an app shows it for choosing."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask.views import MethodView

from backend.api import caching, speech
from backend.api.blueprint import Blueprint
from backend.api.topic_sights import TopicTree, nested
from backend.errors import of_status
from backend.transaction import session
from notifications import topics

blp = Blueprint("topics", __name__, url_prefix="/v1/topics", description="話題 · Topics to follow")


class TopicQuery(ma.Schema):
    """In which language."""

    lang = ma.fields.String(load_default=None, metadata={"description": "なければ Accept-Language。", "example": "en"})


class TopicList(ma.Schema):
    """The topics at the top, each with those below it."""

    items = ma.fields.List(ma.fields.Nested(TopicTree))


@blp.route("")
class TopicsView(MethodView):
    """What can be followed."""

    @caching.public(max_age=300)
    @blp.arguments(TopicQuery, location="query")
    @blp.response(200, TopicList)
    def get(self, _query: dict[str, Any]) -> dict[str, Any]:
        """購読できる話題の木。設定画面にそのまま並べられる順。The tree, in the order of a settings page."""
        return {"items": nested(topics.tree(session()), speech.wanted())}


@blp.route("/<slug>")
class TopicView(MethodView):
    """One of them."""

    @caching.public(max_age=300)
    @blp.arguments(TopicQuery, location="query")
    @blp.response(200, TopicTree)
    @blp.alt_response(404, description="no such topic")
    def get(self, _query: dict[str, Any], slug: str) -> dict[str, Any]:
        """一つの話題と、その下の話題。終わった話題も読める。One topic with those below it, also a retired one."""
        topic = topics.get(session(), slug)
        if topic is None:
            raise of_status(404, "There has never been a topic of this slug.")
        below = [one for one in topics.tree(session(), retired=topic.retired) if slug in topics.lineage(one.slug)]
        (found,) = nested(below, speech.wanted())
        return found | {"optional": topics.may_be_left_out(session(), slug)}
