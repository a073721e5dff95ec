"""A cursor comes back as it went out, and a made-up one is refused clearly."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.api import cursor
from backend.errors import Problem

KEYS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40)
IDS = st.integers(-(2**63) + 1, 2**63 - 1)


@settings(max_examples=50)
@given(KEYS, IDS)
def test_what_was_encoded_is_decoded(name: str, number: int) -> None:
    assert cursor.decode(cursor.encode(name, number), str, int) == (name, number)


def test_the_first_page_has_no_cursor() -> None:
    assert cursor.decode(None, int) is None


@pytest.mark.parametrize(
    "made_up",
    [
        "",
        "x",
        "…",
        "a" * 500,
        cursor.encode("name"),  # another list's
        cursor.encode(1, 2),
        base64.urlsafe_b64encode(b"[true]").decode(),
        base64.urlsafe_b64encode(b"[99999999999999999999]").decode(),
        base64.urlsafe_b64encode(b"[9223372036854775808]").decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
def test_a_made_up_cursor_is_a_clear_refusal(made_up: str) -> None:
    with pytest.raises(Problem) as refused:
        cursor.decode(made_up, int)
    assert refused.value.status == 400
    assert refused.value.slug == "bad-cursor"


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_nothing_that_is_sent_breaks_it(made_up: str) -> None:
    try:
        decoded = cursor.decode(made_up, str)
    except Problem:
        return
    assert decoded is not None
    assert isinstance(decoded[0], str)


def test_a_page_names_the_next_only_when_more_follows() -> None:
    assert cursor.page([1, 2, 3], 3, 3) == {"items": [1, 2, 3], "next": None}
    first = cursor.page([1, 2, 3, 4], 3, 3)
    assert first["items"] == [1, 2, 3]
    assert cursor.decode(first["next"], int) == (3,)
