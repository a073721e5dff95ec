"""Progress: every recipient in exactly one count, times by nearest rank, the same before and after the archive."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.promise import Outcome
from notifications.dispatch import progress, summaries, tally
from notifications.dispatch.batches import NEVER, Batch, BatchState
from notifications.dispatch.tally import LONGEST, Tally
from notifications.messages import Planning
from notifications.receipts import Heard
from tests.notifications.builders import MINUTE, NOW, SECOND
from tests.notifications.dispatch.ledgers import ledger

PARTS = (
    "waiting", "retrying", "accepted", "unknown", "unregistered", "invalid", "mismatch", "failed", "expired", "gone",
    "no_token", "withdrawn", "held",
)  # fmt: skip


def test_every_outcome_has_a_count_and_together_they_are_everybody(session):
    mixed = [(outcome, 0, None) for outcome in Outcome for _ in range(outcome + 1)]
    message = ledger(session, mixed)
    sending = progress.of_message(session, message, NOW).sending
    counts = {name: getattr(sending, name) for name in PARTS}
    assert sorted(counts.values()) == list(range(1, 14))
    assert (counts["waiting"], counts["accepted"], counts["withdrawn"]) == (1, 2, 12)
    assert sending.planned == sum(counts.values()) == len(mixed)
    assert sending.dead == counts["unregistered"] + counts["invalid"] + counts["mismatch"]
    assert sending.handed_over == 0


def test_percentiles_are_of_the_accepted_only_and_by_nearest_rank(session):
    accepted = [(Outcome.ACCEPTED, 1, tenths) for tenths in range(1, 1001)]
    others = [(Outcome.UNREGISTERED, 1, 9999), (Outcome.PENDING, 0, None), (Outcome.UNKNOWN, 2, None)]
    sending = progress.of_message(session, ledger(session, accepted + others), NOW + 20 * MINUTE).sending
    assert (sending.p50_s, sending.p95_s, sending.p99_s) == (50.0, 95.0, 99.0)
    assert (sending.planned, sending.accepted, sending.handed_over) == (1003, 1000, 1002)
    assert (sending.first_handed_at, sending.last_answer_at) == (NOW + SECOND, NOW + 999.9 * SECOND)
    assert sending.batches == {"ready": 0, "leased": 0, "stopped": 0, "closed": 3}


@given(st.lists(st.integers(0, LONGEST), min_size=1, max_size=60), st.floats(0.01, 1))
@settings(max_examples=60)
def test_a_percentile_is_the_smallest_time_that_so_many_do_not_exceed(times, share):
    counted = Tally()
    counted.accepted += np.bincount(times, minlength=NEVER)
    assert counted.seconds(share) == sorted(times)[max(1, math.ceil(share * len(times))) - 1] / 10


def test_the_rate_is_of_the_last_minute_and_of_less_in_the_beginning(session):
    early = [(Outcome.ACCEPTED, 1, 100)] * 40  # ten seconds after the beginning
    late = [(Outcome.ACCEPTED, 1, 1000)] * 120  # a hundred
    waiting = [(Outcome.PENDING, 0, None)]
    message = ledger(session, early + late + waiting, state=BatchState.LEASED)

    def rate(seconds: float) -> float | None:
        return progress.of_message(session, message, NOW + seconds * SECOND).sending.rate_per_s

    assert rate(11) == pytest.approx(160 / 10), "since the first hand-over, ten seconds ago"
    assert rate(105) == 2.0
    assert rate(161) == 0.0
    assert rate(7000) is None, "beyond what can be stored nothing is claimed"


def test_nothing_is_finished_while_it_is_planned_or_on_its_way(session):
    message = ledger(session, [(Outcome.ACCEPTED, 1, 10)])
    assert progress.of_message(session, message, NOW).sending.finished
    assert progress.of_message(session, message, NOW).sending.rate_per_s == 0.0
    message.planning = Planning.LATECOMERS.value
    assert not progress.of_message(session, message, NOW).sending.finished
    for state in (BatchState.READY, BatchState.LEASED, BatchState.STOPPED):
        open_one = ledger(session, [(Outcome.RETRY, 1, 10)], state=state)
        assert not progress.of_message(session, open_one, NOW).sending.finished


def test_before_the_first_batch_there_is_nothing_but_zeros(session):
    sending = progress.of_message(session, ledger(session, []), NOW).sending
    assert {getattr(sending, name) for name in (*PARTS, "planned", "handed_over")} == {0}
    assert (sending.p50_s, sending.first_handed_at, sending.last_answer_at) == (None, None, None)


def test_a_thread_is_the_sum_of_its_messages_each_timed_from_its_own_beginning(session):
    first = ledger(session, [(Outcome.ACCEPTED, 1, 10)] * 3)
    later = NOW + 30 * MINUTE
    second = ledger(session, [(Outcome.ACCEPTED, 1, 50), (Outcome.NO_TOKEN, 0, None)], now=later)
    total, each = progress.of_thread(session, [first, second], later + MINUTE)
    assert total is not None
    assert (total.planned, total.accepted, total.no_token, total.finished) == (5, 4, 1, True)
    assert (total.p50_s, total.p99_s) == (1.0, 5.0)
    assert (total.first_handed_at, total.last_answer_at) == (NOW + SECOND, later + 5 * SECOND)
    assert [(one.message.id, one.told, one.sending.planned) for one in each] == [(first.id, 3, 3), (second.id, 2, 2)]
    assert progress.of_thread(session, [], NOW) == (None, [])


def test_a_batch_is_told_alone(session):
    message = ledger(session, [(Outcome.ACCEPTED, 1, 7)] * 500 + [(Outcome.RETRY, 2, 30)])
    last = session.scalars(sa.select(Batch).order_by(Batch.id.desc()).limit(1)).one()
    sending = progress.of_batch(last, message, NOW + MINUTE)
    assert (sending.planned, sending.retrying, sending.accepted, sending.handed_over) == (1, 1, 0, 1)


def test_the_archive_tells_the_same_as_the_ledger_did(session):
    mixed = [(Outcome.ACCEPTED, 1, tenths) for tenths in range(0, 900, 3)] + [(Outcome.GONE, 0, None)] * 7
    message = ledger(session, mixed)
    later = NOW + dt.timedelta(days=100)
    before = progress.of_message(session, message, later)
    summaries.write_sending(session, message, later)
    session.execute(sa.delete(Batch))
    summaries.write_sending(session, message, later)  # again, as after an interruption
    after = progress.of_message(session, message, later)
    assert (before.archived, after.archived) == (False, True)
    assert after.sending == before.sending
    assert after.told == before.told == len(mixed)
    assert after.heard == Heard()


@given(st.lists(st.integers(0, LONGEST), max_size=40))
@settings(max_examples=30)
def test_packed_times_come_back_as_they_were(times):
    counted = Tally()
    counted.answers += np.bincount(times, minlength=NEVER)
    counted.accepted += np.bincount(times[::2], minlength=NEVER)
    answers, accepted = Tally.unpacked_times(counted.packed_times())
    assert (answers == counted.answers).all()
    assert (accepted == counted.accepted).all()


def test_one_device_is_found_among_all_by_its_whole_id(session):
    # 256 recipients of ids that share their bytes: 1 and 256 differ only in where the one stands.
    outcomes = [(Outcome.ACCEPTED, 1, number) for number in range(1, 600)]
    message = ledger(session, outcomes)
    for device_id in (1, 255, 256, 257, 500, 501, 599):
        found = progress.of_device(session, message, device_id)
        assert (found.told, found.outcome, found.tries) == (True, Outcome.ACCEPTED, 1)
        assert found.answered_at == NOW + device_id * SECOND / 10
    nobody = progress.of_device(session, message, 600)
    assert (nobody.told, nobody.outcome, nobody.tries, nobody.answered_at) == (False, None, None, None)


def test_counts_are_read_in_chunks_and_none_is_lost(session, monkeypatch):
    monkeypatch.setattr(tally, "BATCHES_A_CHUNK", 2)
    message = ledger(session, [(Outcome.ACCEPTED, 1, 5)] * 2400)
    counted = tally.of_message(session, message.id)
    assert (counted.recipients, counted.batches["closed"], int(counted.accepted[5])) == (2400, 5, 2400)
