"""A cell means what its column promises, or it is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.opendata import cells
from geo.opendata.cells import Flag
from geo.opendata.faults import CellFault


@pytest.mark.parametrize("mark", ["1", "１", " 1 ", "1.0", "○", "◯", "〇", "〇\u3000", 1, 1.0, True])
def test_marks_of_suitability(mark: Any) -> None:
    assert cells.flag(mark) is Flag.YES


@pytest.mark.parametrize("mark", ["", "  ", None, "0", "×", "✕", "-", "−", "－", "―", 0, False])
def test_empty_means_not_suitable(mark: Any) -> None:
    assert cells.flag(mark) is Flag.NO


def test_a_triangle_is_neither() -> None:
    assert cells.flag("△") is Flag.CONDITIONAL


@pytest.mark.parametrize("mark", ["2", "?", "yes", "x", "◎", "▲", "有", "1 2", 2, -1, 0.5, [], {}])
def test_a_mark_nobody_has_defined_is_refused(mark: Any) -> None:
    with pytest.raises(CellFault) as fault:
        cells.flag(mark)
    assert fault.value.code == "unknown_flag"


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans() | st.lists(st.integers()))
def test_any_value_is_read_or_refused(value: Any) -> None:
    for parse in (cells.flag, cells.text, cells.number, cells.count, cells.elevation, cells.identifier):
        try:
            parse(value)
        except CellFault:  # the one error there is
            continue


@pytest.mark.parametrize(
    ("written", "meant"),
    [("38.268215", 38.268215), ("３８．２６", 38.26), (" 38 ", 38.0), ("+38.5", 38.5), (38, 38.0), ("1.4e2", 140.0)],
)
def test_decimal_degrees(written: Any, meant: float) -> None:
    assert cells.number(written) == meant


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "missing"),
        ("\u3000", "missing"),
        (None, "missing"),
        ("北緯38度16分", "not_decimal_degrees"),
        ("38°16'5\"", "not_decimal_degrees"),
        ("緯度", "not_a_number"),
        ("38,268", "not_a_number"),
        ("1_000", "not_a_number"),
        ("nan", "not_a_number"),
        (True, "not_a_number"),
        ([38], "not_a_number"),
        (10**400, "not_a_number"),
    ],
)
def test_other_coordinates_are_refused(written: Any, code: str) -> None:
    with pytest.raises(CellFault) as fault:
        cells.number(written)
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (140.98, 38.28, "looks_swapped"),
        (0.0, 0.0, "missing"),
        (51.5, -0.1, "outside_japan"),
        (38.2, 14.09, "outside_japan"),
        (float("nan"), 140.9, "not_finite"),
        (38.2, float("inf"), "not_finite"),
    ],
)
def test_positions_that_cannot_be_say_what_they_look_like(lat: float, lon: float, code: str) -> None:
    with pytest.raises(CellFault) as fault:
        cells.position(lat, lon)
    assert fault.value.code == code


@pytest.mark.parametrize(("written", "meant"), [("1,530", 1530), ("２００人", 200), ("50.0", 50), ("", None), (12, 12)])
def test_counts(written: Any, meant: int | None) -> None:
    assert cells.count(written) == meant


@pytest.mark.parametrize("written", ["約200", "1号認定 30", "-5", "99999999999"])
def test_what_is_no_count_is_refused(written: str) -> None:
    with pytest.raises(CellFault):
        cells.count(written)


@pytest.mark.parametrize(
    ("written", "meant"), [("12.5m", 12.5), ("１２ｍ", 12.0), ("-0.3", -0.3), ("", None), ("−", None)]
)
def test_elevations(written: str, meant: float | None) -> None:
    assert cells.elevation(written) == meant


def test_an_elevation_above_every_mountain_is_refused() -> None:
    with pytest.raises(CellFault):
        cells.elevation("3900")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("00012", "00012"), ("１２", "12"), ("12.0", "12"), ("A-7", "A-7"), (12488, "12488"), ("", None)],
)
def test_ids_are_text(written: Any, meant: str | None) -> None:
    assert cells.identifier(written) == meant


@pytest.mark.parametrize("written", ["1\n2", "x" * 201])
def test_what_cannot_be_an_id_is_refused(written: str) -> None:
    with pytest.raises(CellFault):
        cells.identifier(written)


def test_text_keeps_its_lines_and_loses_outer_spaces() -> None:
    assert cells.text("\u3000大雨：2階以上\r\n津波：2階以上 ") == "大雨：2階以上\n津波：2階以上"
    assert cells.text("－") is None
    assert cells.text(3.0) == "3"


@pytest.mark.parametrize("written", ["a\x00b", "\ud800x", "x\x1by", True, ["x"], {"a": 1}])
def test_text_that_no_store_or_page_can_carry_is_refused(written: Any) -> None:
    with pytest.raises(CellFault):
        cells.text(written)
