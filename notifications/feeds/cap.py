"""An alert as a message of the Common Alerting Protocol (OASIS CAP 1.2). A frozen alert gives the same bytes for ever.

How our words become those of CAP stands in docs/feeds.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from content.texts import LANGUAGES
from geo.hazards import Hazard
from notifications import dangers
from notifications.alerts import Act, Alert
from notifications.dangers import DangerArea
from notifications.feeds.markup import Maker, encoded
from notifications.feeds.rings import Ring, rings
from notifications.wording.templates import hazard_name, order_name

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
_HEADLINE = 160  # characters, as CAP 1.2 §3.2.2 advises

_CATEGORY = {
    Hazard.FLOOD: "Met",
    Hazard.LANDSLIDE: "Geo",
    Hazard.STORM_SURGE: "Met",
    Hazard.EARTHQUAKE: "Geo",
    Hazard.TSUNAMI: "Geo",
    Hazard.FIRE: "Fire",
    Hazard.INLAND_FLOOD: "Met",
    Hazard.VOLCANO: "Geo",
}
_MSG_TYPE = {Act.ORDER: "Alert", Act.UPDATE: "Update", Act.CANCEL: "Cancel", Act.ALL_CLEAR: "Update"}


@dataclass(frozen=True, slots=True)
class Rating:
    """What CAP asks beside the words."""

    responses: tuple[str, ...]
    urgency: str
    severity: str
    certainty: str


# Levels of 災害対策基本法: 5 直ちに安全確保, 4 全員避難, 3 高齢者等は避難; none (tsunami): leave now.
_RATING: Mapping[int | None, Rating] = {
    5: Rating(("Shelter", "Execute"), "Immediate", "Extreme", "Likely"),
    4: Rating(("Evacuate",), "Immediate", "Severe", "Likely"),
    3: Rating(("Prepare", "Evacuate"), "Expected", "Moderate", "Possible"),
    None: Rating(("Evacuate",), "Immediate", "Extreme", "Likely"),
}
_OVER = Rating(("AllClear",), "Past", "Minor", "Unlikely")


@dataclass(frozen=True, slots=True)
class Issuer:
    """The city as it signs: its names by language, its address, its clock."""

    names: Mapping[str, str]
    public_url: str
    zone: ZoneInfo

    @property
    def sender(self) -> str:
        """The host residents reach it under: unique, as CAP asks, without spaces and commas."""
        return urlsplit(self.public_url).hostname or "localhost"


def document(session: Session, alert: Alert, issuer: Issuer) -> bytes:
    """The alert as a CAP 1.2 message. Raises ValueError for one that was never issued."""
    if alert.issued_at is None:
        raise ValueError("an alert that was never issued is no message")
    area = session.get_one(DangerArea, alert.danger_area_id)
    make = Maker(NAMESPACE)
    root = make.root("alert")
    make.add(root, "identifier", alert.public_id)
    make.add(root, "sender", issuer.sender)
    make.add(root, "sent", moment(alert.issued_at, issuer.zone))
    make.add(root, "status", "Exercise" if alert.drill else "Actual")
    make.add(root, "msgType", _MSG_TYPE[Act(alert.act)])
    make.add(root, "source", issuer.names["ja"])
    make.add(root, "scope", "Public")
    if alert.drill:
        make.add(root, "note", "訓練 This is an exercise.")
    if before := _before(session, alert):
        make.add(root, "references", " ".join(_reference(one, issuer) for one in before))
    make.add(root, "incidents", alert.thread)
    drawn = rings(dangers.shape(area))
    for language in LANGUAGES:
        if language in alert.texts:
            _info(make, root, alert, language, issuer, drawn)
    return encoded(root)


def moment(at: dt.datetime, zone: ZoneInfo) -> str:
    """A moment as CAP writes it: whole seconds, an offset and never Z (§3.3.2)."""
    return at.astimezone(zone).replace(microsecond=0).isoformat()


def _info(make: Maker, root: Any, alert: Alert, language: str, issuer: Issuer, drawn: Sequence[Ring]) -> None:
    hazard, act = Hazard(alert.hazard), Act(alert.act)
    rating = _RATING[alert.level] if act in (Act.ORDER, Act.UPDATE) else _OVER
    text = alert.texts[language]
    info = make.add(root, "info")
    make.add(info, "language", language)
    make.add(info, "category", _CATEGORY[hazard])
    make.add(info, "event", f"{hazard_name(hazard, language)} {order_name(alert.level, language)}")
    for response in rating.responses:
        make.add(info, "responseType", response)
    make.add(info, "urgency", rating.urgency)
    make.add(info, "severity", rating.severity)
    make.add(info, "certainty", rating.certainty)
    _pair(make, info, "eventCode", "yobikake:hazard", hazard.value)
    make.add(info, "effective", moment(alert.issued_at or alert.created_at, issuer.zone))
    make.add(info, "expires", moment(alert.expires_at, issuer.zone))
    make.add(info, "senderName", issuer.names.get(language, issuer.names["ja"]))
    make.add(info, "headline", text["title"][:_HEADLINE])
    make.add(info, "description", text["body"])
    part = "drills" if alert.drill else "alerts"
    make.add(info, "web", f"{issuer.public_url}/v1/{part}/{alert.public_id}")
    _pair(make, info, "parameter", "yobikake:act", act.value)
    if alert.level is not None:
        _pair(make, info, "parameter", "yobikake:level", str(alert.level))
    area = make.add(info, "area")
    make.add(area, "areaDesc", alert.area_names.get(language) or alert.area_names["ja"])
    for ring in drawn:
        make.add(area, "polygon", " ".join(f"{lat},{lon}" for lat, lon in ring))


def _pair(make: Maker, parent: Any, name: str, key: str, value: str) -> None:
    pair = make.add(parent, name)
    make.add(pair, "valueName", key)
    make.add(pair, "value", value)


def _before(session: Session, alert: Alert) -> list[Alert]:
    """What it stands in the place of, the latest first."""
    found: list[Alert] = []
    earlier = alert.supersedes_id
    while earlier is not None:
        found.append(session.get_one(Alert, earlier))
        earlier = found[-1].supersedes_id
    return [one for one in found if one.issued_at is not None]


def _reference(alert: Alert, issuer: Issuer) -> str:
    sent = moment(alert.issued_at or alert.created_at, issuer.zone)
    return f"{issuer.sender},{alert.public_id},{sent}"
