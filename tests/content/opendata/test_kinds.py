"""Every kind of file is taken in by one call, and its report tells each row that it counts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from content.opendata import kinds
from geo.opendata.faults import OpenDataError
from geo.opendata.report import TOLD, Report
from tests.conftest import Store
from tests.tables import ROOT

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
SAMPLE = ROOT / "backend" / "sample"
POSTCODES = (
    '04101,"980  ","9800811","ミヤギケン","センダイシアオバク","イチバンチョウ",'
    '"宮城県","仙台市青葉区","一番町",0,0,1,0,0,0\r\n'
)


@pytest.fixture
def sqlite_session(sqlite_store: Store) -> Iterator[Session]:
    """A session on one store: what is told is reckoned from what both stores answer."""
    with Session(sqlite_store.shared(), expire_on_commit=False) as opened:
        yield opened
        opened.rollback()


def _lines(text: str) -> str:
    head, first, _gone, *rest = text.split("\n")
    return "\n".join([head, first, *rest])


def _features(text: str) -> str:
    whole = json.loads(text)
    whole["features"].pop()
    return json.dumps(whole, ensure_ascii=False)


def _garbage(text: str) -> str:
    whole = json.loads(text)
    whole["areas"][0]["rules"][0]["days"] = "日"
    whole["areas"].pop()
    return json.dumps(whole, ensure_ascii=False)


# Of each kind: its file of the sample city, and how it is altered so that a row is changed and another gone.
ALTERED: dict[str, tuple[str, Any]] = {
    "areas": ("areas.geojson", _features),
    "sites": ("sites.csv", lambda text: _lines(text.replace("見本小学校", "見本学校"))),
    "events": ("events.csv", _lines),
    "childcare": ("childcare.toml", lambda text: text.replace('title = "', 'title = "新・', 1)),
    "garbage": ("garbage.json", _garbage),
}


def sample(kind: str) -> dict[str, bytes]:
    path = SAMPLE / ALTERED[kind][0]
    return {path.name: path.read_bytes()}


def told(report: Report) -> dict[str, int]:
    return {act: report.told.get(act, 0) for act in ("added", "changed", "restored", "withdrawn")}


def counted(report: Report) -> dict[str, int]:
    return {act: getattr(report, act) for act in ("added", "changed", "restored", "withdrawn")}


@pytest.mark.parametrize("kind", [*ALTERED])
def test_a_report_tells_every_row_that_it_counts(sqlite_session: Session, kind: str) -> None:
    session, options = sqlite_session, {} if kind == "childcare" else {"source": "sample"}
    if kind != "areas":
        kinds.take(session, "areas", sample("areas"), NOW, {"source": "sample"})
    dry = kinds.take(session, kind, sample(kind), NOW, options, dry_run=True)
    first = kinds.take(session, kind, sample(kind), NOW, options)
    assert [one.outcome() for one in dry.values()] == [one.outcome() for one in first.values()]
    for report in first.values():
        assert told(report) == counted(report)
        assert report.added == len(report.differences) > 2
    session.expire_all()
    ((name, data),) = sample(kind).items()
    altered = {name: ALTERED[kind][1](data.decode("utf-8-sig")).encode()}
    assert altered[name] != data
    source = next(iter(first.values())).sources[0]
    (again,) = kinds.take(session, kind, altered, NOW, {**options, "complete_for": source}).values()
    assert again.why_not is None
    assert told(again) == counted(again)
    assert again.changed + again.withdrawn > 0
    for one in again.differences:
        assert one.key
        assert one.act != "changed" or one.before.keys() == one.after.keys() != set()
    assert again.outcome() != next(iter(first.values())).outcome()
    json.dumps([one.after for one in again.differences])


def test_what_a_garbage_area_had_and_gets_is_told(sqlite_session: Session) -> None:
    kinds.take(sqlite_session, "garbage", sample("garbage"), NOW, {"source": "sample"})
    text = next(iter(sample("garbage").values())).decode()
    files = {"garbage.json": _garbage(text).encode()}
    (report,) = kinds.take(sqlite_session, "garbage", files, NOW, {"source": "sample"}, dry_run=True).values()
    (one,) = (one for one in report.differences if one.act == "changed")
    assert [6] in [rule.get("weekdays") for rule in one.after["rules"]]
    assert [6] not in [rule.get("weekdays") for rule in one.before["rules"]]


def test_another_store_gives_another_outcome_of_the_same_file(sqlite_session: Session) -> None:
    kinds.take(sqlite_session, "sites", sample("sites"), NOW, {"source": "sample"})
    text = (SAMPLE / "sites.csv").read_text(encoding="utf-8-sig")
    first, second = ({"a.csv": text.replace("小学校", word).encode()} for word in ("学校", "学園"))
    before = kinds.take(sqlite_session, "sites", second, NOW, {"source": "sample"}, dry_run=True)["a.csv"]
    kinds.take(sqlite_session, "sites", first, NOW, {"source": "sample"})
    after = kinds.take(sqlite_session, "sites", second, NOW, {"source": "sample"}, dry_run=True)["a.csv"]
    assert counted(before) == counted(after)
    assert before.outcome() != after.outcome()


def test_postcodes_come_and_go(sqlite_session: Session) -> None:
    def take(text: str) -> Report:
        return kinds.take(sqlite_session, "postcodes", {"ken.csv": text.encode()}, NOW, {})["ken.csv"]

    assert told(take(POSTCODES)) == {"added": 1, "changed": 0, "restored": 0, "withdrawn": 0}
    report = take(POSTCODES.replace("イチバンチョウ", "イチバンマチ"))
    assert [(one.name, one.before, one.after) for one in report.differences] == [
        ("一番町", {"town_kana": "イチバンチョウ"}, {"town_kana": "イチバンマチ"})
    ]
    gone = take(POSTCODES.replace("一番町", "二番町"))
    assert [(one.act, one.name) for one in gone.differences] == [("added", "二番町"), ("withdrawn", "一番町")]


def test_more_than_a_person_reads_is_counted_but_not_written_out() -> None:
    report, fewer = Report("x", "形式", "utf-8"), Report("x", "形式", "utf-8")
    for number in range(TOLD + 3):
        report.differs("added", str(number), "場所", after={"note": "x" * 9_000, "content_hash": "y"})
        if number < TOLD + 2:
            fewer.differs("added", str(number), "場所")
    assert (len(report.differences), report.told) == (TOLD, {"added": TOLD + 3})
    assert report.outcome() != fewer.outcome()
    assert len(str(report.differences[0].after)) < 300
    assert "content_hash" not in report.differences[0].after


@pytest.mark.parametrize("kind", [*ALTERED])
def test_a_file_of_another_kind_is_recognised(sqlite_session: Session, kind: str) -> None:
    other = "sites" if kind == "events" else "events"
    assert kinds.guess(sqlite_session, sample(kind), NOW, besides=other) == kind
    with pytest.raises(OpenDataError):
        kinds.take(sqlite_session, other, sample(kind), NOW, {})


def test_what_nobody_knows_is_no_kind(sqlite_session: Session, tmp_path: Path) -> None:
    assert kinds.guess(sqlite_session, {"a.csv": "あ,い\r\n1,2\r\n".encode()}, NOW, besides="events") is None
    with pytest.raises(OpenDataError, match="一つずつ"):
        kinds.take(sqlite_session, "events", {"a": b"", "b": b""}, NOW, {})
