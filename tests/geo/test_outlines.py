"""Outlines for a screen are small, leave no gaps between neighbours, and lose nobody's largest part."""

from __future__ import annotations

import math

import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, box, shape

from geo import outlines

SQUARE = box(140.0, 38.0, 140.1, 38.1)


def rough(border: Polygon, step: float = 0.0001) -> Polygon:
    """A border with thousands of corners; what two neighbours share stays the same for both."""

    def moved(x: float, y: float) -> tuple[float, float]:
        x, y = round(x, 7), round(y, 7)
        return x + 0.0003 * math.sin(2_000 * y), y + 0.0003 * math.sin(2_000 * x)

    return Polygon([moved(x, y) for x, y in border.segmentize(step).exterior.coords])


def corners(drawn: list[dict[str, object]]) -> int:
    return sum(int(shapely.get_num_coordinates(shape(one))) for one in drawn)


def test_a_shape_with_few_corners_stays_as_it_is() -> None:
    (drawn,) = outlines.for_screen([SQUARE], 100)
    assert drawn["type"] == "MultiPolygon"
    assert shape(drawn).equals(SQUARE)


@pytest.mark.parametrize("most", [2_000, 300])
def test_neighbours_are_simplified_as_one_and_no_gap_opens(most: int) -> None:
    wards = [rough(box(140 + 0.1 * at, 38, 140.1 + 0.1 * at, 38.1)) for at in range(4)]
    assert corners([wards[0].__geo_interface__]) > 3_000
    drawn = outlines.for_screen(wards, most)
    assert 16 <= corners(drawn) <= most
    shapes = [shape(one) for one in drawn]
    assert all(one.is_valid for one in shapes)
    together, truly = shapely.union_all(shapes), shapely.union_all(wards)
    assert together.geom_type == "Polygon"
    assert not together.interiors
    assert together.symmetric_difference(truly).area < 0.05 * truly.area
    assert sum(one.area for one in shapes) == pytest.approx(together.area, rel=1e-4)


def test_shapes_that_overlap_are_simplified_one_by_one() -> None:
    zones = [rough(box(140, 38, 140.1, 38.1)), rough(box(140.05, 38.05, 140.15, 38.15))]
    drawn = outlines.for_screen(zones, 400)
    assert corners(drawn) <= 400
    for one, truly in zip(drawn, zones, strict=True):
        assert shape(one).symmetric_difference(truly).area < 0.05 * truly.area


def test_specks_fall_away_but_a_shape_of_specks_keeps_its_largest() -> None:
    specks = [box(141 + at / 100, 38, 141 + at / 100 + 1e-5, 38 + 1e-5) for at in range(200)]
    land, reef = outlines.for_screen([MultiPolygon([SQUARE, *specks]), MultiPolygon(specks)], 100)
    assert shape(land).area == pytest.approx(SQUARE.area, rel=1e-3)
    assert len(land["coordinates"]) == len(reef["coordinates"]) == 1


def test_nothing_is_drawn_as_nothing() -> None:
    assert outlines.for_screen([], 10) == []
    assert outlines.for_screen([Polygon()], 10) == [{"type": "MultiPolygon", "coordinates": []}]


def test_a_name_stands_inside_the_largest_part() -> None:
    crescent = Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 9), (9, 9), (9, 1), (0, 1)])
    lat, lon = outlines.label_point(MultiPolygon([box(20, 20, 21, 21), crescent]))
    assert crescent.contains(shapely.Point(lon, lat))
