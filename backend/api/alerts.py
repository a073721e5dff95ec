"""/v1/alerts and /v1/drills: what is in force now, for everybody; what a push opens."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask.views import MethodView

from backend import clock
from backend.api import caching, speech
from backend.api.blueprint import Blueprint
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import texts as text
from notifications import alerts as house
from notifications.alerts import Alert
from notifications.dangers import DangerArea

LIFTED_SHOWN_FOR = dt.timedelta(hours=24)
FRESH_SECONDS = 5


class AlertBrief(ma.Schema):
    """An alert as lists show it."""

    id = ma.fields.String(metadata={"example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    thread = ma.fields.String(metadata={"description": "発令から解除までの一連。", "example": "PoIgJQiZ_CTpJLhR3dXF1A"})
    act = ma.fields.String(metadata={"description": "order | update | cancel | all_clear", "example": "order"})
    state = ma.fields.String(
        metadata={
            "description": "live | superseded | cancelled | lifted | expired | done（取消・解除の知らせ）",
            "example": "live",
        }
    )
    exercise = ma.fields.Boolean(metadata={"description": "訓練か。訓練は /v1/drills にだけ出る。"})
    issuer = ma.fields.String(metadata={"example": "見本市"})
    hazard = ma.fields.String(metadata={"example": "flood"})
    level = ma.fields.Integer(
        allow_none=True, metadata={"description": "警戒レベル 3・4・5。津波などはレベルがない（null）。", "example": 4}
    )
    area_name = ma.fields.String(metadata={"example": "若林区沿岸部"})
    language = ma.fields.String(metadata={"description": "title と body の実際の言語。"})
    title = ma.fields.String(metadata={"example": "【警戒レベル4 避難指示】浜区（洪水）"})
    body = ma.fields.String(metadata={"example": "危険な場所から全員避難\n見本市が浜区に避難指示を発令しました。"})
    issued_at = ma.fields.AwareDateTime(metadata={"example": "2026-11-21T18:00:00+09:00"})
    expires_at = ma.fields.AwareDateTime(metadata={"example": "2026-11-22T00:00:00+09:00"})
    ended_at = ma.fields.AwareDateTime(allow_none=True)
    supersedes = ma.fields.String(allow_none=True)
    hull = ma.fields.Dict(metadata={"description": "区域を外側に包む GeoJSON（40 頂点まで）。"})
    url = ma.fields.String(metadata={"example": "https://push.city.example.jp/v1/alerts/q7oV3x0mS1yJ8fQm2b4K9A"})


class AlertFull(AlertBrief):
    """An alert with its exact shape and every language."""

    geometry = ma.fields.Dict(metadata={"description": "区域の GeoJSON（経度・緯度の順）。"})
    texts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Dict())


class AlertList(ma.Schema):
    """In force first, then what ended within 24 hours."""

    items = ma.fields.List(ma.fields.Nested(AlertBrief))


def brief(alert: Alert, wanted: tuple[str, ...], now: dt.datetime) -> dict[str, Any]:
    """An alert for lists, in the best language there is."""
    texts: dict[str, text.Text] = alert.texts  # type: ignore[assignment]
    language, chosen = speech.choose(texts, wanted)
    part = "drills" if alert.drill else "alerts"
    followed = session().get(Alert, alert.supersedes_id) if alert.supersedes_id else None
    return {
        "id": alert.public_id,
        "thread": alert.thread,
        "act": alert.act,
        "state": alert.state_at(now).value,
        "exercise": alert.drill,
        "issuer": settings().city_name,
        "hazard": alert.hazard,
        "level": alert.level,
        "area_name": alert.area_names.get(language) or alert.area_names["ja"],
        "language": language,
        **chosen,
        "issued_at": alert.issued_at,
        "expires_at": alert.expires_at,
        "ended_at": alert.ended_at,
        "supersedes": followed.public_id if followed else None,
        "hull": session().get_one(DangerArea, alert.danger_area_id).hull,
        "url": f"{settings().public_url}/v1/{part}/{alert.public_id}",
    }


def _doors(name: str, *, drill: bool, description: str) -> Blueprint:
    """The two routes, for the real alerts or for the drills: never both from one address."""
    blp = Blueprint(name, __name__, url_prefix=f"/v1/{name}", description=description)

    class AlertsView(MethodView):
        @caching.public(max_age=FRESH_SECONDS)
        @blp.response(200, AlertList)
        def get(self) -> dict[str, Any]:
            """発令中と、24 時間以内に終わったもの。In force now, and what ended within 24 hours."""
            now = clock.now()
            found = house.public(session(), now, drill=drill, lifted_within=LIFTED_SHOWN_FOR)
            wanted = speech.wanted()
            return {"items": [brief(alert, wanted, now) for alert in found]}

    class AlertView(MethodView):
        @caching.public(max_age=FRESH_SECONDS)
        @blp.response(200, AlertFull)
        def get(self, public_id: str) -> dict[str, Any]:
            """一件の警報。プッシュはここを開く。One alert, in every language: what a push opens."""
            alert = house.by_public_id(session(), public_id, drill=drill)
            if alert is None or alert.issued_at is None:
                raise of_status(404, "No alert with this id was ever issued.")
            area = session().get_one(DangerArea, alert.danger_area_id)
            now = clock.now()
            return {**brief(alert, speech.wanted(), now), "geometry": area.geometry, "texts": alert.texts}

    blp.route("", endpoint=f"{name}_list")(AlertsView)
    blp.route("/<public_id>", endpoint=f"{name}_one")(AlertView)
    return blp


blp = _doors("alerts", drill=False, description="避難情報 · Evacuation alerts")
drills = _doors("drills", drill=True, description="訓練 · Drills")
