"""What residents are shown as Atom feeds (RFC 4287): alerts, each entry leading to its CAP message, and notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from content import texts as text
from content.notice_table import Notice
from notifications.alerts import Alert
from notifications.feeds import cap
from notifications.feeds.cap import Issuer
from notifications.feeds.markup import Maker, encoded

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NEVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # a feed must say when it changed; this one never had an entry
_TITLES = {
    False: {"ja": "避難情報", "en": "Evacuation alerts", "zh-Hans": "避难信息", "ko": "대피 정보"},
    True: {"ja": "訓練", "en": "Exercises", "zh-Hans": "演习", "ko": "훈련"},
}
_NOTICES = {
    "ja": "お知らせ", "ja-x-easy": "市（し）の お知（し）らせ", "en": "Notices", "zh-Hans": "通知", "ko": "공지"
}  # fmt: skip


def document(alerts: Sequence[Alert], issuer: Issuer, wanted: Sequence[str], *, drill: bool) -> tuple[str, bytes]:
    """The language of the feed's title, and the feed. Each entry says its own language."""
    part = "drills" if drill else "alerts"
    feed = _Feed(part, _TITLES[drill], issuer, wanted, max(map(_touched, alerts), default=_NEVER))
    for alert in alerts:
        address = f"{feed.root_url}/{alert.public_id}"
        entry = feed.entry(address, alert.texts, _touched(alert), alert.issued_at or alert.created_at)
        feed.make.add(entry, "link", rel="alternate", type=cap.MEDIA_TYPE, href=f"{address}.cap.xml")
        feed.make.add(entry, "link", rel="related", type="application/json", href=address)
        feed.category(entry, "act", alert.act)
        feed.category(entry, "hazard", alert.hazard)
        if alert.level is not None:
            feed.category(entry, "level", str(alert.level))
    return feed.language, encoded(feed.root)


def of_notices(notices: Sequence[Notice], issuer: Issuer, wanted: Sequence[str]) -> tuple[str, bytes]:
    """The language of the feed's title, and the feed of published notices."""
    feed = _Feed("notices", _NOTICES, issuer, wanted, max(map(_shown, notices), default=_NEVER))
    for notice in notices:
        address = f"{feed.root_url}/{notice.public_id}"
        entry = feed.entry(address, notice.texts, _shown(notice), _shown(notice))
        feed.make.add(entry, "link", rel="alternate", type="application/json", href=address)
        if notice.link is not None:
            feed.make.add(entry, "link", rel="related", href=notice.link)
        for name, said in (("topic", notice.topic), ("phase", notice.phase)):
            if said is not None:
                feed.category(entry, name, said)
        for code in notice.areas:
            feed.category(entry, "area", code)
    return feed.language, encoded(feed.root)


class _Feed:
    """A feed of the city with its head; entries are added below."""

    def __init__(
        self, part: str, titles: Mapping[str, str], issuer: Issuer, wanted: Sequence[str], touched: dt.datetime
    ) -> None:
        self.issuer, self.wanted = issuer, wanted
        self.language = next((one for one in text.chain(wanted) if one in titles), "ja")
        self.root_url = f"{issuer.public_url}/v1/{part}"
        name = issuer.names.get(self.language, issuer.names["ja"])
        self.make = make = Maker(NAMESPACE)
        self.root = root = make.root("feed")
        root.set(_XML_LANG, self.language)
        make.add(root, "id", f"{self.root_url}.atom")
        make.add(root, "title", f"{name} {titles[self.language]}")
        make.add(root, "updated", cap.moment(touched, issuer.zone))
        make.add(root, "link", rel="self", type=MEDIA_TYPE, href=f"{self.root_url}.atom")
        make.add(root, "link", rel="alternate", type="application/json", href=self.root_url)
        make.add(make.add(root, "author"), "name", name)

    def entry(
        self, address: str, texts: Mapping[str, Mapping[str, Any]], updated: dt.datetime, published: dt.datetime
    ) -> Any:
        """An entry in the best language there is for the reader; links and categories are the caller's."""
        own, chosen = text.choose(texts, self.wanted)  # type: ignore[arg-type]
        entry = self.make.add(self.root, "entry")
        entry.set(_XML_LANG, own)
        self.make.add(entry, "id", address)
        self.make.add(entry, "title", chosen["title"])
        self.make.add(entry, "updated", cap.moment(updated, self.issuer.zone))
        self.make.add(entry, "published", cap.moment(published, self.issuer.zone))
        self.make.add(entry, "summary", chosen["body"])
        return entry

    def category(self, entry: Any, scheme: str, term: str) -> None:
        """A word of ours."""
        self.make.add(entry, "category", term=term, scheme=f"yobikake:{scheme}")


def _touched(alert: Alert) -> dt.datetime:
    return max(moment for moment in (alert.issued_at, alert.ended_at, alert.created_at) if moment is not None)


def _shown(notice: Notice) -> dt.datetime:
    return notice.shown_from or notice.created_at
