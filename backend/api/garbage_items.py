"""/v1/garbage/items and /v1/garbage/categories: what goes where, and how to put it out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate

from backend.api import caching, cursor, speech
from backend.api import garbage_sights as sights
from backend.api.blueprint import Blueprint
from backend.transaction import session
from content.garbage import categories, dictionary

blp = Blueprint("garbage_items", __name__, url_prefix="/v1/garbage", description="分別 · What goes where")
FRESH_SECONDS = 3600
_LANG = {"description": "言語。なければ Accept-Language。", "example": "en"}
_LARGEST = 2**63 - 1


class ItemsQuery(cursor.PageQuery):
    """Words as people type them."""

    q = ma.fields.String(
        validate=validate.Length(1, 100),
        metadata={
            "description": "品目の名前・読み・別名の一部。かな・カナ・漢字、全角・半角、長音の違いは気にしない。",
            "example": "もばいるばってり",
        },
    )
    category = ma.fields.Integer(
        validate=validate.Range(1, _LARGEST), metadata={"description": "この区分だけ。", "example": 3}
    )
    source = ma.fields.String(validate=validate.Regexp(sights.SOURCE), metadata={"example": "sample"})
    lang = ma.fields.String(validate=validate.Length(max=35), metadata=_LANG)


class GarbageItemPage(ma.Schema):
    """Items, the best fitting first; without `q` the whole dictionary in its order."""

    items = ma.fields.List(ma.fields.Nested(sights.GarbageItemShown))
    next = ma.fields.String(allow_none=True)


class CategoriesQuery(ma.Schema):
    """Whose categories, in which language."""

    source = ma.fields.String(validate=validate.Regexp(sights.SOURCE), metadata={"example": "sample"})
    lang = ma.fields.String(validate=validate.Length(max=35), metadata=_LANG)


class CategoryList(ma.Schema):
    """In the order of the city's list."""

    items = ma.fields.List(ma.fields.Nested(sights.Category))


@blp.route("/items")
class ItemsView(MethodView):
    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(ItemsQuery, location="query")
    @blp.response(200, GarbageItemPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """これは何ごみか。完全一致、前方一致、読み、部分一致の順。What goes where, the best fitting first."""
        wanted, limit = speech.wanted(), query["limit"]
        after = cursor.decode(query["cursor"], int, str, int)
        hits = dictionary.search(
            session(),
            query.get("q"),
            source=query.get("source"),
            category_id=query.get("category"),
            after=(after[0], after[1], after[2]) if after else None,
            limit=limit + 1,
        )
        kinds = categories.by_id(session(), [hit.item.category_id for hit in hits if hit.item.category_id])
        items = [sights.item(hit, kinds, wanted) for hit in hits]
        return cursor.page(items, limit, *(hits[:limit][-1].place if hits else ()))


@blp.route("/categories")
class CategoriesView(MethodView):
    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(CategoriesQuery, location="query")
    @blp.response(200, CategoryList)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """ごみの区分：袋、大きさ、出し方、締切時刻。Kinds of garbage and how to put them out."""
        wanted = speech.wanted()
        return {"items": [sights.category(one, wanted) for one in categories.listed(session(), query.get("source"))]}
