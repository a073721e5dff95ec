"""/v1/staff/incidents: faults that stop sending, and the word that they are mended."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import g
from flask.views import MethodView

from backend import clock
from backend.api.blueprint import Blueprint
from backend.auth import staff_required
from backend.errors import of_status
from backend.transaction import session
from notifications.dispatch import incidents

blp = Blueprint("incidents", __name__, url_prefix="/v1/staff/incidents", description="送信の障害 · Faults of sending")


class IncidentSchema(ma.Schema):
    """One open fault."""

    id = ma.fields.Integer()
    kind = ma.fields.String(
        metadata={
            "description": "credentials | sender | payload | review（事後の確認の署名が期限切れ）",
            "example": "credentials",
        }
    )
    subject = ma.fields.String(
        metadata={
            "description": "review は避難情報の id（一件ごとに別の障害）、ほかは空。"
            " The alert's id for a review, each of which is an incident of its own; else empty."
        }
    )
    detail = ma.fields.String()
    opened_at = ma.fields.AwareDateTime()
    seen_at = ma.fields.AwareDateTime(metadata={"description": "最後に起きた時刻。"})
    times = ma.fields.Integer(metadata={"description": "起きた回数。"})
    paged_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "当番を呼んだ時刻。"})


class IncidentList(ma.Schema):
    """The oldest first."""

    items = ma.fields.List(ma.fields.Nested(IncidentSchema))


class Resolved(ma.Schema):
    """How many stopped batches went back into the queue; none for an incident that stopped nothing."""

    restarted = ma.fields.Integer()


@blp.route("")
class IncidentsView(MethodView):
    """What is open."""

    @staff_required("read")
    @blp.response(200, IncidentList)
    def get(self) -> dict[str, Any]:
        """開いている障害。Open faults; those of sending have stopped batches that wait."""
        return {"items": incidents.open_ones(session())}


@blp.route("/<int:incident_id>/resolve")
class ResolveView(MethodView):
    """Mended."""

    @staff_required("incidents")
    @blp.response(200, Resolved)
    def post(self, incident_id: int) -> dict[str, int]:
        """直したと告げる。送信の障害なら、止まっていた送信が再開する。Says that it is mended; what it stopped goes on.

        A review that nobody has signed is found again at the next look.
        """
        restarted = incidents.resolve(session(), incident_id, g.editor.name, clock.now())
        if restarted is None:
            raise of_status(404, "No open incident has this id.")
        return {"restarted": restarted}
