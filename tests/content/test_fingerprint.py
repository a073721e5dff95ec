"""The hash that approvals are bound to."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.fingerprint import content_hash

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))).map(
        lambda key: unicodedata.normalize("NFC", key)), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(plain)
def test_a_trip_through_json_does_not_change_the_hash(value):
    assert content_hash({"v": value}) == content_hash(json.loads(json.dumps({"v": value})))


def test_the_order_of_members_does_not_matter_and_that_of_items_does():
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert content_hash({"b": [1, 2]}) != content_hash({"b": [2, 1]})


def test_equal_numbers_are_spelt_equally():
    assert content_hash({"v": 1}) == content_hash({"v": 1.0})
    assert content_hash({"v": 0}) == content_hash({"v": -0.0})
    assert content_hash({"v": 0.1}) != content_hash({"v": 0.1 + 1e-16})
    assert content_hash({"v": 1}) != content_hash({"v": True})
    assert content_hash({"v": 1}) != content_hash({"v": "1"})


def test_one_text_typed_on_two_systems_is_one_text():
    assert content_hash({"v": "がけ"}) == content_hash({"v": "か\u3099け"})
    assert content_hash({"v": "がけ"}) != content_hash({"v": "かけ"})


def test_one_moment_in_two_zones_is_one_moment():
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert content_hash({"at": dt.datetime(2026, 11, 21, 15, tzinfo=tokyo)}) == content_hash(
        {"at": dt.datetime(2026, 11, 21, 6, tzinfo=dt.UTC)}
    )


def test_a_day_is_no_moment():
    day = dt.date(2026, 11, 21)
    assert content_hash({"at": day}) == content_hash({"at": "2026-11-21"})
    assert content_hash({"at": day}) != content_hash({"at": dt.datetime(2026, 11, 21, tzinfo=dt.UTC)})


def test_the_hash_is_the_same_for_ever():
    """Approvals and steps are kept for years: a change here would orphan them."""
    content = {"level": 4, "texts": {"ja": "避難指示"}, "drill": False, "at": dt.datetime(2026, 11, 21, tzinfo=dt.UTC)}
    assert content_hash(content) == "27a281f6bbe1c36c249ae9f568b3cd15b919844ef3180599d1cf8b0643dd1f42"


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), dt.datetime(2026, 1, 1), {1, 2}, b"x", {1: "a"}, {"か\u3099": 1, "が": 2}, object()],  # noqa: DTZ001
)
def test_what_has_no_canonical_spelling_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        content_hash({"v": value})
