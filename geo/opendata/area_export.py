"""Areas written for anybody to reuse: as GeoJSON with their boundaries, which reads back the same, and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.areas import LANGUAGES, Area

NAMES = tuple(f"name_{language}" for language in LANGUAGES)
COLUMNS = ("code", "name", "name_kana", *NAMES, "kind", "parent", "lat", "lon", "source", "licence", "as_of")


def published(session: Session, *, source: str | None = None) -> Iterator[dict[str, Any]]:
    """Present areas as records, each with its "geometry" (GeoJSON, or None where only a point is known), by code.

    Names of members are those of the format that `yobikake import areas` reads.
    """
    wanted = sa.select(Area).where(Area.withdrawn_at.is_(None)).order_by(Area.code)
    if source is not None:
        wanted = wanted.where(Area.source == source)
    for area in session.scalars(wanted.execution_options(yield_per=200)):
        yield {
            **{name: getattr(area, name) for name in ("code", "name", "name_kana")},
            **dict.fromkeys(NAMES),
            **{f"name_{language}": name for language, name in area.names.items()},
            "kind": area.kind,
            "parent": area.parent_code,
            **{name: getattr(area, name) for name in ("lat", "lon", "source", "licence")},
            "as_of": area.as_of.isoformat() if area.as_of else None,
            "geometry": area.geometry,
        }
