"""Messages: said once, frozen, in their rank, never over before they begin."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import transaction
from notifications import messages
from notifications.audiences import Audience
from notifications.messages import Kind, Lane, Message, Saying
from tests.notifications.builders import HOUR, NOW, SECOND, TEXTS, make_message, overlapping


def _saying(**changes):
    plain = {
        "origin": "notice:1", "thread": "t" * 22, "kind": Kind.NOTICE, "lane": Lane.NOTICE, "texts": TEXTS, "link": "x",
        "reason": "topic:x", "audience": Audience(everyone=True), "expires_at": NOW + HOUR,
    }  # fmt: skip
    return Saying(**(plain | changes))


def test_the_same_origin_is_said_once_and_the_first_stays_as_it_was(session):
    first = messages.post(session, _saying(), NOW)
    again = messages.post(session, _saying(texts={"ja": {"title": "別", "body": "別"}}, kind=Kind.TEST), NOW + SECOND)
    assert again is first
    assert (first.texts, first.kind, first.created_at) == (TEXTS, "notice", NOW)
    assert messages.post(session, _saying(origin="notice:2"), NOW).id != first.id
    assert messages.by_origin(session, "notice:1") is first
    assert messages.by_public_id(session, first.public_id) is first
    assert (messages.by_origin(session, "x"), messages.by_public_id(session, "x")) == (None, None)


def test_two_who_say_the_same_at_once_say_it_once(engine):
    one, two = overlapping(
        engine,
        lambda session: messages.post(session, _saying(), NOW).id,
        lambda session: messages.post(session, _saying(), NOW).id,
    )
    assert one == two
    with transaction(engine, "read") as session:
        assert len(session.scalars(sa.select(Message.id)).all()) == 1


def test_its_public_id_follows_from_its_origin(session):
    """So that a phone recognises a message that a restored server says again."""
    message = messages.post(session, _saying(), NOW)
    assert len(message.public_id) == 22
    assert message.public_id == _saying().row(NOW)["public_id"] != _saying(origin="notice:2").row(NOW)["public_id"]


@pytest.mark.parametrize(
    ("expires_at", "not_before"),
    [(NOW, None), (NOW - HOUR, None), (NOW + HOUR, NOW + HOUR), (NOW + HOUR, NOW + 2 * HOUR)],
)
def test_what_would_be_over_before_it_begins_is_refused(session, expires_at, not_before):
    with pytest.raises(ValueError, match="before it begins"):
        messages.post(session, _saying(expires_at=expires_at, not_before=not_before), NOW)
    assert messages.by_origin(session, "notice:1") is None


def test_a_beginning_that_passed_means_now(session):
    message = messages.post(session, _saying(not_before=NOW - HOUR), NOW)
    assert (message.not_before, message.plan_due_at) == (NOW, NOW)


def test_lanes_come_first_then_the_higher_level():
    order = [
        (Lane.EVACUATION, None), (Lane.EVACUATION, 4), (Lane.EVACUATION, 3), (Lane.LIFTING, 5), (Lane.LIFTING, 3),
        (Lane.TEST, None), (Lane.DRILL, 5), (Lane.DRILL, 3), (Lane.NOTICE, None), (Lane.REMINDER, None),
    ]  # fmt: skip
    ranks = [messages.rank(lane, level) for lane, level in order]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert messages.rank(Lane.EVACUATION, None) == messages.rank(Lane.EVACUATION, 5) == 0


def test_a_lineage_is_told_from_its_beginning(session):
    said = [make_message(session, Audience(), NOW + number * HOUR, thread="a" * 22) for number in range(3)]
    make_message(session, Audience(), thread="b" * 22)
    assert messages.of_thread(session, "a" * 22) == said


def test_withdrawing_stops_planning_but_rewrites_no_history(session):
    waiting, done = make_message(session, Audience()), make_message(session, Audience())
    done.planning = "done"
    session.flush()
    messages.withdraw(session, [waiting.id, done.id])
    session.expire_all()
    assert (waiting.planning, done.planning) == ("withdrawn", "done")
    messages.withdraw(session, [])
