"""/v1/staff/messages: what was said, how its sending went, batch by batch, and what became of it for one phone."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import numpy as np
import sqlalchemy as sa
import structlog
from flask import g
from flask.views import MethodView

from backend import clock
from backend.api import caching, cursor
from backend.api.alert_forms import OneText
from backend.api.blueprint import Blueprint
from backend.api.progress_sights import MessageProgressSchema, Sending, message_view, sending_view
from backend.auth import staff_required
from backend.errors import of_status
from backend.transaction import session
from content.texts import LANGUAGES
from notifications import devices, messages
from notifications.channels.promise import Outcome
from notifications.dispatch import batches, progress
from notifications.dispatch.batches import NEVER, Batch
from notifications.messages import Kind, Message

blp = Blueprint("staff_messages", __name__, url_prefix="/v1/staff/messages", description="送信の台帳 · The ledger")

log = structlog.get_logger("audit")


class MessageSchema(ma.Schema):
    """Something that was said."""

    id = ma.fields.String(metadata={"example": "3pLrDkHYkEGgJ8sB0wqzXw"})
    thread = ma.fields.String(metadata={"description": "同じ事案の知らせをまとめる印。"})
    kind = ma.fields.String(metadata={"example": "alert"})
    exercise = ma.fields.Boolean()
    level = ma.fields.Integer(allow_none=True, metadata={"example": 4})
    hazard = ma.fields.String(allow_none=True, metadata={"example": "flood"})
    title = ma.fields.String(metadata={"example": "【警戒レベル4 避難指示】広瀬川の氾濫"})
    reason = ma.fields.String(metadata={"description": "なぜ届くか。", "example": "topic:garbage.kitayama"})
    created_at = ma.fields.AwareDateTime()
    begins_at = ma.fields.AwareDateTime(metadata={"description": "送り始める時刻。避難情報では承認の時刻。"})
    expires_at = ma.fields.AwareDateTime()
    planning = ma.fields.String(metadata={"description": "waiting | latecomers | done | withdrawn"})


class MessageList(ma.Schema):
    """Newest first."""

    items = ma.fields.List(ma.fields.Nested(MessageSchema))
    next = ma.fields.String(allow_none=True)


class MessageWhole(MessageSchema):
    """A message with its texts and its progress."""

    texts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(OneText))
    link = ma.fields.String()
    progress = ma.fields.Nested(MessageProgressSchema)


class ListQuery(cursor.PageQuery):
    """Which messages."""

    kind = ma.fields.Enum(Kind, by_value=True, load_default=None)
    exercise = ma.fields.Boolean(load_default=None, metadata={"description": "true は訓練だけ、false は本番だけ。"})


class BatchSchema(Sending):
    """At most 500 recipients of one message. Seconds run from the message's beginning."""

    id = ma.fields.Integer()
    outlet = ma.fields.String(metadata={"description": "届ける経路: fcm | webpush", "example": "fcm"})
    state = ma.fields.String(metadata={"description": "ready | leased | stopped | closed", "example": "closed"})
    attempts = ma.fields.Integer(metadata={"description": "送り手が手に取った回数。", "example": 1})
    overtaken = ma.fields.Boolean(metadata={"description": "新しい知らせに取って代わられた。"})
    due_at = ma.fields.AwareDateTime(metadata={"description": "次に（または最後に）送ってよい時刻。"})
    closed_at = ma.fields.AwareDateTime(allow_none=True)


class BatchList(ma.Schema):
    """In the order in which they were planned."""

    items = ma.fields.List(ma.fields.Nested(BatchSchema))
    next = ma.fields.String(allow_none=True)


class RecipientSchema(ma.Schema):
    """One recipient, in the order of hand-over: not who it is."""

    outcome = ma.fields.String(metadata={"example": "accepted"})
    tries = ma.fields.Integer(metadata={"description": "渡した回数。", "example": 1})
    answered_s = ma.fields.Float(
        allow_none=True, metadata={"description": "最後の返事まで、承認からの秒数。", "example": 12.3}
    )


class BatchWhole(BatchSchema):
    """A batch with each outcome."""

    recipients = ma.fields.List(ma.fields.Nested(RecipientSchema))


class FoundSchema(ma.Schema):
    """What became of a message for one phone."""

    device_id = ma.fields.String(metadata={"example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    told = ma.fields.Boolean(metadata={"description": "この端末に届けるべきものとして記録がある（受信箱に入る）。"})
    outcome = ma.fields.String(
        allow_none=True, metadata={"description": "台帳の結果。保存期間を過ぎると null。", "example": "accepted"}
    )
    tries = ma.fields.Integer(allow_none=True, metadata={"example": 1})
    answered_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "配信事業者の最後の返事。"})
    shown_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "端末の申告。"})
    opened_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "端末の申告。"})


@blp.route("")
class Messages(MethodView):
    """Everything that was said."""

    @staff_required("read")
    @blp.arguments(ListQuery, location="query")
    @blp.response(200, MessageList)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """送ったものを新しい順に。受信テストは kind=test のときだけ。Newest first; tests only when asked for."""
        before = cursor.decode(query["cursor"], int)
        rows = messages.listing(
            session(), kind=query["kind"], drill=query["exercise"], before=before[0] if before else None,
            most=query["limit"] + 1,
        )  # fmt: skip
        page = cursor.page(rows, query["limit"], *([rows[: query["limit"]][-1].id] if rows else [0]))
        return {"items": [_message(one) for one in page["items"]], "next": page["next"]}


@blp.route("/<public_id>")
class OneMessage(MethodView):
    """One of them."""

    @staff_required("read")
    @caching.polled
    @blp.response(200, MessageWhole)
    def get(self, public_id: str) -> dict[str, Any]:
        """一件と送信の進み具合。数秒おきに問い合わせてよい。One message and its sending; made to be polled."""
        message = _one(public_id)
        return {
            **_message(message),
            "texts": {language: message.texts[language] for language in LANGUAGES if language in message.texts},
            "link": message.link,
            "progress": message_view(progress.of_message(session(), message, clock.now())),
        }


@blp.route("/<public_id>/batches")
class Batches(MethodView):
    """Its batches."""

    @staff_required("read")
    @blp.arguments(cursor.PageQuery, location="query")
    @blp.response(200, BatchList)
    def get(self, query: dict[str, Any], public_id: str) -> dict[str, Any]:
        """束（最大 500 台）ごとの結果。保存期間を過ぎると空になる。Batch by batch; none once archived."""
        message = _one(public_id)
        after = cursor.decode(query["cursor"], int)
        rows = batches.of_message(session(), message.id, after[0] if after else 0, query["limit"] + 1)
        page = cursor.page(rows, query["limit"], *([rows[: query["limit"]][-1].id] if rows else [0]))
        return {"items": [_batch(one, message) for one in page["items"]], "next": page["next"]}


@blp.route("/<public_id>/batches/<int(max=9223372036854775807):batch_id>")
class OneBatch(MethodView):
    """One batch."""

    @staff_required("read")
    @blp.response(200, BatchWhole)
    def get(self, public_id: str, batch_id: int) -> dict[str, Any]:
        """一つの束の、宛先ごとの結果。誰かは示さない。Each outcome of one batch, without saying whose it is."""
        message = _one(public_id)
        batch = session().scalar(sa.select(Batch).where(Batch.id == batch_id, Batch.message_id == message.id))
        if batch is None:
            raise of_status(404, "This message has no such batch; an archived one has none.")
        answered = np.frombuffer(batch.answered, dtype="<u2").tolist()
        return {
            **_batch(batch, message),
            "recipients": [
                {
                    "outcome": Outcome(outcome).name.lower(),
                    "tries": tries,
                    "answered_s": None if tenths == NEVER else tenths / 10,
                }
                for outcome, tries, tenths in zip(batch.outcomes, batch.tries, answered, strict=True)
            ],
        }


@blp.route("/<public_id>/recipients/<device_id>")
class Recipient(MethodView):
    """One phone."""

    @staff_required("read", "audit")
    @blp.response(200, FoundSchema)
    def get(self, public_id: str, device_id: str) -> dict[str, Any]:
        """ある端末に届いたか。端末の番号は持ち主がアプリで見る。What became of it for one phone."""
        message = _one(public_id)
        device = devices.by_public_id(session(), device_id)
        if device is None:
            raise of_status(404, "No phone has this id; it may have been deleted.")
        # Who looked somebody up is on record; whom, is not.
        log.info("recipient_looked_up", by=g.editor.name, message=message.public_id)
        found = progress.of_device(session(), message, device.id)
        return {
            "device_id": device.public_id,
            "told": found.told,
            "outcome": None if found.outcome is None else found.outcome.name.lower(),
            **{name: getattr(found, name) for name in ("tries", "answered_at", "shown_at", "opened_at")},
        }


def _one(public_id: str) -> Message:
    message = messages.by_public_id(session(), public_id)
    if message is None:
        raise of_status(404, "There is no message with this id.")
    return message


def _message(message: Message) -> dict[str, Any]:
    plain = ("thread", "kind", "level", "hazard", "reason", "created_at", "expires_at", "planning")
    first = next((message.texts[language] for language in LANGUAGES if language in message.texts), {})
    return {
        **{name: getattr(message, name) for name in plain},
        "id": message.public_id,
        "exercise": message.drill,
        "title": first.get("title", ""),
        "begins_at": message.not_before,
    }


def _batch(batch: Batch, message: Message) -> dict[str, Any]:
    return {
        **sending_view(progress.of_batch(batch, message, clock.now())),
        "id": batch.id,
        "outlet": batch.outlet,
        "state": batch.state,
        "attempts": batch.attempts,
        "overtaken": batch.withdrawn,
        "due_at": batch.not_before,
        "closed_at": batch.closed_at,
    }
