"""/v1/topics: the tree of subjects, as an app shows it for choosing."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask.views import MethodView

from backend.api import caching, speech
from backend.api.blueprint import Blueprint
from backend.transaction import session
from content.texts import chain
from notifications import topics

blp = Blueprint("topics", __name__, url_prefix="/v1/topics", description="話題 · Topics to follow")


class TopicSchema(ma.Schema):
    """One subject; its slug never changes."""

    slug = ma.fields.String(metadata={"example": "garbage"})
    parent = ma.fields.String(allow_none=True)
    name = ma.fields.String(metadata={"description": "求めた言語での名前。", "example": "ごみ・資源"})
    names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())


class TopicList(ma.Schema):
    """Parents before children."""

    items = ma.fields.List(ma.fields.Nested(TopicSchema))


@blp.route("")
class TopicsView(MethodView):
    """What can be followed."""

    @caching.public(max_age=300)
    @blp.response(200, TopicList)
    def get(self) -> dict[str, Any]:
        """購読できる話題の木。設定画面にそのまま並べられる順。The tree, in the order of a settings page."""
        wanted = chain(speech.wanted())
        return {
            "items": [
                {
                    "slug": topic.slug,
                    "parent": topic.parent_slug,
                    "name": next((topic.names[tag] for tag in wanted if tag in topic.names), topic.slug),
                    "names": topic.names,
                }
                for topic in topics.tree(session())
            ]
        }
