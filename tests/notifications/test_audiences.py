"""Audiences: what is counted is what is listed is what is told; nobody inside is left out."""

from __future__ import annotations

import random

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import geofence, mesh
from geo.point import Point
from notifications import audiences, dangers, devices, told, topics
from notifications.audiences import Audience
from notifications.devices import Device, Platform
from notifications.dispatch.batches import Batch
from notifications.places import CURRENT_GROWS_OLD
from tests.notifications.builders import (
    HOUR,
    INSIDE,
    NOW,
    OUTSIDE,
    RIM,
    SECOND,
    make_area,
    make_device,
    make_message,
    plan,
    put_place,
)


def _list(session, audience, now=NOW):
    return [one for found in audiences.recipients(session, audience, now) for one in found]


def _ids(session, audience, now=NOW):
    return [one.device_id for one in _list(session, audience, now)]


def _planned(session, message):
    """Device ids in the order of their batches."""
    stored = session.scalars(sa.select(Batch.device_ids).where(Batch.message_id == message.id).order_by(Batch.id))
    return [number for packed in stored for number in np.frombuffer(packed, dtype="<i8").tolist()]


def _tell(session, *devices_told):
    message = make_message(session, Audience())
    told.mark(session, message.id, np.array([one.id for one in devices_told], dtype=np.int64))
    return message.id


@pytest.fixture
def town(session):
    """Phones of every sort; by name what each is."""
    topics.put(session, "fire", {"ja": "火災"})
    places = {
        "home inside": {"home": INSIDE},
        "home on the rim": {"home": RIM},
        "home outside": {"home": OUTSIDE},
        "on the way, inside": {"current": INSIDE},
        "on the way, rim": {"current": RIM, "home": INSIDE},
        "left at home, work inside": {"home": OUTSIDE, "work": INSIDE},
        "grandmother inside": {"current": OUTSIDE, "family": INSIDE},
        "everywhere": {"current": INSIDE, "home": INSIDE, "work": RIM, "family": INSIDE},
        "nowhere": {},
    }
    found = {name: make_device(session, at) for name, at in places.items()}
    found["mute"] = make_device(session, INSIDE, token=None, language="en", platform=Platform.IOS)
    for name in ("home inside", "nowhere"):
        topics.follow(session, found[name].id, ["fire"])
    return found


INSIDERS = (
    "on the way, inside", "everywhere", "on the way, rim", "home inside", "mute", "home on the rim",
    "left at home, work inside", "grandmother inside",
)  # fmt: skip


def test_the_most_endangered_come_first_and_everybody_once(session, town):
    names = {device.id: name for name, device in town.items()}
    found = _list(session, Audience(danger_area_id=make_area(session).id))
    assert [names[one.device_id] for one in found] == list(INSIDERS)
    places = [one.place for one in found]
    assert places == ["current", "current", "current", "home", "home", "home", "work", "family"]
    assert [one.cell for one in found] == [
        mesh.cell_of(point) for point in (INSIDE, INSIDE, RIM, INSIDE, INSIDE, RIM, INSIDE, INSIDE)
    ]


@pytest.mark.parametrize(
    ("age", "told_for"),
    [(CURRENT_GROWS_OLD, "current"), (CURRENT_GROWS_OLD + SECOND, "home")],
    ids=["just fresh", "just stale"],
)
def test_a_stale_position_steps_back_behind_home(session, age, told_for):
    area = make_area(session)
    both = make_device(session, {"home": RIM})
    put_place(session, both, "current", INSIDE, NOW - age)
    only = make_device(session)
    put_place(session, only, "current", INSIDE, NOW - age)
    found = _list(session, Audience(danger_area_id=area.id))
    assert {one.device_id: one.place for one in found} == {both.id: told_for, only.id: "current"}


def test_a_position_that_grows_old_while_it_is_planned_is_not_lost(session):
    area = make_area(session)
    device = make_device(session)
    put_place(session, device, "current", RIM, NOW - CURRENT_GROWS_OLD)
    cursor, found = audiences.Cursor(), []
    while cursor is not None:
        now = NOW if cursor.part == 0 else NOW + HOUR  # stale before its ring's turn
        some, cursor = audiences.chunk(session, Audience(danger_area_id=area.id), cursor, now, 1)
        found += some.device_ids.tolist()
    assert found == [device.id]


def _kinds(session, town):
    area = make_area(session)
    told_before = _tell(session, town["home outside"], town["home inside"])
    return {
        "cells": (Audience(danger_area_id=area.id), set(INSIDERS)),
        "told": (Audience(told_message_ids=(told_before,)), {"home outside", "home inside"}),
        "followers": (Audience(topic="fire"), {"home inside", "nowhere"}),
        "device": (Audience(device_id=town["nowhere"].id), {"nowhere"}),
        "everyone": (Audience(everyone=True), set(town)),
        "nobody": (Audience(), set()),
        "told and inside": (
            Audience(danger_area_id=area.id, told_message_ids=(told_before,)),
            {*INSIDERS, "home outside"},
        ),
        "everything": (
            Audience(area.id, (told_before,), "fire", town["nowhere"].id, everyone=True),
            set(town),
        ),
    }


@pytest.mark.parametrize(
    "kind", ["cells", "told", "followers", "device", "everyone", "nobody", "told and inside", "everything"]
)
def test_what_is_counted_is_what_is_listed_is_what_is_told(session, town, kind):
    audience, expected = _kinds(session, town)[kind]
    names = {device.id: name for name, device in town.items()}
    listed = _ids(session, audience)
    assert {names[number] for number in listed} == expected
    assert len(listed) == len(set(listed))
    counted = audiences.count(session, audience, NOW)
    assert counted.devices == len(listed) == audiences.size(session, audience, NOW)
    assert counted.reachable == len(listed) - ("mute" in expected)
    for tally in (counted.by_language, counted.by_platform, counted.by_place):
        assert sum(tally.values()) == counted.devices
    assert counted.by_language.get("en", 0) == ("mute" in expected)
    message = make_message(session, audience)
    assert plan(session) == len(listed)
    assert sorted(_planned(session, message)) == sorted(listed)
    assert set(told.everybody(session, message.id)) == set(listed)
    assert Audience.from_json(message.audience) == audience


def test_chunks_smaller_than_the_audience_tell_the_same(session, town, monkeypatch):
    audience, _ = _kinds(session, town)["everything"]
    whole = _list(session, audience)
    monkeypatch.setattr(audiences, "LARGE_CHUNK", 2)
    assert len(list(audiences.recipients(session, audience, NOW))) > 5
    assert [one.device_id for one in _list(session, audience)] == [one.device_id for one in whole]


def test_those_told_before_come_with_their_dearest_place(session, town):
    audience = Audience(told_message_ids=(_tell(session, *town.values()),))
    places = {one.device_id: (one.place, one.cell) for one in _list(session, audience)}
    inside, outside = mesh.cell_of(INSIDE), mesh.cell_of(OUTSIDE)
    for name, expected in (
        ("everywhere", ("current", inside)), ("home outside", ("home", outside)), ("nowhere", (None, None)),
        ("left at home, work inside", ("home", outside)), ("grandmother inside", ("current", outside)),
    ):  # fmt: skip
        assert places[town[name].id] == expected


def test_a_phone_that_deleted_itself_is_in_no_audience(session, town):
    audience, _ = _kinds(session, town)["everything"]
    gone = town["everywhere"]
    number = gone.id
    devices.erase(session, gone)
    assert number not in _ids(session, audience)
    assert audiences.size(session, audience, NOW) == len(_ids(session, audience))
    assert audiences.size(session, Audience(device_id=number), NOW) == 0


def test_told_before_reads_every_block(session):
    people = [make_device(session) for _ in range(3)]
    # Ids far apart, as after years of registrations.
    for device, number in zip(people, (1, 4096, 200_000), strict=True):
        session.execute(sa.update(Device).where(Device.id == device.id).values(id=number + 10_000))
        session.expunge(device)
    message = make_message(session, Audience())
    numbers = [10_001, 14_096, 210_000]
    told.mark(session, message.id, np.array(numbers, dtype=np.int64))
    assert _ids(session, Audience(told_message_ids=(message.id,))) == numbers


# Nobody inside is left out ------------------------------------------------------------------------------------------

corner = st.tuples(st.integers(0, 12_000), st.integers(0, 12_000))  # micro-degrees from a corner of the town


def _place(offset):
    return Point(38.2300 + offset[1] / 1e6, 140.9300 + offset[0] / 1e6)


def test_everybody_whose_position_is_inside_is_in_the_audience(session):
    """Random polygons over random phones: whoever stands inside, or on the edge, is told, for every kind of place."""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(corner, min_size=3, max_size=7, unique=True), st.lists(corner, min_size=1, max_size=12), st.data())
    def check(corners, offsets, data):
        shape = shapely.MultiPoint(corners).convex_hull
        if shape.area < 100:  # less than a square metre and a half: corners on one line, which is refused
            return
        ring = [[140.93 + x / 1e6, 38.23 + y / 1e6] for x, y in shapely.get_coordinates(shape).tolist()]
        # On the very corners and edges as well.
        offsets = offsets + data.draw(st.lists(st.sampled_from(corners), max_size=3))
        savepoint = session.begin_nested()
        name = data.draw(st.sampled_from(["current", "home", "work", "family"]))
        people = [(make_device(session, {name: _place(offset)}), offset) for offset in offsets]
        area = make_area(session, {"type": "Polygon", "coordinates": [ring]})
        listed = set(_ids(session, Audience(danger_area_id=area.id)))
        geometry = geofence.polygon_from_geojson({"type": "Polygon", "coordinates": [ring]})
        for device, offset in people:
            point = _place(offset)
            if shapely.intersects(geometry, shapely.Point(point.lon, point.lat)):
                assert device.id in listed
        # And nobody whose cell does not even touch it.
        squares = {device.id: shapely.box(*_box(_place(offset))) for device, offset in people}
        grown = geometry.buffer(2e-6)
        assert all(shapely.intersects(grown, squares[number]) for number in listed)
        savepoint.rollback()
        session.expunge_all()

    check()


def _box(point):
    south, west, north, east = mesh.bounds(mesh.cell_of(point))
    return west, south, east, north


def test_what_is_subtracted_leaves_everybody_who_stands_in_what_remains(session):
    """Subtraction on geometry: a cell goes only if nothing of it remains."""
    outer = {"type": "Polygon", "coordinates": [[[140.93, 38.23], [140.95, 38.23], [140.95, 38.25], [140.93, 38.25]]]}
    hole = {
        "type": "Polygon",
        "coordinates": [[[140.9351, 38.2351], [140.9449, 38.2351], [140.9449, 38.2449], [140.9351, 38.2449]]],
    }
    area = dangers.compose(session, polygon=outer, area_codes=(), minus_area_codes=(), minus_polygon=hole)
    remains = geofence.compose([geofence.polygon_from_geojson(outer)], [geofence.polygon_from_geojson(hole)])
    dice = random.Random(7)
    known = dangers.cells(session, area.id)
    left_out = 0
    for _ in range(600):
        point = Point(38.23 + dice.random() * 0.02, 140.93 + dice.random() * 0.02)
        if shapely.intersects(remains, shapely.Point(point.lon, point.lat)):
            assert known.contains(mesh.cell_of(point))
        else:
            left_out += not known.contains(mesh.cell_of(point))
    assert left_out > 50
    assert len(known) == len(set(known.inside.tolist()) | set(known.rim.tolist()))
