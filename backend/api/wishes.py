"""/v1/devices/me/…: what a resident wants to be reminded of, when, and how loudly; and what comes next."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.views import MethodView

from backend import clock
from backend.api.blueprint import Blueprint
from backend.api.wish_sights import (
    Children,
    GarbageAreas,
    Reminders,
    RemindersQuery,
    Wishes,
    children_view,
    garbage_view,
    minute_of,
    preferences_view,
    reminder_view,
)
from backend.auth import device_required
from backend.config import settings
from backend.errors import Problem, of_status
from backend.transaction import session
from content import calendar
from notifications import children, garbage_days, preferences
from notifications.children import Family
from notifications.garbage_days import GarbageWish, WishRefused
from notifications.places import PlaceName
from notifications.preferences import Preferences
from notifications.reminders import ahead

blp = Blueprint(
    "wishes", __name__, url_prefix="/v1/devices/me", description="リマインダーと通知の好み · Reminders and wishes"
)


@blp.route("/garbage")
class GarbageView(MethodView):
    """Where a resident puts garbage out, and when to be told."""

    @device_required
    @blp.response(200, GarbageAreas)
    def get(self) -> dict[str, Any]:
        """ごみの区域と知らせる時刻。The collection areas and hours of this phone."""
        return garbage_view(g.device)

    @device_required
    @blp.arguments(GarbageAreas)
    @blp.response(200, GarbageAreas)
    def put(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """ごみの区域・時刻・種類をまとめて置き換える（前日の夜と当日の朝）。Replaces areas, hours and categories."""
        wishes = [
            GarbageWish(
                one["area"], PlaceName(one["label"]), minute_of(one["evening"]), minute_of(one["morning"]),
                frozenset(one["categories"]),
            )
            for one in wanted["areas"]
        ]  # fmt: skip
        try:
            garbage_days.put(session(), g.device.id, wishes)
        except WishRefused as refused:
            raise _refusal(refused) from None
        return garbage_view(g.device)


@blp.route("/children")
class ChildrenView(MethodView):
    """A family's children, by month only."""

    @device_required
    @blp.response(200, Children)
    def get(self) -> dict[str, Any]:
        """お子さんの生まれた月。The birth months of this family."""
        return children_view(g.device)

    @device_required
    @blp.arguments(Children)
    @blp.response(200, Children)
    def put(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """お子さんの生まれた月と、時期を知らせる時刻を置き換える。空にすれば消える。Replaces the birth months."""
        family = Family(tuple(wanted["born"]), wanted["area"] or "", minute_of(wanted["at"]))
        try:
            children.put(session(), g.device.id, family, calendar.day_of(clock.now(), settings().zone))
        except WishRefused as refused:
            raise _refusal(refused) from None
        return children_view(g.device)


@blp.route("/preferences")
class PreferencesView(MethodView):
    """Quiet hours, a day's most, what is only read."""

    @device_required
    @blp.response(200, Wishes)
    def get(self) -> dict[str, Any]:
        """通知の好み。How this phone wants to be told of everyday things."""
        return preferences_view(g.device)

    @device_required
    @blp.arguments(Wishes)
    @blp.response(200, Wishes)
    def put(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """静かな時間・1日の上限・受信箱だけの種類を置き換える。避難情報には効かない。Replaces all of them at once."""
        quiet = wanted["quiet"]
        kept = Preferences(
            (minute_of(quiet["from"]) or 0, minute_of(quiet["until"]) or 0) if quiet is not None else None,
            wanted["a_day"],
            frozenset(wanted["inbox_only"]),
        )
        try:
            preferences.put(session(), g.device, kept, wanted["inbox_topics"])
        except WishRefused as refused:
            raise _refusal(refused) from None
        return preferences_view(g.device)


@blp.route("/reminders")
class RemindersView(MethodView):
    """What comes next."""

    @device_required
    @blp.arguments(RemindersQuery, location="query")
    @blp.response(200, Reminders)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """これから届くリマインダーを、届く時刻と理由つきで。届くときに計算し直す。What comes next."""
        zone = settings().zone
        found = ahead.of_device(session(), g.device.id, clock.now(), zone, query["days"])
        return {"items": [reminder_view(one, g.device.language, zone) for one in found]}


def _refusal(refused: WishRefused) -> Problem:
    """Places as a schema's errors name them: areas.0.evening."""
    return of_status(422, refused.reason, field=refused.place.replace("[", ".").replace("]", ""))
