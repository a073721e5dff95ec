"""Progress: how far the sending of a message, of a thread or of a batch has come, and how fast it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from notifications import receipts, told
from notifications.channels.promise import Outcome
from notifications.dispatch import summaries, tally
from notifications.dispatch.batches import Batch, BatchState
from notifications.dispatch.tally import LONGEST, Tally
from notifications.messages import Message, Planning
from notifications.receipts import Heard

RATE_OVER_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where recipients stand. Each is in exactly one of the counts from `waiting` to `held`."""

    planned: int  # in batches
    handed_over: int  # at least once
    waiting: int
    retrying: int
    accepted: int
    unknown: int
    unregistered: int
    invalid: int
    mismatch: int
    failed: int
    expired: int
    gone: int
    no_token: int
    withdrawn: int
    held: int
    batches: dict[str, int]  # by state
    finished: bool  # planned to the end, and nothing is on its way
    rate_per_s: float | None  # answers a second over the last minute; None where it can no longer be said
    # From the moment the message might begin (an alert's approval) to the provider's acceptance.
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    first_handed_at: dt.datetime | None
    last_answer_at: dt.datetime | None

    @property
    def dead(self) -> int:
        """Recipients whose token the provider calls unusable."""
        return self.unregistered + self.invalid + self.mismatch


@dataclass(frozen=True, slots=True)
class MessageProgress:
    """A message, how many devices are marked as told, how its sending went and what phones said of it."""

    message: Message
    told: int
    sending: Progress
    heard: Heard
    archived: bool  # only sums are left


def of_message(session: Session, message: Message, now: dt.datetime) -> MessageProgress:
    """The progress of one message, from its batches or from what was summed up of them."""
    return _of_message(session, message, now)[0]


def of_thread(
    session: Session, thread: Sequence[Message], now: dt.datetime
) -> tuple[Progress | None, list[MessageProgress]]:
    """The progress of all messages of a thread together (None without any), and of each, oldest first.

    A device counts once for each message. Times run from each message's own beginning.
    """
    found = [_of_message(session, message, now) for message in thread]
    if not found:
        return None, []
    total = Tally()
    for _, counted in found:
        total += counted
    each = [one for one, _ in found]
    rates = [one.sending.rate_per_s for one in each]
    lasts = [one.sending.last_answer_at for one in each if one.sending.last_answer_at is not None]
    together = _progress(
        total,
        finished=all(one.sending.finished for one in each),
        rate=None if None in rates else round(sum(rate for rate in rates if rate is not None), 1),
        last=max(lasts, default=None),
    )
    return together, each


def of_batch(batch: Batch, message: Message, now: dt.datetime) -> Progress:
    """The progress of one batch."""
    return of_tally(tally.of_batches([batch]), message, now, planned=True)


def _of_message(session: Session, message: Message, now: dt.datetime) -> tuple[MessageProgress, Tally]:
    summary = summaries.of(session, message.id)
    past = summaries.sending(summary) if summary is not None else None
    counted = past if past is not None else tally.of_message(session, message.id)
    said = summaries.heard(summary) if summary is not None else None
    heard = said if said is not None else receipts.heard(session, message.id, message.not_before)
    planned = message.planning in (Planning.DONE.value, Planning.WITHDRAWN.value)
    sending = of_tally(counted, message, now, planned=planned)
    return MessageProgress(message, told.count(session, message.id), sending, heard, past is not None), counted


def of_tally(counted: Tally, message: Message, now: dt.datetime, *, planned: bool) -> Progress:
    """The progress that counts of a message's recipients amount to; `planned`: no more of them come."""
    under_way = sum(number for state, number in counted.batches.items() if state != BatchState.CLOSED)
    last_s = counted.last_answer_s()
    return _progress(
        counted,
        finished=planned and not under_way,
        rate=_rate(counted, message, now) if under_way else 0.0,
        last=None if last_s is None else message.not_before + dt.timedelta(seconds=last_s),
    )


def _rate(counted: Tally, message: Message, now: dt.datetime) -> float | None:
    """Answers a second over the last minute, or since the first hand-over where that is not so long ago."""
    if counted.first_handed_at is None:
        return 0.0
    span_s = min(RATE_OVER_S, max(1.0, (now - counted.first_handed_at).total_seconds()))
    since = int(((now - message.not_before).total_seconds() - span_s) * 10)
    # Later than can be stored, all answers look alike.
    return round(counted.answered_since(since) / span_s, 1) if since < LONGEST else None


def _progress(counted: Tally, *, finished: bool, rate: float | None, last: dt.datetime | None) -> Progress:
    return Progress(
        planned=counted.recipients,
        handed_over=counted.handed_over,
        waiting=counted.count(Outcome.PENDING),
        retrying=counted.count(Outcome.RETRY),
        accepted=counted.count(Outcome.ACCEPTED),
        unknown=counted.count(Outcome.UNKNOWN),
        unregistered=counted.count(Outcome.UNREGISTERED),
        invalid=counted.count(Outcome.INVALID),
        mismatch=counted.count(Outcome.MISMATCH),
        failed=counted.count(Outcome.FAILED),
        expired=counted.count(Outcome.EXPIRED),
        gone=counted.count(Outcome.GONE),
        no_token=counted.count(Outcome.NO_TOKEN),
        withdrawn=counted.count(Outcome.WITHDRAWN),
        held=counted.count(Outcome.HELD),
        batches=dict(counted.batches),
        finished=finished,
        rate_per_s=rate,
        p50_s=counted.seconds(0.50),
        p95_s=counted.seconds(0.95),
        p99_s=counted.seconds(0.99),
        first_handed_at=counted.first_handed_at,
        last_answer_at=last,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one device's message: its outcome where the ledger still says it, and whether it was meant."""

    told: bool
    outcome: Outcome | None
    tries: int | None
    answered_at: dt.datetime | None
    shown_at: dt.datetime | None
    opened_at: dt.datetime | None


def of_device(session: Session, message: Message, device_id: int) -> Found:
    """What became of a message for one device: the told bitmap, then the ledger, then the device's own words."""
    meant = told.was_told(session, message.id, device_id)
    outcome, tries, answered = _in_ledger(session, message, device_id)
    said = receipts.of_device(session, message.id, device_id)
    return Found(meant, outcome, tries, answered, said.get("shown"), said.get("opened"))


def _in_ledger(
    session: Session, message: Message, device_id: int
) -> tuple[Outcome | None, int | None, dt.datetime | None]:
    columns = (Batch.device_ids, Batch.outcomes, Batch.tries, Batch.answered)
    wanted = device_id.to_bytes(8, "little", signed=True)
    # Eight bytes among packed ids; a hit across two of them is passed over.
    query = sa.select(*columns).where(Batch.message_id == message.id)
    for packed, outcomes, tries, answered in session.execute(query.execution_options(yield_per=200)):
        at = packed.find(wanted)
        while at >= 0 and at % 8:
            at = packed.find(wanted, at + 1)
        if at >= 0:
            i = at // 8
            tenths = int.from_bytes(answered[2 * i : 2 * i + 2], "little")
            moment = None if tenths > LONGEST else message.not_before + dt.timedelta(seconds=tenths / 10)
            return Outcome(outcomes[i]), tries[i], moment
    return None, None, None


NOTHING = _progress(Tally(), finished=False, rate=0.0, last=None)
