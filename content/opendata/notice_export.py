"""Published notices for anybody to reuse: as a table with a column a language, and as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.notice_table import Notice
from content.texts import ENDONYMS, LANGUAGES
from geo.opendata.provenance import PROVENANCE

Record = dict[str, Any]
_HEAD = ("ID", "話題", "公開日時", "掲載終了日時", "災害の段階", "対象区域コード", "対象月齢から", "対象月齢まで")
_TEXTS = tuple(f"{what}_{ENDONYMS[tag]}" for tag in LANGUAGES for what in ("件名", "本文"))
COLUMNS = (*_HEAD, *_TEXTS, "リンク", "添付", "訂正元ID", *PROVENANCE)


def published(session: Session, now: dt.datetime) -> Iterator[Record]:
    """Notices that residents see at this moment, the newest first; moments are RFC 3339 texts."""
    wanted = sa.select(Notice).where(Notice.state == "published", Notice.shown_from <= now)
    numbers = {one.id: one.public_id for one in session.scalars(wanted)}
    for notice in session.scalars(wanted.order_by(Notice.shown_from.desc(), Notice.id.desc())):
        if notice.shown(now):
            yield {
                "id": notice.public_id,
                "topic": notice.topic,
                "published_at": _moment(notice.shown_from),
                "expires_at": _moment(notice.expires_at),
                "phase": notice.phase,
                "areas": notice.areas,
                "from_months": notice.from_months,
                "to_months": notice.to_months,
                "texts": {tag: notice.texts[tag] for tag in LANGUAGES if tag in notice.texts},
                "link": notice.link,
                "attachments": notice.attachments,
                "corrects": numbers.get(notice.corrects_id) if notice.corrects_id else None,
            }


def rows(notices: Iterable[Record], issuer: str, licence: str | None) -> Iterator[Record]:
    """The notices as records of the table; `issuer` is the city's name."""
    for one in notices:
        head = ("id", "topic", "published_at", "expires_at", "phase")
        texts = [one["texts"].get(tag, {}).get(what) for tag in LANGUAGES for what in ("title", "body")]
        yield {
            **dict(zip(_HEAD, (one[name] for name in head), strict=False)),
            "対象区域コード": ";".join(one["areas"]) or None,
            "対象月齢から": one["from_months"],
            "対象月齢まで": one["to_months"],
            **dict(zip(_TEXTS, texts, strict=True)),
            "リンク": one["link"],
            "添付": ";".join(each["url"] for each in one["attachments"]) or None,
            "訂正元ID": one["corrects"],
            **dict(zip(PROVENANCE, (issuer, licence, one["published_at"]), strict=True)),
        }


def document(notices: Iterable[Record], issuer: str, licence: str | None) -> Iterator[str]:
    """The notices as one JSON document, one a line."""
    yield "{" + f'"issuer": {_json(issuer)}, "licence": {_json(licence)},\n"notices": ['
    yield ",".join(f"\n{_json(one)}" for one in notices)
    yield "\n]}\n"


def _moment(value: dt.datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
