"""Writing an alert: drafted, edited, checked, submitted; follow-ups that update, cancel or lift one in force."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content import texts as text
from content import workflow
from content.editors import Editor
from database import insert_ignore
from geo import areas
from geo.areas import Area
from geo.hazards import Hazard
from notifications import dangers, wording
from notifications.alerts import Act, Alert, State, content_hash, machine, move
from notifications.dangers import DangerArea
from notifications.identifier import RandomBytes, new_identifier

SHORTEST = dt.timedelta(minutes=10)
LONGEST = dt.timedelta(days=14)


class DraftRefused(ValueError):
    """A draft cannot be kept or submitted as it is; `errors` lists (field, reason)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in self.errors))


class Conflict(Exception):
    """Somebody else changed the alert in between: read it again."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What an author says of an alert. Texts left out are written from the ready templates."""

    hazard: Hazard
    level: int | None
    expires_at: dt.datetime
    polygon: dict[str, Any] | None = None
    areas: Sequence[str] = ()
    minus_areas: Sequence[str] = ()
    minus_polygon: dict[str, Any] | None = None
    area_names: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def area(self) -> dict[str, Any]:
        """The composition of the area, as it is kept and hashed."""
        return {
            "polygon": self.polygon,
            "areas": list(self.areas),
            "minus_areas": list(self.minus_areas),
            "minus_polygon": self.minus_polygon,
        }


def spec_of(alert: Alert) -> Spec:
    """The spec that an alert was written from, with the texts that were changed by hand."""
    return Spec(
        hazard=Hazard(alert.hazard),
        level=alert.level,
        expires_at=alert.expires_at,
        polygon=alert.area["polygon"],
        areas=alert.area["areas"],
        minus_areas=alert.area["minus_areas"],
        minus_polygon=alert.area["minus_polygon"],
        area_names=alert.area_names,
        texts={language: alert.texts[language] for language in alert.texts_edited},
    )


def fresh_spec(alert: Alert) -> Spec:
    """The spec of a follow-up: the same area and hazard, but words of its own, written for its own act."""
    return replace(spec_of(alert), texts={})


def changed(before: Spec, **said: Any) -> Spec:
    """A spec with changes. Where named areas come or go, so does the name made of them, unless a new one is said.

    A drawn area whose corners move keeps the name it was given.
    """
    after = replace(before, **said)
    named = any(list(getattr(before, part)) != list(getattr(after, part)) for part in ("areas", "minus_areas"))
    return replace(after, area_names={}) if named and "area_names" not in said else after


def draft(
    session: Session,
    spec: Spec,
    *,
    actor: Editor,
    drill: bool,
    now: dt.datetime,
    city: Mapping[str, str],
    act: Act = Act.ORDER,
    follows: Alert | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Alert:
    """A new alert in draft. Raises DraftRefused, dangers.AreaRefused, workflow.NotAllowed.

    With `follows` it is a follow-up of an alert in force: the same lineage, and the same kind (real or drill).
    """
    if follows is not None:
        _must_be_live(follows, now)
        drill = follows.drill
    to = workflow.check(machine(act), None, "draft", actor=actor, authors=(), now=now)
    content = _content(session, spec, act, drill, now, city)
    public_id = new_identifier(random_bytes)
    insert_ignore(
        session,
        Alert,
        {
            "public_id": public_id,
            "thread": follows.thread if follows else new_identifier(random_bytes),
            "act": act.value,
            "supersedes_id": follows.id if follows else None,
            "drill": drill,
            "state": to,
            "version": 1,
            "created_at": now,
            **content,
        },
    )
    alert = session.scalars(sa.select(Alert).where(Alert.public_id == public_id)).one()
    _record(session, alert, None, "draft", actor, now)
    return alert


def edit(
    session: Session,
    alert: Alert,
    spec: Spec,
    *,
    actor: Editor,
    version: int,
    now: dt.datetime,
    city: Mapping[str, str],
) -> None:
    """Changes a draft, or a submission (which voids it). Raises Conflict when `version` is not the newest."""
    if alert.version != version:
        raise Conflict
    before = alert.state
    to = workflow.permit(session, alert.machine, alert.id, before, "edit", actor=actor, now=now)
    content = _content(session, spec, Act(alert.act), alert.drill, now, city)
    if not move(session, alert, State(to), now, {**content, "submitted_at": None, "submitted_count": None}):
        raise Conflict
    _record(session, alert, before, "edit", actor, now)


def discard(session: Session, alert: Alert, *, actor: Editor, now: dt.datetime) -> None:
    """Throws a draft or a submission away."""
    before = alert.state
    to = workflow.permit(session, alert.machine, alert.id, before, "discard", actor=actor, now=now)
    if not move(session, alert, State(to), now):
        raise Conflict
    _record(session, alert, before, "discard", actor, now)


def findings(alert: Alert, now: dt.datetime, city_zone: ZoneInfo) -> list[text.Finding]:
    """What proofreading says of an alert's texts: errors bar its submission, warnings are for people."""
    return text.lint(alert.texts, now, city_zone)


def disagreements(alert: Alert) -> list[tuple[str, str]]:
    """Where texts changed by hand no longer say what the alert is (level, act, drill): (language, reason)."""
    changed = {language: alert.texts[language] for language in alert.texts_edited}
    found = wording.texts_agree(changed, act=alert.act, level=alert.level, hazard=alert.hazard, drill=alert.drill)
    return [(language, reason) for language, _, reason in (one.partition(": ") for one in found)]


def _content(
    session: Session, spec: Spec, act: Act, drill: bool, now: dt.datetime, city: Mapping[str, str]
) -> dict[str, Any]:
    errors: list[tuple[str, str]] = []
    possible = wording.levels_for(spec.hazard)
    if spec.level not in possible:
        listed = ", ".join("null" if level is None else str(level) for level in possible)
        errors.append(("level", f"an alert for {spec.hazard} has the level {listed}"))
    if not now + SHORTEST <= spec.expires_at <= now + LONGEST:
        errors.append(("expires_at", "must lie between ten minutes and fourteen days from now"))
    names = dict(spec.area_names)
    if "ja" not in names:
        if spec.areas:
            names = {**_area_names(session, spec), **names}
        else:
            errors.append(("area_names.ja", "name the drawn area as people know it"))
    if errors:
        raise DraftRefused(errors)
    danger_area = dangers.compose(
        session,
        polygon=spec.polygon,
        area_codes=spec.areas,
        minus_area_codes=spec.minus_areas,
        minus_polygon=spec.minus_polygon,
    )
    try:
        own = text.clean(spec.texts)
        rendered = wording.render(
            act=act.value, level=spec.level, hazard=spec.hazard, area_names=names, drill=drill, values={"issuer": city}
        )
    except (text.TextsError, wording.WordingError) as refused:
        raise DraftRefused([("texts", str(refused))]) from refused
    if drill:
        own = {language: wording.as_drill(language, one) for language, one in own.items()}
    return {
        "hazard": spec.hazard.value,
        "level": spec.level,
        "area": spec.area(),
        "area_names": names,
        "danger_area_id": danger_area.id,
        "texts": {**rendered, **own},
        "texts_edited": sorted(own),
        "expires_at": spec.expires_at,
    }


def _area_names(session: Session, spec: Spec) -> dict[str, str]:
    """「青葉区〔宮城総合支所管内除く〕」: the areas, what is left out; and in each language that all have a name in."""

    def known(codes: Sequence[str]) -> list[Area]:
        return [area for code in codes if (area := areas.get(session, code)) is not None]

    whole, less = known(spec.areas), "、".join(area.name for area in known(spec.minus_areas))
    names = {"ja": "、".join(area.name for area in whole) + (f"〔{less}除く〕" if spec.minus_areas else "")}
    for language in text.LANGUAGES:
        said = [area.names.get(language, "") for area in whole]
        if whole and all(said) and not spec.minus_areas and len(joined := ", ".join(said)) <= wording.AREA_MAX:
            names[language] = joined
    return names


def _must_be_live(alert: Alert, now: dt.datetime) -> None:
    if alert.state_at(now) is not State.LIVE:
        raise DraftRefused([("follows", f"the alert is {alert.state_at(now)}: only one in force can be followed up")])


def _record(session: Session, alert: Alert, before: str | None, action: str, actor: Editor, now: dt.datetime) -> None:
    bound = content_hash(alert, session.get_one(DangerArea, alert.danger_area_id))
    workflow.record(session, alert.machine, alert.id, before, action, actor=actor, now=now, content_hash=bound)
