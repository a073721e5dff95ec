"""GeoJSON is read feature by feature, each with its line; what is cut off or foreign is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.opendata.faults import OpenDataError
from geo.opendata.features import features
from tests.geo.opendata.lists import collection, feature

POINT = {"type": "Point", "coordinates": [140.9, 38.2]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=4), st.sampled_from([None, 1, 4]))
def test_features_come_out_as_any_json_reader_finds_them(found: list[dict[str, Any]], indent: int | None) -> None:
    text = json.dumps(
        {"name": "x", "features": [feature(one, POINT) for one in found], "type": "FeatureCollection"}, indent=indent
    )
    again = list(features(text))
    expected = [one["properties"] for one in json.loads(text)["features"]]
    assert repr([one.properties for one in again]) == repr(expected)  # repr: nan is not equal to itself
    assert [one.geometry for one in again] == [POINT] * len(found)


def test_every_feature_knows_the_line_it_starts_on() -> None:
    text = '{"type":"FeatureCollection",\n"features":[\n{"type":"Feature",\n"properties":null},\n\n{"type":"Feature"}]}'
    assert [one.line for one in features(text)] == [3, 6]


def test_a_file_cut_off_anywhere_is_refused() -> None:
    text = collection(feature({"名称": "甲"}, POINT), feature({"名称": "乙"}, POINT)).decode()
    for end in range(len(text)):
        with pytest.raises(OpenDataError):
            list(features(text[:end]))


def test_the_line_of_the_cut_is_said() -> None:
    text = collection(feature({"名称": "甲"}, POINT), feature({"名称": "乙"}, POINT)).decode()
    with pytest.raises(OpenDataError) as refused:
        list(features(text[: text.index("乙")]))
    assert refused.value.code == "truncated"
    assert refused.value.line == text[: text.index("乙")].count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"type":"Topology","objects":{}}',
        '{"type":"Feature","geometry":null,"properties":{}}',
        '{"type":"FeatureCollection","features":{}}',
        '{"type":"FeatureCollection","features":[1]}',
        '{"type":"FeatureCollection","features":[{"type":"Point"}]}',
        '{"type":"FeatureCollection","features":[]}x',
        '{1:2,"features":[]}',
        '{"features":[]}',
        '{"a":' + "[" * 100_000 + "]" * 100_000 + ',"type":"FeatureCollection","features":[]}',
        '{"type":"FeatureCollection","features":[],"n":' + "9" * 5000 + "}",
    ],
)
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(OpenDataError):
        list(features(text))


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::6668"])
def test_longitude_and_latitude_may_be_named(name: str) -> None:
    assert list(features(collection(crs={"type": "name", "properties": {"name": name}}).decode())) == []


def test_another_coordinate_system_is_refused() -> None:
    plane = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::6678"}}
    with pytest.raises(OpenDataError) as refused:
        list(features(collection(crs=plane).decode()))
    assert refused.value.code == "unknown_crs"
