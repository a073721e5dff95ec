"""Codes that spreadsheets hurt are mended, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.municipality import (
    DESIGNATED_CITIES,
    PREFECTURES,
    MunicipalityError,
    check_digit,
    designated_city_of,
    five_digits,
    prefecture_of,
    six_digits,
)

CODES = st.tuples(st.integers(1, 47), st.just(0) | st.integers(100, 999)).map(
    lambda pair: f"{pair[0]:02d}{pair[1]:03d}"
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("092011", "092011"),
        ("92011", "092011"),  # 宇都宮市 without its leading zero, as it is published
        ("９２０１１", "092011"),
        (" 041009 ", "041009"),
        ("41009", "041009"),
        ("04103", "041033"),  # without its check digit
        ("4103", "041033"),
        ("372013", "372013"),
        ("37201", "372013"),
        ("372013.0", "372013"),
        ("37", "370002"),
        ("4", "040002"),
    ],
)
def test_a_code_is_read_as_it_was_meant(written: str, meant: str) -> None:
    assert six_digits(written) == meant
    assert five_digits(written) == meant[:5]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("092012", "wrong_check_digit"),
        ("990000", "not_a_code"),
        ("000000", "not_a_code"),
        ("abc", "not_a_code"),
        ("", "not_a_code"),
        ("0410091", "not_a_code"),
        ("4-1009", "not_a_code"),
        ("040019", "not_a_code"),  # no municipality has a number below 100
    ],
)
def test_what_is_no_code_is_refused(written: str, code: str) -> None:
    with pytest.raises(MunicipalityError) as refused:
        six_digits(written)
    assert refused.value.code == code


@given(CODES)
def test_a_full_code_is_itself_and_its_five_digits_are_found_again(five: str) -> None:
    six = five + check_digit(five)
    assert six_digits(six) == six
    assert six_digits(five, PREFECTURES[int(five[:2]) - 1]) == six


def test_five_digits_with_two_readings_need_the_prefecture() -> None:
    both = next(  # valid without its check digit, and valid with it when a zero is put before
        f"{number:05d}"
        for number in range(11100, 47999)
        if check_digit(f"0{number}"[:5]) == f"{number}"[-1] and f"{number}"[1] != "0" and f"{number}"[2] != "0"
    )
    with pytest.raises(MunicipalityError) as refused:
        six_digits(both)
    assert refused.value.code == "ambiguous_code"
    assert six_digits(both, PREFECTURES[int(both[:2]) - 1] + "見本町") == both + check_digit(both)
    assert six_digits(both, PREFECTURES[int(both[:1]) - 1]) == f"0{both}"


def test_wards_belong_to_their_designated_city() -> None:
    cities = {"04103": "仙台市", "14118": "横浜市", "14131": "川崎市", "14153": "相模原市", "40109": "北九州市"}
    cities |= {"40131": "福岡市", "27147": "堺市", "22138": "浜松市"}
    for ward, name in cities.items():
        found = designated_city_of(ward)
        assert found is not None
        assert found[1] == name
    assert designated_city_of("13101") is None  # 東京の特別区
    assert designated_city_of("04202") is None
    assert all(check_digit(code) in "0123456789" for code, _, _ in DESIGNATED_CITIES)


def test_prefectures_are_read_from_the_beginning_of_an_address() -> None:
    assert len(PREFECTURES) == 47
    assert prefecture_of("宮城県仙台市") == "04"
    assert prefecture_of("京都府") == "26"
    assert prefecture_of("仙台市宮城県") is None
