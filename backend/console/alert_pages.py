"""Evacuation alerts and drills: written, looked at, submitted, approved by another person, watched, followed up.

One set of pages for real alerts and one for drills; what is born on one never comes to the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from backend import alerting, clock, journaling
from backend.api.progress_sights import alert_progress
from backend.config import settings
from backend.console import alert_form, alert_look, alert_sight, door, maps, refusals
from backend.console.alert_form import Typed
from backend.console.alert_look import look as look_at
from backend.console.break_glass import typed_confirmation
from backend.console.door import page
from backend.console.language import current, mark, say
from backend.transaction import session
from geo.hazards import Hazard
from notifications import alerts, drafting, wording
from notifications.alerts import Act, Alert, State
from notifications.dangers import AreaRefused, DangerArea
from notifications.drafting import Conflict, DraftRefused, Spec

MOST = 60
_REFUSED = (DraftRefused, AreaRefused)


def _pages(part: str, *, drill: bool) -> None:
    """Adds the pages of real alerts (`alerts`) or of drills (`drills`)."""

    headings = {  # in the reader's language by the template
        "new": mark("訓練を作る") if drill else mark("避難情報を出す"),
        "edit": mark("直す"),
        "update": mark("更新・訂正する"),
    }

    def to(name: str, alert: Alert) -> ResponseReturnValue:
        return redirect(url_for(f"console.{part}_{name}", public_id=alert.public_id), 303)

    def show(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
        return alert_look.show(template, status, drill=drill, **values)

    def one(public_id: str) -> Alert:
        return alerting.one(public_id, drill=drill)

    def form(
        typed: Typed,
        *,
        alert: Alert | None,
        heading: str,
        about: Alert | None = None,
        wrong: Any = (),
        at_fault: Iterable[str] = (),
        clash: str = "",
        status: int = 200,
    ) -> Any:
        found, more = alert_form.choices(typed)
        return show(
            "alert_form.html", status, typed=typed, alert=alert, about=about, clash=clash, at_fault=set(at_fault),
            heading=heading, kinds=alert_form.kinds(),
            found=found, more=more, wrong=list(wrong), order_name=wording.order_name, hazard_name=wording.hazard_name,
            hazard_names=[(one.value, wording.hazard_name(one, current())) for one in Hazard],
        )  # fmt: skip

    def kept(made: Any, *, alert: Alert | None, heading: str, before: Spec, follow: bool = False) -> Any:
        """Reads the form and keeps what was typed, or shows it again with what is wrong or was searched for."""
        typed = alert_form.read(request.form)
        edited = None if follow else alert
        again = partial(form, typed, alert=edited, heading=heading, about=alert)
        if request.form.get("do") == "find":
            journaling.nothing()
            return again()
        try:
            done = made(alert_form.spec_of(typed, before, edited), typed)
        except _REFUSED as error:
            return again(wrong=refusals.reasons(error), at_fault=refusals.fields(error), status=422)
        except Conflict as error:
            return again(clash=refusals.headline(error), status=409)
        if alert is None:
            journaling.note(action=f"{part}.create")
        journaling.note(done.public_id, level=done.level, hazard=done.hazard, act=done.act, version=done.version)
        return to("one", done)

    @page(f"/{part}", "read", name=part)
    def listed() -> ResponseReturnValue:
        """Those in force first, then those that wait, drafts, and the past."""
        every = alerts.listing(session(), drill=drill, state=None, most=MOST)
        now = clock.now()
        live = alerts.live(session(), now, drill=drill)
        groups = [
            (say("承認を待っているもの"), [one for one in every if one.state_at(now) is State.SUBMITTED]),
            (say("書きかけのもの"), [one for one in every if one.state_at(now) is State.DRAFT]),
            (
                say("これまで"),
                [one for one in every if one.ended_at or one.state_at(now) in (State.DONE, State.EXPIRED)],
            ),
        ]
        return show("alerts.html", live=live, groups=groups)

    @page(f"/{part}/new", "draft", name=f"{part}_new")
    def new() -> ResponseReturnValue:
        """An empty form."""
        answer: ResponseReturnValue = form(alert_form.fresh(), alert=None, heading=headings["new"])
        return answer

    @page(f"/{part}/new", "draft", post=True, name=f"{part}_create", keeps=True)
    def create() -> ResponseReturnValue:
        """Keeps it as a draft, with the ready wording."""

        def make(spec: Spec, _typed: Typed) -> Alert:
            return alerting.draft(spec, drill=drill)

        answer: ResponseReturnValue = kept(make, alert=None, heading=headings["new"], before=alert_form.blank())
        return answer

    @page(f"/{part}/<public_id>", "read", name=f"{part}_one")
    def look(public_id: str) -> ResponseReturnValue:
        """Everything of one."""
        return look_at(one(public_id))

    @page(f"/{part}/<public_id>/area", "read", name=f"{part}_area")
    def area(public_id: str) -> ResponseReturnValue:
        """The danger area as GeoJSON, for a map: a ward's border would be most of the page."""
        return maps.area_answer(session().get_one(DangerArea, one(public_id).danger_area_id))

    @page(f"/{part}/<public_id>/refuges", "read", name=f"{part}_refuges")
    def refuges(public_id: str) -> ResponseReturnValue:
        """The evacuation sites inside and outside it, for a map."""
        return maps.refuges_answer(one(public_id))

    @page(f"/{part}/<public_id>/edit", "draft", name=f"{part}_edit")
    def edit(public_id: str) -> ResponseReturnValue:
        """The form of a draft, with its texts."""
        alert = one(public_id)
        typed = alert_form.of_spec(drafting.spec_of(alert), alert)
        answer: ResponseReturnValue = form(typed, alert=alert, heading=headings["edit"], about=alert)
        return answer

    @page(f"/{part}/<public_id>/edit", "draft", post=True, name=f"{part}_save", keeps=True)
    def save(public_id: str) -> ResponseReturnValue:
        """Keeps the changes, unless somebody else was faster."""
        alert = one(public_id)

        def make(spec: Spec, typed: Typed) -> Alert:
            alerting.edit(alert, spec, version=int(typed.version) if typed.version.isdecimal() else -1)
            return alert

        heading, before = headings["edit"], drafting.spec_of(alert)
        answer: ResponseReturnValue = kept(make, alert=alert, heading=heading, before=before)
        return answer

    @page(f"/{part}/<public_id>/submit", "submit", post=True, name=f"{part}_submit")
    def submit(public_id: str) -> ResponseReturnValue:
        """Hands it to a second person."""
        alert, version = one(public_id), request.form.get("version", "")
        try:
            alerting.submit(
                alert,
                version=int(version) if version.isdecimal() else -1,
                accept_warnings="accept_warnings" in request.form,
            )
        except _REFUSED as error:
            return look_at(alert, refusals.reasons(error), 422)
        journaling.note(alert.public_id, content_hash=request.form.get("content_hash", "")[:64], version=alert.version)
        door.tell(say("提出しました。別の人が承認すると送られます。"))
        return to("one", alert)

    @page(f"/{part}/<public_id>/approve", "approve", post=True, name=f"{part}_approve")
    def approve(public_id: str) -> ResponseReturnValue:
        """Releases exactly what this person has seen, after the ticks and, for level 5, the typed confirmation."""
        alert = one(public_id)
        missing = [name for name in alert_look.SEEN if name not in request.form]
        if missing:
            return look_at(alert, [("", say("三つの確認すべてに印を付けてください。"))], 422)
        if _grave(alert) and not typed_confirmation():
            return look_at(
                alert,
                [("", say("確認の文字が違います。「%(word)s」と入力してください。", word=alert_sight.CONFIRMATION))],
                422,
            )
        try:
            alerting.approve(alert, seen_hash=request.form.get("content_hash", ""))
        except _REFUSED as error:
            return look_at(alert, refusals.reasons(error), 422)
        journaling.note(
            alert.public_id, content_hash=request.form.get("content_hash", "")[:64], level=alert.level,
            hazard=alert.hazard, act=alert.act, submitted_count=alert.submitted_count,
        )  # fmt: skip
        door.tell(say("承認しました。送信が始まりました。"))
        return to("one", alert)

    @page(f"/{part}/<public_id>/return", "return", post=True, name=f"{part}_return", keeps=True)
    def send_back(public_id: str) -> ResponseReturnValue:
        """Returns it to its author with a reason."""
        alert, reason = one(public_id), request.form.get("reason", "").strip()[:1000]
        alerting.send_back(alert, reason=reason)
        journaling.note(alert.public_id, reason=reason)
        door.tell(say("差し戻しました。"))
        return to("one", alert)

    @page(f"/{part}/<public_id>/discard", "withdraw", post=True, name=f"{part}_discard")
    def discard(public_id: str) -> ResponseReturnValue:
        """Throws away what was not issued."""
        alert = one(public_id)
        alerting.discard(alert)
        journaling.note(alert.public_id, action=f"{part}.delete")
        door.tell(say("破棄しました。"))
        return redirect(url_for(f"console.{part}"), 303)

    @page(f"/{part}/<public_id>/update", "draft", name=f"{part}_update")
    def update(public_id: str) -> ResponseReturnValue:
        """The form of a follow-up: area and hazard as they are in force."""
        alert = one(public_id)
        typed = alert_form.of_spec(drafting.fresh_spec(alert))
        typed.until = max(typed.until, alert_form.fresh().until)
        answer: ResponseReturnValue = form(typed, alert=None, heading=headings["update"], about=alert)
        return answer

    @page(f"/{part}/<public_id>/update", "draft", post=True, name=f"{part}_follow", keeps=True)
    def follow(public_id: str) -> ResponseReturnValue:
        """Drafts the follow-up."""
        alert = one(public_id)

        def make(spec: Spec, _typed: Typed) -> Alert:
            return alerting.update(alert, spec)

        heading, before = headings["update"], drafting.fresh_spec(alert)
        answer: ResponseReturnValue = kept(make, alert=alert, heading=heading, before=before, follow=True)
        return answer

    def lifting(act: Act, address: str, name: str) -> None:
        def ready(alert: Alert) -> Any:
            return wording.render(
                act=act.value, level=alert.level, hazard=alert.hazard, area_names=alert.area_names, drill=drill,
                values={"issuer": settings().city_names},
            )  # fmt: skip

        @page(f"/{part}/<public_id>/{address}", "draft", "submit", name=f"{part}_{name}")
        def words(public_id: str) -> ResponseReturnValue:
            """The wording, ready to be submitted."""
            alert = one(public_id)
            return show("alert_lift.html", alert=alert, act=act, texts=ready(alert), address=address, wrong=[])

        @page(f"/{part}/<public_id>/{address}", "draft", "submit", post=True, name=f"{part}_{name}_submit", keeps=True)
        def hand_over(public_id: str) -> ResponseReturnValue:
            """Drafts and submits in one step."""
            alert, texts = one(public_id), ready(one(public_id))
            typed = alert_form.read(request.form).texts
            own = {
                language: text
                for language, text in typed.items()
                if any(text[part].strip() != texts[language][part].strip() for part in ("title", "body"))
            }
            try:
                made = alerting.lift(alert, act, texts=own, accept_warnings="accept_warnings" in request.form)
            except _REFUSED as error:
                values = {"act": act, "texts": {**texts, **typed}, "address": address}
                return show("alert_lift.html", 422, alert=alert, wrong=refusals.reasons(error), **values)
            journaling.note(made.public_id, follows=alert.public_id, act=act.value)
            door.tell(say("提出しました。別の人が承認すると送られます。"))
            return to("one", made)

    lifting(Act.CANCEL, "cancel", "cancel")
    lifting(Act.ALL_CLEAR, "all-clear", "all_clear")

    @page(f"/{part}/<public_id>/progress", "read", name=f"{part}_progress")
    def progress(public_id: str) -> ResponseReturnValue:
        """How far the sending has come, alone on a page that a script may fetch again and again."""
        alert = one(public_id)
        outlets = alert_look.outlets_of(alert)
        return show("alert_progress.html", alert=alert, progress=alert_progress(alert), outlets=outlets)


def _grave(alert: Alert) -> bool:
    return alert.level == 5 and alert.act in (Act.ORDER, Act.UPDATE)


_pages("alerts", drill=False)
_pages("drills", drill=True)
