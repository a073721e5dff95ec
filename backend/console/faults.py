"""Incidents: what stopped and only a person can mend, what to do about it, and the word that it is mended."""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling
from backend.console import alert_sight, door
from backend.console.door import page
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from notifications import reviews
from notifications.dispatch import incidents

# By kind: what it is called, what happened, what to do.
FAULTS = {
    "credentials": (
        mark("配信事業者が鍵を受け付けません"),
        mark(
            "プッシュを送るための鍵（サービスアカウント）が無効か、期限切れか、権限がありません。止まった束は待っています。"
        ),
        mark(
            "サーバーの担当者が鍵のファイルを新しくし、送信のプロセスを起動し直します。"
            "「yobikake doctor」で使えることを確かめてから、下のボタンを押してください。"
        ),
    ),
    "sender": (
        mark("送信元の設定が違います"),
        mark("端末の登録先と違うプロジェクトで送ろうとしたか、iPhone 用の鍵がありません。続ければ全員に届きません。"),
        mark(
            "サーバーの担当者が、プロジェクトの設定と Firebase の APNs 鍵を確かめます。"
            "直したことを確かめてから、下のボタンを押してください。"
        ),
    ),
    "payload": (
        mark("配信事業者が内容を受け付けません"),
        mark("送ろうとした内容の形が正しくないと言われました。プログラムの誤りの疑いがあります。"),
        mark("下の詳細を添えて開発元に連絡してください。急ぐときは、文章を短くした更新を別に出してください。"),
    ),
    reviews.INCIDENT: (
        mark("事後の確認の署名が期限を過ぎました"),
        mark("一人で承認されたレベル5の避難情報を、24時間以内に別の人が確認していません。"),
        mark("承認できる別の人が、内容を読んで署名します。署名されると、この障害は自動で閉じます。"),
    ),
}
OTHER = (mark("障害"), mark("送信が止まっています。"), mark("下の詳細をサーバーの担当者に伝えてください。"))


@page("/incidents", "read")
def incidents_page() -> ResponseReturnValue:
    """What is open, and what was mended lately."""
    return render_template(
        "console/incidents.html", found=incidents.open_ones(session()), past=incidents.closed_ones(session()),
        faults=FAULTS, other=OTHER, waiting=reviews.waiting(session()), review=reviews.INCIDENT, sight=alert_sight,
    )  # fmt: skip


@page("/incidents/<int:incident_id>/resolve", "incidents", post=True)
def resolve_incident(incident_id: int) -> ResponseReturnValue:
    """Somebody says that it is mended: what stopped goes on."""
    if request.form.get("sure") != "yes":
        journaling.nothing()
        door.tell(say("直したことを確かめて、印を付けてください。"), "warning")
        return redirect(url_for("console.incidents_page"), 303)
    restarted = incidents.resolve(session(), incident_id, g.editor.name, clock.now()) if incident_id < 2**63 else None
    if restarted is None:
        raise of_status(404)
    journaling.note(str(incident_id), action="incidents.resolve", restarted=restarted)
    door.tell(say("閉じました。%(many)s 束の送信を再開しました。", many=restarted))
    return redirect(url_for("console.incidents_page"), 303)
