"""An import is all or nothing, idempotent, and never touches what the file does not name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import transaction
from geo import sites
from geo.hazards import Hazard, hazards_in
from geo.opendata.faults import OpenDataError
from geo.sites import Crowding, Site, SiteStatus
from tests.geo.opendata.importing import LATER, NOW, all_sites, counts, only, refusals, take
from tests.geo.opendata.lists import (
    GSI,
    collection,
    csv_bytes,
    feature,
    gsi,
    gsi_bytes,
    standard,
    standard_bytes,
)


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    data = gsi_bytes(*(gsi(number) for number in range(1, 30)))
    take(session, data)
    before = {key: (site.version, site.imported_at) for key, site in all_sites(session).items()}
    again = take(session, data, LATER)
    assert (counts(again), again.writes, again.applied) == ((0, 0, 0, 29, 0, 0), 0, True)
    assert {key: (site.version, site.imported_at) for key, site in all_sites(session).items()} == before
    assert sites.revision(session) == 1


def test_a_changed_row_changes_published_facts_only(session: Session) -> None:
    take(session, gsi_bytes(gsi(1), gsi(2)))
    site = all_sites(session)["E0410000001201"]
    said = {"status": SiteStatus.OPEN, "crowding": Crowding.CROWDED, "note": "2階のみ", "by": "甲", "now": NOW}
    sites.set_status(session, site.id, **said)  # type: ignore[arg-type]
    report = take(session, gsi_bytes(gsi(1, 住所="新しい住所", 津波="1"), gsi(2)), LATER)
    assert counts(report) == (0, 1, 0, 1, 0, 0)
    after = all_sites(session)["E0410000001201"]
    assert (after.id, after.address, after.imported_at) == (site.id, "新しい住所", LATER)
    assert hazards_in(after.hazards) == (Hazard.FLOOD, Hazard.EARTHQUAKE, Hazard.TSUNAMI)
    assert (after.status, after.crowding, after.status_note, after.status_by) == ("open", "crowded", "2階のみ", "甲")
    assert after.status_at == NOW


def test_columns_the_file_lacks_keep_their_stored_value(session: Session) -> None:
    take(session, standard_bytes(standard(1, 名称_カナ="ミホン", 想定収容人数="200", 備考="2階", 災害種別_津波="1")))
    columns = ["全国地方公共団体コード", "ID", "名称", "緯度", "経度", "災害種別_洪水"]
    take(session, csv_bytes(columns, [{name: standard(1, 災害種別_洪水="").get(name, "") for name in columns}]))
    site = only(session)
    assert (site.name_kana, site.capacity, site.note) == ("ミホン", 200, "2階")
    assert site.address == "宮城県仙台市若林区見本1-2"
    assert hazards_in(site.hazards) == (Hazard.TSUNAMI,)  # the file speaks of flood alone


def test_other_sources_are_left_alone(session: Session) -> None:
    take(session, gsi_bytes(gsi(1)), source="other")
    take(session, gsi_bytes(gsi(1), gsi(2)))
    take(session, gsi_bytes(gsi(2)), complete_for="gsi-emergency")
    present = session.execute(sa.select(Site.source, Site.source_id).where(Site.withdrawn_at.is_(None))).all()
    assert sorted(map(tuple, present)) == [("gsi-emergency", "E0410000002201"), ("other", "E0410000001201")]


def test_rows_absent_from_a_file_stay_unless_it_is_complete(session: Session) -> None:
    take(session, gsi_bytes(gsi(1), gsi(2)))
    assert counts(take(session, gsi_bytes(gsi(1)))) == (0, 0, 0, 1, 0, 0)
    report = take(session, gsi_bytes(gsi(1)), LATER, complete_for="gsi-emergency")
    assert counts(report) == (0, 0, 0, 1, 1, 0)
    assert all_sites(session)["E0410000002201"].withdrawn_at == LATER


def test_a_withdrawn_row_that_is_listed_again_is_restored_with_its_id(session: Session) -> None:
    take(session, gsi_bytes(gsi(1), gsi(2)))
    number = all_sites(session)["E0410000002201"].id
    take(session, gsi_bytes(gsi(1)), complete_for="gsi-emergency")
    report = take(session, gsi_bytes(gsi(1), gsi(2)), LATER)
    assert counts(report) == (0, 0, 1, 1, 0, 0)
    site = all_sites(session)["E0410000002201"]
    assert (site.id, site.withdrawn_at) == (number, None)


def test_a_refused_row_is_not_withdrawn(session: Session) -> None:
    take(session, gsi_bytes(gsi(1), gsi(2), gsi(3)))
    report = take(session, gsi_bytes(gsi(1), gsi(2, 洪水="?")), skip_refused=True, complete_for="gsi-emergency")
    assert counts(report) == (0, 0, 0, 1, 1, 1)
    assert all_sites(session)["E0410000002201"].withdrawn_at is None


def test_nothing_is_withdrawn_when_an_id_could_not_be_read(session: Session) -> None:
    take(session, gsi_bytes(gsi(1), gsi(2)))
    report = take(session, gsi_bytes(gsi(1), gsi(2, 共通ID="")), skip_refused=True, complete_for="gsi-emergency")
    assert report.withdrawn == 0
    assert "nothing_withdrawn" in [one.code for one in report.warnings]


def test_a_file_that_withdraws_most_of_a_source_is_doubted(session: Session) -> None:
    take(session, gsi_bytes(*(gsi(number) for number in range(1, 41))))
    some = gsi_bytes(*(gsi(number) for number in range(1, 21)))
    doubted = take(session, some, complete_for="gsi-emergency")
    assert (doubted.applied, doubted.withdrawn) == (False, 20)
    assert doubted.why_not
    assert take(session, some, complete_for="gsi-emergency", withdraw_many=True).applied
    assert sum(site.withdrawn_at is not None for site in all_sites(session).values()) == 20


@pytest.mark.parametrize("data", [gsi_bytes(gsi(1)), gsi_bytes()])
def test_a_file_is_complete_only_for_a_source_it_holds(session: Session, data: bytes) -> None:
    take(session, gsi_bytes(gsi(1)), source="other")
    with pytest.raises(OpenDataError) as refused:
        take(session, data, complete_for="other")
    assert refused.value.code == "not_in_file"


def test_a_dry_run_says_the_same_and_changes_nothing(engine: Engine) -> None:
    with transaction(engine) as session:
        take(session, gsi_bytes(gsi(1), gsi(2), gsi(3)))
    data = gsi_bytes(gsi(1), gsi(2, 住所="新"), gsi(4))
    with transaction(engine, "read") as session:  # PostgreSQL itself refuses to write here
        dry = take(session, data, dry_run=True, complete_for="gsi-emergency")
    with transaction(engine) as session:
        assert set(all_sites(session)) == {f"E041000000{number}201" for number in (1, 2, 3)}
        assert sites.revision(session) == 1
        real = take(session, data, complete_for="gsi-emergency")
    assert counts(dry) == counts(real) == (1, 1, 0, 1, 1, 0)
    assert (dry.applied, real.applied) == (False, True)


def test_the_revision_moves_once_for_many_changes_and_not_for_none(session: Session) -> None:
    take(session, gsi_bytes(*(gsi(number) for number in range(1, 20))))
    assert sites.revision(session) == 1
    take(session, gsi_bytes(*(gsi(number, 備考="新") for number in range(1, 20))))
    assert sites.revision(session) == 2
    take(session, gsi_bytes(gsi(1, 洪水="?")))
    assert sites.revision(session) == 2


def test_a_newer_date_is_kept_without_calling_every_row_changed(session: Session) -> None:
    data = gsi_bytes(gsi(1), gsi(2))
    take(session, data, as_of=dt.date(2026, 8, 1))
    report = take(session, data, LATER, as_of=dt.date(2026, 9, 1))
    assert (counts(report), report.redated) == ((0, 0, 0, 2, 0, 0), 2)
    assert {site.as_of for site in all_sites(session).values()} == {dt.date(2026, 9, 1)}
    assert {site.imported_at for site in all_sites(session).values()} == {NOW}
    old = take(session, data, as_of=dt.date(2025, 1, 1), dry_run=True)
    assert "older_than_stored" in [one.code for one in old.warnings]


def test_a_renumbered_list_is_pointed_out(session: Session) -> None:
    take(session, standard_bytes(standard(1)))
    report = take(session, standard_bytes(standard(1, 名称="別の場所", 緯度="38.30")))
    assert [(one.line, one.code) for one in report.warnings] == [(2, "maybe_renumbered")]
    assert counts(report) == (0, 1, 0, 0, 0, 0)


def test_an_opening_never_moves_to_another_place_with_a_renumbered_id(session: Session) -> None:
    take(session, standard_bytes(standard(1)))
    sites.set_status(session, only(session).id, status=SiteStatus.OPEN, crowding=None, note=None, by="甲", now=NOW)
    report = take(session, standard_bytes(standard(1, 名称="別の場所", 緯度="38.30")))
    assert (refusals(report), report.applied) == ([(2, "ID", "renumbered")], False)
    assert only(session).name == "見本第1公民館"
    renamed = take(session, standard_bytes(standard(1, 名称="新しい名称")))  # the same place under a new name
    assert renamed.applied


@pytest.mark.parametrize(
    "how", [{"source": "大文字"}, {"source": "A"}, {"licence": "a\x00"}, {"municipality": "041008"}]
)
def test_options_that_cannot_be_used_are_refused(session: Session, how: dict[str, Any]) -> None:
    with pytest.raises(OpenDataError):
        take(session, gsi_bytes(gsi(1)), **how)


def test_the_report_adds_up_and_becomes_plain_json(session: Session) -> None:
    take(session, gsi_bytes(gsi(1), gsi(2), gsi(5)))
    data = gsi_bytes(gsi(1), gsi(2, 住所="新"), gsi(3, 洪水="?"), gsi(4)) + b"," * 17 + b"\r\n"
    report = take(session, data, skip_refused=True).to_json()
    taken = report["added"] + report["changed"] + report["restored"] + report["unchanged"]
    assert report["read"] == taken + report["blank"] + report["refused_rows"] == 5
    assert report["refused"] == [
        {
            "line": 4,
            "column": "洪水",
            "value": "?",
            "code": "unknown_flag",
            "reason": "適否の記号として読めません（使えるもの: 1、○、△、×、空欄）",
        }
    ]


ROW = st.fixed_dictionaries(
    {},
    optional={
        name: st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
        | st.sampled_from(["1", "○", "△", "×", "38.2", "140.9", "", "E0410000001201", "nan", "041009", "1e999"])
        for name in GSI
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, max_size=4))
def test_any_table_is_taken_or_refused_and_then_is_stable(session: Session, rows: list[dict[str, str]]) -> None:
    data = csv_bytes(GSI, [gsi(number) | row for number, row in enumerate(rows, start=1)])
    try:
        first = take(session, data, skip_refused=True)
    except OpenDataError:
        return
    taken = first.added + first.changed + first.restored + first.unchanged
    assert first.read == taken + first.blank + first.refused_rows
    again = take(session, data, LATER, skip_refused=True)
    assert (again.writes, again.refused_rows) == (0, first.refused_rows)
    session.execute(sa.delete(Site))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda tail: gsi_bytes(gsi(1)) + tail)
    | st.tuples(st.integers(0, 700), st.binary(max_size=4)).map(
        lambda cut: standard_bytes(standard(1), standard(2))[: cut[0]] + cut[1]
    )
    | st.integers(0, 500).map(lambda end: collection(feature(gsi(1), {"type": "Point", "coordinates": [140.9]}))[:end])
)
def test_garbage_is_refused_and_never_crashes(session: Session, data: bytes) -> None:
    try:
        report = take(session, data, skip_refused=True)
    except OpenDataError:  # the one error there is
        pass
    else:
        assert report.read >= report.refused_rows
    session.execute(sa.delete(Site))
