"""What city hall writes of an alert: the forms of /v1/staff/alerts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import validate

from backend.api import cursor
from content.texts import LANGUAGES
from geo.hazards import Hazard
from notifications import drafting
from notifications.alerts import State
from notifications.drafting import Spec

MOST_AREAS = 200


class OneText(ma.Schema):
    """A title and a body."""

    title = ma.fields.String(required=True)
    body = ma.fields.String(required=True)


class Area(ma.Schema):
    """Where: a drawn polygon, named areas, or both, less what is subtracted."""

    polygon = ma.fields.Dict(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "GeoJSON Polygon または MultiPolygon（経度・緯度の順）。",
            "example": {
                "type": "Polygon",
                "coordinates": [[[140.93, 38.23], [140.97, 38.23], [140.97, 38.25], [140.93, 38.25], [140.93, 38.23]]],
            },
        },
    )
    areas = ma.fields.List(
        ma.fields.String(validate=validate.Length(1, 100)),
        load_default=list,
        validate=validate.Length(max=MOST_AREAS),
        metadata={"description": "区・町・区域の符号。", "example": []},
    )
    minus_areas = ma.fields.List(
        ma.fields.String(validate=validate.Length(1, 100)),
        load_default=list,
        validate=validate.Length(max=MOST_AREAS),
        metadata={"description": "除く区域。「青葉区〔宮城総合支所管内除く〕」", "example": []},
    )
    minus_polygon = ma.fields.Dict(load_default=None, allow_none=True)


def _names(**more: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.String(validate=validate.Length(1, 200)),
        metadata={"description": "区域の呼び名。図形だけなら ja が要る。", "example": {"ja": "若林区沿岸部"}},
        **more,
    )


def _texts(**more: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.Nested(OneText),
        metadata={"description": "定型文に代える文。書いた言語だけが置き換わる。", "example": {}},
        **more,
    )


class AlertChanges(ma.Schema):
    """What may be said differently; what is left out stays."""

    hazard = ma.fields.Enum(Hazard, by_value=True)
    level = ma.fields.Integer(allow_none=True, metadata={"description": "3・4・5。津波などは null。", "example": 4})
    area = ma.fields.Nested(Area)
    area_names = _names()
    texts = _texts()
    expires_at = ma.fields.AwareDateTime(metadata={"example": "2026-11-22T06:00:00+09:00"})


class AlertForm(AlertChanges):
    """A whole alert."""

    hazard = ma.fields.Enum(Hazard, by_value=True, required=True)
    level = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "3・4・5。津波などは null。", "example": 4}
    )
    area = ma.fields.Nested(Area, required=True)
    expires_at = ma.fields.AwareDateTime(required=True, metadata={"example": "2026-11-22T06:00:00+09:00"})


class AlertEdit(AlertChanges):
    """Changes to the version that the editor has read."""

    version = ma.fields.Integer(required=True)


class SubmitForm(ma.Schema):
    """The version that is handed over."""

    version = ma.fields.Integer(required=True)
    accept_warnings = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "校正の警告（別の年の日付、違う段階の名など）を承知で出す。"},
    )


class ApproveForm(ma.Schema):
    """Exactly what the approver has seen."""

    content_hash = ma.fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}$"))


class ReturnForm(ma.Schema):
    """Why."""

    reason = ma.fields.String(required=True, validate=validate.Length(1, 1000))


class LiftForm(ma.Schema):
    """Wording other than the ready one, if need be."""

    texts = _texts(load_default=dict)
    accept_warnings = ma.fields.Boolean(
        load_default=False, metadata={"description": "校正の警告を承知で出す。取消が文章の癖で止まらないように。"}
    )


class ListQuery(cursor.PageQuery):
    """Which alerts."""

    state = ma.fields.Enum(State, by_value=True, load_default=None)


def spec(form: dict[str, Any], before: Spec | None = None) -> Spec:
    """The spec a form stands for; with `before`, the changes that it makes to it."""
    said = {name: form[name] for name in ("hazard", "level", "expires_at", "area_names", "texts") if name in form}
    if "area" in form:
        said |= form["area"]
    return drafting.changed(before, **said) if before is not None else Spec(**said)
