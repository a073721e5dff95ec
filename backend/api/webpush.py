"""/v1/webpush: what a page needs to subscribe a browser."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

import marshmallow as ma
from flask.views import MethodView

from backend.api import caching
from backend.api.blueprint import Blueprint
from backend.config import settings
from backend.errors import of_status
from notifications.channels.webpush.vapid import public_key_of

blp = Blueprint("webpush", __name__, url_prefix="/v1/webpush", description="ブラウザーへの通知 · Web Push")
_log = logging.getLogger(__name__)


class Key(ma.Schema):
    """The city's public key."""

    application_server_key = ma.fields.String(
        metadata={
            "description": "PushManager.subscribe() の applicationServerKey（base64url）。"
            "購読はこの鍵に結び付く。options.applicationServerKey と違っていたら購読し直す。",
            "example": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
        }
    )


@blp.route("/key")
class KeyView(MethodView):
    """The key that subscriptions are bound to."""

    @caching.public(max_age=3_600)
    @blp.response(200, Key)
    def get(self) -> dict[str, str]:
        """ブラウザーが購読するときの鍵。The key to subscribe with; 404 where the city sends no Web Push."""
        file = settings().vapid_key
        if file is None:
            raise of_status(404, "This city sends no Web Push (YOBIKAKE_VAPID_KEY is not set).")
        try:
            return {"application_server_key": _public_key(file)}
        except ValueError as error:
            _log.error("no key for Web Push: %s", error)
            raise of_status(503, "The key for Web Push cannot be read; the log says why.") from None


@lru_cache(maxsize=8)
def _public_key(file: Path) -> str:
    return public_key_of(file)
