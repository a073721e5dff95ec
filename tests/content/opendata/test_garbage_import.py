"""Garbage data taken in: from a day on, complete for a source, whose own word a file is."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.garbage import areas, rules, sources
from content.garbage.areas import GarbageArea
from content.garbage.categories import GarbageCategory
from content.garbage.dictionary import GarbageItem
from content.garbage.rules import GarbageChange
from content.opendata.garbage_import import GarbageOptions, import_garbage
from geo.opendata.faults import OpenDataError
from geo.opendata.report import Report

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
APRIL = dt.date(2027, 4, 1)


def area(key: str, days: str) -> dict[str, Any]:
    return {"key": key, "town": key, "rules": [{"category": "burn", "days": days}]}


def document(*places: dict[str, Any], **more: Any) -> bytes:
    kinds = [{"key": "burn", "names": {"ja": "燃えるごみ"}}, {"key": "paper", "names": {"ja": "紙"}}]
    return json.dumps({"format": "yobikake-garbage", "categories": kinds, "areas": list(places), **more}).encode()


def take(session: Session, data: bytes, **options: Any) -> Report:
    given = GarbageOptions(**{"source": "city", **options})
    (report,) = import_garbage(session, {"garbage.json": data}, NOW, given).values()
    session.flush()
    session.expire_all()
    return report


def collected(session: Session, key: str, first: dt.date, last: dt.date) -> list[dt.date]:
    one = session.scalars(sa.select(GarbageArea).where(GarbageArea.key == key)).one()
    return [each.day for each in rules.of_area(session, one).plan(first, last).collections]


def present(session: Session, table: Any) -> list[str]:
    return sorted(session.scalars(sa.select(table.key).where(table.withdrawn_at.is_(None))))


def test_new_rules_hold_from_their_day_on_and_the_old_ones_until_the_day_before(session: Session) -> None:
    take(session, document(area("泉町", "月"), area("浜町", "火")))
    number = areas.present(session)[0].id
    report = take(session, document(area("泉町", "水")), effective_from=APRIL)
    assert (report.changed, report.withdrawn) == (1, 0)
    # Monday 29 March is the last of the old days, Wednesday 7 April the second of the new ones.
    days = collected(session, "泉町", dt.date(2027, 3, 22), dt.date(2027, 4, 12))
    assert days == [dt.date(2027, 3, 22), dt.date(2027, 3, 29), dt.date(2027, 4, 7)]
    assert collected(session, "浜町", APRIL, dt.date(2027, 4, 7)) == [dt.date(2027, 4, 6)], "what is not named stays"
    assert areas.present(session)[0].id == number, "subscribed calendars stay"


def test_new_rules_that_are_mended_before_they_begin_replace_each_other(session: Session) -> None:
    take(session, document(area("泉町", "月")))
    take(session, document(area("泉町", "水")), effective_from=APRIL)
    take(session, document(area("泉町", "木")), effective_from=APRIL)
    days = collected(session, "泉町", dt.date(2027, 3, 29), dt.date(2027, 4, 12))
    assert days == [dt.date(2027, 3, 29), dt.date(2027, 4, 1), dt.date(2027, 4, 8)]


def test_a_new_area_has_its_rules_at_once_whatever_the_day(session: Session) -> None:
    take(session, document(area("泉町", "月")))
    take(session, document(area("泉町", "月"), area("新町", "金")), effective_from=APRIL)
    assert collected(session, "新町", dt.date(2026, 12, 4), dt.date(2026, 12, 4)) == [dt.date(2026, 12, 4)]


CHANGES = [
    {"key": "new-year", "kind": "closed", "first": "2026-12-31", "last": "2027-01-03"},
    {"key": "festival", "kind": "closed", "first": "2027-05-15"},
]
ITEMS = [{"names": {"ja": "電池"}, "category": "burn"}, {"names": {"ja": "新聞"}, "category": "paper"}]


def test_what_a_complete_list_no_longer_has_is_withdrawn_and_comes_back_when_listed_again(session: Session) -> None:
    whole = document(area("泉町", "月"), area("浜町", "火"), changes=CHANGES, items=ITEMS)
    less = document(area("泉町", "月"), changes=CHANGES[:1], items=ITEMS[:1])
    take(session, whole)
    assert take(session, less).withdrawn == 0, "a list that does not say that it is complete withdraws nothing"
    assert len(areas.present(session)) == 2
    looked = take(session, less, complete_for="city", dry_run=True)
    assert (looked.withdrawn, looked.applied, len(areas.present(session))) == (3, False, 2)
    assert take(session, less, complete_for="city").withdrawn == 3
    assert present(session, GarbageArea) == ["泉町"]
    assert present(session, GarbageChange) == ["new-year"]
    assert present(session, GarbageItem) == ["電池|burn"]
    assert take(session, whole).restored == 3
    assert len(present(session, GarbageChange)) == 2


def test_nothing_is_withdrawn_for_another_source_or_by_a_list_with_a_refused_row(session: Session) -> None:
    take(session, document(area("泉町", "月"), area("浜町", "火")))
    with pytest.raises(OpenDataError, match="complete-for"):
        take(session, document(area("泉町", "月")), complete_for="other")
    broken = document(area("泉町", "月"), {"key": "浜町", "town": "浜町", "rules": [{"category": "燃", "days": "月"}]})
    report = take(session, broken, complete_for="city", skip_refused=True)
    assert (report.withdrawn, report.refused_rows, len(areas.present(session))) == (0, 1, 2)
    assert "nothing_withdrawn" in [one.code for one in report.warnings]


def test_a_file_may_say_itself_whose_word_it_is(session: Session) -> None:
    about = {"key": "sendai", "licence": "CC BY 4.0", "as_of": "2026-11-01"}
    (report,) = import_garbage(session, {"x.json": document(area("泉町", "月"), source=about)}, NOW).values()
    assert report.sources == ["sendai"]
    known = sources.get(session, "sendai")
    assert known is not None
    assert (known.licence, known.as_of) == ("CC BY 4.0", dt.date(2026, 11, 1))
    assert take(session, document(area("泉町", "月"), source=about), licence="別").sources == ["city"]
    assert session.scalars(sa.select(GarbageCategory.source).distinct().order_by("source")).all() == ["city", "sendai"]


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"key": "市"}, "bad_source"), ({"licence": "CC BY"}, "missing"), ({"key": "a", "as_of": "昨日"}, "not_a_date"),
        ({"key": "a", "owner": "b"}, "unknown_format"), ("a", "unknown_format"),
    ],
)  # fmt: skip
def test_a_file_that_says_it_wrongly_is_refused(session: Session, about: Any, code: str) -> None:
    with pytest.raises(OpenDataError) as refused:
        import_garbage(session, {"x.json": document(source=about)}, NOW)
    assert refused.value.code == code
    assert not session.scalars(sa.select(GarbageCategory)).all()


def test_texts_are_kept_exactly_as_our_own_file_has_them(session: Session) -> None:
    said = {"ja": "<袋>は&amp;二つ\n-"}
    take(session, document(area("泉町", "月"), changes=[{**CHANGES[0], "reason": said}]))
    assert session.scalars(sa.select(GarbageChange.reason)).one() == said
