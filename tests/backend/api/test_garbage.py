"""/v1/garbage: residents of the sample city find their area, days with reasons, their feed, and what goes where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import icalendar
import pytest
import vobject
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

import database
from backend.cli import imports, seed
from backend.config import Settings
from tests.backend.conftest import Clock, opened
from tests.conftest import Store

YEAR = "from=2026-12-01&to=2027-02-28"


SEPTEMBER = dt.datetime(2026, 9, 1, 3, tzinfo=dt.UTC)


def plant(engine: Engine) -> None:
    with database.transaction(engine) as session:
        seed.plant(session, SEPTEMBER)


@pytest.fixture
def settings(store: Store) -> Settings:
    return Settings(database_url=store.filled(plant)[0])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def planted(request: pytest.FixtureRequest) -> Iterator[tuple[Flask, Clock]]:
    store: Store = request.getfixturevalue(f"{request.param}_store")
    clock = Clock()
    for app in opened(Settings(database_url=store.filled(plant)[0]), clock):
        yield app, clock


@pytest.fixture
def city(planted: tuple[Flask, Clock]) -> FlaskClient:
    """The sample city, on the first of September 2026 at noon; nobody changes it."""
    planted[1].moment = SEPTEMBER
    return planted[0].test_client()


@pytest.fixture
def city_clock(planted: tuple[Flask, Clock]) -> Clock:
    return planted[1]


def get(city: FlaskClient, path: str, **headers: str) -> Any:
    answer = city.get(path, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def area_of(city: FlaskClient, ward: str, town: str) -> int:
    found = get(city, f"/v1/garbage/areas?ward={ward}&town={town}")["items"]
    return int(found[-1]["id"])


def test_a_newcomer_is_asked_ward_town_and_block_only_where_a_town_is_split(city: FlaskClient) -> None:
    first = get(city, "/v1/garbage/areas")
    assert first["question"]["by"] == "ward"
    assert [one["value"] for one in first["question"]["choices"]] == ["山の手区", "中央区", "浜区"]
    second = get(city, "/v1/garbage/areas?ward=浜区")
    assert (second["question"]["by"], len(second["items"])) == ("town", 5)
    split = get(city, "/v1/garbage/areas?ward=浜区&town=松原")
    assert split["question"]["by"] is None
    assert [one["block"] for one in split["items"]] == ["1～3", "（上記以外）"]
    assert [one["town"] for one in get(city, "/v1/garbage/areas?reading=みどり")["items"]] == ["緑ケ丘"]


def test_an_area_is_found_by_postcode_and_by_position_which_nobody_keeps(city: FlaskClient) -> None:
    assert [one["town"] for one in get(city, "/v1/garbage/areas?postcode=000-3012")["items"]] == ["浜町"]
    town = get(city, "/v1/areas/04993-浜町")
    answer = city.get(f"/v1/garbage/areas?lat={town['lat']}&lon={town['lon']}")
    assert answer.headers["Cache-Control"] == "no-store"
    first = answer.get_json()["items"][0]
    assert (first["town"], first["inside"], first["distance_m"]) == ("浜町", True, 0.0)


def test_a_lost_first_paper_day_moves_to_the_fifth_and_says_so(city: FlaskClient) -> None:
    area = area_of(city, "浜区", "浜町")
    found = get(city, f"/v1/garbage/areas/{area}/collections?{YEAR}")
    paper = [one for one in found["items"] if one["category"]["name"] == "紙類"]
    assert [one["date"] for one in paper] == [
        "2026-12-04", "2026-12-18", "2027-01-15", "2027-01-29", "2027-02-05", "2027-02-19",
    ]  # fmt: skip
    moved = paper[3]
    assert (moved["origin"], moved["moved"]) == ("2027-01-01", True)
    assert moved["why"] == "第1金曜日、1月1日（金）の分の振替（年末年始）"
    lost = [one for one in found["missed"] if one["date"] == "2027-01-01" and one["category"]["name"] == "紙類"]
    assert [one["instead"] for one in lost] == ["2027-01-29"]
    english = get(city, f"/v1/garbage/areas/{area}/collections?{YEAR}&lang=en")
    assert {"Paper", "Clothes and cloth"} <= {one["category"]["name"] for one in english["items"]}
    assert "1st Friday; moved from 1 Jan (New Year)" in [one["why"] for one in english["items"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [("from=2027-01-02&to=2027-01-01", "to"), ("from=2026-01-01&to=2027-12-31", "to"), ("month=2027-13", "month")],
)
def test_days_that_make_no_sense_are_refused_by_their_field(city: FlaskClient, query: str, field: str) -> None:
    answer = city.get(f"/v1/garbage/areas/{area_of(city, '浜区', '浜町')}/collections?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_todays_collection_is_next_until_its_hour(city: FlaskClient, city_clock: Clock) -> None:
    area = area_of(city, "山の手区", "緑ケ丘")  # Tuesday and Friday; the clock stands on Tuesday, noon in Sendai
    names = {one["category"]["name"]: one["date"] for one in get(city, f"/v1/garbage/areas/{area}/next")["items"]}
    assert names["家庭ごみ"] == "2026-09-04"
    city_clock.pass_(hours=-4)
    names = {one["category"]["name"]: one["date"] for one in get(city, f"/v1/garbage/areas/{area}/next")["items"]}
    assert names["家庭ごみ"] == "2026-09-01"


def test_the_feed_is_read_alike_by_two_parsers_with_one_uid_a_collection(city: FlaskClient, city_clock: Clock) -> None:
    area = area_of(city, "浜区", "浜町")
    answer = city.get(f"/v1/garbage/areas/{area}/collections.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    events = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    one = {(str(e["UID"]), e.decoded("DTSTART"), str(e["SUMMARY"]), str(e["STATUS"])) for e in events}
    other = vobject.readOne(answer.get_data(as_text=True)).vevent_list
    two = {(e.uid.value, e.dtstart.value, e.summary.value, e.status.value) for e in other}
    assert one == two
    assert len(one) == len(events) == len({uid for uid, *_ in one}) > 200
    held = {(str(e["SUMMARY"]).removesuffix("（振替）"), e.decoded("DTSTART").isoformat()) for e in events
            if str(e["STATUS"]) == "CONFIRMED"}  # fmt: skip
    listed = get(city, f"/v1/garbage/areas/{area}/collections?from=2026-08-01&to=2027-08-31")["items"]
    days = {(item["category"]["name"], item["date"]) for item in listed}
    assert {pair for pair in held if pair[1] <= "2027-08-31"} == days
    moved = next(e for e in events if str(e["SUMMARY"]) == "紙類（振替）")
    assert (str(moved["UID"])[:8], moved.decoded("DTSTART").isoformat()) == ("20270101", "2027-01-29")
    assert int(moved["SEQUENCE"]) > 0
    called_off = [e for e in events if str(e["STATUS"]) == "CANCELLED"]
    assert all(str(e["SUMMARY"]).startswith("【休み】") for e in called_off)
    assert called_off
    city_clock.pass_(days=20)  # another day, the same month: the same bytes
    again = city.get(f"/v1/garbage/areas/{area}/collections.ics", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("モバイルバッテリー", "モバイルバッテリー"),
        ("ﾓﾊﾞｲﾙﾊﾞｯﾃﾘ", "モバイルバッテリー"),
        ("もばいる・ばってり", "モバイルバッテリー"),
        ("れーぞーこ", "冷蔵庫"), ("空き瓶", "空きびん（飲料・食品）"),
        ("PETボトル", "ペットボトル"), ("かんでんち", "乾電池"),
    ],
)  # fmt: skip
def test_an_item_is_found_however_it_is_typed(city: FlaskClient, typed: str, name: str) -> None:
    found = get(city, f"/v1/garbage/items?q={typed}")["items"]
    assert found[0]["name"] == name


def test_a_lithium_battery_always_comes_with_its_warning(city: FlaskClient) -> None:
    found = city.get("/v1/garbage/items?q=モバイルバッテリー&lang=en").get_json()["items"][0]
    assert found["fits"] == "exact"
    assert [one["code"] for one in found["cautions"]] == ["lithium_battery"]
    assert "catch fire" in found["cautions"][0]["text"]


def test_the_dictionary_is_paged_without_gap_or_repetition(city: FlaskClient) -> None:
    seen: list[int] = []
    path = "/v1/garbage/items?limit=20"
    while True:
        page = get(city, path)
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        path = f"/v1/garbage/items?limit=20&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 48


def test_areas_categories_and_unknown_numbers(city: FlaskClient) -> None:
    one = get(city, f"/v1/garbage/areas/{area_of(city, '浜区', '浜町')}")
    assert one["areas"] == ["04993-浜町"]
    assert one["note"].startswith("集積所に貼ってあるシール")
    assert [kind["name"] for kind in get(city, "/v1/garbage/categories?lang=en")["items"]][:2] == [
        "Household garbage", "Recyclable plastic",
    ]  # fmt: skip
    for path in ("/v1/garbage/areas/999", f"/v1/garbage/areas/{10**30}/collections", "/v1/garbage/areas/0/next"):
        assert city.get(path).status_code == 404


def test_a_second_import_of_a_folder_by_command_changes_nothing(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "area_days.csv").write_text("地名,センター,燃やすごみ\n甲町,,月 木\n乙町,,水4`\n", encoding="utf-8")
    run = app.test_cli_runner()
    refused = run.invoke(imports.command, ["garbage", str(folder), "--json"])
    assert refused.exit_code == 1
    assert '"line": 3' in refused.output
    assert "水4`" in refused.output
    taken = run.invoke(imports.command, ["garbage", str(folder), "--skip-refused"])
    assert "追加 1" in taken.output
    again = run.invoke(imports.command, ["garbage", str(folder), "--skip-refused"])
    assert "追加 0、変更 0、復活 0、変更なし 1" in again.output
