"""Postcodes are understood as people write them."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from geo import postcodes
from geo.postcodes import Postcode


@pytest.mark.parametrize(
    "written", ["984-0032", "9840032", "〒984-0032", "〒 ９８４－００３２", "984‐0032", "984ー0032"]
)
def test_seven_digits_however_written(written: str) -> None:
    assert postcodes.digits(written) == "9840032"


@pytest.mark.parametrize("written", ["", "984", "984-003", "984-00322", "98A-0032", "若林区"])
def test_what_is_no_postcode_is_none(written: str) -> None:
    assert postcodes.digits(written) is None


def test_entries_come_in_a_stable_order(session: Session) -> None:
    for town, kana in (("乙", "オツ"), ("甲", "コウ"), ("丙", "ヘイ")):
        session.add(Postcode(postcode="9840001", municipality_code="04103", town=town, town_kana=kana))
    session.flush()
    assert [one.town for one in postcodes.entries(session, "9840001")] == ["乙", "甲", "丙"]
    assert postcodes.entries(session, "9840002") == []
