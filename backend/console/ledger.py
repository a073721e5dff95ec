"""The ledger: what was said to phones, how each message fared, outlet by outlet and batch by batch. Never to whom."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock
from backend.api.progress_sights import message_view, sending_view
from backend.console import alert_sight
from backend.console.door import page
from backend.console.language import current, mark
from backend.errors import of_status
from backend.transaction import session
from content.texts import ENDONYMS, LANGUAGES
from notifications import alerts, messages, why
from notifications.dispatch import batches, by_outlet, progress
from notifications.messages import Kind, Message

PAGE, BATCHES = 50, 100
KINDS = {
    Kind.ALERT: mark("発令"),
    Kind.UPDATE: mark("更新"),
    Kind.CANCEL: mark("取消"),
    Kind.ALL_CLEAR: mark("解除"),
    Kind.NOTICE: mark("お知らせ"),
    Kind.GARBAGE: mark("ごみの日"),
    Kind.CHILD: mark("子育て"),
    Kind.TEST: mark("受信テスト"),
}
PLANNING = {
    "waiting": mark("宛先を調べている"),
    "latecomers": mark("期限まで、新しく来る人を待つ"),
    "done": mark("宛先が決まった"),
    "withdrawn": mark("取り下げた"),
}
BATCH_STATES = {
    "ready": mark("順番待ち"),
    "leased": mark("送信中"),
    "stopped": mark("止まっている"),
    "closed": mark("済み"),
}


@page("/messages", "read", name="messages")
def listed() -> ResponseReturnValue:
    """The newest first, fifty a page."""
    kind, before = request.args.get("kind", ""), _number(request.args.get("before", ""))
    drill = {"real": False, "drill": True}.get(request.args.get("part", ""))
    wanted = Kind(kind) if kind in tuple(Kind) else None
    found = messages.listing(session(), kind=wanted, drill=drill, before=before, most=PAGE + 1)
    older = None
    if len(found) > PAGE:
        said = {name: request.args.get(name, "") for name in ("kind", "part")}
        older = url_for("console.messages", **said, before=found[PAGE - 1].id)  # type: ignore[arg-type]
    return render_template(
        "console/messages.html", found=found[:PAGE], older=older, kinds=KINDS, planning=PLANNING, title_of=title_of
    )


@page("/messages/<public_id>", "read", name="message")
def one(public_id: str) -> ResponseReturnValue:
    """One of them: its words, its outcomes, its batches."""
    message = messages.by_public_id(session(), public_id)
    if message is None:
        raise of_status(404)
    now = clock.now()
    after = _number(request.args.get("after", "")) or 0
    found = batches.of_message(session(), message.id, after, BATCHES + 1)
    rows = [(batch, sending_view(progress.of_batch(batch, message, now))) for batch in found[:BATCHES]]
    more = (
        url_for("console.message", public_id=public_id, after=found[BATCHES - 1].id) if len(found) > BATCHES else None
    )
    part, _, alert_id = message.origin.partition(":")
    alert = alerts.by_public_id(session(), alert_id, drill=message.drill) if part == "alert" else None
    return render_template(
        "console/message.html", message=message, progress=message_view(progress.of_message(session(), message, now)),
        outlets=by_outlet.of_message(session(), message, now), rows=rows, more=more, alert=alert, kinds=KINDS,
        planning=PLANNING, batch_states=BATCH_STATES, title_of=title_of, sight=alert_sight, endonyms=ENDONYMS,
        languages=LANGUAGES, why=why.sentence(message.reason, None, current()), drill=message.drill,
        section="console.messages",
    )  # fmt: skip


def title_of(message: Message) -> str:
    """The title in the reader's language, or in the first there is."""
    texts = message.texts
    first = next((texts[language] for language in (current(), *LANGUAGES) if language in texts), {})
    return first.get("title", "")


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 19 else None
