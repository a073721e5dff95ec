"""Columns give back each site as it was put in, in the order of the numbers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.sites import Crowding, SiteKind, SiteStatus
from geo.snapshot import SiteRecord, Snapshot

texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
moments = st.one_of(st.none(), st.datetimes(timezones=st.just(dt.UTC)))
records = st.builds(
    SiteRecord,
    id=st.integers(1, 2**53),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    kind=st.sampled_from(SiteKind),
    lat=st.floats(20, 46),
    lon=st.floats(122, 154),
    hazards=st.integers(0, 255),
    status=st.sampled_from(SiteStatus),
    crowding=st.one_of(st.none(), st.sampled_from(Crowding)),
    status_at=moments,
    status_note=texts,
    capacity=st.one_of(st.none(), st.integers(0, 10**6)),
    note=texts,
    name_en=texts,
    also_shelter=st.booleans(),
    elevation_m=st.one_of(st.none(), st.floats(-10, 4000)),
    as_of=st.one_of(st.none(), st.dates()),
)


@given(st.lists(records, max_size=8, unique_by=lambda record: record.id))
@settings(max_examples=60)
def test_each_row_comes_back_as_it_was_put_in(rows: list[SiteRecord]) -> None:
    snapshot = Snapshot(rows)
    assert len(snapshot) == len(rows)
    assert [snapshot.record(row) for row in range(len(rows))] == sorted(rows, key=lambda record: record.id)
    assert snapshot.latest_status_at() == max((row.status_at for row in rows if row.status_at), default=None)


def test_plain_words_of_a_stored_row_become_kinds_and_states() -> None:
    """A row that went through JSON has words, not members."""
    plain = SiteRecord(1, "見本", SiteKind.SHELTER, 38.2, 140.9, status=SiteStatus.OPEN, crowding=Crowding.FULL)
    words = json.loads(json.dumps(dataclasses.asdict(plain)))
    snapshot = Snapshot([SiteRecord(**words)])
    assert snapshot.record(0) == plain
    assert type(snapshot.record(0).status) is SiteStatus
    assert snapshot.having("status", (SiteStatus.OPEN,)).tolist() == [True]


def test_a_word_that_is_no_state_is_refused() -> None:
    wrong = dataclasses.replace(SiteRecord(1, "", SiteKind.SHELTER, 38.2, 140.9), status="ajar")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ajar"):
        Snapshot([wrong]).record(0)
