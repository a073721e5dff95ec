"""Whoever registers in, or moves into, a live danger area is told at that moment, once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import transaction
from geo import mesh
from geo.point import Point
from notifications import alerts, messages, newcomers, places, told
from notifications.alerts import Act
from notifications.dispatch.batches import Batch
from notifications.dispatch.groups import Group
from notifications.places import PlaceName
from tests.notifications.builders import (
    HOUR,
    INSIDE,
    MINUTE,
    NEXT_AREA,
    NOW,
    OUTSIDE,
    RIM,
    SECOND,
    make_alert,
    make_device,
    make_people,
    make_site,
    overlapping,
    plan,
    put_place,
)
from tests.notifications.dispatch.scripted import Desk


def _move(session, device, name, where, now=NOW):
    cells = put_place(session, device, name, where, now)
    return newcomers.greet(session, device, PlaceName(name), cells, now)


def _batches(session, message):
    return session.scalars(sa.select(Batch).where(Batch.message_id == message.id)).all()


@pytest.mark.parametrize("where", [INSIDE, RIM])
@pytest.mark.parametrize("name", list(PlaceName))
@pytest.mark.parametrize("drill", [False, True])
def test_a_newcomer_is_told_at_once_and_once(session, people, name, where, drill):
    _, message = make_alert(session, people, drill=drill)
    plan(session)
    device = make_device(session)
    assert _move(session, device, name, where) == 1
    assert told.was_told(session, message.id, device.id)
    assert messages.inbox(session, device.id, NOW) == [message]
    (batch,) = _batches(session, message)
    assert (batch.state, batch.rank) == ("ready", message.rank)
    assert _move(session, device, name, where) == 0
    assert _move(session, device, "work", INSIDE) == 0
    plan(session, NOW + 2 * MINUTE)
    assert len(_batches(session, message)) == 1


def test_one_who_stays_outside_is_not_told(session, people):
    _, message = make_alert(session, people)
    assert _move(session, make_device(session), "home", OUTSIDE) == 0
    assert told.count(session, message.id) == 0


def test_one_who_was_told_by_the_planner_is_not_told_again(session, people):
    device = make_device(session, INSIDE)
    _, message = make_alert(session, people)
    assert plan(session) == 1
    assert _move(session, device, "current", INSIDE) == 0
    assert len(_batches(session, message)) == 1


def test_a_vague_position_that_may_lie_inside_is_told(session, people):
    _, message = make_alert(session, people)
    device = make_device(session)
    # 60 m north of the area, known to 150 m.
    north = Point(38.2411, 140.937)
    assert mesh.cell_of(north) != mesh.cell_of(INSIDE)
    cells = places.cells_of_position(north, 150.0)
    places.put(session, device.id, PlaceName.CURRENT, cells, NOW)
    assert newcomers.greet(session, device, PlaceName.CURRENT, cells, NOW) == 1
    assert told.was_told(session, message.id, device.id)


def test_every_alert_that_touches_the_place_is_told(session, people):
    _, first = make_alert(session, people)
    _, second = make_alert(session, people, level=5)
    _, elsewhere = make_alert(session, people, polygon=NEXT_AREA)
    _, drill = make_alert(session, people, drill=True)
    device = make_device(session)
    assert _move(session, device, "home", INSIDE) == 3
    assert [told.was_told(session, one.id, device.id) for one in (first, second, elsewhere, drill)] == [
        True, True, False, True,
    ]  # fmt: skip


def test_an_alert_whose_time_is_over_greets_nobody(session, people):
    make_alert(session, people)
    device = make_device(session)
    assert _move(session, device, "home", INSIDE, NOW + 6 * HOUR) == 0
    assert _move(session, make_device(session), "home", INSIDE, NOW + 6 * HOUR - SECOND) == 1


def test_a_lifted_alert_greets_nobody_and_its_lifting_neither(session, people):
    alert, _ = make_alert(session, people)
    _, lifting = make_alert(session, people, act=Act.ALL_CLEAR, follows=alert)
    device = make_device(session)
    assert _move(session, device, "home", INSIDE) == 0
    plan(session)
    assert told.count(session, lifting.id) == 0


def test_after_an_update_newcomers_hear_the_update(session, people):
    alert, first = make_alert(session, people)
    _, second = make_alert(session, people, act=Act.UPDATE, follows=alert, level=5)
    device = make_device(session)
    assert _move(session, device, "home", INSIDE) == 1
    assert messages.inbox(session, device.id, NOW) == [second]
    assert not told.was_told(session, first.id, device.id)


def test_a_newcomer_gets_the_same_shelters_as_those_planned_before(session, people):
    make_site(session, 38.2440, 140.9370, name="高台")
    first = make_device(session, INSIDE)
    _, message = make_alert(session, people)
    plan(session)
    make_site(session, 38.2405, 140.9370, name="その後にできた")
    second = make_device(session)
    assert _move(session, second, "home", INSIDE) == 1
    groups = session.scalars(sa.select(Group).where(Group.message_id == message.id)).all()
    assert len(groups) == 1, "the same bytes"
    assert [shelter["name"] for shelter in groups[0].shelters] == ["高台"]
    assert told.was_told(session, message.id, first.id)


def test_a_newcomer_before_the_planning_begins_is_told_where_to_go_as_well(session, people):
    """Registered in the moment between approval and the worker's first look."""
    make_site(session, 38.2440, 140.9370, name="高台")
    _, message = make_alert(session, people)
    early = make_device(session)
    assert _move(session, early, "home", INSIDE) == 1
    (group,) = session.scalars(sa.select(Group).where(Group.message_id == message.id)).all()
    assert [shelter["name"] for shelter in group.shelters] == ["高台"]
    make_device(session, INSIDE)
    plan(session)
    assert len(session.scalars(sa.select(Group).where(Group.message_id == message.id)).all()) == 1


def test_a_newcomer_and_the_end_of_the_alert_come_one_after_the_other(engine):
    """Whoever is told of an alert is also told that it was lifted, however the two requests overlap."""
    with transaction(engine) as session:
        people = make_people(session)
        alert, order = make_alert(session, people)
        device = make_device(session)

    def move(session):
        return _move(session, device, "home", INSIDE)

    def lift(session):
        current = alerts.by_public_id(session, alert.public_id, drill=False)
        return make_alert(session, people, act=Act.CANCEL, follows=current)[1].id

    greeted, lifting = overlapping(engine, move, lift)
    assert greeted == 1
    desk = Desk(engine)
    while desk.send() is not None:
        pass
    with transaction(engine) as session:
        # The order was withdrawn before it was handed over: neither it nor its end is said.
        assert not told.was_told(session, order.id, device.id)
        assert plan(session) == 0
        assert not told.was_told(session, lifting, device.id)
    assert desk.channel.handed == []


def test_a_newcomer_behind_the_end_of_an_alert_is_not_told(engine):
    with transaction(engine) as session:
        people = make_people(session)
        alert, order = make_alert(session, people)
        device = make_device(session)

    def move(session):
        return _move(session, device, "home", INSIDE)

    def lift(session):
        current = alerts.by_public_id(session, alert.public_id, drill=False)
        make_alert(session, people, act=Act.CANCEL, follows=current)

    _, greeted = overlapping(engine, lift, move)
    assert greeted == 0
    with transaction(engine, "read") as session:
        assert told.count(session, order.id) == 0
