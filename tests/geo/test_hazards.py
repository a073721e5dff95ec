"""The eight kinds of hazard keep their order, their bits and their official names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geo.hazards import Hazard, hazards_in, mask_of


def test_bits_follow_the_published_order_of_columns() -> None:
    """Stored masks depend on it: it must never change."""
    assert [(hazard.value, hazard.bit, hazard.ja) for hazard in Hazard] == [
        ("flood", 1, "洪水"),
        ("landslide", 2, "崖崩れ、土石流及び地滑り"),
        ("storm_surge", 4, "高潮"),
        ("earthquake", 8, "地震"),
        ("tsunami", 16, "津波"),
        ("fire", 32, "大規模な火事"),
        ("inland_flood", 64, "内水氾濫"),
        ("volcano", 128, "火山現象"),
    ]


@given(st.lists(st.sampled_from(Hazard)))
def test_a_mask_holds_each_hazard_once_in_the_published_order(hazards: list[Hazard]) -> None:
    assert hazards_in(mask_of(hazards)) == tuple(hazard for hazard in Hazard if hazard in hazards)


def test_bits_of_no_hazard_are_passed_over() -> None:
    assert hazards_in(0) == ()
    assert hazards_in(256 | Hazard.FIRE.bit) == (Hazard.FIRE,)
