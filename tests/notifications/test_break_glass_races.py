"""A lone release, an edit and a second lone release at once, on both stores: what was seen is sent, a code once."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from content.editors import Editor
from content.workflow import NotAllowed
from database import transaction
from notifications import drafting, reviews
from notifications.alerts import Alert, State
from notifications.dispatch import incidents, paging
from notifications.drafting import Conflict
from notifications.messages import Message
from notifications.reviews import Verdict
from tests.notifications.builders import CITY, HOUR, INSIDE, NOW, make_device, make_people, overlapping, spec
from tests.notifications.test_break_glass import break_glass, code_at, give_factor, own


def _ready(engine: Engine) -> tuple[str, int]:
    with transaction(engine) as session:
        people = make_people(session)
        give_factor(session, people.duty)
        make_device(session, INSIDE)
        alert, seen = own(session, people)
        return seen, alert.version


def _duty(session: Session) -> Editor:
    return session.scalars(sa.select(Editor).where(Editor.name == "duty")).one()


def _alert(session: Session) -> Alert:
    return session.scalars(sa.select(Alert)).one()


def test_of_an_edit_and_a_lone_release_the_first_wins(engine: Engine) -> None:
    seen, version = _ready(engine)

    def edit(session: Session) -> None:
        own_words = spec(NOW, level=5, area_names={"ja": "ほかの場所"})
        drafting.edit(
            session, _alert(session), own_words, actor=_duty(session), version=version, now=NOW, city=CITY
        )  # fmt: skip

    with pytest.raises((NotAllowed, Conflict)):
        overlapping(engine, edit, lambda session: break_glass(session, _alert(session), _duty(session), seen))
    with transaction(engine, "read") as session:
        assert _alert(session).state == State.DRAFT
        assert not reviews.waiting(session)
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 0


def test_of_a_lone_release_and_an_edit_what_was_seen_is_sent(engine: Engine) -> None:
    seen, version = _ready(engine)

    def edit(session: Session) -> None:
        own_words = spec(NOW, level=5, area_names={"ja": "ほかの場所"})
        drafting.edit(
            session, _alert(session), own_words, actor=_duty(session), version=version, now=NOW, city=CITY
        )  # fmt: skip

    with pytest.raises((NotAllowed, Conflict)):
        overlapping(engine, lambda session: break_glass(session, _alert(session), _duty(session), seen), edit)
    with transaction(engine, "read") as session:
        assert _alert(session).state == State.LIVE
        (review,) = reviews.waiting(session)
        assert review.content_hash == seen
        assert reviews.untouched(session, review)


def test_one_code_given_twice_at_once_releases_one(engine: Engine) -> None:
    with transaction(engine) as session:
        people = make_people(session)
        give_factor(session, people.duty)
        make_device(session, INSIDE)
        ready = [(alert.id, seen) for alert, seen in (own(session, people), own(session, people))]

    def release(number: int):  # type: ignore[no-untyped-def]
        alert_id, seen = ready[number]
        return lambda session: break_glass(session, session.get_one(Alert, alert_id), _duty(session), seen)

    with pytest.raises(NotAllowed) as told:
        overlapping(engine, release(0), release(1))
    assert told.value.code == "second_factor"
    with transaction(engine, "read") as session:
        assert [review.alert_id for review in reviews.waiting(session)] == [ready[0][0]]
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1


def test_each_overdue_review_calls_the_operator_and_a_signature_ends_only_its_own_incident(engine: Engine) -> None:
    soon, late = NOW + dt.timedelta(minutes=1), NOW + 24 * HOUR
    later = late + dt.timedelta(minutes=1)
    with transaction(engine) as session:
        people = make_people(session)
        give_factor(session, people.duty)
        (first, seen), (second, also) = own(session, people), own(session, people)
        break_glass(session, first, people.duty, seen)
        break_glass(session, second, people.duty, also, code=code_at(soon), now=soon)
        assert reviews.call(session, late) == 1
    assert [paging.page(engine, None, late) for _ in range(2)] == [True, False]
    with transaction(engine) as session:
        assert [reviews.call(session, later) for _ in range(2)] == [2, 2]
        assert [one.subject for one in incidents.open_ones(session)] == [first.public_id, second.public_id]
    assert [paging.page(engine, None, later) for _ in range(2)] == [True, False]
    with transaction(engine) as session:
        people.other = session.merge(people.other)
        reviews.sign(
            session, reviews.waiting(session)[0], actor=people.other, verdict=Verdict.RIGHT, note="妥当", now=later
        )
        assert [one.subject for one in incidents.open_ones(session)] == [second.public_id]
        assert [reviews.call(session, later), len(incidents.open_ones(session))] == [1, 1]
