"""Every position has exactly one cell, the one JIS X 0410 names, also on the lines between cells."""

from __future__ import annotations

import csv
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import mesh
from geo.mesh import MeshError
from geo.point import Point

TOKYO_TOWER = Point(35.658581, 139.745433)
TOKYO_TOWER_CELL = 53393599212

lat_e6 = st.integers(20_000_000, 46_000_000)
lon_e6 = st.integers(122_000_000, 154_000_000)
rows = st.integers(20 * 960, 46 * 960)
cols = st.integers(22 * 640, 54 * 640)


def code_by_definition(lat: Fraction, lon: Fraction) -> int:
    """The standard's own steps, in exact fractions: 40′ × 1°, 5′ × 7.5′, 30″ × 45″, then halves three times."""
    p, south = divmod(lat * 60, 40)
    u, west = divmod(lon - 100, 1)
    q, south = divmod(south, 5)
    v, west = divmod(west * 60, Fraction(15, 2))
    r, south = divmod(south * 60, 30)
    w, west = divmod(west * 60, 45)
    digits = f"{p:02d}{u:02d}{q}{v}{r}{w}"
    height, width = Fraction(30), Fraction(45)
    for _ in range(3):
        height, width = height / 2, width / 2
        up, south = divmod(south, height)
        right, west = divmod(west, width)
        digits += str(up * 2 + right + 1)
    return int(digits)


@given(lat_e6, lon_e6)
def test_a_position_of_six_decimals_has_the_cell_the_standard_gives(lat: int, lon: int) -> None:
    expected = code_by_definition(Fraction(lat, 10**6), Fraction(lon, 10**6))
    assert mesh.cell_of(Point(lat / 1e6, lon / 1e6)) == expected


@given(rows, cols, st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1]))
def test_a_line_belongs_to_the_cell_north_and_east_of_it(row: int, col: int, above: int, beside: int) -> None:
    """Lines that fall on whole micro-degrees, and the micro-degrees on both sides of them."""
    lat, lon = row // 3 * 3125 + above, 100_000_000 + col // 2 * 3125 + beside
    expected = code_by_definition(Fraction(lat, 10**6), Fraction(lon, 10**6))
    assert mesh.cell_of(Point(lat / 1e6, lon / 1e6)) == expected


def test_every_line_of_the_country_is_exact() -> None:
    """All parallels and meridians between cells that are numbers of six decimals, as nearest doubles."""
    lats = np.arange(20 * 320, 46 * 320 + 1) * 3125
    lons = 100_000_000 + np.arange(22 * 320, 54 * 320 + 1) * 3125
    found_rows, _ = mesh.row_col(mesh.cells_of(lats / 1e6, np.full(len(lats), 140.0005)))
    _, found_cols = mesh.row_col(mesh.cells_of(np.full(len(lons), 38.0005), lons / 1e6))
    assert found_rows.tolist() == [floor(Fraction(int(lat), 10**6) * 960) for lat in lats]
    assert found_cols.tolist() == [floor((Fraction(int(lon), 10**6) - 100) * 640) for lon in lons]


@given(st.lists(st.tuples(st.floats(20, 46), st.floats(122, 154)), min_size=1, max_size=20))
def test_many_positions_at_once_get_the_cells_they_get_one_by_one(positions: list[tuple[float, float]]) -> None:
    lats, lons = zip(*positions, strict=True)
    assert mesh.cells_of(lats, lons).tolist() == [mesh.cell_of(Point(*position)) for position in positions]


@given(rows, cols)
def test_row_and_column_and_code_are_two_names_of_one_cell(row: int, col: int) -> None:
    code = mesh.from_row_col(row, col)
    assert mesh.row_col(code) == (row, col)
    assert mesh.cell_of(mesh.centre(code)) == code
    south, west, north, east = mesh.bounds(code)
    assert (Fraction(row, 960), Fraction(100) + Fraction(col, 640)) == (
        Fraction(south).limit_denominator(960),
        Fraction(west).limit_denominator(640),
    )
    assert north - south == pytest.approx(1 / 960)
    assert east - west == pytest.approx(1 / 640)
    assert mesh.parse_cell(str(code)) == code


@given(st.lists(st.tuples(rows, cols), min_size=1, max_size=20))
def test_arrays_of_cells_round_trip(pairs: list[tuple[int, int]]) -> None:
    row, col = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    codes = mesh.from_row_col(row, col)
    back_row, back_col = mesh.row_col(codes)
    assert (back_row == row).all()
    assert (back_col == col).all()
    lat, lon = mesh.centres(codes)
    assert [Point(a, b) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)] == [
        mesh.centre(code) for code in codes.tolist()
    ]
    assert (mesh.cells_of(lat, lon) == codes).all()


@given(rows, cols)
def test_the_eight_neighbours_surround_a_cell(row: int, col: int) -> None:
    cell = mesh.from_row_col(row, col)
    around = [mesh.row_col(other) for other in mesh.neighbours(cell)]
    assert len(set(around)) == 8
    assert {(r - row, c - col) for r, c in around} == {(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)} - {(0, 0)}
    assert all(cell in mesh.neighbours(other) for other in mesh.neighbours(cell))


def test_larger_squares_are_the_leading_digits() -> None:
    assert mesh.parent(TOKYO_TOWER_CELL, 250) == 5339359921
    assert mesh.parent(TOKYO_TOWER_CELL, 500) == 533935992
    assert mesh.parent(TOKYO_TOWER_CELL, 1000) == 53393599
    assert mesh.parent(np.array([TOKYO_TOWER_CELL]), 1000).tolist() == [53393599]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("53393599", "1 km square; give the eleven digits"),
        ("5339359921", "250 m square; give the eleven digits"),
        ("5339", "80 km square"),
        ("53393599215", "not the code"),  # halves are numbered 1 to 4
        ("53398599212", "not the code"),  # 10 km squares are numbered 0 to 7
        ("533935992121", "not the code"),
        ("５３３９３５９９２１２", "not the code"),
        (" 53393599212", "not the code"),
        ("", "not the code"),
        ("-5339359921", "not the code"),
        ("99993599212", "outside Japan"),
        ("53993599212", "outside Japan"),
    ],
)
def test_a_code_that_names_no_cell_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(MeshError, match=reason):
        mesh.parse_cell(text)


@pytest.mark.parametrize("position", [(float("nan"), 140.0), (38.0, 99.0), (-1.0, 140.0), (38.0, float("inf"))])
def test_a_position_without_a_cell_is_named_by_its_place(position: tuple[float, float]) -> None:
    with pytest.raises(MeshError, match="position 1 of 2"):
        mesh.cells_of([38.0, position[0]], [140.0, position[1]])


@given(
    lat=st.floats(24, 45.5),
    lon=st.floats(123, 146),
    radius=st.floats(0, 3_000),
    spots=st.lists(st.tuples(st.floats(0, 360), st.floats(0, 1)), max_size=20),
)
@settings(max_examples=50)
def test_no_place_in_a_circle_is_outside_its_cells(
    lat: float, lon: float, radius: float, spots: list[tuple[float, float]]
) -> None:
    cells = mesh.cells_within(Point(lat, lon), radius)
    assert cells[0] == mesh.cell_of(Point(lat, lon))
    assert len(set(cells)) == len(cells)
    for bearing, share in spots:
        there = geodesic(meters=radius * share).destination((lat, lon), bearing)
        assert mesh.cell_of(Point(there.latitude, there.longitude)) in cells


@given(lat_e6, lon_e6, st.floats(0, 500))
@settings(max_examples=50)
def test_a_circle_takes_no_cell_it_does_not_come_near(lat: int, lon: int, radius: float) -> None:
    here = (lat / 1e6, lon / 1e6)
    for cell in mesh.cells_within(Point(*here), radius):
        south, west, north, east = mesh.bounds(cell)
        nearest = (min(max(here[0], south), north), min(max(here[1], west), east))
        assert geodesic(here, nearest).m <= radius * 1.001 + 0.6


def test_a_wide_circle_is_complete_in_the_far_north() -> None:
    here = Point(45.9, 141.0)
    cells = set(mesh.cells_within(here, 40_000.0))
    for bearing in range(0, 360, 3):
        there = geodesic(meters=40_000.0).destination((here.lat, here.lon), bearing)
        assert mesh.cell_of(Point(there.latitude, there.longitude)) in cells


@pytest.mark.parametrize("radius", [-1.0, float("nan"), float("inf"), 100_001.0])
def test_a_senseless_radius_is_refused(radius: float) -> None:
    with pytest.raises(MeshError, match="radius"):
        mesh.cells_within(TOKYO_TOWER, radius)


def test_published_vectors_are_reproduced(shared_data: Path) -> None:
    digits = {"6": 11, "5": 10, "4": 9, "3": 8, "125": 11, "250": 10, "500": 9, "1000": 8}
    checked = 0
    with (shared_data / "mesh" / "latlon_to_mesh_vectors.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            scheme, _, level = row["level"].partition(":")
            if scheme not in ("jismesh", "size_m") or level not in digits or row["expected_code"] == "":
                continue
            if scheme == "jismesh" and int(level) > 6:
                continue
            cell = mesh.cell_of(Point(float(row["lat"]), float(row["lon"])))
            assert str(cell)[: digits[level]] == row["expected_code"], row
            checked += 1
    assert checked >= 12


@given(
    st.integers(3 * 640 - 12, 3 * 640 + 12), st.integers(2 * 640 - 12, 2 * 640 + 12), st.floats(0, 1), st.integers(0)
)
def test_runs_hold_these_cells_and_no_other(south: int, west: int, share: float, seed: int) -> None:
    """Across the borders of squares of every size: 24 × 24 cells, of which some are meant."""
    all_rows, all_cols = np.mgrid[south : south + 24, west : west + 24]
    there = np.sort(mesh.from_row_col(all_rows.ravel() + 36 * 640, all_cols.ravel() + 38 * 640))
    meant = there[np.random.default_rng(seed).random(len(there)) < share]
    firsts, lasts = mesh.runs(meant)
    held = [there[(there >= first) & (there <= last)] for first, last in zip(firsts, lasts, strict=True)]
    assert np.array_equal(np.concatenate([meant[:0], *held]), meant)


def test_a_square_of_a_kilometre_is_one_run_and_nothing_has_none() -> None:
    row, col = mesh.row_col(TOKYO_TOWER_CELL)
    block = np.mgrid[row // 8 * 8 : row // 8 * 8 + 8, col // 8 * 8 : col // 8 * 8 + 8].reshape(2, -1)
    firsts, lasts = mesh.runs(np.sort(mesh.from_row_col(block[0], block[1])))
    assert (firsts.tolist(), lasts.tolist()) == ([53393599111], [53393599444])
    assert len(mesh.runs(np.zeros(0, np.int64))[0]) == 0
