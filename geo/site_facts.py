"""The published facts of a place, mended by hand between two editions of its list. Never its status, never a push."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.hazards import Hazard, hazards_in, mask_of
from geo.point import Point, PointError
from geo.sites import Site, UnknownSite, bump_revision

TEXTS = {  # characters at most
    "name": 200, "name_kana": 200, "name_en": 200, "address": 300, "accepts": 300, "note": 1000, "phone": 60,
    "url": 500,
}  # fmt: skip
MOST_PEOPLE = 1_000_000

Facts = dict[str, Any]


class FactsRefused(ValueError):
    """Facts that cannot be; `errors` are (field, reason)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in errors))
        self.errors = errors


def of(site: Site) -> Facts:
    """The facts of a place that can be edited, as plain JSON."""
    plain: Facts = {name: getattr(site, name) for name in (*TEXTS, "lat", "lon", "capacity", "also_shelter")}
    return plain | {"hazards": [hazard.value for hazard in hazards_in(site.hazards)]}


def checked(facts: Mapping[str, Any]) -> Facts:
    """Facts as they are kept: texts without spaces around them, None for empty ones. Raises FactsRefused.

    `lat`, `lon` and `capacity` may be text as typed.
    """
    errors: list[tuple[str, str]] = []
    kept: Facts = {}
    for name, most in TEXTS.items():
        text = str(facts.get(name) or "").replace("\0", "").strip()
        if len(text) > most:
            errors.append((name, f"{len(text)} characters, at most {most}"))
        if any(unicodedata.category(letter) == "Cc" and letter not in "\r\n\t" for letter in text):
            errors.append((name, "holds an unprintable character"))
        kept[name] = text or None
    if kept["name"] is None:
        errors.append(("name", "a place needs a name"))
    if kept["url"] is not None and not _is_web(kept["url"]):
        errors.append(("url", "an address begins with https:// or http://"))
    try:
        point = Point.checked(_number(facts.get("lat")), _number(facts.get("lon")))
        kept |= {"lat": point.lat, "lon": point.lon}
    except PointError as refused:
        errors.append(("lat", str(refused)))
    capacity = unicodedata.normalize("NFKC", str(facts.get("capacity") or "")).replace(",", "").strip()
    kept["capacity"] = int(capacity) if capacity.isdecimal() and len(capacity) < 9 else None
    if capacity and not 0 <= (kept["capacity"] if kept["capacity"] is not None else -1) <= MOST_PEOPLE:
        errors.append(("capacity", "the capacity is no number of people"))
    hazards = list(facts.get("hazards") or ())
    unknown = [one for one in hazards if one not in tuple(Hazard)]
    if unknown:
        errors.append(("hazards", f"there is no hazard {unknown[0]!r}"))
    kept["hazards"] = [hazard.value for hazard in Hazard if hazard.value in hazards]
    kept["also_shelter"] = bool(facts.get("also_shelter"))
    if errors:
        raise FactsRefused(errors)
    return kept


def write(session: Session, site: Site, facts: Mapping[str, Any], now: dt.datetime) -> Facts:
    """Writes facts and returns them as kept. They stand until the place's own line in its list changes.

    Raises FactsRefused, and UnknownSite for a place that was withdrawn meanwhile.
    """
    kept = checked(facts)
    values = {name: value for name, value in kept.items() if name != "hazards"}
    moved: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Site)
        .where(Site.id == site.id, Site.withdrawn_at.is_(None))
        .values(
            **values, hazards=mask_of(Hazard(one) for one in kept["hazards"]), imported_at=now,
            version=Site.version + 1,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if moved.rowcount != 1:
        raise UnknownSite(site.id)
    bump_revision(session, now=now)
    session.refresh(site)
    return kept


def _number(written: Any) -> float:
    """A number as people type it; not a number for what is none."""
    try:
        return float(unicodedata.normalize("NFKC", str(written)).strip())
    except ValueError:
        return math.nan


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not any(one.isspace() for one in address)
