"""/v1/staff/alerts and /v1/staff/drills: drafted, looked at, submitted, approved by another person, followed up."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from backend import alerting, clock
from backend.api import alert_forms as forms
from backend.api import alert_sights as sights
from backend.api import caching, cursor
from backend.api.alert_sights import staff_view
from backend.api.blueprint import Blueprint
from backend.api.progress_sights import AlertProgress, alert_progress
from backend.auth import staff_required
from backend.config import settings
from backend.transaction import reads_only, session
from notifications import alerts as house
from notifications import drafting
from notifications.alerts import Act


def _doors(name: str, *, drill: bool, description: str) -> Blueprint:
    """The routes of city hall, for real alerts or for drills: what is born in one never reaches the other."""
    blp = Blueprint(f"staff_{name}", __name__, url_prefix=f"/v1/staff/{name}", description=description)

    class Many(MethodView):
        @staff_required("read")
        @blp.arguments(forms.ListQuery, location="query")
        @blp.response(200, sights.StaffAlertList)
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """すべての状態のものを新しい順に。Every state, newest first."""
            key, limit = cursor.decode(query["cursor"], int), query["limit"]
            before = key[0] if key else None
            found = house.listing(session(), drill=drill, state=query["state"], most=limit + 1, before=before)
            last = [found[:limit][-1].id] if found else []
            return cursor.page([staff_view(alert) for alert in found], limit, *last)

        @staff_required("draft")
        @blp.arguments(forms.AlertForm)
        @blp.response(201, sights.StaffAlert)
        def post(self, form: dict[str, Any]) -> dict[str, Any]:
            """起案する。文章は用意された定型文から作られる。Drafts one; texts come from ready templates."""
            return staff_view(alerting.draft(forms.spec(form), drill=drill))

    class One(MethodView):
        @staff_required("read")
        @blp.response(200, sights.StaffAlert)
        def get(self, public_id: str) -> dict[str, Any]:
            """一件を、したこと全部とともに。One alert with every step."""
            return staff_view(alerting.one(public_id, drill=drill))

        @staff_required("draft")
        @blp.arguments(forms.AlertEdit)
        @blp.response(200, sights.StaffAlert)
        def patch(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
            """直す。提出済みなら提出は無効になる。Edits it; an edit voids a submission."""
            alert = alerting.one(public_id, drill=drill)
            version = form.pop("version")
            alerting.edit(alert, forms.spec(form, drafting.spec_of(alert)), version=version)
            return staff_view(alert)

        @staff_required("withdraw")
        @blp.response(200, sights.StaffAlert)
        def delete(self, public_id: str) -> dict[str, Any]:
            """発令前のものを破棄する。Discards what was not issued yet."""
            alert = alerting.one(public_id, drill=drill)
            alerting.discard(alert)
            return staff_view(alert)

    class Look(MethodView):
        @staff_required("read")
        @blp.response(200, sights.PreviewSchema)
        @reads_only
        def get(self, public_id: str) -> dict[str, Any]:
            """誰に何が届くか。送るときと同じ問い合わせで数える。Whom it reaches, and what their phones will show."""
            alert = alerting.one(public_id, drill=drill)
            findings = drafting.findings(alert, clock.now(), settings().zone)
            return sights.preview_view(alert, alerting.look(alert), findings)

    class Submit(MethodView):
        @staff_required("submit")
        @blp.arguments(forms.SubmitForm)
        @blp.response(200, sights.StaffAlert)
        def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
            """別の人の承認を求める。Hands it to a second person."""
            alert = alerting.one(public_id, drill=drill)
            alerting.submit(alert, version=form["version"], accept_warnings=form["accept_warnings"])
            return staff_view(alert)

    class Approve(MethodView):
        @staff_required("approve")
        @blp.arguments(forms.ApproveForm)
        @blp.response(200, sights.StaffAlert)
        def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
            """見た内容のハッシュを添えて承認すると送信が始まる。Approves exactly what was seen."""
            alert = alerting.one(public_id, drill=drill)
            alerting.approve(alert, seen_hash=form["content_hash"])
            return staff_view(alert)

    class SendBack(MethodView):
        @staff_required("return")
        @blp.arguments(forms.ReturnForm)
        @blp.response(200, sights.StaffAlert)
        def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
            """理由を添えて差し戻す。Returns it to its author with a reason."""
            alert = alerting.one(public_id, drill=drill)
            alerting.send_back(alert, reason=form["reason"])
            return staff_view(alert)

    class Update(MethodView):
        @staff_required("draft")
        @blp.arguments(forms.AlertChanges)
        @blp.response(201, sights.StaffAlert)
        def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
            """発令中のものの更新を起案する。Drafts an update of an alert in force."""
            alert = alerting.one(public_id, drill=drill)
            spec = forms.spec(form, drafting.fresh_spec(alert))
            return staff_view(alerting.update(alert, spec))

    class Lift(MethodView):
        """Cancel or all-clear: drafted with the wording ready and submitted in one step."""

        act: Act

        @staff_required("draft", "submit")
        @blp.arguments(forms.LiftForm)
        @blp.response(201, sights.StaffAlert)
        def post(self, form: dict[str, Any], public_id: str) -> dict[str, Any]:
            """起案と提出を一度に行う。届いた全員に、届いた人だけに知らせる。Reaches exactly those who were told."""
            alert = alerting.one(public_id, drill=drill)
            follow = alerting.lift(alert, self.act, texts=form["texts"], accept_warnings=form["accept_warnings"])
            return staff_view(follow)

    class Cancel(Lift):
        act = Act.CANCEL

    class AllClear(Lift):
        act = Act.ALL_CLEAR

    class Progress(MethodView):
        @staff_required("read")
        @caching.polled
        @blp.response(200, AlertProgress)
        def get(self, public_id: str) -> dict[str, Any]:
            """いま何台に渡せたか。数秒おきに問い合わせてよい。How far the sending has come; made to be polled."""
            return alert_progress(alerting.one(public_id, drill=drill))

    for path, view in (
        ("", Many), ("/<public_id>", One), ("/<public_id>/preview", Look), ("/<public_id>/submit", Submit),
        ("/<public_id>/approve", Approve), ("/<public_id>/return", SendBack), ("/<public_id>/update", Update),
        ("/<public_id>/cancel", Cancel), ("/<public_id>/all-clear", AllClear), ("/<public_id>/progress", Progress),
    ):  # fmt: skip
        blp.route(path, endpoint=f"{name}_{view.__name__.lower()}")(view)
    return blp


blp = _doors("alerts", drill=False, description="避難情報の起案と承認 · Evacuation alerts, for city hall")
drills = _doors("drills", drill=True, description="訓練の起案と承認 · Drills, for city hall")
