"""Danger areas: composed, refused with a place, frozen."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from geo import geofence, mesh
from geo.areas import Area
from geo.point import Point
from notifications import dangers
from notifications.dangers import AreaRefused, DangerArea
from tests.notifications.builders import AREA, INSIDE, NEXT_AREA, OUTSIDE, RIM, make_area, rectangle


def add_area(session, code, name, geometry):
    """A named part of the city."""
    session.add(Area(code=code, kind="zone", name=name, search_name=name, geometry=geometry, source="test"))
    session.flush()


def _compose(session, polygon=None, areas=(), minus=(), minus_polygon=None):
    return dangers.compose(
        session, polygon=polygon, area_codes=areas, minus_area_codes=minus, minus_polygon=minus_polygon
    )


BOW_TIE = {"type": "Polygon", "coordinates": [[[140.93, 38.23], [140.94, 38.24], [140.94, 38.23], [140.93, 38.24]]]}
HUGE = rectangle(35.0, 136.0, 39.0, 141.0)


@pytest.mark.parametrize(
    ("polygon", "field", "reason", "placed"),
    [
        (BOW_TIE, "area.polygon", "cross", True),
        (HUGE, "area.polygon", "km", False),
        ({"type": "Polygon", "coordinates": []}, "area.polygon", "no corners", False),
        ({"type": "Point", "coordinates": [140.9, 38.2]}, "area.polygon", "Polygon or MultiPolygon", False),
        (rectangle(10.0, 100.0, 10.1, 100.1), "area.polygon", "Japan", True),
    ],
    ids=["self-crossing", "huge", "empty", "no polygon", "not in Japan"],
)
def test_a_shape_that_cannot_be_used_is_refused_with_its_place(session, polygon, field, reason, placed):
    with pytest.raises(AreaRefused, match=reason) as refused:
        _compose(session, polygon)
    assert refused.value.field == field
    assert (refused.value.lat is not None, refused.value.lon is not None) == (placed, placed)
    assert session.scalars(sa.select(DangerArea)).all() == []


def test_unknown_areas_and_areas_without_a_boundary_are_refused_by_name(session):
    add_area(session, "zone-1", "荒井", None)
    for codes, field in ((("zone-1",), "area.areas"), (("nowhere",), "area.areas")):
        with pytest.raises(AreaRefused, match=codes[0]) as refused:
            _compose(session, areas=codes)
        assert refused.value.field == field
    with pytest.raises(AreaRefused, match="nowhere") as refused:
        _compose(session, AREA, minus=("nowhere",))
    assert refused.value.field == "area.minus_areas"
    with pytest.raises(AreaRefused) as refused:
        _compose(session, AREA, minus_polygon=BOW_TIE)
    assert refused.value.field == "area.minus_polygon"


def test_nothing_at_all_and_nothing_left_are_refused(session):
    with pytest.raises(AreaRefused, match="draw a polygon or name"):
        _compose(session)
    with pytest.raises(AreaRefused) as refused:
        _compose(session, AREA, minus_polygon=rectangle(38.2, 140.9, 38.3, 141.0))
    assert refused.value.field == "area"


def test_polygons_and_named_areas_are_united_and_subtracted(session):
    add_area(session, "zone-1", "北", NEXT_AREA)
    area = _compose(session, AREA, areas=("zone-1",), minus_polygon=rectangle(38.229, 140.936, 38.236, 140.938))
    shape = dangers.shape(area)
    for point, inside in ((INSIDE, False), (OUTSIDE, False), (Point(38.2475, 140.937), True), (RIM, False)):
        assert shapely.intersects(shape, shapely.Point(point.lon, point.lat)) == inside
    known = dangers.cells(session, area.id)
    assert known.contains(mesh.cell_of(Point(38.2475, 140.937)))
    assert known.contains(mesh.cell_of(Point(38.235, 140.932)))
    assert not known.contains(mesh.cell_of(OUTSIDE))


def test_the_same_shape_is_kept_once_however_it_is_said(session):
    first = make_area(session)
    ring = AREA["coordinates"][0]
    turned = {"type": "Polygon", "coordinates": [ring[::-1]]}
    assert make_area(session, turned).id == first.id
    assert make_area(session, AREA | {"bbox": [1]}).id == first.id
    assert make_area(session, NEXT_AREA).id != first.id


def test_cells_outlive_the_store_as_they_were(session):
    area = make_area(session)
    cover = geofence.cover(dangers.shape(area))
    known = dangers.cells(session, area.id)
    np.testing.assert_array_equal(known.inside, np.sort(cover.inside))
    np.testing.assert_array_equal(known.rim, np.sort(cover.rim))
    assert len(known) == len(cover.cells)
    assert all(known.contains(cell) for cell in cover.cells.tolist())


def test_cells_of_another_database_are_not_taken_for_ours(session):
    first = make_area(session)
    before = dangers.cells(session, first.id)
    session.execute(sa.update(DangerArea).values(digest="another", inside=dangers._pack(np.array([57403629144]))))
    assert dangers.cells(session, first.id).inside.tolist() == [57403629144]
    assert len(before.inside) > 1
    with pytest.raises(LookupError):
        dangers.cells(session, first.id + 1)


def test_the_hull_that_phones_check_leaves_nobody_out(session):
    wave = [[140.93 + x / 5000, 38.24 + (0.001 if x % 2 else 0.002)] for x in range(90)]
    area = make_area(session, {"type": "Polygon", "coordinates": [[*wave, [140.948, 38.23], [140.93, 38.23]]]})
    hull = shapely.geometry.shape(area.hull)
    assert shapely.contains(hull.buffer(1e-6), dangers.shape(area))
    assert shapely.get_num_coordinates(hull) <= dangers.HULL_CORNERS + 1
    assert area.area_km2 == pytest.approx(geofence.area_km2(dangers.shape(area)))


def test_a_sliver_that_crosses_itself_when_written_is_mended_when_read(session):
    west = [[140.0, 38.005], [140.0, 37.995], [140.01, 37.995]]
    east = [[140.02, 37.995], [140.03, 37.995], [140.03, 38.005], [140.02, 38.005]]
    below, above = [[140.01, 38.0], [140.015, 38.0000008], [140.02, 38.0]], [[140.02, 38.0000014], [140.01, 38.0000004]]
    ring = [*west, *below, *east, *above, [140.01, 38.005]]
    area = _compose(session, polygon={"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    assert not shapely.from_geojson(json.dumps(area.geometry)).is_valid
    border = dangers.shape(area)
    assert border.is_valid
    assert shapely.contains_xy(border, [140.005, 140.025], 38.0).all()
