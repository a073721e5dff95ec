"""Files of guides and programmes: refused entry by entry with line, place and reason; taken once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.childcare import guides, programmes
from content.childcare.guides import Guide
from content.childcare.programmes import Programme
from content.opendata.childcare_import import Options, import_childcare
from geo import areas
from geo.areas import Area, AreaKind
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 21)
TOML = """
[source]
key = "city"
name = "見本市"

[[guides]]
id = "start"
texts.ja = { title = "はじめに", body = "案内です。" }
effective_from = 2026-04-01

[[programmes]]
id = "bcg"
kind = "vaccine"
texts.ja = { title = "はじめに", body = "案内です。" }

[[programmes.periods]]
id = "dose"
window = { until = { age = "1y" } }
"""


def document(**changes: Any) -> dict[str, Any]:
    source = {"key": "city", "name": "見本市"}
    return {"source": source, "guides": [], "programmes": []} | changes


def guide(key: str = "start", **changes: Any) -> dict[str, Any]:
    return {"id": key, "texts": {"ja": {"title": "はじめに", "body": "案内です。"}}} | changes


def programme(**changes: Any) -> dict[str, Any]:
    period = {"id": "dose", "window": {"until": {"age": "1y"}}}
    return guide("bcg") | {"kind": "vaccine", "periods": [period]} | changes


def take(session: Session, given: dict[str, Any] | str, **options: Any) -> Report:
    data = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, indent=1)
    return import_childcare(session, data.encode(), NOW, Options(**options))


def test_toml_and_json_say_the_same(session: Session) -> None:
    report = take(session, TOML)
    assert (report.format, report.added, report.applied, report.sources) == ("childcare-toml", 2, True, ["city"])
    same = document(guides=[guide(effective_from="2026-04-01")], programmes=[programme()])
    again = take(session, same)
    assert (again.format, again.unchanged, again.writes) == ("childcare-json", 2, 0)
    (plan,) = programmes.plans(session)
    assert (plan.key, plan.kind, plan.periods[0].key) == ("bcg", "vaccine", "dose")
    assert plan.provenance["source_name"] == "見本市"
    assert [one.key for one in guides.listed(session, TODAY)] == ["start"]
    assert guides.listed(session, dt.date(2026, 3, 31)) == []


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        (programme(kind="magic"), "programmes[1].kind"),
        (programme(periods=[]), "programmes[1].periods"),
        ({name: value for name, value in programme().items() if name != "periods"}, "programmes[1].periods"),
        (programme(periods=[{"id": "d", "window": {"until": {"age": 1}}}]), "programmes[1].periods[0].window.until.age"),  # noqa: E501
        (programme(periods=[{"id": "dose"}]), "programmes[1].periods[0].window"),
        (programme(periods=[*programme()["periods"] * 2]), "programmes[1].periods[1].id"),
        (programme(id="BCG!"), "programmes[1].id"),
        (programme(colour="red"), "programmes[1].colour"),
        (programme(texts={"en": {"title": "BCG", "body": "Once."}}), "programmes[1].texts"),
        (programme(texts={"ja": "BCG"}), "programmes[1].texts"),
        (programme(effective_from="2026-4-1"), "programmes[1].effective_from"),
        (programme(effective_from="2026-04-01", effective_to="2026-03-31"), "programmes[1].effective_to"),
        (programme(born_from="2026-04-01", born_to="2026-03-31"), "programmes[1].born_to"),
        (programme(links=[{"url": "javascript:alert(1)"}]), "programmes[1].links[0].url"),
        (programme(areas=["99999"]), "programmes[1].areas[0]"),
        (programme(version=0), "programmes[1].version"),
        (programme(version="1"), "programmes[1].version"),
        ("bcg", "programmes[1]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_place_and_nothing_is_taken(session: Session, entry: Any, place: str) -> None:
    report = take(session, document(programmes=[programme(id="good"), entry]))
    assert (report.applied, report.refused_rows) == (False, 1)
    assert {one.column for one in report.refused} == {place}
    assert all(one.reason for one in report.refused)
    assert session.scalars(sa.select(Programme)).all() == []
    assert take(session, document(programmes=[programme(id="good"), entry]), skip_refused=True).added == 1


def test_the_line_of_a_refused_entry_is_told(session: Session) -> None:
    report = take(session, TOML.replace('kind = "vaccine"', 'kind = "magic"'))
    assert [(one.line, one.column) for one in report.refused] == [(11, "programmes[0].kind")]
    listed = take(session, document(guides=[guide("one"), guide("two", version=0)]))
    lines = json.dumps(document(guides=[guide("one"), guide("two", version=0)]), ensure_ascii=False, indent=1)
    assert listed.refused[0].line == next(at for at, row in enumerate(lines.splitlines(), 1) if '"two"' in row)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[source", "not_toml"),
        ('{"source": ', "not_json"),
        ("x = 1", "unknown_format"),
        ('{"guides": {}, "source": {"key": "a", "name": "b"}}', "unknown_format"),
        ('{"guides": [], "shops": []}', "unknown_format"),
        ('{"guides": []}', "bad_source"),
        ('{"guides": [], "source": {"key": "A B", "name": "b"}}', "bad_source"),
    ],
)
def test_a_file_of_another_shape_is_refused_as_a_whole(session: Session, text: str, code: str) -> None:
    with pytest.raises(OpenDataError) as refused:
        take(session, text)
    assert refused.value.code == code


def test_bytes_that_are_no_utf8_are_refused(session: Session) -> None:
    with pytest.raises(OpenDataError) as refused:
        import_childcare(session, TOML.encode("cp932"), NOW)
    assert refused.value.code == "unknown_encoding"


def test_versions_stand_side_by_side_and_a_doubled_one_is_refused(session: Session) -> None:
    old, new = guide(effective_to="2026-12-31"), guide(version=2, effective_from="2027-01-01")
    assert take(session, document(guides=[old, new])).added == 2
    found = [guides.get(session, "start", day) for day in (TODAY, dt.date(2027, 1, 1))]
    assert [one.version for one in found if one is not None] == [1, 2]
    doubled = take(session, document(guides=[old, new, new]))
    assert [one.column for one in doubled.refused] == ["guides[2].id"]


def test_another_source_may_not_use_the_same_id(session: Session) -> None:
    take(session, document(guides=[guide()]))
    other = document(guides=[guide()], source={"key": "other", "name": "他の市"})
    assert [one.column for one in take(session, other).refused] == ["guides[0].id"]


def test_changed_withdrawn_and_restored(session: Session) -> None:
    take(session, document(guides=[guide("a"), guide("b")]))
    assert take(session, document(guides=[guide("a", position=5), guide("b")])).changed == 1
    gone = take(session, document(guides=[guide("a", position=5)]), complete_for="city")
    assert (gone.withdrawn, gone.unchanged) == (1, 1)
    assert [one.key for one in guides.listed(session, TODAY)] == ["a"]
    assert take(session, document(guides=[guide("b")])).restored == 1
    assert take(session, document(guides=[guide("c")]), dry_run=True).applied is False
    assert session.scalar(sa.select(sa.func.count()).select_from(Guide)) == 2
    with pytest.raises(OpenDataError):
        take(session, document(), complete_for="elsewhere")


def test_lists_are_narrowed_by_area_topic_and_age(session: Session) -> None:
    for code, kind, above in (("04990", AreaKind.CITY, None), ("04991", AreaKind.WARD, "04990")):
        name = areas.search_key(code)
        session.add(Area(code=code, kind=kind, name=name, search_name=name, parent_code=above, source="x"))
    session.flush()
    here, baby = guide("here", areas=["049913"]), guide("baby", from_age="0m", to_age="1y", topic="childcare.checkups")
    report = take(session, document(guides=[here, baby, guide("all", topic="childcare")]))
    assert report.refused == []  # a code with its check digit is the area's own

    def keys(**given: Any) -> set[str]:
        return {one.key for one in guides.listed(session, TODAY, **given)}

    assert keys() == {"here", "baby", "all"}
    assert keys(codes=("04990",)) == {"baby", "all"}
    assert keys(codes=("04991", "04990")) == {"here", "baby", "all"}
    assert keys(topic="childcare") == {"baby", "all"}
    assert keys(age_months=12) == {"here", "all"}
    first = guides.listed(session, TODAY, limit=2)
    last = first[-1]
    rest = guides.listed(session, TODAY, place=(last.position, last.key, last.version))
    assert [one.key for one in (*first, *rest)] == ["all", "baby", "here"]
