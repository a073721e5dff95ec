"""Breaking the glass: a lone duty officer's level 5, and another person's review of it afterwards."""

from __future__ import annotations

import unicodedata

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from backend import alerting, clock, journaling
from backend.console import alert_look, alert_sight, door, refusals
from backend.console.door import page
from backend.console.language import say
from backend.errors import of_status
from backend.transaction import session
from content import sign_ins
from content.workflow import NotAllowed
from notifications import reviews
from notifications.drafting import DraftRefused
from notifications.reviews import Verdict

# Where a verdict leads: to the step that mends, with its wording ready.
_ONWARD = {Verdict.RIGHT: "alerts_one", Verdict.CORRECT: "alerts_update", Verdict.WRONG: "alerts_cancel"}


def typed_confirmation() -> bool:
    """Whether the word for level 5 was typed, whatever the keyboard made of it."""
    typed = unicodedata.normalize("NFKC", request.form.get("confirmation", "")).replace(" ", "").upper()
    return typed == alert_sight.CONFIRMATION


@page("/alerts/<public_id>/break-glass", "break_glass", post=True, name="alerts_break_glass")
def break_glass(public_id: str) -> ResponseReturnValue:
    """Releases one's own level 5 alone: ticks, the typed word, a reason, and a new code of the second factor."""
    alert, reason = alerting.one(public_id, drill=False), request.form.get("reason", "").strip()[:1000]
    wrong = []
    if any(name not in request.form for name in alert_look.SEEN):
        wrong.append(("", say("三つの確認すべてに印を付けてください。")))
    if not typed_confirmation():
        wrong.append(("", say("確認の文字が違います。「%(word)s」と入力してください。", word=alert_sight.CONFIRMATION)))
    if not reason:
        wrong.append((say("理由"), say("理由を書いてください。")))
    if wrong:
        return alert_look.look(alert, wrong, 422, reason=reason)
    seen = request.form.get("content_hash", "")
    try:
        alerting.break_glass(alert, seen_hash=seen, code=request.form.get("code", ""), reason=reason)
    except DraftRefused as error:
        return alert_look.look(alert, refusals.reasons(error), 422, reason=reason)
    except NotAllowed as error:
        if error.code != "second_factor":
            raise
        over = sign_ins.count_wrong_code(session(), g.sign_in, clock.now())
        journaling.note(alert.public_id, action="alerts.break_glass_refused", over=over)
        if over:
            g.sign_in.ended_at = clock.now()
            return redirect(url_for("console.sign_in", next=request.path.rpartition("/")[0]), 303)
        # Answered as a page that was kept: the wrong code stays counted.
        return alert_look.look(alert, [(say("確認コード"), refusals.headline(error))], reason=reason)
    journaling.note(
        alert.public_id, action="alerts.break_glass", content_hash=seen[:64], level=alert.level, hazard=alert.hazard,
        act=alert.act, reason=reason, submitted_count=alert.submitted_count,
    )  # fmt: skip
    door.tell(say("一人で承認しました。送信が始まりました。24時間以内に、別の人が確認して署名します。"))
    return redirect(url_for("console.alerts_one", public_id=public_id), 303)


@page("/alerts/<public_id>/review", "approve", post=True, keeps=True)
def sign_review(public_id: str) -> ResponseReturnValue:
    """Another person's verdict and note; then to the step that mends, where one is needed."""
    alert = alerting.one(public_id, drill=False)
    review = reviews.of_alert(session(), alert)
    if review is None:
        raise of_status(404)
    verdict, note = request.form.get("verdict", ""), request.form.get("note", "").strip()[:2000]
    if verdict not in tuple(Verdict) or not note:
        return alert_look.look(
            alert, [("", say("判断を選び、所見を書いてください。"))], 422, note=note, verdict=verdict
        )
    reviews.sign(session(), review, actor=g.editor, verdict=Verdict(verdict), note=note, now=clock.now())
    journaling.note(alert.public_id, action="alerts.review", verdict=verdict, note=note)
    door.tell(say("事後の確認に署名しました。"))
    onward = _ONWARD[Verdict(verdict)] if alert_sight.followable(alert) else "alerts_one"
    return redirect(url_for(f"console.{onward}", public_id=public_id), 303)
