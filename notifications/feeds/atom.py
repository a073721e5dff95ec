"""The alerts residents are shown as an Atom feed (RFC 4287), each entry leading to its CAP message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from content import texts as text
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


def document(alerts: Sequence[Alert], issuer: Issuer, wanted: Sequence[str], *, drill: bool) -> tuple[str, bytes]:
    """The language of the feed's title, and the feed. Each entry says its own language."""
    part = "drills" if drill else "alerts"
    language = next((one for one in text.chain(wanted) if one in _TITLES[drill]), "ja")
    make = Maker(NAMESPACE)
    root = make.root("feed")
    root.set(_XML_LANG, language)
    here = f"{issuer.public_url}/v1/{part}.atom"
    make.add(root, "id", here)
    make.add(root, "title", f"{issuer.names.get(language, issuer.names['ja'])} {_TITLES[drill][language]}")
    make.add(root, "updated", cap.moment(max(map(_touched, alerts), default=_NEVER), issuer.zone))
    make.add(root, "link", rel="self", type=MEDIA_TYPE, href=here)
    make.add(root, "link", rel="alternate", type="application/json", href=f"{issuer.public_url}/v1/{part}")
    make.add(make.add(root, "author"), "name", issuer.names.get(language, issuer.names["ja"]))
    for alert in alerts:
        own, chosen = text.choose(alert.texts, wanted)  # type: ignore[arg-type]
        address = f"{issuer.public_url}/v1/{part}/{alert.public_id}"
        entry = make.add(root, "entry")
        entry.set(_XML_LANG, own)
        make.add(entry, "id", address)
        make.add(entry, "title", chosen["title"])
        make.add(entry, "updated", cap.moment(_touched(alert), issuer.zone))
        make.add(entry, "published", cap.moment(alert.issued_at or alert.created_at, issuer.zone))
        make.add(entry, "link", rel="alternate", type=cap.MEDIA_TYPE, href=f"{address}.cap.xml")
        make.add(entry, "link", rel="related", type="application/json", href=address)
        make.add(entry, "category", term=alert.act, scheme="yobikake:act")
        make.add(entry, "category", term=alert.hazard, scheme="yobikake:hazard")
        if alert.level is not None:
            make.add(entry, "category", term=str(alert.level), scheme="yobikake:level")
        make.add(entry, "summary", chosen["body"])
    return language, encoded(root)


def _touched(alert: Alert) -> dt.datetime:
    return max(moment for moment in (alert.issued_at, alert.ended_at, alert.created_at) if moment is not None)
