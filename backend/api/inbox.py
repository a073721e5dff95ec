"""/v1/devices/me/inbox and receipts: what a phone was told, pushed or not, and what it says of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask import g
from flask.views import MethodView
from marshmallow import validate

from backend import clock
from backend.api.blueprint import Blueprint
from backend.auth import device_required
from backend.config import settings
from backend.transaction import session
from content import texts as text
from notifications import everyday, messages, places, receipts, told, why
from notifications.dispatch import batches
from notifications.messages import Kind, Message
from notifications.receipts import ReceiptKind

blp = Blueprint("inbox", __name__, url_prefix="/v1/devices/me", description="受信箱 · What this phone was told")

KEPT_FOR = dt.timedelta(days=30)


class Item(ma.Schema):
    """A message, in the phone's language."""

    message_id = ma.fields.String()
    thread = ma.fields.String(metadata={"description": "同じ事案の新しい通知は古いものを置き換える。"})
    kind = ma.fields.String(
        metadata={"description": "alert | update | cancel | all_clear | notice | garbage | child | test"}
    )
    drill = ma.fields.Boolean()
    level = ma.fields.Integer(allow_none=True)
    hazard = ma.fields.String(allow_none=True)
    language = ma.fields.String(metadata={"description": "実際の言語。求めた言語がなければ代わりの言語。"})
    title = ma.fields.String()
    body = ma.fields.String()
    link = ma.fields.String()
    shelters_url = ma.fields.String(
        allow_none=True, metadata={"description": "この端末の場所から最寄りの、災害に応じた避難先。"}
    )
    reason = ma.fields.String(metadata={"description": "なぜ届いたか。", "example": "topic:garbage"})
    why = ma.fields.String(
        metadata={"description": "届いた理由の文。", "example": "このお知らせの話題を選んでいるためです。"}
    )
    not_rung = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "鳴らさなかった理由: quiet（静かな時間のあとでは古くなる）、enough（1日の上限）、"
            "inbox（受信箱だけの設定）。null は鳴らした、または鳴らす。",
            "example": None,
        },
    )
    created_at = ma.fields.AwareDateTime()
    expires_at = ma.fields.AwareDateTime()
    current = ma.fields.Boolean(metadata={"description": "まだ期限内か。"})
    outcome = ma.fields.String(
        allow_none=True, metadata={"description": "受信テストのみ: pending、accepted、unregistered など。"}
    )


class Inbox(ma.Schema):
    """Newest first."""

    items = ma.fields.List(ma.fields.Nested(Item))


class ReceiptSchema(ma.Schema):
    """What happened to one message on the phone."""

    message_id = ma.fields.String(required=True, validate=validate.Length(equal=22))
    kind = ma.fields.Enum(ReceiptKind, by_value=True, required=True)
    at = ma.fields.AwareDateTime(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "端末で起きた時刻。後から送るときに付ける。未来や発信前の時刻は受け取った時刻とみなす。",
            "example": "2026-09-01T12:00:35+09:00",
        },
    )


class Receipts(ma.Schema):
    """Several at once, as a phone that was offline has them."""

    receipts = ma.fields.List(ma.fields.Nested(ReceiptSchema), required=True, validate=validate.Length(1, 100))


class Kept(ma.Schema):
    """How many were new."""

    kept = ma.fields.Integer()


@blp.route("/inbox")
class InboxView(MethodView):
    """The truth of what a phone was told; a push is only its bell."""

    @device_required
    @blp.response(200, Inbox)
    def get(self) -> dict[str, Any]:
        """届いた知らせを新しい順に返す（30 日分）。Newest first, of the last thirty days, pushed or not."""
        now = clock.now()
        found = messages.inbox(session(), g.device.id, now - KEPT_FOR)
        kept = places.of_device(session(), g.device.id)
        cell = next((cell for cell, _ in kept.values()), None)
        held = everyday.why_not(session(), g.device.id, [message.id for message in found])
        return {"items": [_item(message, cell, now, held.get(message.id)) for message in found]}


@blp.route("/receipts")
class ReceiptsView(MethodView):
    """Shown, opened."""

    @device_required
    @blp.arguments(Receipts)
    @blp.response(200, Kept)
    def post(self, given: dict[str, Any]) -> dict[str, int]:
        """表示した・開いたことを知らせる。二度送っても一度と数える。Says what was shown or opened; counted once."""
        kept = 0
        for receipt in given["receipts"]:
            message = messages.by_public_id(session(), receipt["message_id"])
            # A message this phone was never told is no news of it: silently not kept.
            if message is not None and told.was_told(session(), message.id, g.device.id):
                said = {"at": receipt["at"], "begun": message.not_before}
                kept += receipts.put(session(), message.id, g.device.id, receipt["kind"], clock.now(), **said)
        return {"kept": kept}


def _item(message: Message, cell: int | None, now: dt.datetime, held: everyday.Why | None) -> dict[str, Any]:
    texts: dict[str, text.Text] = message.texts  # type: ignore[assignment]
    language, chosen = text.choose(texts, g.device.language)
    shelters = None
    if cell is not None and message.hazard and message.kind in (Kind.ALERT.value, Kind.UPDATE.value):
        shelters = f"{settings().public_url}/v1/shelters/nearest/{cell}?hazard={message.hazard}"
    outcome = None
    if message.kind == Kind.TEST.value:
        counted = batches.outcomes_of(session(), message.id)
        outcome = next(iter(counted)).name.lower() if counted else "pending"
    return {
        "message_id": message.public_id,
        "thread": message.thread,
        "kind": message.kind,
        "drill": message.drill,
        "level": message.level,
        "hazard": message.hazard,
        "language": language,
        **chosen,
        "link": message.link,
        "shelters_url": shelters,
        "reason": message.reason,
        "why": why.sentence(message.reason, None, language),
        "not_rung": held.value if held is not None else None,
        "created_at": message.created_at,
        "expires_at": message.expires_at,
        "current": message.expires_at > now,
        "outcome": outcome,
    }
