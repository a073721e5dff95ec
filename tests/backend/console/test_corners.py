"""A list of corners says exactly the polygon it came from, however people write coordinates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.console.corners import CornersError, corners_of, polygon_of

corner = st.tuples(st.integers(20_000_000, 46_000_000), st.integers(122_000_000, 154_000_000)).map(
    lambda at: [at[1] / 1e6, at[0] / 1e6]
)
rings = st.lists(corner, min_size=3, max_size=8, unique_by=tuple).map(lambda ring: [*ring, ring[0]])


@settings(max_examples=50)
@given(st.lists(rings, min_size=1, max_size=3))
def test_what_is_read_aloud_is_what_was_drawn(drawn: list[list[list[float]]]) -> None:
    one = {"type": "Polygon", "coordinates": drawn[:1]}
    several = {"type": "MultiPolygon", "coordinates": [[ring] for ring in drawn]}
    for polygon in (one, several) if len(drawn) > 1 else (one,):
        written = corners_of(polygon)
        assert written is not None
        assert polygon_of(written) == polygon


@pytest.mark.parametrize(
    "line", ["38.2,140.9", "38.2 140.9", " (38.2, 140.9) ", "３８．２、１４０．９", "38.2,\t140.9"]
)
def test_corners_are_read_as_people_write_them(line: str) -> None:
    assert polygon_of(f"{line}\n38.3,140.9\n38.3,141\n")["coordinates"][0][0] == [140.9, 38.2]  # type: ignore[index]


@pytest.mark.parametrize("line", ["38.2", "here", "38.2,140.9,0", "38.2;140.9", "1e3,2", "nan,nan", "38.2,140.9°"])
def test_what_is_no_corner_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(CornersError, match="2行目"):
        polygon_of(f"38.2,140.9\n{line}")


def test_nothing_is_nothing_and_holes_cannot_be_said() -> None:
    assert polygon_of(" \n\n") is None
    assert corners_of(None) == ""
    ring = [[140.9, 38.2], [141.0, 38.2], [141.0, 38.3], [140.9, 38.2]]
    assert corners_of({"type": "Polygon", "coordinates": [ring, ring]}) is None
