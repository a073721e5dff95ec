"""/v1/staff/shelters: what staff on the spot say of a shelter. It never sends anything to a phone."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate

from backend import sheltering
from backend.api.blueprint import Blueprint
from backend.api.shelter_sights import Shelter, shelter
from backend.auth import staff_required
from geo.sites import Crowding, SiteStatus

blp = Blueprint(
    "staff_shelters", __name__, url_prefix="/v1/staff/shelters", description="避難所の開設状況 · Opening and crowding"
)


class StatusForm(ma.Schema):
    """What is so now. It replaces all that was said before: the last word wins."""

    status = ma.fields.Enum(
        SiteStatus,
        by_value=True,
        required=True,
        metadata={
            "description": "unknown 不明 | not_open 未開設 | preparing 準備中 | open 開設 | full 満員 | closed 閉鎖 | "
            "unusable 使用不可",
            "example": "open",
        },
    )
    crowding = ma.fields.Enum(
        Crowding,
        by_value=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "開設中か満員のときだけ。", "example": "vacant"},
    )
    note = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, sheltering.NOTE_MAX),
        metadata={"description": "利用者に見せる一言。", "example": "体育館のみ。毛布あり。"},
    )

    @ma.validates_schema
    def crowding_of_an_open_one(self, data: dict[str, Any], **_: Any) -> None:
        """Nobody is inside a shelter that is not open."""
        if data.get("crowding") and data.get("status") not in sheltering.PEOPLED:
            raise ma.ValidationError("Crowding is said only of a shelter that is open or full.", "crowding")


@blp.route("/<int:site_id>/status")
class StatusView(MethodView):
    """Opening and crowding of one shelter."""

    @staff_required("site_status")
    @blp.arguments(StatusForm)
    @blp.response(200, Shelter)
    def put(self, said: dict[str, Any], site_id: int) -> dict[str, Any]:
        """開設・混雑の状況を記録する。通知は送らない。Records opening and crowding; no phone rings."""
        return shelter(sheltering.say(site_id, **said))
