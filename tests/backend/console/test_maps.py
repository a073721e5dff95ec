"""Maps: drawn from our own data, small, for those who may read; pictures from elsewhere on their pages only."""

from __future__ import annotations

import dataclasses
import gzip
import html
import re
from collections.abc import Iterator

import pytest
import shapely
import sqlalchemy as sa
from shapely.geometry import shape

from backend.config import Settings
from backend.console import maps
from content.editors import PERMISSIONS, Role
from database import db, transaction
from geo import sites
from geo.areas import Area, AreaKind
from geo.sites import Site, SiteKind, SiteStatus
from notifications.alerts import Alert
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import NOON, Hall
from tests.geo.test_outlines import rough

SHORE, MIDDLE = "04993", "04992"
LAYERS = ("wards", "zones", "towns", "areas", "shelters", "dangers", "drills")
MOST = 150_000
GSI = "https://cyberjapandata.gsi.go.jp"


@pytest.fixture
def author(hall: Hall) -> Browser:
    return hall.browser("author")


@pytest.fixture(autouse=True)
def calm(hall: Hall) -> Iterator[None]:
    """Whatever a test left in force is over before the next."""
    yield
    with hall.app.app_context(), transaction(db.engine) as session:
        session.execute(sa.update(Alert).where(Alert.state == "live").values(state="expired"))


def layer(browser: Browser, name: str, **query: object) -> dict[str, dict[str, object]]:
    """Features of a layer by code or name."""
    answer = browser.client.get(f"/console/map/{name}", query_string=query)
    assert answer.status_code == 200
    assert answer.mimetype == "application/geo+json"
    return {one["properties"].get("code", one["properties"]["name"]): one for one in answer.get_json()["features"]}


def drafted(browser: Browser, part: str = "alerts", **answers: object) -> str:
    browser.open(f"/console/{part}/new")
    browser.send("/new", **{"kind": "flood:4", "area": [SHORE], **answers})
    return browser.path


def released(hall: Hall, part: str = "alerts", **answers: object) -> str:
    author, approver = hall.browser("author"), hall.browser("approver")
    path = drafted(author, part, **answers)
    author.send("/submit")
    approver.open(path)
    approver.send("/approve", seen_area="yes", seen_texts="yes", seen_reach="yes")
    return path


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MACHINE])
def test_whoever_may_read_sees_every_layer_and_nobody_else(hall: Hall, role: Role) -> None:
    browser = hall.browser(role.value)
    for name in LAYERS:
        wanted = 200 if "read" in PERMISSIONS[role] else 403
        assert browser.client.get(f"/console/map/{name}").status_code == wanted
        assert hall.stranger().client.get(f"/console/map/{name}").status_code == 303


def test_wards_towns_and_zones_come_with_a_place_for_their_name(author: Browser) -> None:
    wards = layer(author, "wards")
    assert {one["properties"]["name"] for one in wards.values()} == {"山の手区", "中央区", "浜区"}
    towns, zones = layer(author, "towns", **{"in": SHORE}), layer(author, "zones")
    assert len(towns) > 1
    assert all(code.startswith(SHORE) for code in towns)
    assert [one["properties"]["kind"] for one in zones.values()] == ["zone"]
    for one in [*wards.values(), *towns.values(), *zones.values()]:
        lat, lon = one["properties"]["at"]
        assert shape(one["geometry"]).contains(shapely.Point(lon, lat))
    assert layer(author, "towns") == layer(author, "towns", **{"in": "nowhere\0"}) == {}


def test_what_was_ticked_is_drawn_whatever_kind_it_is(author: Browser) -> None:
    town = next(iter(layer(author, "towns", **{"in": SHORE})))
    assert set(layer(author, "areas", code=[town, "nowhere", MIDDLE, MIDDLE])) == {town, MIDDLE}
    assert layer(author, "areas") == {}


def test_a_city_without_wards_is_drawn_whole_and_a_change_is_seen_at_once(hall: Hall, author: Browser) -> None:
    def withdraw(at: object) -> None:
        with hall.app.app_context(), transaction(db.engine) as session:
            session.execute(sa.update(Area).where(Area.kind == AreaKind.WARD.value).values(withdrawn_at=at))
            sites.bump_revision(session, "areas", NOON)

    assert len(layer(author, "wards")) == 3
    withdraw(NOON)
    try:
        assert [one["properties"]["kind"] for one in layer(author, "wards").values()] == ["city"]
    finally:
        withdraw(None)
    assert len(layer(author, "wards")) == 3


def test_a_browser_keeps_a_layer_and_asks_whether_it_has_changed(author: Browser) -> None:
    first = author.client.get("/console/map/wards", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Accept-Encoding" in first.headers["Vary"]
    assert first.headers["Content-Encoding"] == "gzip"
    plain = author.client.get("/console/map/wards", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(first.data) == plain.data
    assert len(first.data) < len(plain.data)
    again = author.client.get("/console/map/wards", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "private, no-cache"


def test_shelters_say_for_which_hazards_and_what_is_known_now(hall: Hall, author: Browser) -> None:
    found = layer(author, "shelters")
    kinds = {one["properties"]["kind"] for one in found.values()}
    assert {SiteKind.EMERGENCY_EVACUATION_SITE.value, SiteKind.SHELTER.value} <= kinds
    assert kinds.isdisjoint({SiteKind.AED.value, SiteKind.CHILDCARE_FACILITY.value, SiteKind.PUBLIC_FACILITY.value})
    name, one = next((name, one) for name, one in found.items() if "flood" in one["properties"]["hazards"])
    assert one["properties"]["status"] == "unknown"
    with hall.app.app_context(), transaction(db.engine) as session:
        said = {"crowding": None, "note": None, "by": "x", "now": NOON}
        sites.set_status(session, one["properties"]["id"], status=SiteStatus.OPEN, **said)
    assert layer(author, "shelters")[name]["properties"]["status"] == "open"


def test_of_too_many_shelters_the_open_ones_come_first_and_a_map_asks_for_what_it_shows(
    hall: Hall, author: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = layer(author, "shelters")
    assert author.client.get("/console/map/shelters").get_json()["more"] is False
    last = max(every.values(), key=lambda one: one["properties"]["id"])
    with hall.app.app_context(), transaction(db.engine) as session:
        said = {"crowding": None, "note": None, "by": "x", "now": NOON}
        sites.set_status(session, last["properties"]["id"], status=SiteStatus.OPEN, **said)
    monkeypatch.setattr(maps, "MOST_SITES", 5)
    answer = author.client.get("/console/map/shelters").get_json()
    assert (len(answer["features"]), answer["more"]) == (5, True)
    assert last["properties"]["name"] in {one["properties"]["name"] for one in answer["features"]}
    name, one = next(iter(every.items()))
    lon, lat = one["geometry"]["coordinates"]
    view = f"{lat - 1e-6},{lon - 1e-6},{lat + 1e-6},{lon + 1e-6}"
    assert list(layer(author, "shelters", **{"in": view})) == [name]
    volcano = {name for name, one in every.items() if "volcano" in one["properties"]["hazards"]}
    monkeypatch.setattr(maps, "MOST_SITES", 1_500)
    assert set(layer(author, "shelters", hazard="volcano")) == volcano
    for wrong in ("1,2,3", "a,b,c,d", "nan,1,2,3"):
        assert author.client.get("/console/map/shelters", query_string={"in": wrong}).status_code == 400


def test_areas_in_force_are_shown_and_drills_only_to_drills(hall: Hall, author: Browser) -> None:
    assert layer(author, "dangers") == layer(author, "drills") == {}
    real, drill = released(hall), released(hall, "drills", area=[MIDDLE])
    (danger,), (exercise,) = layer(author, "dangers").values(), layer(author, "drills").values()
    assert real.endswith(danger["properties"]["id"])
    assert danger["properties"]["name"] == "洪水 警戒レベル4 避難指示 浜区"
    assert shape(danger["geometry"]).intersects(shape(layer(author, "wards")[SHORE]["geometry"]))
    assert drill.endswith(exercise["properties"]["id"])
    assert "避難所" in author.open(real).text
    assert 'data-dangers="/console/map/dangers"' in author.text
    assert 'data-dangers="/console/map/drills"' in author.open(drill).text


def test_the_page_of_an_alert_shows_the_shelters_that_it_counts(hall: Hall, author: Browser) -> None:
    path = drafted(author)
    page = html.unescape(re.sub("<[^>]+>", "", author.text))
    area = shape(author.client.get(f"{path}/area").get_json())
    found = [
        one["properties"] | {"at": one["geometry"]}
        for one in author.client.get(f"{path}/refuges").get_json()["features"]
    ]
    inside = [one for one in found if one["inside"]]
    assert inside
    assert f"区域の中の {len(inside)} か所は案内されません" in page
    assert f"この災害に使える緊急避難場所は {len(found) - len(inside)} か所" in page
    for one in found:
        assert area.buffer(0.0005).contains(shape(one["at"])) or not one["inside"]
        assert not area.buffer(-0.0005).contains(shape(one["at"])) or one["inside"]
        assert (one["name"] in page) or not one["inside"] or len(inside) > 8


def test_the_form_keeps_its_list_of_corners_as_what_is_sent(author: Browser) -> None:
    corners = "38.21, 140.96\n38.21, 140.98\n38.24, 140.98"
    path = drafted(author, area=None, corners=corners, **{"name.ja": "三角"})
    author.open(f"{path}/edit")
    assert 'id="area-map" data-corners="corners" data-minus-corners="minus_corners"' in author.text
    assert author.form("").fields["corners"] == corners
    area = shape(author.client.get(f"{path}/area").get_json())
    assert area.equals(shapely.Polygon([(140.96, 38.21), (140.98, 38.21), (140.98, 38.24)]))


def pictures(browser: Browser, path: str) -> str:
    policy = browser.client.get(path).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    return next(part.strip() for part in policy.split(";") if part.strip().startswith("img-src"))


def test_pictures_from_elsewhere_are_for_pages_with_a_map_only(
    hall: Hall, author: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drafted(author)
    assert pictures(author, "/console/alerts/new") == pictures(author, path) == f"img-src 'self' data: {GSI}"
    assert "地理院タイル" in author.text
    for other in ("/console/", "/console/alerts", f"{path}/progress", f"{path}/area", "/console/map/wards"):
        assert pictures(author, other) == "img-src 'self' data:", other
    without = dataclasses.replace(hall.app.extensions["yobikake.settings"], map_tiles="")
    monkeypatch.setitem(hall.app.extensions, "yobikake.settings", without)
    assert pictures(author, path) == "img-src 'self' data:"
    page = author.open(path).text
    assert 'data-layer="tiles"' not in page
    assert 'data-tiles=""' in page


def test_no_tiles_is_a_word_because_nothing_means_the_default() -> None:
    assert Settings.from_environment({"YOBIKAKE_MAP_TILES": "none"}).map_tiles == ""
    assert Settings.from_environment({"YOBIKAKE_MAP_TILES": ""}).map_tiles.startswith(GSI)


def resources(page: str) -> list[str]:
    """What a browser fetches with a page, the first layers of its map included."""
    linked = re.findall(r'<(?:link[^>]*href|script[^>]*src)="([^"]+)"', page)
    drawn = re.findall(r'data-(?:wards|shelters|dangers|area|refuges)="([^"]+)"', page)
    return [html.unescape(one) for one in [*linked, *drawn]]


def test_leaflet_comes_from_here_and_with_maps_only(author: Browser) -> None:
    assert not [one for one in resources(author.open("/console/alerts").text) if "map" in one or "leaflet" in one]
    files = [one for one in resources(author.open("/console/alerts/new").text) if "leaflet" in one]
    assert len(files) == 2
    for one in files:
        answer = author.client.get(one)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert author.client.get(one, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        other = author.client.get(one.replace("v=", "v=0"))
        assert other.headers["Cache-Control"] == "public, max-age=3600"
    assert b"Leaflet 1.9" in author.client.get(next(one for one in files if ".js" in one)).data
    for name in ("leaflet/leaflet-src.js", "leaflet/../__init__.py", "leaflet/", "../door.py", "nothing.js"):
        assert author.client.get(f"/console/static/{name}").status_code == 404, name


@pytest.fixture
def large_city(hall: Hall) -> Iterator[None]:
    """Borders as they are published, with thousands of corners, and 400 shelters."""
    with hall.app.app_context(), transaction(db.engine) as session:
        wards = session.scalars(sa.select(Area).where(Area.kind == AreaKind.WARD.value)).all()
        before = {one.code: one.geometry for one in wards}
        for one in wards:
            one.geometry = rough(shape(one.geometry), 0.0004).__geo_interface__
        for at in range(400):
            where = {"lat": 38.2 + (at % 20) * 0.0041, "lon": 140.87 + (at // 20) * 0.0061}
            named = {"source": "large", "source_id": str(at), "name": f"第{at}小学校体育館", "hazards": 255}
            session.add(Site(kind=SiteKind.EMERGENCY_EVACUATION_SITE.value, **named, **where))
        sites.bump_revision(session, "areas", NOON)
    yield
    with hall.app.app_context(), transaction(db.engine) as session:
        session.execute(sa.delete(Site).where(Site.source == "large"))
        for one in session.scalars(sa.select(Area).where(Area.code.in_(before))):
            one.geometry = before[one.code]
        sites.bump_revision(session, "areas", NOON)


@pytest.mark.usefixtures("large_city")
def test_a_page_with_a_map_weighs_little_also_in_a_large_city(hall: Hall, author: Browser) -> None:
    """All that comes over the wire to a browser that takes gzip, headers and tiles not counted."""
    path = released(hall)
    for page in ("/console/alerts/new", path):
        text = author.open(page).text
        weights = {"the page": len(text.encode())}
        for one in resources(text):
            answer = author.client.get(one, headers={"Accept-Encoding": "gzip"})
            assert answer.status_code == 200, one
            weights[one] = len(answer.data)
        assert len(weights) >= 9
        assert sum(weights.values()) < MOST, weights
