"""Open data exported and taken into an empty database: identical rows, in every set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backend.cli import seed
from content.events import Event, EventStatus
from content.opendata.event_import import EventOptions, import_events
from content.opendata.garbage_import import GarbageOptions, import_garbage
from database import open_engine
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.faults import OpenDataError
from geo.opendata.site_import import ImportOptions, import_sites
from geo.sites import Site
from tests.conftest import Store
from tests.content.opendata.round_trip import exported, rows, taken_in

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


@contextmanager
def another(store: Store) -> Iterator[Session]:
    """A session on a second, empty database of the same kind."""
    engine = open_engine(store.fresh_url())
    with Session(engine) as session:
        yield session
    engine.dispose()


def comes_back(session: Session, store: Store, *, geojson: bool = False, twice: bool = True) -> None:
    session.flush()
    before = rows(session)
    files = exported(session, geojson=geojson)
    with another(store) as empty:
        for report in taken_in(empty, files):
            assert (report.refused, report.why_not, report.changed) == ([], None, 0), report.format
            assert report.added == report.read or report.format.startswith("garbage"), report.format
        after = rows(empty)
        for name, expected in before.items():
            assert after[name] == expected, name
        if twice:
            again = taken_in(empty, files)
            assert not any(report.writes for report in again), "a second time nothing is left to do"


@pytest.mark.parametrize("geojson", [False, True], ids=["csv", "geojson"])
def test_the_sample_city_comes_back_row_by_row(session: Session, store: Store, geojson: bool) -> None:
    seed.plant(session, NOW)
    moved = session.scalars(sa.select(Event).where(Event.source_id == "E0001")).one()
    moved.status, moved.changed_at = EventStatus.CHANGED.value, NOW
    moved.was = {"starts_on": "2026-12-04", "start_time": None, "place_name": "浜児童館"}
    comes_back(session, store, geojson=geojson)
    assert all(rows(session)[name] for name in rows(session)), "the sample has something of everything"


def test_what_two_sources_call_by_one_id_comes_back_as_two(session: Session, store: Store) -> None:
    at = {"kind": "aed", "lat": 38.2, "lon": 140.9}
    session.add_all(
        [
            Site(source="a", source_id="1", name="甲", licence="CC BY 4.0", as_of=dt.date(2026, 1, 2), **at),
            Site(source="b", source_id="1", name="乙", licence=None, **at),
            Site(source="b", source_id="b:1", name="丙", hazards=3, capacity=5, accepts="どなたでも", **at),
        ]
    )
    day = dt.date(2026, 12, 1)
    for source in ("a", "b"):
        session.add(
            Event(
                source=source, source_id="7", name=source, starts_on=day, ends_on=day, status="scheduled",
                content_hash="", imported_at=NOW,
            )
        )  # fmt: skip
    comes_back(session, store)


def test_a_file_that_is_none_of_ours_is_not_taken_as_one(session: Session) -> None:
    sites = "ID,名称,緯度,経度,災害種別_洪水\n1,甲,38.2,140.9,1\n".encode()
    events = "ID,イベント名,開始日\n1,祭,2026-12-01\n".encode()
    feature = b'{"type":"Feature","geometry":null,"properties":{"code":"a","name":"b"}}'
    areas = b'{"type":"FeatureCollection","features":[' + feature + b"]}"
    takes: list[Callable[[], object]] = [
        lambda: import_sites(session, sites, NOW, ImportOptions(as_exported=True)),
        lambda: import_sites(session, sites, NOW, ImportOptions(as_exported=True, source="a")),
        lambda: import_events(session, events, NOW, EventOptions(as_exported=True)),
        lambda: import_events(session, events, NOW, EventOptions(as_exported=True, source="a")),
        lambda: import_areas(session, areas, NOW, AreaOptions(as_exported=True)),
    ]
    for take in takes:
        with pytest.raises(OpenDataError) as refused:
            take()
        assert refused.value.code == "not_exported"


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [("出典", "", "missing"), ("出典", "市役所", "bad_source"), ("データ時点", "昨日", "not_a_day")],
)
def test_a_row_that_does_not_say_whose_word_it_is_is_refused(
    session: Session, column: str, value: str, code: str
) -> None:
    own = {"出典": "a", "ライセンス": "CC BY 4.0", "データ時点": "2026-11-01"} | {column: value}
    data = f"ID,名称,緯度,経度,災害種別_洪水,{','.join(own)}\n1,甲,38.2,140.9,1,{','.join(own.values())}\n".encode()
    report = import_sites(session, data, NOW, ImportOptions(as_exported=True))
    assert [(one.line, one.column, one.code) for one in report.refused] == [(2, column, code)]
    assert not report.applied


def test_published_lists_come_back_row_by_row(session: Session, store: Store, shared_data: Path) -> None:
    gsi, municipal = shared_data / "shelters_gsi", shared_data / "municipal" / "takamatsu"
    miyagi = (shared_data / "boundaries/N03_s0010/N03-21_04_210101_s0010.geojson").read_bytes()
    import_areas(session, miyagi, NOW, AreaOptions(licence="国土数値情報利用約款"))
    towns = (shared_data / "boundaries/towns_geolonia_addresses/仙台市若林区.json").read_bytes()
    import_areas(session, towns, NOW, AreaOptions(parent="04103", licence="CC BY 4.0"))
    given = ImportOptions(licence="国土地理院コンテンツ利用規約", as_of=dt.date(2026, 7, 1))
    for name in ("sendai_emergency.csv", "sendai_evacuation.csv"):
        import_sites(session, (gsi / name).read_bytes(), NOW, given)
    for name in ("aed_location", "nursery_school", "evacuation_space", "other_child_care_support_facility"):
        data = (municipal / f"{name}__data.from_xlsx.csv").read_bytes()
        import_sites(session, data, NOW, ImportOptions(skip_refused=True, licence="CC BY 4.0"))
    events = EventOptions(skip_refused=True, as_of=dt.date(2020, 8, 1))
    import_events(session, (municipal / "events__data.from_xlsx.csv").read_bytes(), NOW, events)
    for folder in (
        *(shared_data / "garbage_5374" / "kamagaya", shared_data / "garbage_5374" / "hakodate"),
        shared_data / "garbage_json" / "sakaiminato",
    ):
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".csv", ".json")}
        import_garbage(session, files, NOW, GarbageOptions(skip_refused=True), name=folder.name)
    counted = {name: len(found) for name, found in rows(session).items()}
    assert counted["sites"] > 1000
    assert min(counted[name] for name in ("areas", "garbage_areas", "garbage_rules", "garbage_items")) > 100, counted
    assert counted["events"] > 10
    comes_back(session, store, twice=False)
