"""Places are cells, and only the newest ones."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import transaction
from geo import mesh
from geo.point import Point
from notifications import places
from notifications.places import Place, PlaceName
from tests.notifications.builders import HOUR, INSIDE, NOW, OUTSIDE, make_device, overlapping, put_place


def _rows(session, device):
    return session.execute(
        sa.select(Place.name, Place.cell).where(Place.device_id == device.id).order_by(Place.cell)
    ).all()


def test_only_cells_are_kept_of_a_place():
    kinds = {column.name: type(column.type).__name__ for column in Place.__table__.columns}
    assert kinds == {
        "cell": "BigInteger", "device_id": "BigInteger", "name": "Text", "origin_cell": "BigInteger",
        "updated_at": "UtcDateTime",
    }  # fmt: skip


def test_a_new_position_replaces_the_old_one_without_a_trail(session):
    device = make_device(session)
    places.put(session, device.id, PlaceName.CURRENT, mesh.cells_within(INSIDE, 200.0), NOW)
    put_place(session, device, "home", INSIDE)
    put_place(session, device, "current", OUTSIDE, NOW + HOUR)
    home, current = mesh.cell_of(INSIDE), mesh.cell_of(OUTSIDE)
    assert sorted(_rows(session, device)) == [("current", current), ("home", home)]
    found = places.of_device(session, device.id)
    assert list(found.items()) == [(PlaceName.CURRENT, (current, NOW + HOUR)), (PlaceName.HOME, (home, NOW))]


def test_a_vague_position_keeps_every_cell_it_may_lie_in_and_says_its_own(session):
    device = make_device(session)
    cells = places.cells_of_position(INSIDE, 150.0)
    places.put(session, device.id, PlaceName.CURRENT, cells, NOW)
    assert set(cells) == set(mesh.cells_within(INSIDE, 150.0)) > {mesh.cell_of(INSIDE)}
    assert {cell for _, cell in _rows(session, device)} == set(cells)
    assert places.of_device(session, device.id) == {PlaceName.CURRENT: (mesh.cell_of(INSIDE), NOW)}


@pytest.mark.parametrize(("accuracy_m", "as_if"), [(-5.0, 0.0), (0.0, 0.0), (1e9, places.WIDEST_ACCURACY_M)])
def test_an_absurd_accuracy_is_bounded(accuracy_m, as_if):
    assert places.cells_of_position(INSIDE, accuracy_m) == mesh.cells_within(INSIDE, as_if)
    assert len(places.cells_of_position(INSIDE, 1e9)) < 100


def test_a_sure_position_is_one_cell():
    assert places.cells_of_position(Point(38.2351, 140.9371), 0.0) == (mesh.cell_of(Point(38.2351, 140.9371)),)


def test_a_place_is_forgotten_and_the_others_stay(session):
    device, neighbour = make_device(session), make_device(session, INSIDE)
    put_place(session, device, "work", INSIDE)
    put_place(session, device, "family", INSIDE)
    assert places.remove(session, device.id, PlaceName.WORK) is True
    assert places.remove(session, device.id, PlaceName.WORK) is False
    assert list(places.of_device(session, device.id)) == [PlaceName.FAMILY]
    assert list(places.of_device(session, neighbour.id)) == [PlaceName.HOME]


def test_a_place_sent_twice_at_once_is_kept_once(engine):
    """A phone whose first request seemed lost sends the same place again: neither may fail."""
    with transaction(engine) as session:
        device = make_device(session, {"current": OUTSIDE})
    cells = mesh.cells_within(INSIDE, 100.0)

    def put(session):
        places.put(session, device.id, PlaceName.CURRENT, cells, NOW)

    overlapping(engine, put, put)
    with transaction(engine, "read") as session:
        assert {cell for _, cell in _rows(session, device)} == set(cells)
