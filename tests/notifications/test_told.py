"""Who was told what, kept as bitmaps, against a plain set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from database import transaction
from notifications import messages, told
from notifications.audiences import Audience
from tests.notifications.builders import HOUR, NOW, make_device, make_message

# Few ids, on both sides of the borders of blocks, so that duplicates and neighbours are common.
ids = st.integers(0, 3).flatmap(lambda block: st.sampled_from([0, 1, 7, 8, 4094, 4095]).map(lambda n: block * 4096 + n))
step = st.tuples(st.sampled_from(["mark", "mark", "unmark"]), st.lists(ids, max_size=12))


def _array(device_ids):
    return np.array(device_ids, dtype=np.int64)


def test_everybody_is_marked_exactly_once_in_the_order_given(session):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(step, max_size=8))
    def check(steps):
        message = make_message(session, Audience())
        model: set[int] = set()
        for action, device_ids in steps:
            if action == "mark":
                expected = [one for one in dict.fromkeys(device_ids) if one not in model]
                assert told.mark(session, message.id, _array(device_ids)).tolist() == expected
                model |= set(device_ids)
            else:
                known = [one for one in device_ids if one in model]
                told.unmark(session, message.id, _array(known))
                model -= set(known)
            assert list(told.everybody(session, message.id)) == sorted(model)
            assert told.count(session, message.id) == len(model)
            assert all(told.was_told(session, message.id, one) == (one in model) for one in device_ids)

    check()


def test_marks_of_one_message_are_nobody_elses(session):
    first, second = make_message(session, Audience()), make_message(session, Audience())
    told.mark(session, first.id, _array([5, 9000]))
    assert told.mark(session, second.id, _array([9000])).tolist() == [9000]
    assert list(told.everybody(session, first.id)) == [5, 9000]
    told.unmark(session, second.id, _array([9000]))
    assert told.was_told(session, first.id, 9000)


def test_taking_back_a_mark_that_was_never_made_changes_nothing(session):
    message = make_message(session, Audience())
    told.mark(session, message.id, _array([5]))
    told.unmark(session, message.id, _array([6, 9000]))
    assert list(told.everybody(session, message.id)) == [5]


def test_those_told_any_of_several_messages_are_found_block_by_block(session):
    first, second = make_message(session, Audience()), make_message(session, Audience())
    told.mark(session, first.id, _array([1, 4096, 20_000]))
    told.mark(session, second.id, _array([2, 4096]))
    both = [first.id, second.id]
    assert told.blocks(session, both, -1, 1) == [0]
    assert told.blocks(session, both, 0, 10) == [1, 4]
    assert told.in_block(session, both, 0).tolist() == [1, 2]
    assert told.in_block(session, both, 1).tolist() == [4096]
    assert told.in_block(session, both, 3).tolist() == []


def test_an_inbox_is_read_from_the_marks_newest_first_and_bounded(session):
    device, neighbour = make_device(session), make_device(session)
    said = [make_message(session, Audience(), NOW + number * HOUR) for number in range(4)]
    for message in said:
        told.mark(session, message.id, _array([device.id]))
    told.mark(session, said[0].id, _array([neighbour.id]))
    told.unmark(session, said[1].id, _array([device.id]))
    assert told.messages_of(session, device.id, 50) == [said[3].id, said[2].id, said[0].id]
    assert told.messages_of(session, device.id, 2) == [said[3].id, said[2].id]
    assert messages.inbox(session, device.id, NOW + HOUR) == [said[3], said[2]]
    assert messages.inbox(session, neighbour.id, NOW) == [said[0]]
    assert messages.inbox(session, neighbour.id + 1, NOW) == []


@pytest.mark.parametrize("commits", [True, False])
def test_a_mark_lives_and_dies_with_its_transaction(engine, commits):
    with transaction(engine) as session:
        message = make_message(session, Audience())
    with Session(engine) as session:
        told.mark(session, message.id, _array([3, 5000]))
        if commits:
            session.commit()
    with transaction(engine, "read") as session:
        assert list(told.everybody(session, message.id)) == ([3, 5000] if commits else [])
