"""The form of an alert: from what is typed to the spec that drafting takes, and back; what was typed is never lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from backend import clock
from backend.config import settings
from backend.console.corners import CornersError, corners_of, polygon_of
from backend.console.language import local, say
from backend.transaction import session
from content.texts import LANGUAGES
from geo import areas
from geo.areas import Area, AreaKind
from geo.hazards import Hazard
from notifications import drafting, wording
from notifications.alerts import Alert
from notifications.drafting import DraftRefused, Spec

USUAL_HOURS = 6
MOST_LISTED, MOST_FOUND, MOST_CHOSEN = 60, 40, 200
_MINUTES = "%Y-%m-%dT%H:%M"


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    kind: str = ""  # hazard and level: "flood:4", "tsunami:none"
    areas: list[str] = field(default_factory=list)
    minus: list[str] = field(default_factory=list)
    corners: str = ""
    minus_corners: str = ""
    keep_polygon: bool = False  # of the alert, where it has holes
    names: dict[str, str] = field(default_factory=dict)
    until: str = ""
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    ready: list[str] = field(default_factory=list)  # languages that go back to the ready wording
    find: str = ""
    version: str = ""


def kinds() -> list[tuple[Hazard, list[tuple[str, int | None]]]]:
    """Every hazard with the levels it can have, as values of the form."""
    return [
        (hazard, [(f"{hazard.value}:{level or 'none'}", level) for level in wording.levels_for(hazard)])
        for hazard in Hazard
    ]


def fresh() -> Typed:
    """A new alert's form."""
    until = local(clock.now() + dt.timedelta(hours=USUAL_HOURS)).replace(minute=0, second=0, microsecond=0)
    return Typed(until=(until + dt.timedelta(hours=1)).strftime(_MINUTES))


def of_spec(spec: Spec, alert: Alert | None = None) -> Typed:
    """The form of an alert as it is; without `alert` of a follow-up, which has no texts yet."""
    corners, minus_corners = corners_of(spec.polygon), corners_of(spec.minus_polygon)
    return Typed(
        kind=f"{spec.hazard.value}:{spec.level or 'none'}",
        areas=list(spec.areas),
        minus=list(spec.minus_areas),
        corners=corners or "",
        minus_corners=minus_corners or "",
        keep_polygon=corners is None or minus_corners is None,
        names=dict(spec.area_names),
        until=local(spec.expires_at).strftime(_MINUTES),
        texts={language: dict(alert.texts[language]) for language in LANGUAGES} if alert is not None else {},
        version=str(alert.version) if alert is not None else "",
    )


def read(form: MultiDict[str, str]) -> Typed:
    """What was typed, right or wrong."""
    texts = {
        language: {part: form.get(f"{language}.{part}", "").replace("\r\n", "\n") for part in ("title", "body")}
        for language in LANGUAGES
        if f"{language}.body" in form
    }
    return Typed(
        kind=form.get("kind", ""),
        areas=list(dict.fromkeys(form.getlist("area")))[:MOST_CHOSEN],
        minus=list(dict.fromkeys(form.getlist("minus")))[:MOST_CHOSEN],
        corners=form.get("corners", ""),
        minus_corners=form.get("minus_corners", ""),
        keep_polygon="keep_polygon" in form,
        names={language: form.get(f"name.{language}", "").strip() for language in LANGUAGES},
        until=form.get("until", ""),
        texts=texts,
        ready=form.getlist("ready"),
        find=form.get("find", "")[:100],
        version=form.getlist("version")[-1] if "version" in form else "",  # the last: one that was ticked knowingly
    )


def spec_of(typed: Typed, before: Spec, alert: Alert | None = None) -> Spec:
    """The spec that was typed; `before` is what the form was made of, `alert` the draft that is edited.

    Raises DraftRefused for what cannot be read; what is read is checked where every draft is.
    """
    wrong: list[tuple[str, str]] = []
    said: dict[str, Any] = {"areas": typed.areas, "minus_areas": typed.minus}
    hazard, _, level = typed.kind.partition(":")
    if hazard in tuple(Hazard) and level in ("3", "4", "5", "none"):
        said |= {"hazard": Hazard(hazard), "level": None if level == "none" else int(level)}
    else:
        wrong.append(("hazard", say("災害の種類と警戒レベルを選んでください。")))
    try:
        if typed.until != local(before.expires_at).strftime(_MINUTES):
            said["expires_at"] = dt.datetime.strptime(typed.until, _MINUTES).replace(tzinfo=settings().zone)
    except ValueError:
        wrong.append(("expires_at", say("日付と時刻を入れてください。")))
    for name, written in (("polygon", typed.corners), ("minus_polygon", typed.minus_corners)):
        kept = getattr(before, name)
        if typed.keep_polygon and corners_of(kept) is None and not written.strip():
            continue
        try:
            # Unchanged corners stay the very polygon that was drawn, and with it the hash.
            same = written.replace("\r\n", "\n").strip() == (corners_of(kept) or "")
            said[name] = kept if same else polygon_of(written)
        except CornersError as error:
            wrong.append((f"area.{name}", str(error)))
    if not typed.areas and said.get("polygon", before.polygon) is None:
        wrong.append(("area", "draw a polygon or name at least one area"))
    if wrong:
        raise DraftRefused(wrong)
    names = {language: name for language, name in typed.names.items() if name}
    if names != dict(before.area_names):
        said["area_names"] = names
    if alert is not None:
        said["texts"] = _own_texts(typed, alert)
    return drafting.changed(before, **said)


def _own_texts(typed: Typed, alert: Alert) -> dict[str, dict[str, str]]:
    """Texts that stay or become changed by hand; the others are written anew from the templates."""
    own = {}
    for language, text in typed.texts.items():
        if language in typed.ready:
            continue
        same = all(text[part].strip() == alert.texts[language][part].strip() for part in ("title", "body"))
        if not same or language in alert.texts_edited:
            own[language] = text
    return own


def blank() -> Spec:
    """What a new alert's form is compared with."""
    return Spec(Hazard.FLOOD, None, clock.now())


def choices(typed: Typed) -> tuple[list[Area], bool]:
    """The areas to tick: those chosen, the wards and zones, what was searched for; and whether there are more."""
    chosen = [area for code in [*typed.areas, *typed.minus] if (area := areas.get(session(), code)) is not None]
    whole = sa.select(Area).where(
        Area.withdrawn_at.is_(None), Area.kind.in_([AreaKind.CITY.value, AreaKind.WARD.value, AreaKind.ZONE.value])
    )
    listed = list(session().scalars(whole.order_by(Area.kind, Area.code).limit(MOST_LISTED + 1)))
    found = list(areas.find(session(), typed.find, limit=MOST_FOUND)) if typed.find.strip() else []
    every = {area.code: area for area in [*chosen, *found, *listed[:MOST_LISTED]] if area.geometry is not None}
    return list(every.values()), len(listed) > MOST_LISTED
