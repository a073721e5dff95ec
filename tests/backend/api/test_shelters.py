"""Where to go: the nearest suitable shelters by position, cell, area and postcode; what staff say is seen at once."""

from __future__ import annotations

import datetime as dt
import logging
import math
import random
from typing import Any

import pytest
import shapely
from geopy.distance import geodesic

from content import editors
from content.editors import Role
from database import transaction
from geo import mesh, sites
from geo.areas import Area
from geo.geofence import to_geojson
from geo.hazards import Hazard
from geo.point import Point
from geo.postcodes import Postcode
from geo.sites import Crowding, Site, SiteKind, SiteStatus
from notifications import dangers
from notifications.alerts import Alert

HERE = (38.2601, 140.8821)
FLOOD = "hazard=flood"


class City:
    """Puts sites on the map, as an import would."""

    def __init__(self, engine, clock):
        self.engine, self.clock = engine, clock

    def site(self, name="避難場所", north_m=0.0, east_m=0.0, **facts):
        plain = {
            "source": "test",
            "source_id": f"{name}{random.random()}",
            "kind": SiteKind.EMERGENCY_EVACUATION_SITE.value,
            "name": name,
            "lat": HERE[0] + north_m / 111_000,
            "lon": HERE[1] + east_m / (111_000 * math.cos(math.radians(HERE[0]))),
            "hazards": Hazard.FLOOD.bit,
        }
        with transaction(self.engine) as session:
            site = Site(**{**plain, **facts})
            session.add(site)
            sites.bump_revision(session)
            session.flush()
            return site.id

    def say(self, site_id, status, crowding=None):
        with transaction(self.engine) as session:
            sites.set_status(session, site_id, status=status, crowding=crowding, note=None, by="当番", now=self.clock())

    def alert(self, *, drill=False, state="live"):
        """An alert over the kilometre around HERE, until six hours from now."""
        around = to_geojson(shapely.box(HERE[1] - 0.01, HERE[0] - 0.01, HERE[1] + 0.01, HERE[0] + 0.01))
        now = self.clock()
        with transaction(self.engine) as session:
            area = dangers.compose(session, polygon=around, area_codes=[], minus_area_codes=[], minus_polygon=None)
            session.add(
                Alert(
                    public_id=f"{drill}{state}",
                    thread=f"{drill}{state}",
                    act="order",
                    drill=drill,
                    state=state,
                    version=1,
                    hazard="flood",
                    level=4,
                    area={"polygon": around},
                    area_names={"ja": "沿岸"},
                    danger_area_id=area.id,
                    texts={},
                    texts_edited=[],
                    created_at=now,
                    expires_at=now + dt.timedelta(hours=6),
                )
            )

    def key(self, role):
        with transaction(self.engine) as session:
            _, key = editors.add(session, f"{role.value}さん", role, self.clock())
        return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def city(client, engine, clock):
    return City(engine, clock)


def near(client, query="", **headers):
    address = f"/v1/shelters/nearest?lat={HERE[0]}&lon={HERE[1]}&{query}"
    return client.get(address, headers=headers)


def names(answer):
    return [one["name"] for one in answer.json["shelters"]]


CELL = mesh.cell_of(Point(*HERE))


def test_the_three_nearest_are_told_with_the_way_there(city, client):
    for north in (900, 300, 600, 1200):
        city.site(f"{north}", north, north)
    answer = near(client, FLOOD)
    assert answer.status_code == 200
    assert names(answer) == ["300", "600", "900"]
    first = answer.json["shelters"][0]
    exact = geodesic(HERE, (first["lat"], first["lon"])).m
    assert first["distance_m"] == round(exact)
    assert first["bearing_deg"] == 45
    assert first["walking_minutes"] == math.ceil(exact / 80)
    assert answer.json["distance_kind"] == "straight_line"
    assert answer.json["measured_from"] == {"kind": "position"}
    assert answer.json["advice"] is None
    assert len(near(client, FLOOD + "&limit=4").json["shelters"]) == 4


def test_everything_that_a_resident_needs_to_know_of_a_place_is_told(city, client, clock):
    site_id = city.site(
        "見本小学校",
        100,
        name_kana="ミホンショウガッコウ",
        name_en="Mihon School",
        address="見本市一丁目",
        hazards=Hazard.FLOOD.bit | Hazard.TSUNAMI.bit,
        also_shelter=True,
        capacity=250,
        note="大雨：2階以上",
        accepts="どなたでも",
        phone="022-000-0000",
        url="https://example.jp",
        elevation_m=4.5,
        municipality_code="041009",
        licence="CC BY 4.0",
        as_of=dt.date(2026, 4, 1),
    )
    city.say(site_id, SiteStatus.OPEN, Crowding.VACANT)
    clock.pass_(minutes=10)
    (found,) = near(client, FLOOD).json["shelters"]
    assert found == {
        "id": site_id,
        "name": "見本小学校",
        "name_kana": "ミホンショウガッコウ",
        "name_en": "Mihon School",
        "kind": "emergency_evacuation_site",
        "lat": HERE[0] + 100 / 111_000,
        "lon": HERE[1],
        "address": "見本市一丁目",
        "hazards": ["flood", "tsunami"],
        "also_shelter": True,
        "capacity": 250,
        "accepts": "どなたでも",
        "note": "大雨：2階以上",
        "phone": "022-000-0000",
        "url": "https://example.jp",
        "elevation_m": 4.5,
        "municipality_code": "041009",
        "status": "open",
        "crowding": "vacant",
        "status_note": None,
        "status_at": "2026-09-01T03:00:00+00:00",
        "status_age_s": 600,
        "source": "test",
        "licence": "CC BY 4.0",
        "as_of": "2026-04-01",
        "distance_m": 100,
        "bearing_deg": 0,
        "walking_minutes": 2,
    }
    assert client.get(f"/v1/shelters/{site_id}").json == {
        name: value
        for name, value in found.items()
        if name not in ("distance_m", "bearing_deg", "walking_minutes", "status_age_s")
    }


def test_an_unknown_site_that_is_nearer_than_the_open_one_is_told_beside_it(city, client):
    city.site("近い", 100)
    far = city.site("開設", 900)
    assert near(client, FLOOD).json["unconfirmed_nearer"] is None
    city.say(far, SiteStatus.OPEN)
    answer = near(client, FLOOD + "&limit=1")
    assert names(answer) == ["開設"]
    assert answer.json["unconfirmed_nearer"]["name"] == "近い"
    assert answer.json["unconfirmed_nearer"]["status"] == "unknown"


def test_what_staff_say_is_seen_at_the_next_question(city, client):
    first, second = city.site("一", 100), city.site("二", 200)
    assert names(near(client, FLOOD)) == ["一", "二"]
    city.say(second, SiteStatus.OPEN)
    assert names(near(client, FLOOD)) == ["二", "一"]
    city.say(first, SiteStatus.FULL)
    assert names(near(client, FLOOD)) == ["二"]


LANGUAGES = [
    ("ja", "ja", "がけ"),
    ("en-GB,en;q=0.8", "en", "upstairs"),
    ("zh-CN", "zh-Hans", "二楼"),
    ("ko", "ko", "2층"),
    ("vi", "ja-x-easy", "行って ください"),
]


def test_where_there_is_nowhere_to_go_the_answer_says_what_to_do_instead(city, client):
    city.site("洪水だけ", 100)
    for language, tag, words in LANGUAGES:
        answer = near(client, "hazard=landslide", **{"Accept-Language": language})
        assert answer.status_code == 200
        assert answer.json["shelters"] == []
        assert answer.json["advice"]["language"] == tag
        assert words in answer.json["advice"]["text"]
        assert "Accept-Language" in answer.headers["Vary"]


def test_every_hazard_has_its_own_advice(client):
    advice = {near(client, f"hazard={hazard}&lang=ja").json["advice"]["text"] for hazard in Hazard}
    assert len(advice) == len(Hazard)
    assert all(text.startswith("安全に行ける避難場所が見つかりません。") and len(text) > 35 for text in advice)


def test_a_shelter_out_of_reach_comes_with_advice(city, client):
    city.site("遠い", 30_000)
    answer = near(client, FLOOD)
    assert names(answer) == ["遠い"]
    assert answer.json["advice"]["text"]


def test_without_a_hazard_there_is_no_answer(city, client):
    city.site()
    for query in ("", "hazard=", "hazard=typhoon"):
        answer = near(client, query)
        assert answer.status_code == 422
        assert answer.content_type == "application/problem+json"
        assert answer.json["errors"][0]["field"] == "hazard"
        assert "flood | landslide" in answer.json["errors"][0]["reason"]


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("hazard=flood", "lat", "Say where"),
        ("hazard=flood&lat=38.2", "lon", "without lon"),
        ("hazard=flood&lon=140.2", "lat", "without lat"),
        ("hazard=flood&lat=38.2&lon=140.2&area=04103", "lat", "Say where"),
        ("hazard=flood&area=04103&postcode=9800000", "lat", "Say where"),
        ("hazard=flood&lat=140.88&lon=38.26", "lat", "look swapped"),
        ("hazard=flood&lat=51.5&lon=-0.1", "lat", "outside Japan"),
        ("hazard=flood&lat=nan&lon=140.2", "lat", ""),
        ("hazard=flood&lat=here&lon=140.2", "lat", ""),
        ("hazard=flood&lat=38.2&lon=140.2&limit=0", "limit", ""),
        ("hazard=flood&lat=38.2&lon=140.2&limit=21", "limit", ""),
        ("hazard=flood&postcode=12", "postcode", "seven digits"),
    ],
)
def test_a_question_that_cannot_be_answered_names_its_fault(bare_app, query, field, reason):
    answer = bare_app.test_client().get(f"/v1/shelters/nearest?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field
    assert reason in answer.json["errors"][0]["reason"]


def test_a_position_is_neither_kept_by_caches_nor_logged(city, client, caplog, capsys):
    city.site()
    with caplog.at_level(logging.DEBUG):
        good, bad = near(client, FLOOD), client.get("/v1/shelters/nearest?lat=140.8821&lon=38.2601&hazard=flood")
    assert good.status_code == 200
    assert bad.status_code == 422
    assert good.headers["Cache-Control"] == "no-store"
    written = caplog.text + "".join(capsys.readouterr())
    assert "38.2601" not in written
    assert "140.8821" not in written


def area(session, code, lat, lon, **facts):
    session.add(
        Area(
            **{
                "code": code,
                "kind": "town",
                "name": "荒井",
                "name_kana": "アライ",
                "search_name": "荒井",
                "parent_code": "04103",
                "lat": lat,
                "lon": lon,
                "source": "test",
                **facts,
            }
        )
    )


def test_without_gps_an_area_or_a_postcode_will_do(city, client, engine):
    city.site("近い", 200)
    with transaction(engine) as session:
        area(session, "04103-荒井", HERE[0], HERE[1])
        session.add(Postcode(postcode="9840032", municipality_code="04103", town="荒井", town_kana="アライ"))
    by_area = client.get("/v1/shelters/nearest", query_string={"area": "04103-荒井", "hazard": "flood"})
    by_code = client.get("/v1/shelters/nearest", query_string={"postcode": "〒984-0032", "hazard": "flood"})
    for answer in (by_area, by_code):
        assert answer.status_code == 200
        assert answer.json["shelters"][0]["distance_m"] == 200
    assert by_area.json["measured_from"] == {"kind": "area", "name": "荒井", "lat": HERE[0], "lon": HERE[1]}
    assert by_code.json["measured_from"]["kind"] == "postcode"


@pytest.mark.parametrize("place", ["area=99999", "postcode=0000000"])
def test_a_place_that_nobody_knows_is_said_to_be_unknown(client, place):
    answer = client.get(f"/v1/shelters/nearest?{place}&hazard=flood")
    assert answer.status_code == 404
    assert answer.json["errors"][0]["field"] == place.partition("=")[0]
    assert "/v1/areas" in answer.json["detail"]


def test_a_cell_is_answered_from_its_centre_for_caches_to_keep(city, client, clock):
    site_id = city.site("近い", 300)
    city.say(site_id, SiteStatus.OPEN)
    clock.pass_(minutes=5)
    answer = client.get(f"/v1/shelters/nearest/{CELL}?hazard=flood")
    assert answer.status_code == 200
    centre = mesh.centre(CELL)
    assert answer.json["measured_from"]["kind"] == "cell"
    assert answer.json["measured_from"]["name"] == str(CELL)
    (found,) = answer.json["shelters"]
    assert found["distance_m"] == round(geodesic((centre.lat, centre.lon), (found["lat"], found["lon"])).m)
    assert "status_age_s" not in found
    assert answer.json["status_as_of"] == found["status_at"] == "2026-09-01T03:00:00+00:00"
    kept = answer.headers["Cache-Control"]
    assert "public" in kept
    assert "stale-if-error=604800" in kept


def test_a_cells_answer_stays_the_same_until_something_changes(city, client, clock):
    site_id = city.site("近い", 300)
    address = f"/v1/shelters/nearest/{CELL}?hazard=flood"
    tag = client.get(address).headers["ETag"]
    clock.pass_(hours=3)
    again = client.get(address, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""
    city.say(site_id, SiteStatus.OPEN)
    changed = client.get(address, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json["shelters"][0]["status"] == "open"


@pytest.mark.parametrize("cell", ["57403629", "5740362914", "57403629149", "99999999999", "574036291441", "x"])
def test_a_cell_of_another_size_is_refused(bare_app, cell):
    answer = bare_app.test_client().get(f"/v1/shelters/nearest/{cell}?hazard=flood")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "cell"


def test_shelters_in_a_live_danger_area_are_not_named(city, client, clock, engine):
    """Of real alerts in force only: no drill closes a shelter, and what has expired opens it again."""
    for name, north in (("中", 100), ("外", 4_000)):
        city.say(city.site(name, north), SiteStatus.OPEN)
    cell = f"/v1/shelters/nearest/{CELL}?{FLOOD}"

    city.alert(drill=True)
    assert names(near(client, FLOOD)) == ["中", "外"]
    city.alert(state="draft")
    assert names(client.get(cell)) == ["中", "外"]
    city.alert()
    assert names(near(client, FLOOD)) == ["外"]
    assert names(client.get(cell)) == ["外"]
    assert near(client, FLOOD).json["unconfirmed_nearer"] is None
    clock.pass_(hours=7)
    assert names(near(client, FLOOD)) == ["中", "外"]


@pytest.fixture
def mixed(city):
    kinds = [*SiteKind]
    made = {}
    for i, kind in enumerate(kinds):
        made[kind] = city.site(kind.value, i * 1_000, kind=kind.value, hazards=i)
    return made


def listed(client, query=""):
    answer = client.get(f"/v1/shelters?{query}")
    assert answer.status_code == 200, answer.json
    return [one["name"] for one in answer.json["items"]]


def test_the_list_holds_shelters_and_no_other_places(mixed, client):
    assert listed(client) == ["emergency_evacuation_site", "shelter", "welfare_shelter", "tsunami_refuge"]


def test_the_list_is_narrowed_by_box_hazard_status_and_kind(mixed, city, client):
    north, west = HERE[0] + 1_500 / 111_000, HERE[1] - 0.1
    assert listed(client, f"bbox={west},{HERE[0] - 0.1},{HERE[1]},{north}") == ["emergency_evacuation_site", "shelter"]
    assert listed(client, "hazard=landslide") == ["welfare_shelter", "tsunami_refuge"]
    assert listed(client, "kind=shelter,tsunami_refuge") == ["shelter", "tsunami_refuge"]
    city.say(mixed[SiteKind.SHELTER], SiteStatus.OPEN)
    assert listed(client, "status=open") == ["shelter"]
    assert listed(client, "status=open,unknown&kind=shelter,welfare_shelter") == ["shelter", "welfare_shelter"]


@pytest.mark.parametrize(
    "query",
    ["bbox=1,2,3", "bbox=38.2,140.8,38.3,140.9", "bbox=140.9,38.2,140.8,38.3", "bbox=a,b,c,d", "kind=aed", "status=x"],
)
def test_a_filter_that_makes_no_sense_is_refused(bare_app, query):
    answer = bare_app.test_client().get(f"/v1/shelters?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"].partition(".")[0] == query.partition("=")[0]


def test_the_list_is_read_page_by_page(city, client):
    for i in range(5):
        city.site(str(i), i * 10)
    seen: list[Any] = []
    address = "/v1/shelters?limit=2"
    while address:
        page = client.get(address).json
        seen.append([one["name"] for one in page["items"]])
        address = page["next"] and f"/v1/shelters?limit=2&cursor={page['next']}"
    assert seen == [["0", "1"], ["2", "3"], ["4"]]


def test_a_place_that_is_gone_or_no_shelter_is_not_found(city, client, mixed):
    gone = city.site("撤回", withdrawn_at=dt.datetime(2026, 8, 1, tzinfo=dt.UTC))
    for site_id in (gone, mixed[SiteKind.AED], 10**6, 2**63, 10**30):
        assert client.get(f"/v1/shelters/{site_id}").status_code == 404


def test_staff_open_a_shelter_and_residents_see_it(city, client, clock):
    site_id = city.site("小学校", 100)
    clock.pass_(minutes=1)
    said = {"status": "open", "crowding": "somewhat_crowded", "note": "体育館のみ"}
    key = city.key(Role.AUTHOR)
    answer = client.put(f"/v1/staff/shelters/{site_id}/status", json=said, headers=key)
    assert answer.status_code == 200
    assert answer.json["status"] == "open"
    (seen,) = near(client, FLOOD).json["shelters"]
    assert (seen["status"], seen["crowding"], seen["status_note"]) == ("open", "somewhat_crowded", "体育館のみ")
    assert seen["status_at"] == "2026-09-01T03:01:00+00:00"
    assert client.get(f"/v1/shelters/{site_id}").json["status"] == "open"
    cleared = client.put(f"/v1/staff/shelters/{site_id}/status", json={"status": "not_open"}, headers=key)
    assert (cleared.json["crowding"], cleared.json["status_note"]) == (None, None)


def test_who_spoke_is_kept_but_not_shown(city, client, engine):
    site_id = city.site()
    answer = client.put(
        f"/v1/staff/shelters/{site_id}/status", json={"status": "open"}, headers=city.key(Role.DUTY_OFFICER)
    )
    with transaction(engine, "read") as session:
        assert session.get_one(Site, site_id).status_by == "duty_officerさん"
    assert "duty_officer" not in answer.text


@pytest.mark.parametrize(("role", "status"), [(Role.ADMINISTRATOR, 403), (Role.MACHINE, 403), (None, 401)])
def test_only_staff_with_that_task_may_say_so(city, client, role, status):
    site_id = city.site()
    headers = city.key(role) if role else {}
    answer = client.put(f"/v1/staff/shelters/{site_id}/status", json={"status": "closed"}, headers=headers)
    assert answer.status_code == status
    assert client.get(f"/v1/shelters/{site_id}").json["status"] == "unknown"


NONSENSE = [
    ({}, "status"),
    ({"status": "opened"}, "status"),
    ({"status": "open", "crowding": "empty"}, "crowding"),
    ({"status": "closed", "crowding": "vacant"}, "crowding"),
    ({"status": "open", "note": "あ" * 301}, "note"),
    ({"status": "open", "noet": "x"}, "noet"),
]


def test_a_status_that_makes_no_sense_changes_nothing(city, client):
    site_id, key = city.site(), city.key(Role.AUTHOR)
    for said, field in NONSENSE:
        answer = client.put(f"/v1/staff/shelters/{site_id}/status", json=said, headers=key)
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == field
    assert client.get(f"/v1/shelters/{site_id}").json["status"] == "unknown"


def test_a_shelter_that_does_not_exist_has_no_status(city, client):
    answer = client.put("/v1/staff/shelters/999/status", json={"status": "open"}, headers=city.key(Role.AUTHOR))
    assert answer.status_code == 404
