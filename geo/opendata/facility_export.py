"""Which standard table a set of places is written in: that of AEDs, of child-care or public facilities, or of sites."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.opendata import site_export
from geo.opendata.provenance import PROVENANCE
from geo.opendata.site_export import CONTACT, HEAD, WHERE
from geo.sites import Site, SiteKind

_HOURS = ("利用可能曜日", "開始時間", "終了時間", "利用可能日時特記事項")
_OWNER = ("法人番号", "団体名")
_MARKS = frozenset({"設置位置", "小児対応設備の有無", "名称_通称", "バリアフリー情報"})  # by which lists are recognised
_PICTURE = ("URL", "画像", "画像_ライセンス", "備考")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table, and how its records come out of those of `site_export.record`."""

    columns: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)  # column of this table: column of the sites' table

    def of(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record of this table."""
        return {name: record.get(self.renamed.get(name, name)) for name in self.columns}

    def left_out(self) -> frozenset[str]:
        """Columns that GeoJSON goes without: the house has nothing for them, and no list is known by them."""
        known = (frozenset(site_export.COLUMNS) - site_export.NEVER) | _MARKS
        return frozenset(name for name in self.columns if self.renamed.get(name, name) not in known)


SITES = Layout(site_export.COLUMNS)
# The lists of the 自治体標準オープンデータセット, in their order, and our own columns after them.
_LAYOUTS = {
    SiteKind.AED: Layout(
        (*HEAD, *WHERE, "設置位置", *CONTACT, *_OWNER, *_HOURS, "小児対応設備の有無", *_PICTURE, *PROVENANCE)
    ),
    SiteKind.CHILDCARE_FACILITY: Layout(
        (
            *(*HEAD, "種別", *WHERE, "アクセス方法", "駐車場情報", *CONTACT, "FAX番号", *_OWNER, "認可等年月日"),
            *("収容定員", "受入年齢", *_HOURS, "一時預かりの有無", *_PICTURE, *PROVENANCE),
        ),
        {"収容定員": "想定収容人数"},
    ),
    SiteKind.PUBLIC_FACILITY: Layout(
        (
            *(*HEAD, "名称_通称", "POIコード", *WHERE, *CONTACT, *_OWNER, *_HOURS),
            *("説明", "バリアフリー情報", *_PICTURE, *PROVENANCE),
        )
    ),
}
# What these lists have no column for.
_BEYOND = {
    SiteKind.AED: (Site.capacity, Site.category, Site.ages, Site.accepts),
    SiteKind.CHILDCARE_FACILITY: (Site.accepts,),
    SiteKind.PUBLIC_FACILITY: (Site.capacity, Site.category, Site.ages, Site.accepts),
}


def layout(session: Session, kinds: Collection[SiteKind], source: str | None = None) -> Layout:
    """The list of the one kind there is, or the table of sites, which holds everything, where that would lose a fact.

    A fact is lost when a place of such a list came in by another one, as an AED with hazards does.
    """
    (kind,) = kinds if len(kinds) == 1 else (None,)
    if kind not in _LAYOUTS:
        return SITES
    lost = sa.or_(Site.hazards != 0, Site.also_shelter, *(column.is_not(None) for column in _BEYOND[kind]))
    wanted = sa.select(Site.id).where(Site.withdrawn_at.is_(None), Site.kind == kind.value, lost).limit(1)
    if source is not None:
        wanted = wanted.where(Site.source == source)
    return _LAYOUTS[kind] if session.scalar(wanted) is None else SITES


def records(
    session: Session, kinds: Collection[SiteKind], source: str | None = None
) -> tuple[Layout, Iterator[dict[str, Any]]]:
    """The table that suits these kinds, and its records, ordered by id."""
    chosen = layout(session, kinds, source)
    found = site_export.published(session, source=source, kinds=kinds)
    return chosen, found if chosen is SITES else map(chosen.of, found)
