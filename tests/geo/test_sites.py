"""Sites: staff's word is kept apart from published facts, pages are whole, every change is seen."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from geo import sites
from geo.hazards import Hazard, mask_of
from geo.sites import Crowding, Site, SiteKind, SiteStatus, UnknownSite

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)


def add(session: Session, number: int, **changes: object) -> Site:
    facts = {
        "source": "sample",
        "source_id": str(number),
        "kind": SiteKind.EMERGENCY_EVACUATION_SITE.value,
        "name": f"見本第{number}小学校",
        "lat": 38.0 + number / 100,
        "lon": 140.9,
        "hazards": mask_of([Hazard.FLOOD]),
    }
    site = Site(**(facts | changes))
    session.add(site)
    session.flush()
    return site


def test_a_new_site_is_of_unknown_status(session: Session) -> None:
    site = add(session, 1)
    assert (site.status, site.crowding, site.status_at) == ("unknown", None, None)


def test_status_carries_its_age_its_speaker_and_moves_the_revision(session: Session) -> None:
    site = add(session, 1)
    before = sites.revision(session)
    said = sites.set_status(
        session, site.id, status=SiteStatus.OPEN, crowding=Crowding.VACANT, note="体育館のみ", by="防災課 見本", now=NOW
    )
    assert (said.status, said.crowding, said.status_note) == ("open", "vacant", "体育館のみ")
    assert (said.status_at, said.status_by, said.version) == (NOW, "防災課 見本", 2)
    assert sites.revision(session) == before + 1


def test_the_last_word_wins_and_clears_crowding_and_note(session: Session) -> None:
    site = add(session, 1)
    later = NOW + dt.timedelta(hours=1)
    sites.set_status(
        session, site.id, status=SiteStatus.OPEN, crowding=Crowding.CROWDED, note="満員に近い", by="甲", now=NOW
    )
    sites.set_status(session, site.id, status=SiteStatus.CLOSED, crowding=None, note=None, by="乙", now=later)
    found = sites.get(session, site.id)
    assert found is not None
    assert (found.status, found.crowding, found.status_note, found.status_at) == ("closed", None, None, later)


@pytest.mark.parametrize("withdrawn", [False, True])
def test_no_status_for_a_site_that_is_not_there(session: Session, withdrawn: bool) -> None:
    number = add(session, 1, withdrawn_at=NOW).id if withdrawn else 999
    with pytest.raises(UnknownSite, match=str(number)):
        sites.set_status(session, number, status=SiteStatus.OPEN, crowding=None, note=None, by="甲", now=NOW)
    assert sites.revision(session) == 0


def test_a_status_outside_the_vocabulary_is_refused(session: Session) -> None:
    site = add(session, 1)
    with pytest.raises(ValueError, match="ajar"):
        sites.set_status(session, site.id, status="ajar", crowding=None, note=None, by="甲", now=NOW)  # type: ignore[arg-type]


def test_a_box_gives_what_lies_in_it_or_on_its_edge(session: Session) -> None:
    names = {add(session, number).name: number for number in range(1, 6)}
    found = sites.in_bbox(session, (38.02, 140.0, 38.04, 140.9))
    assert [names[site.name] for site in found] == [2, 3, 4]


def test_a_box_can_be_narrowed_by_hazard_status_and_kind(session: Session) -> None:
    add(session, 1)
    add(session, 2, hazards=mask_of([Hazard.TSUNAMI, Hazard.FLOOD]))
    add(session, 3, kind=SiteKind.SHELTER.value, hazards=0, status=SiteStatus.OPEN.value)

    def ids(**how: object) -> list[str]:
        return [site.source_id for site in sites.in_bbox(session, None, **how)]  # type: ignore[arg-type]

    assert ids(hazard=Hazard.TSUNAMI) == ["2"]
    assert ids(hazard=Hazard.FLOOD) == ["1", "2"]
    assert ids(status=[SiteStatus.OPEN]) == ["3"]
    assert ids(kinds=[SiteKind.SHELTER, SiteKind.AED]) == ["3"]
    assert ids(hazard=Hazard.VOLCANO) == []


def test_withdrawn_sites_are_in_no_list(session: Session) -> None:
    add(session, 1, withdrawn_at=NOW)
    assert sites.in_bbox(session, None) == []


def test_pages_give_every_site_once(session: Session) -> None:
    for number in range(7):
        add(session, number)
    seen: list[str] = []
    after = 0
    while page := sites.in_bbox(session, None, after_id=after, limit=3):
        seen += [site.source_id for site in page]
        after = page[-1].id
    assert seen == [str(number) for number in range(7)]


def test_revisions_of_different_things_do_not_mix(session: Session) -> None:
    sites.bump_revision(session)
    sites.bump_revision(session)
    sites.bump_revision(session, "areas")
    assert (sites.revision(session), sites.revision(session, "areas"), sites.revision(session, "other")) == (2, 1, 0)
