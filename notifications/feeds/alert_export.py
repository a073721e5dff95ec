"""Every alert that was ever issued, drills left out, as records for anybody to reuse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.texts import ENDONYMS, LANGUAGES
from geo.opendata.provenance import PROVENANCE
from notifications.alerts import Alert
from notifications.dangers import DangerArea

_TEXTS = tuple(f"{what}_{ENDONYMS[tag]}" for tag in LANGUAGES for what in ("件名", "本文"))
COLUMNS = (
    *("ID", "一連のID", "行為", "状態", "災害種別", "警戒レベル", "区域名", "発令日時", "期限", "終了日時", "前のID"),
    *("面積_km2", *_TEXTS, *PROVENANCE),
)


def published(session: Session, now: dt.datetime, issuer: str, licence: str | None) -> Iterator[dict[str, Any]]:
    """Alerts in force and past ones, the newest first, each with its frozen "geometry"; moments are RFC 3339 texts."""
    wanted = sa.select(Alert, DangerArea).join(DangerArea, DangerArea.id == Alert.danger_area_id)
    wanted = wanted.where(Alert.issued_at.is_not(None), Alert.drill.is_(False)).order_by(Alert.id.desc())
    numbers = {one.id: one.public_id for one in session.execute(sa.select(Alert.id, Alert.public_id))}
    for alert, area in session.execute(wanted.execution_options(yield_per=100)):
        issued_at = alert.issued_at or now
        texts = [alert.texts.get(tag, {}).get(what) for tag in LANGUAGES for what in ("title", "body")]
        yield {
            "ID": alert.public_id,
            "一連のID": alert.thread,
            "行為": alert.act,
            "状態": alert.state_at(now).value,
            "災害種別": alert.hazard,
            "警戒レベル": alert.level,
            "区域名": alert.area_names["ja"],
            "発令日時": issued_at.isoformat(),
            "期限": alert.expires_at.isoformat(),
            "終了日時": alert.ended_at.isoformat() if alert.ended_at else None,
            "前のID": numbers.get(alert.supersedes_id) if alert.supersedes_id else None,
            "面積_km2": round(area.area_km2, 3),
            **dict(zip(_TEXTS, texts, strict=True)),
            **dict(zip(PROVENANCE, (issuer, licence, issued_at.date().isoformat()), strict=True)),
            "geometry": area.geometry,
        }
