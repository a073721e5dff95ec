"""A place is found without GPS: from ward to town, by name, by reading, by postcode."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from content.texts import LANGUAGES
from geo import areas
from geo.areas import Area, AreaError, AreaKind, search_key, without_chome
from geo.postcodes import Postcode
from tests.geo.opendata.lists import square

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def city(session: Session) -> Session:
    """Two cities with a ward of the same name, invented towns in one of them."""
    for code, kind, name, kana, parent in (
        ("04", "prefecture", "宮城県", None, None),
        ("04100", "city", "仙台市", "センダイシ", "04"),
        ("04101", "ward", "青葉区", "アオバク", "04100"),
        ("04103", "ward", "若林区", "ワカバヤシク", "04100"),
        ("14", "prefecture", "神奈川県", None, None),
        ("14100", "city", "横浜市", "ヨコハマシ", "14"),
        ("14117", "ward", "青葉区", "アオバク", "14100"),
        ("04103-見本", "town", "見本", "ミホン", "04103"),
        ("04103-見本一丁目", "town", "見本一丁目", "ミホン1チョウメ", "04103"),
        ("04103-見本十二丁目", "town", "見本十二丁目", "ミホン12チョウメ", "04103"),
        ("04103-見本東", "town", "見本東", "ミホンヒガシ", "04103"),
        ("04103-霞ヶ丘", "town", "霞ヶ丘", "カスミガオカ", "04103"),
        ("04103-読みなし", "town", "読みなし", None, "04103"),
        ("04101-見本", "town", "見本", "ミホン", "04101"),
    ):
        area = Area(code=code, kind=kind, name=name, name_kana=kana, parent_code=parent, source="sample")
        area.search_name = search_key(name)
        session.add(area)
    one = session.get(Area, "04103")
    assert one is not None
    one.geometry = square(38.2, 140.9)
    for postcode, town in (("9840001", "見本"), ("9840001", "霞ケ丘"), ("9840000", "")):
        session.add(Postcode(postcode=postcode, municipality_code="04103", town=town, town_kana=""))
    session.flush()
    return session


def names(found: object) -> list[str]:
    return [area.code for area in found]  # type: ignore[attr-defined]


def test_children_come_in_the_order_of_their_readings_and_unread_last(city: Session) -> None:
    assert names(areas.children(city, "041033")) == [
        "04103-霞ヶ丘",
        "04103-見本",
        "04103-見本一丁目",
        "04103-見本十二丁目",
        "04103-見本東",
        "04103-読みなし",
    ]


@pytest.mark.parametrize("prefix", ["みほんひ", "ミホンヒ", "ﾐﾎﾝﾋ"])
def test_children_by_the_beginning_of_their_reading(city: Session, prefix: str) -> None:
    assert names(areas.children(city, "04103", prefix)) == ["04103-見本東"]


def test_children_of_a_kind(city: Session) -> None:
    assert names(areas.children(city, None, kind=AreaKind.WARD)) == ["04101", "14117", "04103"]
    assert names(areas.children(city, "04103", kind=AreaKind.ZONE)) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_pages_give_every_child_once(city: Session, limit: int) -> None:
    seen: list[str] = []
    while page := areas.children(city, "04103", None, seen[-1] if seen else None, limit):
        seen += names(page)
    assert seen == names(areas.children(city, "04103"))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("若林区", "04103"),
        ("宮城県仙台市若林区", "04103"),
        ("仙台市 若林区 見本", "04103-見本"),
        ("若林区見本1丁目", "04103-見本一丁目"),
        ("若林区見本１２丁目", "04103-見本十二丁目"),
        ("見本一丁目", "04103-見本一丁目"),
        ("霞ケ丘", "04103-霞ヶ丘"),
        ("かすみがおか", "04103-霞ヶ丘"),
        ("若林区みほんひがし", "04103-見本東"),
        ("青葉区見本", "04101-見本"),
        ("横浜市青葉区", "14117"),
        ("大字見本東", "04103-見本東"),
    ],
)
def test_names_are_found_as_people_write_them(city: Session, text: str, first: str) -> None:
    assert names(areas.find(city, text))[0] == first


def test_areas_of_one_name_are_all_found(city: Session) -> None:
    assert names(areas.find(city, "青葉区")) == ["04101", "14117"]
    assert names(areas.find(city, "見本"))[:2] == ["04101-見本", "04103-見本"]


@pytest.mark.parametrize("text", ["", " ", "%", "_", "札幌市", "若林区存在しない", "\x00", "\\"])
def test_what_is_nowhere_is_not_found(city: Session, text: str) -> None:
    assert list(areas.find(city, text)) == []


def test_at_most_so_many_are_found(city: Session) -> None:
    assert len(areas.find(city, "見", limit=2)) == 2


@pytest.mark.parametrize("postcode", ["984-0001", "9840001", "〒９８４－０００１"])
def test_a_postcode_gives_its_towns_with_every_chome(city: Session, postcode: str) -> None:
    assert names(areas.by_postcode(city, postcode)) == [
        "04103-見本",
        "04103-見本一丁目",
        "04103-見本十二丁目",
        "04103-霞ヶ丘",
    ]


def test_a_postcode_of_no_town_gives_the_municipality(city: Session) -> None:
    assert names(areas.by_postcode(city, "984-0000")) == ["04103"]


@pytest.mark.parametrize("postcode", ["9849999", "123", "", "abcdefg", "\x00"])
def test_an_unknown_postcode_gives_nothing(city: Session, postcode: str) -> None:
    assert list(areas.by_postcode(city, postcode)) == []


def test_boundaries_come_in_the_order_asked_for(city: Session) -> None:
    (shape,) = areas.geometry_of(city, ["041033"])
    assert shape.bounds == pytest.approx((140.9, 38.2, 141.0, 38.3))


@pytest.mark.parametrize("code", ["99999", "04101", "04103-見本", "", "\x00"])
def test_an_area_without_boundary_is_named(city: Session, code: str) -> None:
    with pytest.raises(AreaError) as refused:
        areas.geometry_of(city, ["04103", code])
    assert refused.value.area_code == code


def test_withdrawn_areas_are_nowhere(city: Session) -> None:
    one = city.get(Area, "04103-見本東")
    assert one is not None
    one.withdrawn_at = NOW
    city.flush()
    assert areas.get(city, "04103-見本東") is None
    assert "04103-見本東" not in names(areas.children(city, "04103"))
    assert list(areas.find(city, "見本東")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("見本三丁目", "見本3丁目"),
        ("見本二十一丁目", "見本２１丁目"),
        ("見本十丁目", "見本10丁目"),
        ("霞ヶ丘", "霞ケ丘"),
        ("堤ノ町", "堤の町"),
        ("大字見本", "見本"),
    ],
)
def test_names_are_the_same_however_they_are_written(one: str, other: str) -> None:
    assert search_key(one) == search_key(other)


def test_a_town_is_its_name_without_chome() -> None:
    assert without_chome(search_key("一番町二丁目")) == "一番町"
    assert without_chome(search_key("二丁目")) == ""


@given(st.text(max_size=20))
def test_a_search_key_is_its_own_key_for_any_plain_name(name: str) -> None:
    key = search_key(name)
    assert " " not in key
    assert search_key(key + "甲").endswith("甲")


def test_the_languages_of_names_are_those_that_texts_are_written_in() -> None:
    assert ("ja", *areas.LANGUAGES) == LANGUAGES
