"""Collection areas tied to the named areas of `geo`: codes of their towns, and readings where the list has none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.opendata.garbage_harvest import AreaRow
from geo.areas import Area, AreaKind, canonical_code, search_key, without_chome

_CHOME = re.compile("^[0-9]+丁目")
Town = tuple[str, str, str | None]  # code, municipality, reading


def tie(session: Session, rows: Iterable[AreaRow], municipality: str | None) -> None:
    """Adds to each area the codes of the towns it lies in or covers, and a reading.

    The ward decides which town of a name is meant, or `municipality`; where neither does and the name
    stands in two municipalities, nothing is tied.
    """
    parents = {
        area.code: area.name
        for area in session.scalars(sa.select(Area).where(Area.kind.in_((AreaKind.WARD.value, AreaKind.CITY.value))))
    }
    exact: dict[str, list[Town]] = defaultdict(list)
    whole: dict[str, list[Town]] = defaultdict(list)
    towns = sa.select(Area.code, Area.search_name, Area.parent_code, Area.name_kana).where(
        Area.kind == AreaKind.TOWN.value, Area.withdrawn_at.is_(None)
    )
    own = canonical_code(municipality) if municipality else None
    for one in session.execute(towns):
        town = (one.code, one.parent_code or "", one.name_kana)
        if own is None or (one.parent_code or "").startswith(own.rstrip("0") if own.endswith("00") else own):
            exact[one.search_name].append(town)
            whole[without_chome(one.search_name)].append(town)
    if not exact:
        return
    for row in rows:
        found = _towns(row, exact, whole)
        if row.ward and any(parents.get(parent) == row.ward for _, parent, _ in found):
            found = [town for town in found if parents.get(town[1]) == row.ward]
        if len({parent for _, parent, _ in found}) != 1:
            continue
        row.codes |= {code for code, _, _ in found}
        readings = {re.sub("[0-9]+チョウメ$", "", kana) for _, _, kana in found if kana}
        if len(readings) == 1:
            full = readings.pop()
            if full.startswith(row.reading):  # a list may have only its beginning
                row.reading = full


def _towns(row: AreaRow, exact: dict[str, list[Town]], whole: dict[str, list[Town]]) -> list[Town]:
    key = search_key(row.town)
    numbered = _CHOME.match(search_key(row.block))
    if numbered and (found := exact.get(key + numbered[0])):
        return found
    return exact.get(key) or whole.get(key) or []
