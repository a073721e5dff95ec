"""What the packed columns of a message's batches add up to: counts, and times until the provider's answer."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from notifications.channels.promise import Outcome
from notifications.dispatch.batches import NEVER, Batch, BatchState

Counts = NDArray[np.int64]
# Batches read at once: a quarter of a million recipients, half a megabyte.
BATCHES_A_CHUNK = 500
# Times are counted by the tenth of a second, as they are stored; the last but one tenth is "this long or longer".
LONGEST = NEVER - 1
_KINDS = 256


def _nothing(length: int) -> Counts:
    return np.zeros(length, dtype=np.int64)


@dataclass(slots=True)
class Tally:
    """Counts over batches. Two of them add up, so that a thread is the sum of its messages.

    `outcomes[o]`: recipients with that outcome; `answers[t]`, `accepted[t]`: recipients whose last answer, or whose
    acceptance, came t tenths of a second after the message might begin.
    """

    outcomes: Counts = field(default_factory=lambda: _nothing(_KINDS))
    answers: Counts = field(default_factory=lambda: _nothing(NEVER))
    accepted: Counts = field(default_factory=lambda: _nothing(NEVER))
    handed_over: int = 0
    batches: dict[str, int] = field(default_factory=lambda: {state.value: 0 for state in BatchState})
    first_handed_at: dt.datetime | None = None

    def __iadd__(self, other: Tally) -> Tally:
        self.outcomes += other.outcomes
        self.answers += other.answers
        self.accepted += other.accepted
        self.handed_over += other.handed_over
        for state, number in other.batches.items():
            self.batches[state] += number
        moments = [moment for moment in (self.first_handed_at, other.first_handed_at) if moment is not None]
        self.first_handed_at = min(moments, default=None)
        return self

    @property
    def recipients(self) -> int:
        """Everybody who is in a batch."""
        return int(self.outcomes.sum())

    def count(self, *outcomes: Outcome) -> int:
        """Recipients who came to one of these outcomes."""
        return int(self.outcomes[list(outcomes)].sum())

    def seconds(self, share: float) -> float | None:
        """Within how many seconds of approval this share (0 to 1) of the accepted had been accepted; None without any.

        The smallest stored time that does it (nearest rank), to a tenth; LONGEST stands for "this long or longer".
        """
        return nearest_rank(self.accepted, share, 10)

    def answered_since(self, tenths: int) -> int:
        """Recipients whose last answer came later than this many tenths of a second after the message might begin."""
        return int(self.answers[max(0, tenths + 1) :].sum())

    def last_answer_s(self) -> float | None:
        """When the last answer so far came, in seconds after the message might begin."""
        found = np.flatnonzero(self.answers)
        return float(found[-1]) / 10 if len(found) else None

    def packed_times(self) -> bytes:
        """`answers` and `accepted`, compressed: mostly zeros, so some hundred bytes."""
        return zlib.compress(np.concatenate([self.answers, self.accepted]).astype("<u4").tobytes(), 6)

    @staticmethod
    def unpacked_times(packed: bytes) -> tuple[Counts, Counts]:
        """What `packed_times` made."""
        both = np.frombuffer(zlib.decompress(packed), dtype="<u4").astype(np.int64)
        return both[:NEVER].copy(), both[NEVER:].copy()


def nearest_rank(histogram: Counts, share: float, steps_a_second: int) -> float | None:
    """The smallest value, in seconds, that this share of a histogram does not exceed; None when it is empty."""
    cumulated = np.cumsum(histogram)
    if len(cumulated) == 0 or cumulated[-1] == 0:
        return None
    rank = max(1, int(np.ceil(share * int(cumulated[-1]))))
    return int(np.searchsorted(cumulated, rank)) / steps_a_second


def of_message(session: Session, message_id: int) -> Tally:
    """Counts over all batches of a message: two thousand for a million recipients, read in chunks."""
    columns = (Batch.state, Batch.first_handed_at, Batch.outcomes, Batch.tries, Batch.answered)
    query = sa.select(*columns).where(Batch.message_id == message_id)
    found = Tally()
    for rows in session.execute(query.execution_options(yield_per=BATCHES_A_CHUNK)).partitions():
        _count(found, rows, None)
    return found


def of_batches(found: Iterable[Batch]) -> Tally:
    """Counts over batches that were read already."""
    tally = Tally()
    _count(tally, [(one.state, one.first_handed_at, one.outcomes, one.tries, one.answered) for one in found], None)
    return tally


def add(tally: Tally, rows: Sequence[Any], among: NDArray[np.bool_]) -> None:
    """Counts some recipients of batches that were read: `among` says which, in the order of the rows."""
    _count(tally, [(one.state, one.first_handed_at, one.outcomes, one.tries, one.answered) for one in rows], among)


def _count(tally: Tally, rows: Sequence[Any], among: NDArray[np.bool_] | None) -> None:
    for state, first, *_ in rows:
        tally.batches[state] += 1
        if first is not None and (tally.first_handed_at is None or first < tally.first_handed_at):
            tally.first_handed_at = first
    outcomes = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.uint8)
    tries = np.frombuffer(b"".join(row[3] for row in rows), dtype=np.uint8)
    answered = np.frombuffer(b"".join(row[4] for row in rows), dtype="<u2")
    if among is not None:
        outcomes, tries, answered = outcomes[among], tries[among], answered[among]
    tally.outcomes += np.bincount(outcomes, minlength=_KINDS)
    tally.handed_over += int(np.count_nonzero(tries))
    came = answered != NEVER
    tally.answers += np.bincount(answered[came], minlength=NEVER)
    tally.accepted += np.bincount(answered[came & (outcomes == Outcome.ACCEPTED)], minlength=NEVER)
