"""The board of shelters: one press a call, a whole ward in two; residents see it at once and no phone ever rings."""

from __future__ import annotations

import html
import re
from typing import Any

import jaconv
import pytest
import sqlalchemy as sa

from content import journal
from database import db, transaction
from geo import statuses
from geo.sites import Site
from notifications.dispatch.batches import Batch
from notifications.messages import Message
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall

KINDS = ("emergency_evacuation_site", "shelter", "welfare_shelter", "tsunami_refuge")
SHORE = "04993"


@pytest.fixture
def duty(hall: Hall) -> Browser:
    return hall.browser("duty_officer")


def sites_of(hall: Hall, **wanted: Any) -> list[Site]:
    """Places in the order of their ids."""
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        query = sa.select(Site).filter_by(withdrawn_at=None, **wanted).where(Site.kind.in_(KINDS))
        return list(session.scalars(query.order_by(Site.id)))


def words(browser: Browser) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", browser.text))


def listed(browser: Browser) -> list[int]:
    return [int(one) for one in re.findall(r'data-site="(\d+)"', browser.text)]


def test_one_press_is_what_residents_read_next_and_no_phone_rings(hall: Hall, duty: Browser) -> None:
    site = next(one for one in sites_of(hall) if one.hazards & 1 and one.kind == KINDS[0])
    duty.open(f"/console/shelters?q={site.name}")
    duty.send(f"/{site.id}/status", button=("say", "open:vacant"), note="体育館のみ")
    assert duty.path == "/console/shelters"
    assert "保存しました" in duty.text
    public = hall.app.test_client()
    told = public.get(f"/v1/shelters/{site.id}").get_json()
    assert (told["status"], told["crowding"], told["status_note"]) == ("open", "vacant", "体育館のみ")
    assert told["status_at"].startswith("2026-11-21T03:00")
    assert site.id in [one["id"] for one in public.get("/v1/shelters?status=open").get_json()["items"]]
    near = public.get(f"/v1/shelters/nearest?lat={site.lat}&lon={site.lon}&hazard=flood").get_json()
    assert (near["shelters"][0]["id"], near["shelters"][0]["status"]) == (site.id, "open")
    duty.send(f"/{site.id}/status", button=("say", "unusable"))
    near = public.get(f"/v1/shelters/nearest?lat={site.lat}&lon={site.lon}&hazard=flood").get_json()
    assert site.id not in [one["id"] for one in near["shelters"]]
    duty.open(f"/console/shelters/all?ward={SHORE}&to=open")
    duty.send("/all")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        rung = sa.select(sa.func.count()).select_from(Message).where(Message.kind != "notice")
        assert session.scalar(rung) == session.scalar(sa.select(sa.func.count()).select_from(Batch)) == 0


def test_a_press_keeps_what_it_does_not_say(hall: Hall, duty: Browser) -> None:
    site = sites_of(hall)[1]
    page = f"/console/shelters/{site.id}"
    duty.open(page)

    def press(button: str, **typed: str) -> tuple[str, str | None, str | None]:
        duty.send("/status", button=("say", button), **typed)
        assert duty.path == page
        found = sites_of(hall, id=site.id)[0]
        return found.status, found.crowding, found.status_note

    assert press("open:crowded", note="  入口は\n北側 ") == ("open", "crowded", "入口は 北側")
    assert press("open") == ("open", "crowded", "入口は 北側")
    assert press("note", note="毛布あり") == ("open", "crowded", "毛布あり")
    assert press("full") == ("full", "full", "毛布あり")
    assert press("open") == ("open", None, "毛布あり")
    assert press("closed", note="") == ("closed", None, None)
    assert press("preparing")[:2] == ("preparing", None)
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        said = statuses.history(session, site.id)
    assert [word.status for word in said[:3]] == ["preparing", "closed", "open"]
    assert {word.by for word in said} == {"当直責任者 一号"}
    assert "当直責任者 一号" in words(duty)


def test_of_two_people_the_second_is_told_and_keeps_what_was_typed(hall: Hall, duty: Browser) -> None:
    site, other = sites_of(hall)[2], hall.browser("author")
    board = f"/console/shelters?q={site.name}"
    duty.open(board)
    other.open(board)
    other.send(f"/{site.id}/status", button=("say", "full"))
    late = duty.send(f"/{site.id}/status", button=("say", "open"), note="二階のみ")
    assert late.status_code == 409
    assert "起案者 一号 が先に「満員・ほぼ満員」にしました" in words(duty)
    assert sites_of(hall, id=site.id)[0].status == "full"
    assert duty.form(f"/{site.id}/status").fields["note"] == "二階のみ"
    duty.send(f"/{site.id}/status", button=("say", "open"))
    found = sites_of(hall, id=site.id)[0]
    assert (found.status, found.status_note) == ("open", "二階のみ")


def test_the_script_gets_one_row_and_nothing_else(hall: Hall, duty: Browser) -> None:
    site = sites_of(hall)[3]
    duty.open(f"/console/shelters?q={site.name}")
    form = duty.form(f"/{site.id}/status")
    sent = {**form.fields, "say": "preparing", "row": "1"}
    row = duty.client.post(form.action, data=sent)
    assert row.status_code == 200
    assert row.text.strip().startswith("<li")
    assert "保存しました" in row.text
    late = duty.client.post(form.action, data=sent)
    assert late.status_code == 409
    assert 'role="alert"' in late.text


def test_a_whole_ward_is_looked_at_before_it_changes(hall: Hall, duty: Browser) -> None:
    duty.open(f"/console/shelters?ward={SHORE}")
    whole = duty.send("/all", button=("to", "preparing"))
    assert whole.status_code == 200
    form = duty.form("/all")
    inside = form.fields.getlist("site")
    assert len(inside) > 3
    assert re.search(rf"{len(inside)}\s+か所が変わります", words(duty))
    ids = [int(one.partition(".")[0]) for one in inside]
    faster = hall.browser("author")
    faster.open(f"/console/shelters/{ids[0]}")
    faster.send("/status", button=("say", "unusable"), note="浸水")
    duty.send("/all", site=inside[:-1], note="19時まで")
    assert f"{len(inside) - 2} か所を「準備中」にしました" in words(duty)
    assert "1 か所は、その間にほかの人が変えた" in words(duty)
    now = {site.id: site for site in sites_of(hall)}
    assert (now[ids[0]].status, now[ids[0]].status_note) == ("unusable", "浸水")
    assert {(now[one].status, now[one].status_note) for one in ids[1:-1]} == {("preparing", "19時まで")}
    assert now[ids[-1]].status != "preparing"
    duty.open(f"/console/shelters/all?ward={SHORE}&to=preparing")
    assert "もう「準備中」です" in words(duty)
    duty.send("/all", note="", keep_notes="yes")
    now = {site.id: site for site in sites_of(hall)}
    assert (now[ids[0]].status, now[ids[0]].status_note) == ("preparing", "浸水")
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        entry = journal.search(session, most=1)[0]
        assert (entry.action, entry.subject, entry.detail["status"]) == ("shelters.status_of_many", SHORE, "preparing")
        assert len(statuses.history(session, ids[1])) >= 1
    nobody = duty.post(f"/console/shelters/all?ward={SHORE}", to="open")
    assert nobody.status_code == 422


def test_the_board_is_searched_as_people_type(hall: Hall, duty: Browser) -> None:
    site = next(one for one in sites_of(hall) if one.name_kana)
    assert site.name_kana is not None
    half = jaconv.z2h(site.name_kana, kana=True)
    for typed in (site.name, site.name_kana, half, jaconv.kata2hira(site.name_kana), f" {site.name[:4]}"):
        duty.open("/console/shelters")
        duty.send("/shelters", q=typed)
        assert site.id in listed(duty), typed
        assert len(listed(duty)) < 30
    duty.open("/console/shelters?q=どこにもない所")
    assert not listed(duty)
    duty.open(f"/console/shelters?kind=welfare_shelter&ward={SHORE}&state=unknown&order=old&page=9999999")
    found = listed(duty)
    assert set(found) <= {one.id for one in sites_of(hall, kind="welfare_shelter")}
    duty.open("/console/shelters?ward=nowhere&state=x&kind=aed&page=x&order=x")
    assert duty.page.status_code == 200


def test_the_longest_unheard_come_first_with_their_age(hall: Hall, duty: Browser) -> None:
    old, fresh = sites_of(hall)[4], sites_of(hall)[5]
    for site in (old, fresh):
        duty.open(f"/console/shelters/{site.id}")
        duty.send("/status", button=("say", "open"))
        hall.clock.pass_(minutes=40)
    assert "40分前" in words(duty) or "たったいま" in words(duty)
    duty = hall.browser("duty_officer")
    duty.open("/console/shelters?state=open&order=old")
    found = listed(duty)
    assert found.index(old.id) < found.index(fresh.id)
    assert "1時間前" in words(duty)
    assert "40分前" in words(duty)


def test_whoever_may_only_read_finds_no_button(hall: Hall) -> None:
    reader = hall.browser("reader")
    reader.open("/console/shelters")
    assert listed(reader)
    assert not [form for form in reader.forms() if form.method == "POST" and "status" in form.action]
    reader.open(f"/console/shelters/{sites_of(hall)[0].id}")
    assert reader.page.status_code == 200


@pytest.mark.parametrize("said", ["", "burning", "closed:vacant", "open:packed"])
def test_no_other_words_than_those_of_the_buttons_are_taken(hall: Hall, duty: Browser, said: str) -> None:
    site = sites_of(hall)[0]
    duty.open(f"/console/shelters/{site.id}")
    assert duty.post(f"/console/shelters/{site.id}/status", say=said, version=str(site.version)).status_code == 400
    assert duty.post("/console/shelters/all", to=said).status_code == 400
    assert sites_of(hall, id=site.id)[0].version == site.version


def test_notes_are_shown_as_text_and_a_page_stays_small(hall: Hall, duty: Browser) -> None:
    site = sites_of(hall)[0]
    duty.open(f"/console/shelters/{site.id}")
    duty.send("/status", button=("say", "open"), note="<script>alert(1)</script>")
    for address in (f"/console/shelters/{site.id}", "/console/shelters", "/console/shelters/all?to=closed"):
        assert "<script>alert" not in duty.open(address).text
        assert len(duty.text.encode()) < 110_000
