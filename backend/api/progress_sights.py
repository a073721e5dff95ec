"""What city hall is shown of a sending: counts, speed, and what phones said. Never a token, never a place."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from backend import clock
from backend.transaction import session
from notifications import messages
from notifications.alerts import Alert
from notifications.channels.promise import Outcome
from notifications.dispatch import progress
from notifications.dispatch.batches import BatchState
from notifications.dispatch.progress import MessageProgress, Progress
from notifications.messages import Message
from notifications.receipts import Heard


def _count(description: str, example: int, name: str | None = None) -> ma.fields.Integer:
    return ma.fields.Integer(attribute=name, data_key=name, metadata={"description": description, "example": example})


def _seconds(description: str, example: float) -> ma.fields.Float:
    return ma.fields.Float(allow_none=True, metadata={"description": description, "example": example})


class Sending(ma.Schema):
    """Where recipients stand; each is in exactly one of the counts from `waiting` to `held`."""

    planned = _count("送信対象に入った端末。", 312_480)
    handed_over = _count("一度でも配信事業者に渡した端末。", 298_004)
    waiting = _count("まだ渡していない。", 14_476)
    retrying = _count("断られたので時間を置いてもう一度試す。", 312)
    accepted = _count("配信事業者が受け付けた。", 291_902)
    unanswered = _count(
        "渡したが返事がない。鳴ったかもしれない。", 41, "unknown"
    )  # a schema has an `unknown` of its own
    dead = _count("トークンが使えない（登録なし・不正・他の送信者のもの）。", 5_610)
    expired = _count("期限までに渡せなかった。", 0)
    gone = _count("途中で端末が登録を消した。", 18)
    no_token = _count("プッシュを受けられない端末。受信箱では読める。", 101)
    failed = _count("繰り返しても渡せなかった。", 20)
    withdrawn = _count("新しい知らせに取って代わられ、送らなかった。", 0)
    held = _count("本人の設定（静かな時間、1日の上限、受信箱だけ）により鳴らさなかった。受信箱では読める。", 0)
    outcomes = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        metadata={
            "description": "結果ごとの端末数（0 は省く）。",
            "example": {"accepted": 291_902, "unregistered": 5_602},
        },
    )
    batches = ma.fields.Dict(
        keys=ma.fields.String(metadata={"enum": [state.value for state in BatchState]}),
        values=ma.fields.Integer(),
        metadata={
            "description": "状態ごとの束の数。stopped は担当者の対応を待っている。",
            "example": {"ready": 28, "leased": 4, "stopped": 0, "closed": 593},
        },
    )
    open_batches = _count("まだ終わっていない束。", 32)
    finished = ma.fields.Boolean(
        metadata={"description": "すべて終わった。もう問い合わせなくてよい。", "example": False}
    )
    rate_per_s = _seconds("直近一分の毎秒の返事。古すぎて言えないときは null。", 9_480.5)
    p50_s = _seconds("受け付けられた端末の半分が、承認から何秒以内だったか。", 31.4)
    p95_s = _seconds("同じく 95 %。", 58.9)
    p99_s = _seconds("同じく 99 %。", 61.2)
    first_handed_at = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "最初に渡した時刻。", "example": "2026-09-01T12:00:02+09:00"}
    )
    last_answer_at = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "最後の返事の時刻。", "example": "2026-09-01T12:01:03+09:00"}
    )


class HeardSchema(ma.Schema):
    """What phones said. Those that say nothing may have shown it, too."""

    shown = _count("表示したと知らせた端末。", 203_117)
    opened = _count("開いたと知らせた端末。", 88_204)
    devices = _count("どちらかを知らせた端末。", 204_010)
    shown_p50_s = _seconds("承認から表示まで、半分の端末は何秒以内だったか（端末の申告）。", 35.0)
    shown_p95_s = _seconds("同じく 95 %。", 140.0)


class MessageProgressSchema(Sending):
    """The sending of one message."""

    message_id = ma.fields.String(allow_none=True, metadata={"example": "3pLrDkHYkEGgJ8sB0wqzXw"})
    kind = ma.fields.String(allow_none=True, metadata={"example": "alert"})
    begins_at = ma.fields.AwareDateTime(
        allow_none=True,
        metadata={"description": "承認の時刻。秒数はここから数える。", "example": "2026-09-01T12:00:00+09:00"},
    )
    planning = ma.fields.String(
        allow_none=True,
        metadata={"description": "対象の洗い出し: waiting | latecomers | done | withdrawn", "example": "latecomers"},
    )
    planned_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "全員を一度洗い出し終えた時刻。"})
    told = _count("届けるべき相手として記録した端末（受信箱に入る）。", 312_480)
    receipts = ma.fields.Nested(HeardSchema)
    archived = ma.fields.Boolean(metadata={"description": "保存期間を過ぎ、合計だけが残っている。", "example": False})


class ThreadProgress(Sending):
    """All messages of a thread together: the order, its updates, its lifting. A phone counts once for each."""

    items = ma.fields.List(ma.fields.Nested(MessageProgressSchema), metadata={"description": "古い順。"})


class AlertProgress(MessageProgressSchema):
    """The sending of an alert's own message, and of its whole thread."""

    thread = ma.fields.Nested(ThreadProgress, allow_none=True)


_PLAIN = (
    "planned", "handed_over", "waiting", "retrying", "accepted", "unknown", "dead", "expired", "gone", "no_token",
    "failed", "withdrawn", "held", "batches", "finished", "rate_per_s", "p50_s", "p95_s", "p99_s", "first_handed_at",
    "last_answer_at",
)  # fmt: skip
# What an outcome is called where the count has another name.
_COUNTS = {Outcome.PENDING: "waiting", Outcome.RETRY: "retrying"}


def sending_view(found: Progress) -> dict[str, Any]:
    """Counts and speed."""
    outcomes = {outcome: getattr(found, _COUNTS.get(outcome, outcome.name.lower())) for outcome in Outcome}
    return {
        **{name: getattr(found, name) for name in _PLAIN},
        "outcomes": {outcome.name.lower(): number for outcome, number in outcomes.items() if number},
        "open_batches": sum(number for state, number in found.batches.items() if state != BatchState.CLOSED),
    }


def heard_view(found: Heard) -> dict[str, Any]:
    """What phones said."""
    return {name: getattr(found, name) for name in ("shown", "opened", "devices", "shown_p50_s", "shown_p95_s")}


def message_view(found: MessageProgress) -> dict[str, Any]:
    """One message's sending."""
    message = found.message
    return {
        **sending_view(found.sending),
        "message_id": message.public_id,
        "kind": message.kind,
        "begins_at": message.not_before,
        "planning": message.planning,
        "planned_at": message.planned_at,
        "told": found.told,
        "receipts": heard_view(found.heard),
        "archived": found.archived,
    }


def alert_progress(alert: Alert) -> dict[str, Any]:
    """The progress of an alert; zeros before it is issued."""
    thread = messages.of_thread(session(), alert.thread)
    total, each = progress.of_thread(session(), thread, clock.now())
    together = None
    if total is not None:
        together = {**sending_view(total), "items": [message_view(one) for one in each]}
    own = next((message_view(one) for one in each if one.message.id == alert.message_id), None)
    return {**(own or _nothing()), "thread": together}


def _nothing() -> dict[str, Any]:
    nobody = Message(public_id=None, kind=None, not_before=None, planning=None, planned_at=None)
    return message_view(MessageProgress(nobody, 0, progress.NOTHING, Heard(), archived=False))
