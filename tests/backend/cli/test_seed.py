"""The sample city is loaded whole, once, and only where no real city lives."""

from __future__ import annotations

import datetime as dt
import json
from importlib.resources import files

import pytest
import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from sqlalchemy.orm import Session

from backend.cli import seed
from content import accounts, editors, offices, signing
from content.childcare import programmes
from content.childcare.guides import Guide
from content.childcare.programmes import Programme
from content.childcare.published import codes_above
from content.childcare.timeline import Status, of_month
from content.editors import Role
from content.events import Event
from content.garbage import areas as garbage_areas
from content.garbage import rules
from content.notices import Notice
from content.texts import LANGUAGES
from geo import areas, sites
from geo.hazards import Hazard
from geo.sites import Site, SiteKind
from notifications import topics

NOON = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)


def test_everything_of_the_city_arrives(session: Session) -> None:
    planted = seed.plant(session, NOON)

    found = session.scalars(sa.select(Site)).all()
    assert len(found) == 35
    assert {site.source for site in found} == {seed.SOURCE}
    assert all("（見本）" in site.name for site in found)
    assert {SiteKind.TSUNAMI_REFUGE, SiteKind.WELFARE_SHELTER, SiteKind.SHELTER} < {site.kind for site in found}
    assert any(site.note == "大雨時に初動で開設しません" for site in found)
    assert len(areas.children(session, "04990")) == 3
    assert [area.name for area in areas.by_postcode(session, "000-3012")] == ["浜町"]
    assert {topic.slug for topic in topics.tree(session)} >= {"notices", "garbage", "childcare"}
    assert set(planted.keys) == {Role.AUTHOR, Role.APPROVER}


def test_the_sample_of_child_rearing_is_marked_sourced_and_due_on_any_day(session: Session) -> None:
    seed.plant(session, NOON)

    rows = [*session.scalars(sa.select(Guide)), *session.scalars(sa.select(Programme))]
    assert len(rows) == 31
    assert all(row.sample and row.source_name and {"ja", "ja-x-easy", "en"} <= set(row.texts) for row in rows)
    plans = programmes.plans(session, codes_above(session, "04991"))
    for month in ("2026-10", "2024-02", "2020-04"):
        statuses = {item.status for item in of_month(plans, month, dt.date(2026, 11, 21), offices.are_open)}
        assert {Status.DUE_NOW, Status.UPCOMING} <= statuses, month
    events = session.scalars(sa.select(Event)).all()
    assert all("（見本）" in event.name for event in events)
    assert {event.status for event in events} == {"scheduled", "cancelled"}


def test_a_second_time_changes_nothing_and_gives_no_key(session: Session) -> None:
    seed.plant(session, NOON)
    revision = sites.revision(session)

    again = seed.plant(session, NOON + dt.timedelta(days=1))

    assert not again.changed
    assert again.keys == {}
    assert sites.revision(session) == revision


def test_the_two_people_can_do_what_the_first_minute_needs(session: Session) -> None:
    keys = seed.plant(session, NOON).keys
    author, approver = (editors.by_key(session, keys[role]) for role in (Role.AUTHOR, Role.APPROVER))
    assert author is not None
    assert editors.may(author, "draft")
    assert not editors.may(author, "approve")
    assert approver is not None
    assert editors.may(approver, "approve")


def test_invented_places_never_mix_with_real_ones(session: Session) -> None:
    session.add(
        Site(
            source="gsi-emergency",
            source_id="E0410200000001",
            kind="emergency_evacuation_site",
            name="本物の学校",
            lat=38.26,
            lon=140.88,
        )
    )
    session.flush()
    with pytest.raises(seed.NotEmpty, match="gsi-emergency"):
        seed.plant(session, NOON)


def test_wards_and_towns_fill_their_city_without_gap_or_overlap() -> None:
    document = json.loads((files("backend") / "sample/areas.geojson").read_text(encoding="utf-8"))
    shapes = {
        feature["properties"]["code"]: (feature["properties"], shape(feature["geometry"]))
        for feature in document["features"]
    }
    for code in ("04990", "04991", "04992", "04993"):
        parts = [
            form for about, form in shapes.values() if about.get("parent") == code and about["kind"] in ("ward", "town")
        ]
        whole = shapes[code][1]
        assert whole.is_valid
        assert shapely.union_all(parts).symmetric_difference(whole).area < 1e-12
        assert sum(part.area for part in parts) == pytest.approx(whole.area)


def test_every_hazard_but_volcanoes_has_somewhere_to_go(session: Session) -> None:
    seed.plant(session, NOON)
    masks = session.scalars(sa.select(Site.hazards)).all()
    for hazard in set(Hazard) - {Hazard.VOLCANO}:
        assert sum(bool(mask & hazard.bit) for mask in masks) >= 3, hazard


def test_topics_are_named_in_every_language() -> None:
    for topic in json.loads((files("backend") / "sample/topics.json").read_text(encoding="utf-8")):
        assert set(topic["names"]) == set(topic["descriptions"]) == set(LANGUAGES)


def test_the_notices_stand_in_five_languages_for_all_for_a_ward_and_for_an_age_once(session: Session) -> None:
    seed.plant(session, NOON)
    found = session.scalars(sa.select(Notice).order_by(Notice.id)).all()
    assert [set(notice.texts) for notice in found] == [set(LANGUAGES)] * 4
    titles = [text["title"] for notice in found for text in notice.texts.values()]
    assert all(any(mark in title for mark in ("見本", "sample", "样例", "견본")) for title in titles)
    assert all(notice.shown(NOON) and notice.topic in {one.slug for one in topics.tree(session)} for notice in found)
    assert [notice.areas for notice in found if notice.areas] == [["04993"]]
    assert [(notice.from_months, notice.to_months) for notice in found if notice.from_months] == [(15, 24)]
    ids = [notice.public_id for notice in found]
    seed.plant(session, NOON + dt.timedelta(days=1))
    assert session.scalars(sa.select(Notice.public_id).order_by(Notice.id)).all() == ids


def test_new_year_s_lost_paper_day_moves_in_the_areas_of_the_first_friday(session: Session) -> None:
    seed.plant(session, NOON)
    moved = []
    for area in garbage_areas.present(session):
        plan = rules.of_area(session, area).plan(dt.date(2026, 12, 28), dt.date(2027, 1, 31))
        moved += [(one.origin, one.day) for one in plan.collections if one.moved]
    assert moved == [(dt.date(2027, 1, 1), dt.date(2027, 1, 29))] * 3


def test_the_two_people_get_a_way_into_the_console_until_they_used_it(session: Session) -> None:
    assert seed.invited(session, NOON) == {}
    seed.plant(session, NOON)
    first = seed.invited(session, NOON)
    assert set(first) == {Role.AUTHOR, Role.APPROVER}
    assert signing.secret(session) is not None
    again = seed.invited(session, NOON)
    assert accounts.invited(session, first[Role.AUTHOR], NOON) is None  # a newer link stands in its place
    used = accounts.accept(session, again[Role.AUTHOR], "広瀬川 2026 の水位", NOON)
    assert used is not None
    assert used.login == "author"
    later = seed.invited(session, NOON)
    assert set(later) == {Role.APPROVER}
    session.refresh(used)
    assert used.password_hash is not None


def test_a_login_that_somebody_has_is_left_to_them(session: Session) -> None:
    seed.plant(session, NOON)
    other = editors.add(session, "別の人", Role.READER, NOON)[0]
    accounts.invite(session, other, "author", NOON)
    assert set(seed.invited(session, NOON)) == {Role.APPROVER}
