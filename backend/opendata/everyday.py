"""Every day: events, garbage, child-rearing as public data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backend.opendata.dataset import DataSet, Origin, Publisher, as_table, grouped, merged
from content.childcare.guides import Guide
from content.childcare.programmes import Programme
from content.events import Event
from content.garbage import sources
from content.garbage.areas import GarbageArea
from content.garbage.dictionary import GarbageItem
from content.garbage.rules import GarbageChange, GarbageRule
from content.opendata import childcare_export, event_export, garbage_export, garbage_lists
from geo.opendata.written import collection

_EVENTS_BACK = "yobikake import events --as-exported"


def _garbage_list(
    name: str, ja: str, en: str, about: str, columns: tuple[str, ...],
    records: Callable[[Session, list[str]], Iterator[dict[str, Any]]], rows: Any, standard: str | None = None,
) -> DataSet:  # fmt: skip
    def listed(session: Session, _by: Publisher, source: str | None) -> Iterator[dict[str, Any]]:
        return records(session, [one for one in garbage_export.all_sources(session) if source in (None, one)])

    return DataSet(
        name=name, ja=ja, en=en, about=about, forms={"csv": as_table(columns, listed)}, origins=_counted(rows),
        revision="garbage", standard=standard,
    )  # fmt: skip


def _counted(rows: Any) -> Callable[[Session, Publisher], list[Origin]]:
    def origins(session: Session, _by: Publisher) -> list[Origin]:
        counted = sa.select(rows.source, sa.func.count()).group_by(rows.source).order_by(rows.source)
        if hasattr(rows, "withdrawn_at"):
            counted = counted.where(rows.withdrawn_at.is_(None))
        found = []
        for source, number in session.execute(counted):
            known = sources.get(session, source)
            found.append(Origin(source, number, known.licence if known else None, known.as_of if known else None))
        return found

    return origins


def _garbage(session: Session, _by: Publisher, source: str | None) -> Iterator[str]:
    return garbage_export.document(session, source or garbage_export.all_sources(session)[0])


def _childcare(session: Session, _by: Publisher, source: str | None) -> Iterator[str]:
    return childcare_export.document(session, source or childcare_export.all_sources(session)[0])


SETS = (
    DataSet(
        name="events", ja="イベント一覧", en="Events", about="催しの日時・場所・対象。中止・延期・変更も載せます。",
        forms={
            "csv": as_table(event_export.COLUMNS, lambda session, _, one: event_export.published(session, source=one)),
            "geojson": lambda session, _by, one: collection(event_export.published(session, source=one)),
        },
        origins=lambda session, _by: grouped(session, Event), revision="events",
        standard="自治体標準オープンデータセット イベント一覧",
        importer={"csv": _EVENTS_BACK, "geojson": _EVENTS_BACK},
    ),
    DataSet(
        name="garbage", ja="ごみ収集データ（全体）", en="Garbage data, all of it",
        about="区分・地区・規則・例外・分別を一つのファイルに。Yobikake の JSON 形式。", forms={"json": _garbage},
        origins=_counted(GarbageArea), revision="garbage", one_source=frozenset({"json"}),
        importer={"json": "yobikake import garbage"},
    ),
    _garbage_list(
        "garbage_areas", "ごみ収集地区一覧", "Garbage collection areas", "地区ごとの名前・読み・連絡先。",
        garbage_lists.AREAS, garbage_lists.areas, GarbageArea,
    ),
    _garbage_list(
        "garbage_rules", "ごみ収集日の規則一覧", "Garbage collection rules", "地区と区分ごとの収集日の規則。",
        garbage_lists.RULES, garbage_lists.rules, GarbageRule,
    ),
    _garbage_list(
        "garbage_exceptions", "ごみ収集日の例外一覧", "Garbage collection exceptions", "休み・振替・追加の日。",
        garbage_lists.CHANGES, garbage_lists.changes, GarbageChange,
    ),
    _garbage_list(
        "garbage_items", "ごみ分別一覧", "What goes where", "品目ごとの分別区分・読み・別名・注意。",
        garbage_lists.ITEMS, garbage_lists.items, GarbageItem, "ごみ分別一覧（江東区・新宿区などの列）",
    ),
    DataSet(
        name="childcare", ja="子育ての制度と案内", en="Child-rearing programmes and guides",
        about="健診・予防接種・手当などの制度と案内。時期は年齢の規則として。Yobikake の JSON 形式。",
        forms={"json": _childcare}, revision="childcare", one_source=frozenset({"json"}),
        origins=lambda session, _by: merged([*grouped(session, Guide), *grouped(session, Programme)]),
        importer={"json": "yobikake import childcare"},
    ),
)  # fmt: skip
