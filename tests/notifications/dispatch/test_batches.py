"""Batches: cut, claimed in order, fenced, healed, withdrawn."""

from __future__ import annotations

import datetime as dt
import threading

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from database import transaction
from notifications.audiences import Audience
from notifications.channels.promise import Outcome
from notifications.dispatch import batches, claims
from notifications.dispatch.batches import Batch
from notifications.dispatch.groups import Group
from tests.notifications.builders import MINUTE, NOW, SECOND, make_message

LEASE = dt.timedelta(seconds=30)


def _group(session, message):
    group = Group(message_id=message.id, key="k", language="ja", platform="ios", place=None, shelters=None)
    session.add(group)
    session.flush()
    return group.id


def _batch(session, phones=3, rank=50, now=NOW, outcome=Outcome.PENDING, message=None):
    message = message or make_message(session, Audience())
    group = session.scalar(sa.select(Group.id).where(Group.message_id == message.id)) or _group(session, message)
    batches.append(session, message.id, rank, range(1, phones + 1), [group] * phones, [outcome] * phones, now)
    return message


def _claim(session, owner="one", now=NOW):
    return claims.claim(session, owner, now, LEASE)


def test_recipients_are_cut_into_at_most_five_hundred_in_their_order(session):
    message = make_message(session, Audience())
    group = _group(session, message)
    ids = list(range(2000, 799, -1))
    assert batches.append(session, message.id, 5, ids, [group] * 1201, [Outcome.PENDING] * 1201, NOW) == 3
    held = [_claim(session) for _ in range(3)]
    assert [len(one.device_ids) for one in held] == [500, 500, 201]
    assert np.concatenate([one.device_ids for one in held]).tolist() == ids
    assert {len(one.tries) for one in held} | {len(one.outcomes) for one in held} == {500, 201}
    assert _claim(session) is None


def test_the_most_urgent_is_claimed_first_then_the_oldest(session):
    for rank in (52, 11, 0, 52, 0):
        _batch(session, rank=rank)
    assert claims.most_urgent(session, NOW) == 0
    assert [_claim(session).id for _ in range(5)] == [3, 5, 2, 1, 4]
    assert claims.most_urgent(session, NOW) is None


def test_what_waits_for_later_or_is_done_is_not_claimed(session):
    _batch(session, now=NOW + SECOND)
    _batch(session, outcome=Outcome.NO_TOKEN)
    assert _claim(session) is None
    assert _claim(session, now=NOW + SECOND).id == 1


def test_a_lease_that_ran_out_is_healed_by_the_next_worker(session):
    _batch(session)
    first = _claim(session)
    assert _claim(session, "two", NOW + LEASE) is None
    second = _claim(session, "two", NOW + LEASE + SECOND)
    assert (second.id, second.fence, second.attempts, second.reclaimed) == (first.id, 2, 2, True)
    assert (first.fence, first.attempts, first.reclaimed) == (1, 1, False)


def test_saving_renews_the_lease(session):
    _batch(session)
    held = _claim(session)
    assert claims.save(session, [held], NOW + 20 * SECOND, LEASE)[held.id].held
    assert _claim(session, "two", NOW + LEASE + SECOND) is None


def test_nobody_takes_a_batch_from_itself_that_it_still_works_at(session):
    """On a machine so slow that leases run out, the steps would begin again and again."""
    _batch(session)
    held = _claim(session)
    late = NOW + 2 * LEASE
    assert claims.claim_some(session, "me", late, LEASE, 5, in_hand=[held.id]) == []
    assert claims.save(session, [held], late, LEASE)[held.id].held, "and nobody else took it"
    assert [one.id for one in claims.claim_some(session, "another", late + 2 * LEASE, LEASE, 5)] == [held.id]


@pytest.mark.parametrize("write", ["save", "release", "stop", "close"])
def test_a_worker_that_lost_its_lease_writes_nothing(session, write):
    _batch(session)
    loser = _claim(session)
    winner = _claim(session, "two", NOW + MINUTE)
    loser.outcomes[:] = Outcome.FAILED
    loser.tries[:] = 9
    before = session.execute(sa.select(Batch.__table__)).all()
    call = {
        "save": lambda: claims.save(session, [loser], NOW, LEASE)[loser.id],
        "release": lambda: claims.release(session, loser, NOW, NOW),
        "stop": lambda: claims.stop(session, loser, NOW),
        "close": lambda: claims.close(session, loser, NOW),
    }[write]
    assert call().held is False
    assert session.execute(sa.select(Batch.__table__)).all() == before
    winner.outcomes[:] = Outcome.ACCEPTED
    assert claims.close(session, winner, NOW).held is True
    assert claims.close(session, winner, NOW).held is False, "closed is closed"


def test_withdrawing_reaches_what_is_ready_leased_and_stopped_and_nothing_else(session):
    message = _batch(session, rank=7)
    leased = _claim(session)
    _batch(session, rank=7, message=message)
    stopped = _claim(session)
    claims.stop(session, stopped, NOW)
    _batch(session, rank=7, message=message, now=NOW + MINUTE)
    _batch(session, rank=7, message=message, outcome=Outcome.NO_TOKEN)
    other = _batch(session, rank=0)
    batches.withdraw(session, [message.id])
    rows = session.execute(sa.select(Batch.state, Batch.withdrawn, Batch.rank).order_by(Batch.id)).all()
    assert rows == [
        ("leased", True, 7), ("ready", True, -1), ("ready", True, -1), ("closed", False, 7), ("ready", False, 0),
    ]  # fmt: skip
    assert batches.open_ones(session, [message.id]) == 3
    assert batches.open_ones(session, [message.id, other.id]) == 4
    assert claims.save(session, [leased], NOW, LEASE)[leased.id] == claims.Standing(held=True, withdrawn=True)
    assert [_claim(session, now=NOW + MINUTE).withdrawn for _ in range(3)] == [True, True, False]


def test_outcomes_are_counted_over_all_batches_of_a_message(session):
    message = _batch(session, phones=2)
    _batch(session, phones=3, message=message, outcome=Outcome.NO_TOKEN)
    _batch(session, phones=4)
    assert batches.outcomes_of(session, message.id) == {Outcome.PENDING: 2, Outcome.NO_TOKEN: 3}
    assert batches.outcomes_of(session, 999) == {}


def test_workers_at_once_never_get_the_same_batch(engine):
    with transaction(engine) as session:
        for _ in range(24):
            _batch(session)
    got, barrier, failures = [], threading.Barrier(4, timeout=30), []

    def work(name):
        try:
            barrier.wait()
            while True:
                with transaction(engine) as session:
                    held = _claim(session, name)
                if held is None:
                    return
                got.append(held.id)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(got) == list(range(1, 25))


def test_a_claim_skips_what_another_one_is_claiming(engine):
    """On PostgreSQL two claims go on side by side; SQLite has one writer."""
    if engine.dialect.name != "postgresql":
        with transaction(engine) as session:
            _batch(session)
            assert _claim(session).id == 1
        return
    with transaction(engine) as session:
        _batch(session)
        _batch(session)
    with Session(engine) as one, Session(engine) as two, Session(engine) as three:
        assert (_claim(one).id, _claim(two).id, _claim(three)) == (1, 2, None)
        one.rollback()
        two.commit()
        assert _claim(three).id == 1


def test_on_postgresql_leases_run_by_the_stores_own_clock(engine, store_clock):
    """Machines of a fleet may disagree about the time; the store decides. SQLite is one machine."""
    with transaction(engine) as session:
        _batch(session, now=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    wrong = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)  # this machine's clock is years behind
    with transaction(engine) as session:
        before = session.execute(sa.select(sa.func.current_timestamp())).scalar_one()
        assert _claim(session, now=wrong).id == 1
        until = session.scalars(sa.select(Batch.lease_until)).one()
    if engine.dialect.name == "postgresql":
        assert dt.timedelta(0) <= until - before - LEASE < dt.timedelta(seconds=60)
        with transaction(engine) as session:
            assert _claim(session, "two", dt.datetime(2099, 1, 1, tzinfo=dt.UTC)) is None
    else:
        assert until == wrong + LEASE
