"""Events written again as the national standard list, with what was called off or moved, for anybody to reuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.events import Event, EventStatus
from geo.opendata import provenance
from geo.opendata.provenance import PROVENANCE, exported_id

STATUS_JA = {
    EventStatus.SCHEDULED: "予定",
    EventStatus.CHANGED: "変更",
    EventStatus.POSTPONED: "延期",
    EventStatus.CANCELLED: "中止",
}
# What stood there before a change: our own columns, read back only as exported.
WAS = {
    "starts_on": "変更前_開始日",
    "ends_on": "変更前_終了日",
    "start_time": "変更前_開始時間",
    "end_time": "変更前_終了時間",
    "place_name": "変更前_場所名称",
}
CHANGED_AT = "変更日時"
NOTHING = "（記載なし）"  # of a time or place that was not given before
# イベント一覧 of the 自治体標準オープンデータセット: column and what of an event stands in it.
_STANDARD: dict[str, str | None] = {
    "全国地方公共団体コード": "municipality_code",
    "ID": None,
    "地方公共団体名": None,
    "イベント名": "name",
    "イベント名_カナ": "name_kana",
    "イベント名_英字": "name_en",
    "開始日": "starts_on",
    "終了日": "ends_on",
    "開始時間": "start_time",
    "終了時間": "end_time",
    "開始日時特記事項": "time_note",
    "説明": "description",
    "料金(基本)": "fee",
    "料金(詳細)": None,
    "連絡先名称": "contact",
    "連絡先電話番号": "phone",
    "連絡先内線番号": None,
    "主催者": "organiser",
    "場所名称": "place_name",
    "所在地_連結表記": "address",
    "緯度": "lat",
    "経度": "lon",
    "アクセス方法": "access",
    "駐車場情報": None,
    "定員": "capacity",
    "参加申込終了日": "apply_until",
    "参加申込終了時間": None,
    "参加申込方法": "apply_note",
    "URL": "url",
    "備考": "note",
}
_OWN = {"カテゴリー": "category", "対象年齢": "audience", "開催状況": None}
COLUMNS = (*_STANDARD, *_OWN, *WAS.values(), CHANGED_AT, *PROVENANCE)


def published(session: Session, *, source: str | None = None) -> Iterator[dict[str, Any]]:
    """Present events, past ones too, as records of the standard list, ordered by first day."""
    present = Event.withdrawn_at.is_(None)
    wanted = sa.select(Event).where(present).order_by(Event.starts_on, Event.id)
    doubled = sa.select(Event.source_id).where(present).group_by(Event.source_id)
    if source is not None:
        wanted, doubled = wanted.where(Event.source == source), doubled.where(Event.source == source)
    shared = set(session.scalars(doubled.having(sa.func.count() > 1)))
    for event in session.scalars(wanted.execution_options(yield_per=1000)):
        yield record(event, exported_id(event.source, event.source_id, shared))


def record(event: Event, identifier: str) -> dict[str, Any]:
    """One event as a record of the list; days and moments are text."""
    values = {column: getattr(event, name) for column, name in {**_STANDARD, **_OWN}.items() if name is not None}
    for name in ("開始日", "終了日", "参加申込終了日"):
        values[name] = values[name].isoformat() if values[name] else None
    was = event.was or {}
    return {
        **dict.fromkeys(COLUMNS),
        **values,
        "ID": identifier,
        "開催状況": STATUS_JA[EventStatus(event.status)],
        **{column: _said(was, name) for name, column in WAS.items()},
        CHANGED_AT: event.changed_at.isoformat() if event.changed_at else None,
        **provenance.columns(event.source, event.licence, event.as_of),
    }


def _said(was: dict[str, Any], name: str) -> str | None:
    return (was[name] or NOTHING) if name in was else None
