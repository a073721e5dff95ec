"""What the board of shelters shows: which places were asked for, in which order, how old each word is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend import clock, sheltering
from backend.api.shelter_sights import KINDS
from backend.console.language import current, mark, say
from backend.transaction import session
from content.folding import fold
from geo import sites
from geo.sites import Crowding, Site, SiteKind, SiteStatus

PAGE = 30
MOST_AT_ONCE = 400  # places of one word
_EVERYTHING = 100_000

STATUSES = {
    SiteStatus.PREPARING: mark("準備中"),
    SiteStatus.OPEN: mark("開設"),
    SiteStatus.FULL: mark("満員"),
    SiteStatus.CLOSED: mark("閉鎖"),
    SiteStatus.NOT_OPEN: mark("未開設"),
    SiteStatus.UNUSABLE: mark("使用不可"),
    SiteStatus.UNKNOWN: mark("不明"),
}
CROWDINGS = {
    Crowding.VACANT: mark("空いている"),
    Crowding.SOMEWHAT_CROWDED: mark("やや混雑"),
    Crowding.CROWDED: mark("混雑"),
    Crowding.FULL: mark("ほぼ満員"),
}
KIND_NAMES = {
    SiteKind.EMERGENCY_EVACUATION_SITE: mark("緊急避難場所"),
    SiteKind.SHELTER: mark("避難所"),
    SiteKind.WELFARE_SHELTER: mark("福祉避難所"),
    SiteKind.TSUNAMI_REFUGE: mark("津波避難ビル"),
}
ORDERS = {"ward": mark("区・よみの順"), "old": mark("聞いてから長い順")}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which places, in which order; "" is any."""

    ward: str = ""
    kind: str = ""
    state: str = ""
    q: str = ""
    order: str = "ward"
    page: int = 1

    def query(self, **changes: object) -> dict[str, Any]:
        """The wish as values of an address, without what is usual."""
        plain = {name: getattr(self, name) for name in ("ward", "kind", "state", "q")}
        plain["order"] = "" if self.order == "ward" else self.order
        plain["page"] = self.page if self.page > 1 else ""
        return {name: str(value) for name, value in (plain | changes).items() if value}


@dataclass(slots=True)
class Board:
    """One page of places, and what there is of them in all. `counts` is before the state was asked for."""

    wish: Wish
    rows: Sequence[Site]
    total: int
    pages: int
    counts: Mapping[str, int] = field(default_factory=dict)
    ward_of: Mapping[int, str] = field(default_factory=dict)  # the ward's name by the site's id
    wards: Mapping[str, str] = field(default_factory=dict)  # names by code


def read(args: Mapping[str, str]) -> Wish:
    """The wish of an address; what it does not know is any."""
    page = args.get("page", "")
    return Wish(
        ward=args.get("ward", "")[:40],
        kind=args.get("kind", "") if args.get("kind", "") in tuple(KINDS) else "",
        state=args.get("state", "") if args.get("state", "") in tuple(SiteStatus) else "",
        q=args.get("q", "").replace("\0", "").strip()[:80],
        order=args.get("order", "") if args.get("order", "") in ORDERS else "ward",
        page=int(page) if page.isascii() and page.isdecimal() and 0 < int(page[:6]) < 10_000 else 1,
    )


def found(wish: Wish) -> Board:
    """Every place of a wish, on one page: for a word about all of them."""
    places = sites.in_bbox(session(), None, kinds=[SiteKind(wish.kind)] if wish.kind else KINDS, limit=_EVERYTHING)
    wards = sheltering.wards()
    ward_of = wards.of(places)
    known = wards.names
    if wish.ward:
        places = [site for site in places if ward_of[site.id] == (wish.ward if wish.ward in known else "")]
    if wish.q:
        wanted = fold(wish.q)
        places = [site for site in places if any(wanted in fold(text) for text in _texts(site))]
    counts = Counter(site.status for site in places)
    if wish.state:
        places = [site for site in places if site.status == wish.state]
    long_ago = dt.datetime.min.replace(tzinfo=dt.UTC)
    if wish.order == "old":
        rows = sorted(places, key=lambda site: (site.status_at or long_ago, site.id))
    else:
        rows = sorted(places, key=lambda site: (ward_of[site.id] or "~", site.name_kana or site.name, site.id))
    names = {site_id: known.get(code, "") for site_id, code in ward_of.items()}
    return Board(wish, rows, len(rows), max(1, -(-len(rows) // PAGE)), counts, names, known)


def board(wish: Wish) -> Board:
    """One page of a wish; the last one where there are fewer."""
    every = found(wish)
    page = min(wish.page, every.pages)
    every.wish = Wish(wish.ward, wish.kind, wish.state, wish.q, wish.order, page)
    every.rows = every.rows[(page - 1) * PAGE : page * PAGE]
    return every


def one(site: Site, wish: Wish) -> Board:
    """A board of one row."""
    wards = sheltering.wards()
    code = wards.of([site])[site.id]
    return Board(wish, [site], 1, 1, {}, {site.id: wards.names.get(code, "")}, wards.names)


def age(at: dt.datetime | None) -> str:
    """How long ago something was said, in the coarsest unit that helps."""
    if at is None:
        return say("まだ聞いていない")
    minutes = max(0, int((clock.now() - at).total_seconds() // 60))
    if minutes < 1:
        return say("たったいま")
    if minutes < 60:
        return say("%(many)s分前", many=minutes)
    if minutes < 48 * 60:
        return say("%(many)s時間前", many=minutes // 60)
    return say("%(many)s日前", many=minutes // (24 * 60))


def described(status: str, crowding: str | None) -> str:
    """「開設・やや混雑」."""
    words = [say(STATUSES[SiteStatus(status)])]
    if crowding:
        words.append(say(CROWDINGS[Crowding(crowding)]))
    return " · ".join(words) if current() == "en" else "・".join(words)


def listed(words: Sequence[str]) -> str:
    """Words in a row."""
    return (", " if current() == "en" else "、").join(words)


def said(button: str, before: Site) -> tuple[SiteStatus, Crowding | None] | None:
    """What a button of a row means; None for no such button.

    "open" keeps how crowded an open place is, "open:vacant" says it, "note" leaves both.
    """
    status, _, crowding = button.partition(":")
    if button == "note":
        status, crowding = before.status, before.crowding or ""
    if status not in tuple(SiteStatus) or (crowding and (crowding not in tuple(Crowding))):
        return None
    kept = SiteStatus(status)
    if kept is SiteStatus.FULL:
        return kept, Crowding.FULL
    if crowding:
        return (kept, Crowding(crowding)) if kept in sheltering.PEOPLED else None
    stays = before.crowding if before.status == kept and kept in sheltering.PEOPLED else None
    return kept, Crowding(stays) if stays else None


def _texts(site: Site) -> list[str]:
    return [text for text in (site.name, site.name_kana, site.name_en, site.address) if text]
