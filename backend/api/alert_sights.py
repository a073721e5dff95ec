"""What city hall is shown of an alert: the alert with its steps, and its preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import marshmallow as ma

from backend import clock
from backend.api.alert_forms import OneText
from backend.api.history import StepSchema, steps_view
from backend.transaction import session
from content.texts import LANGUAGES, Finding
from notifications import alerts as house
from notifications.alerts import Alert
from notifications.dangers import DangerArea
from notifications.preview import Preview


class StaffAlert(ma.Schema):
    """An alert as city hall sees it."""

    id = ma.fields.String()
    thread = ma.fields.String()
    act = ma.fields.String()
    exercise = ma.fields.Boolean()
    state = ma.fields.String()
    version = ma.fields.Integer()
    content_hash = ma.fields.String(metadata={"description": "承認はこの内容に結び付く。"})
    hazard = ma.fields.String()
    level = ma.fields.Integer(allow_none=True)
    area = ma.fields.Dict()
    area_names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    area_km2 = ma.fields.Float()
    geometry = ma.fields.Dict()
    texts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(OneText))
    texts_edited = ma.fields.List(ma.fields.String())
    supersedes = ma.fields.String(allow_none=True)
    created_at = ma.fields.AwareDateTime()
    submitted_at = ma.fields.AwareDateTime(allow_none=True)
    submitted_count = ma.fields.Integer(allow_none=True)
    issued_at = ma.fields.AwareDateTime(allow_none=True)
    expires_at = ma.fields.AwareDateTime()
    ended_at = ma.fields.AwareDateTime(allow_none=True)
    steps = ma.fields.List(ma.fields.Nested(StepSchema))


class StaffAlertList(ma.Schema):
    """Newest first."""

    items = ma.fields.List(ma.fields.Nested(StaffAlert))
    next = ma.fields.String(allow_none=True, metadata={"description": "続きの cursor。最後なら null。"})


class SampleSchema(ma.Schema):
    """A push as phones of one language will show it."""

    language = ma.fields.String()
    title = ma.fields.String()
    body = ma.fields.String()
    shelters = ma.fields.List(ma.fields.Dict(), allow_none=True)
    bytes = ma.fields.Integer(allow_none=True)


class FindingSchema(ma.Schema):
    """What proofreading found."""

    language = ma.fields.String()
    field = ma.fields.String()
    code = ma.fields.String()
    severity = ma.fields.String()
    message = ma.fields.String()
    excerpt = ma.fields.String()


class PreviewSchema(ma.Schema):
    """Whom it reaches and what they will see."""

    content_hash = ma.fields.String()
    devices = ma.fields.Integer(metadata={"description": "対象の端末数（重複なし）。"})
    reachable = ma.fields.Integer(metadata={"description": "うちプッシュを試みられる端末。"})
    by_language = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    by_platform = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    by_place = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    samples = ma.fields.List(ma.fields.Nested(SampleSchema))
    findings = ma.fields.List(ma.fields.Nested(FindingSchema))


def staff_view(alert: Alert) -> dict[str, Any]:
    """An alert for city hall."""
    area = session().get_one(DangerArea, alert.danger_area_id)
    followed = session().get(Alert, alert.supersedes_id) if alert.supersedes_id else None
    plain = (
        "thread", "act", "version", "hazard", "level", "area", "area_names", "texts_edited", "created_at",
        "submitted_at", "submitted_count", "issued_at", "expires_at", "ended_at",
    )  # fmt: skip
    return {
        **{name: getattr(alert, name) for name in plain},
        # PostgreSQL's JSON keeps no order.
        "texts": {language: alert.texts[language] for language in LANGUAGES if language in alert.texts},
        "id": alert.public_id,
        "exercise": alert.drill,
        "state": alert.state_at(clock.now()).value,
        "content_hash": house.content_hash(alert, area),
        "area_km2": round(area.area_km2, 3),
        "geometry": area.geometry,
        "supersedes": followed.public_id if followed else None,
        "steps": steps_view("alert", alert.id),
    }


def preview_view(alert: Alert, seen: Preview, findings: Sequence[Finding]) -> dict[str, Any]:
    """A preview for city hall."""
    area = session().get_one(DangerArea, alert.danger_area_id)
    return {
        "content_hash": house.content_hash(alert, area),
        **asdict(seen.count),
        "samples": [asdict(sample) for sample in seen.samples],
        "findings": [asdict(finding) for finding in findings],
    }
