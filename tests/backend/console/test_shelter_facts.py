"""The facts of a shelter, mended by hand: seen at once, with a history and a way back, and no phone rings."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from content import journal
from database import db, transaction
from geo import sites
from geo.sites import Crowding, Site, SiteKind, SiteStatus
from notifications.messages import Message
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall


@pytest.fixture
def duty(hall: Hall) -> Browser:
    return hall.browser("duty_officer")


def a_site(hall: Hall, number: int) -> Site:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        wanted = sa.select(Site).where(
            Site.kind == SiteKind.EMERGENCY_EVACUATION_SITE.value, Site.withdrawn_at.is_(None)
        )
        return list(session.scalars(wanted.order_by(Site.id)))[number]


def words(browser: Browser) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


def test_an_edit_is_public_at_once_kept_with_its_history_and_rings_nobody(hall: Hall, duty: Browser) -> None:
    site = a_site(hall, 0)
    with hall.app.app_context(), transaction(db.engine) as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(Message))
        said = {"status": SiteStatus.OPEN, "crowding": Crowding.VACANT, "note": "体育館"}
        sites.set_status(session, site.id, **said, by="当番", now=hall.clock())  # type: ignore[arg-type]
    page = f"/console/shelters/{site.id}/facts"
    duty.open(page)
    duty.send(
        "/facts",
        name="　新しい名前 ",
        lat="３８．２０００５",
        lon="140.90005",
        hazards=["flood", "fire"],
        capacity="1,200",
        url="",
    )
    assert "通知はされません" in duty.text
    told = hall.app.test_client().get(f"/v1/shelters/{site.id}").get_json()
    assert (told["name"], told["lat"], told["lon"], told["capacity"]) == ("新しい名前", 38.20005, 140.90005, 1200)
    assert (told["hazards"], told["url"]) == (["flood", "fire"], None)
    assert (told["status"], told["crowding"], told["status_note"]) == ("open", "vacant", "体育館")
    near = hall.app.test_client().get("/v1/shelters/nearest?lat=38.20005&lon=140.90005&hazard=fire").get_json()
    assert (near["shelters"][0]["id"], near["shelters"][0]["distance_m"]) == (site.id, 0)
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == before
        entry = journal.search(session, most=1)[0]
        assert (entry.action, entry.subject) == ("shelters.facts", f"site {site.id}")
        assert "name" in entry.detail["changed"]
    duty.open(f"{page}/history")
    assert "当直責任者 一号" in words(duty)
    assert site.name in words(duty)
    duty.send("/restore/1")
    assert duty.form("/facts").fields["name"] == site.name
    assert hall.app.test_client().get(f"/v1/shelters/{site.id}").get_json()["name"] == "新しい名前"
    duty.send("/facts")
    assert hall.app.test_client().get(f"/v1/shelters/{site.id}").get_json()["name"] == site.name


def test_of_two_editors_the_second_sees_what_the_first_changed(hall: Hall, duty: Browser) -> None:
    site, other = a_site(hall, 1), hall.browser("administrator")
    page = f"/console/shelters/{site.id}/facts"
    duty.open(page)
    other.open(page)
    other.send("/facts", accepts="だれでも")
    late = duty.send("/facts", phone="022-000-0000")
    assert late.status_code == 409
    assert "ほかの人が先に変更しました" in duty.text
    assert "管理者 一号" in words(duty)
    assert duty.form("/facts").fields["phone"] == "022-000-0000"
    duty.send("/facts", accepts="だれでも")
    told = hall.app.test_client().get(f"/v1/shelters/{site.id}").get_json()
    assert (told["phone"], told["accepts"]) == ("022-000-0000", "だれでも")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": " "}, "名前を書いてください"),
        ({"lat": "140.9", "lon": "38.2"}, "入れ替わっている"),
        ({"lat": "nan"}, "日本の中の緯度・経度"),
        ({"lat": "五"}, "日本の中の緯度・経度"),
        ({"url": "javascript:alert(1)"}, "https:// か http://"),
        ({"url": "https://["}, "https:// か http://"),
        ({"capacity": "たくさん"}, "定員は人数"),
        ({"capacity": "99999999"}, "定員は人数"),
        ({"hazards": ["rain"]}, "災害の種類を選び直して"),
        ({"note": "あ" * 1001}, "長すぎます"),
        ({"address": "見本市\x07"}, "使えない文字"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    hall: Hall, duty: Browser, typed: dict[str, object], told: str
) -> None:
    site = a_site(hall, 2)
    duty.open(f"/console/shelters/{site.id}/facts")
    answer = duty.send("/facts", **{"accepts": "乳児のいる家族", **typed})
    assert answer.status_code == 422
    assert told in words(duty)
    assert duty.form("/facts").fields["accepts"] == "乳児のいる家族"
    assert a_site(hall, 2).version == site.version
