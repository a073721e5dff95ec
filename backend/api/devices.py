"""/v1/devices: a phone registers, tells its language, token, places and topics, and can delete itself."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import g
from flask.views import MethodView
from marshmallow import validate

from backend import channel, clock, limits
from backend.api import wish_sights
from backend.api.blueprint import Blueprint
from backend.auth import device_required
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content.texts import LANGUAGES, canonical_language
from geo import mesh
from geo.point import Point, PointError
from notifications import devices, newcomers, places, selftest, topics
from notifications.channels.webpush import subscription
from notifications.devices import Device, Platform
from notifications.places import PlaceName

blp = Blueprint("devices", __name__, url_prefix="/v1/devices", description="端末の登録と設定 · A phone and its wishes")

EXAMPLE_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # RFC 8291
LANGUAGE = {
    "description": "BCP 47。送れる言語は " + "、".join(LANGUAGES) + "。それ以外は最も近い言語で届く。",
    "example": "ja",
}
TOKEN = {
    "description": "FCM の登録トークン。ない端末は受信箱だけを読む。webpush では subscription を使う。",
    "example": "dQw4w9WgXcQ:APA91b…",
}


class SubscriptionKeys(ma.Schema):
    """The browser's public key (P-256, 65 bytes) and its secret (16 bytes), both base64url."""

    class Meta:
        unknown = ma.EXCLUDE

    p256dh = ma.fields.String(required=True, metadata={"example": EXAMPLE_POINT})
    auth = ma.fields.String(required=True, metadata={"example": "BTBZMqHH6r4Tts7J_aSIgg"})


class PushSubscription(ma.Schema):
    """A browser's subscription as `PushSubscription.toJSON()` gives it; what else is in it is not kept."""

    class Meta:
        unknown = ma.EXCLUDE

    endpoint = ma.fields.String(required=True, metadata={"example": "https://fcm.googleapis.com/fcm/send/cXb…"})
    expirationTime = ma.fields.Raw(allow_none=True, metadata={"description": "使わない。ignored"})  # noqa: N815
    keys = ma.fields.Nested(SubscriptionKeys, required=True)


SUBSCRIPTION = {
    "description": "platform が webpush のときだけ。ブラウザーの PushSubscription.toJSON() をそのまま送る。"
    " applicationServerKey は GET /v1/webpush/key。"
}


class Registration(ma.Schema):
    """What a phone says of itself."""

    platform = ma.fields.Enum(Platform, by_value=True, required=True)
    language = ma.fields.String(load_default="ja", validate=validate.Length(2, 35), metadata=LANGUAGE)
    app_version = ma.fields.String(load_default="", validate=validate.Length(max=64), metadata={"example": "1.4.0"})
    token = ma.fields.String(load_default=None, allow_none=True, metadata=TOKEN)
    subscription = ma.fields.Nested(PushSubscription, load_default=None, allow_none=True, metadata=SUBSCRIPTION)


class Registered(ma.Schema):
    """The phone's id and its secret."""

    id = ma.fields.String(metadata={"example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    secret = ma.fields.String(metadata={"description": "一度だけ返る。以後 Authorization: Bearer で送る。"})


class Changes(ma.Schema):
    """What may change; what is left out stays."""

    language = ma.fields.String(validate=validate.Length(2, 35), metadata=LANGUAGE)
    app_version = ma.fields.String(validate=validate.Length(max=64))
    token = ma.fields.String(allow_none=True, metadata=TOKEN)
    subscription = ma.fields.Nested(PushSubscription, allow_none=True, metadata=SUBSCRIPTION)


class PlaceShown(ma.Schema):
    """A place as it is kept: a 125 m grid cell (JIS X 0410) and when it was told."""

    cell = ma.fields.String(metadata={"example": "57403629144"})
    updated_at = ma.fields.AwareDateTime(metadata={"example": "2026-11-21T09:00:00+09:00"})


class Me(wish_sights.Wished):
    """All that is kept of a phone."""

    id = ma.fields.String()
    platform = ma.fields.String()
    language = ma.fields.String()
    app_version = ma.fields.String()
    token_state = ma.fields.String(
        metadata={"description": "none | active | unregistered | invalid | mismatch", "example": "active"}
    )
    can_receive = ma.fields.Boolean(metadata={"description": "プッシュを試みられる状態か。"})
    places = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(PlaceShown))
    topics = ma.fields.List(ma.fields.String(), metadata={"example": ["garbage.kitayama"]})
    registered_at = ma.fields.AwareDateTime()


class Position(ma.Schema):
    """Where a place is: its cell (better: the phone reckons it), or a position, of which only the cell is kept."""

    cell = ma.fields.String(metadata={"description": "125 m メッシュ（11 桁）", "example": "57403629144"})
    lat = ma.fields.Float(metadata={"example": 38.2416})
    lon = ma.fields.Float(metadata={"example": 140.9552})
    accuracy_m = ma.fields.Float(load_default=0.0, validate=validate.Range(0, 100_000), metadata={"example": 20})


class Placed(ma.Schema):
    """The place as kept, and how many alerts in force it was told of at this moment."""

    name = ma.fields.String()
    cell = ma.fields.String()
    told = ma.fields.Integer(metadata={"description": "この場所が今まさに対象で、たった今届けた警報の数。"})


class Topics(ma.Schema):
    """The whole set of topics a phone follows."""

    topics = ma.fields.List(
        ma.fields.String(validate=validate.Length(1, 100)),
        required=True,
        validate=validate.Length(max=topics.MOST_TOPICS_A_DEVICE),
        metadata={"example": ["child.checkups", "garbage"]},
    )


class TestPush(ma.Schema):
    """A test on its way; the inbox tells what became of it."""

    message_id = ma.fields.String()


def _me(device: Device) -> dict[str, Any]:
    return {
        "id": device.public_id,
        "platform": device.platform,
        "language": device.language,
        "app_version": device.app_version,
        "token_state": device.token_state,
        "can_receive": device.can_receive,
        "places": {
            name.value: {"cell": str(cell), "updated_at": at}
            for name, (cell, at) in places.of_device(session(), device.id).items()
        },
        "topics": topics.followed(session(), device.id),
        **wish_sights.wished(device),
        "registered_at": device.created_at,
    }


@blp.route("")
class DevicesView(MethodView):
    """Registration."""

    @limits.registrations
    @blp.arguments(Registration)
    @blp.response(201, Registered)
    def post(self, said: dict[str, Any]) -> dict[str, str]:
        """端末を匿名で登録する。名前も番号も要らない。Registers a phone; nobody is asked for a name."""
        said["language"] = canonical_language(said["language"])
        said["token"] = _token(said["platform"], said["token"], said.pop("subscription"))
        made = devices.register(session(), now=clock.now(), **said)
        return {"id": made.device.public_id, "secret": made.secret}


@blp.route("/me")
class MeView(MethodView):
    """One's own phone."""

    @device_required
    @blp.response(200, Me)
    def get(self) -> dict[str, Any]:
        """この端末について預かっているすべて。All that is kept of this phone."""
        return _me(g.device)

    @device_required
    @blp.arguments(Changes)
    @blp.response(200, Me)
    def patch(self, changes: dict[str, Any]) -> dict[str, Any]:
        """言語・版・トークンを変える。Changes language, version or token (rotation)."""
        device: Device = g.device
        device.seen_at = clock.now()
        if "language" in changes:
            device.language = canonical_language(changes["language"])
        device.app_version = changes.get("app_version", device.app_version)
        if changes.keys() & {"token", "subscription"}:
            token = _token(Platform(device.platform), changes.get("token"), changes.get("subscription"))
            devices.set_token(session(), device, token, clock.now())
        return _me(device)

    @device_required
    @blp.response(204)
    def delete(self) -> None:
        """端末と場所・話題・ごみの区域・お子さんの月・受領を完全に消す。Deletes the phone with everything of it."""
        devices.erase(session(), g.device)


@blp.route("/me/places/<place>")
class PlaceView(MethodView):
    """One of a phone's places: current, home, work, family."""

    @device_required
    @blp.arguments(Position)
    @blp.response(200, Placed)
    def put(self, position: dict[str, Any], place: str) -> dict[str, Any]:
        """場所を置き換える。発令区域の中なら、その場で届ける。Replaces a place; in a live area it is told at once."""
        name = _name(place)
        cells = _cells(position)
        places.put(session(), g.device.id, name, cells, clock.now())
        told = newcomers.greet(session(), g.device, name, cells, clock.now())
        return {"name": name.value, "cell": str(cells[0]), "told": told}

    @device_required
    @blp.response(204)
    def delete(self, place: str) -> None:
        """場所を消す。Forgets a place."""
        if not places.remove(session(), g.device.id, _name(place)):
            raise of_status(404, "This phone has no such place.")


@blp.route("/me/topics")
class TopicsView(MethodView):
    """What a phone follows."""

    @device_required
    @blp.arguments(Topics)
    @blp.response(200, Topics)
    def put(self, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
        """購読する話題をまとめて置き換える。Replaces the set of topics this phone follows."""
        topics.follow(session(), g.device.id, wanted["topics"])
        return {"topics": topics.followed(session(), g.device.id)}


@blp.route("/me/test-push")
class TestPushView(MethodView):
    """Can I receive?"""

    @device_required
    @limits.test_pushes
    @blp.response(202, TestPush)
    def post(self) -> dict[str, str]:
        """「届くか」を本物のプッシュで確かめる。A real push to this phone only."""
        if not g.device.can_receive:
            raise of_status(409, f"No push is possible: the token is {g.device.token_state}. Send a new one by PATCH.")
        return {"message_id": selftest.send(session(), g.device, clock.now(), settings().public_url).public_id}


def _token(platform: Platform, token: str | None, given: dict[str, Any] | None) -> str | None:
    """What a device keeps to be reached by: a token as it came, a subscription checked and in its one spelling."""
    if token is not None and given is not None:
        raise of_status(422, "Send either token or subscription.", field="subscription")
    if platform is not Platform.WEBPUSH:
        if given is not None:
            raise of_status(422, "Only a device of the platform webpush has a subscription.", field="subscription")
        return token
    if token is None and given is None:
        return None
    try:
        return subscription.read(token if given is None else given, channel.services(settings())).token
    except subscription.SubscriptionError as error:
        inside = "" if error.place == "subscription" else f".{error.place}"
        reason = error.reason if given is not None else str(error)
        raise of_status(422, reason, field="token" if given is None else f"subscription{inside}") from None


def _name(place: str) -> PlaceName:
    try:
        return PlaceName(place)
    except ValueError:
        raise of_status(404, f"A place is one of {', '.join(PlaceName)}.") from None


def _cells(position: dict[str, Any]) -> tuple[int, ...]:
    if ("cell" in position) == ("lat" in position and "lon" in position):
        raise of_status(422, "Send either cell, or lat and lon.", field="cell")
    try:
        if "cell" in position:
            return (mesh.parse_cell(position["cell"]),)
        return places.cells_of_position(Point.checked(position["lat"], position["lon"]), position["accuracy_m"])
    except mesh.MeshError as error:
        raise of_status(422, str(error), field="cell") from None
    except PointError as error:
        raise of_status(422, str(error), field="lat") from None
