"""What the city says: published notices and issued alerts as public data sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backend.opendata.dataset import DataSet, Origin, Publisher, as_table
from content.opendata import notice_export
from geo.opendata.written import collection
from notifications.alerts import Alert
from notifications.feeds import alert_export


def _notices(session: Session, by: Publisher, _source: str | None) -> Iterator[dict[str, Any]]:
    return notice_export.rows(notice_export.published(session, by.now), by.name, by.licence)


def _notices_json(session: Session, by: Publisher, _source: str | None) -> Iterator[str]:
    return notice_export.document(notice_export.published(session, by.now), by.name, by.licence)


def _notices_shown(session: Session, by: Publisher) -> list[Origin]:
    return _own(by, sum(1 for _ in notice_export.published(session, by.now)))


def _alerts(session: Session, by: Publisher, _source: str | None) -> Iterator[dict[str, Any]]:
    return alert_export.published(session, by.now, by.name, by.licence)


def _alerts_issued(session: Session, by: Publisher) -> list[Origin]:
    issued = sa.select(sa.func.count()).where(Alert.issued_at.is_not(None), Alert.drill.is_(False))
    return _own(by, session.scalar(issued) or 0)


def _own(by: Publisher, rows: int) -> list[Origin]:
    return [Origin(by.name, rows, by.licence)] if rows else []


SETS = (
    DataSet(
        name="notices", ja="お知らせ", en="Notices", about="掲載中のお知らせ。書かれたすべての言語で。",
        forms={"csv": as_table(notice_export.COLUMNS, _notices), "json": _notices_json},
        origins=_notices_shown, revision=None,
    ),
    DataSet(
        name="alerts", ja="避難情報の発令履歴", en="Evacuation alerts, in force and past",
        about="発令・変更・解除とその区域。訓練は含みません。", revision=None, origins=_alerts_issued,
        forms={
            "csv": as_table(alert_export.COLUMNS, _alerts),
            "geojson": lambda session, by, _one: collection(_alerts(session, by, None), at=None),
        },
    ),
)  # fmt: skip
