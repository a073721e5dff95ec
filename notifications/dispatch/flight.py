"""A flight: one held batch on its way, what its recipients' answers mean, and what is to be written next."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from notifications.channels.promise import Fault, Outcome, Result
from notifications.devices import TokenState
from notifications.dispatch.batches import NEVER
from notifications.dispatch.claims import Held, Standing
from notifications.dispatch.groups import Group
from notifications.identifier import digest
from notifications.messages import Message

# A crash repeats at most one step of a batch: what was handed over and not yet written down.
STEP = 50
# No answer came: it is tried once more, since the phone de-duplicates, and then left as "unknown".
TRIES_WITHOUT_ANSWER = 2
WAIT_AFTER_SILENCE = dt.timedelta(seconds=10)
LONGEST_WAIT = dt.timedelta(minutes=5)
# Faults of ours stop the batch. So many strangers' tokens at once, and none of our own, is one, too.
MISMATCHES_ARE_OURS = 10
AGED = -1  # the rank of a batch that has waited too long for its own

_TENTH = dt.timedelta(milliseconds=100)
_DEAD = {
    Outcome.UNREGISTERED: TokenState.UNREGISTERED,
    Outcome.MISMATCH: TokenState.MISMATCH,
    Outcome.INVALID: TokenState.INVALID,
}


class Write(Enum):
    """What the ledger is to be told of a flight."""

    SAVE = auto()  # what became of recipients so far; the lease is renewed
    FINISH = auto()  # closed, or put back for those who must wait
    STOP = auto()  # a fault of ours
    WITHDRAW = auto()  # overtaken: closed, and whoever was not rung was not told


@dataclass(slots=True)
class Flight:
    """One held batch. `renewed` and `read_at` are readings of the monotonic clock, seconds."""

    held: Held
    message: Message
    groups: Mapping[int, Group]
    now: dt.datetime  # when it was claimed
    renewed: float
    retry_base: dt.timedelta
    rank: int
    tokens: Mapping[int, str | None] = field(default_factory=dict)
    read_at: float = float("-inf")
    todo: list[int] = field(default_factory=list)
    step: dict[int, str] = field(default_factory=dict)  # positions under way and their tokens
    answers: dict[int, Result] = field(default_factory=dict)
    standing: Standing = field(init=False)
    device_ids: list[int] = field(init=False)
    begins: dt.datetime = field(init=False)
    expires: dt.datetime = field(init=False)
    wait: dt.timedelta = dt.timedelta(0)  # the longest that anybody has to
    dirty: bool = False
    over: bool = False  # the message's time is
    yields: bool = False  # something more urgent needs its place
    fault: Fault | None = None
    detail: str = ""
    pause: dt.timedelta | None = None
    dead: list[tuple[bytes, TokenState]] = field(default_factory=list)
    untold: list[int] | None = None

    def __post_init__(self) -> None:
        self.standing = Standing(held=True, withdrawn=self.held.withdrawn)
        self.device_ids = self.held.device_ids.tolist()
        self.begins, self.expires = self.message.not_before, self.message.expires_at
        left = waiting(self.held)
        self.todo = left[~self._tried(left) | (self.held.answered[left] <= self.tenths(self.now))].tolist()

    def tenths(self, moment: dt.datetime) -> int:
        """Tenths of a second since the message might begin, rounded up, as far as `Batch.answered` can say."""
        return min(max(0, math.ceil((moment - self.begins) / _TENTH)), NEVER - 1)

    def _tried(self, these: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which were handed over before, so that their `answered` says when they may be again."""
        found: NDArray[np.bool_] = (self.held.tries[these] > 0) & (self.held.answered[these] != NEVER)
        return found

    def due_again(self, now: dt.datetime) -> dt.datetime | None:
        """When the first of those who are left may be tried; None when nobody is left."""
        left = waiting(self.held)
        if not len(left) or self.over:
            return None
        if bool(((self.held.outcomes[left] == Outcome.PENDING) | ~self._tried(left)).any()):
            return now  # whoever was not tried at all does not wait for those who were refused
        first = int(self.held.answered[left].min())
        if first >= NEVER - 1:
            return now + self.wait  # too late in a message's life for the column to say
        return max(now, self.begins + first * _TENTH)

    @property
    def flying(self) -> bool:
        """Answers are awaited."""
        return bool(self.step)

    def due(self, now: dt.datetime, *, stale: bool, halted: bool) -> Write | None:
        """What must be written before the next step may begin; None when it may.

        `stale`: this process stood still for a while. `halted`: nothing more may begin (a pause, a request to stop).
        """
        if self.fault is not None:
            return Write.STOP
        if self.dirty:
            return Write.SAVE if self.todo else Write.FINISH
        if self.standing.withdrawn:
            return Write.WITHDRAW
        if not self.todo:
            return Write.FINISH
        if self.expires <= now:
            self.expire()
            return Write.FINISH
        if halted or self.yields:
            return Write.FINISH
        return Write.SAVE if stale else None

    def next_step(self, most: int) -> list[tuple[int, str]]:
        """The next recipients and their tokens, at most so many; those without a token are settled on the way."""
        offered: list[tuple[int, str]] = []
        looked = 0
        while looked < len(self.todo) and len(offered) < most:
            i = self.todo[looked]
            looked += 1
            device_id = self.device_ids[i]
            token = self.tokens.get(device_id)
            if token is None:
                self.held.outcomes[i] = Outcome.NO_TOKEN if device_id in self.tokens else Outcome.GONE
                self.dirty = True
            else:
                offered.append((i, token))
        del self.todo[:looked]
        return offered

    def begin(self, offered: Sequence[tuple[int, str]]) -> None:
        """These are being handed over."""
        self.step = dict(offered)
        self.answers = {}

    def refuse(self, offered: Sequence[tuple[int, str]], fault: Fault, detail: str) -> None:
        """These cannot be handed over for a fault of ours: they wait until it is mended."""
        self.todo = [i for i, _ in offered] + self.todo
        self.fault, self.detail, self.dirty = fault, detail, True

    def answer(self, found: Mapping[int, Result], now: dt.datetime, accepted: set[int]) -> None:
        """Takes answers by position; with the last of a step, all of them are weighed together.

        `accepted`: groups whose bytes the provider has taken from us, added to here.
        """
        self.answers.update(found)
        self.held.answered[list(found)] = self.tenths(now)
        if len(self.answers) < len(self.step):
            return
        taken = [i for i, result in self.answers.items() if result.outcome is Outcome.ACCEPTED]
        mismatches = sum(result.outcome is Outcome.MISMATCH for result in self.answers.values())
        self.dirty = True
        if mismatches >= MISMATCHES_ARE_OURS and mismatches == len(self.answers):
            self.refuse(list(self.step.items()), Fault.SENDER, "every token of a step belongs to another sender")
        else:
            self.held.outcomes[taken] = Outcome.ACCEPTED
            self.held.tries[taken] += self.held.tries[taken] < 255
            accepted.update(self.held.group_ids[taken].tolist())
            if len(taken) < len(self.answers):
                for i, token in self.step.items():
                    if self.answers[i].outcome is not Outcome.ACCEPTED:
                        self._weigh(i, token, self.answers[i], now, accepted)
        self.held.reclaimed = False  # a step that its last holder had under way was this one
        self.step, self.answers = {}, {}

    def written(self, standing: Standing, reading: float) -> None:
        """The ledger has what there was."""
        self.standing, self.renewed = standing, reading
        self.dirty = False
        self.dead, self.pause = [], None

    def _wait(self, result: Result) -> dt.timedelta:
        """The provider's own word, else a doubling wait; after silence ten seconds at least."""
        if result.retry_after_s is not None:
            return dt.timedelta(seconds=result.retry_after_s)
        silence = WAIT_AFTER_SILENCE if result.outcome is Outcome.UNKNOWN else dt.timedelta(0)
        doubling: dt.timedelta = self.retry_base * 2 ** min(8, self.held.attempts - 1)
        return max(silence, min(LONGEST_WAIT, doubling))

    def expire(self) -> None:
        """The message's time is over. Whoever was handed it without an answer stays unknown."""
        left = waiting(self.held)
        self.held.outcomes[left[self.held.outcomes[left] != Outcome.UNKNOWN]] = Outcome.EXPIRED
        self.todo, self.over = [], True

    def withdraw(self) -> list[int]:
        """Something newer overtook the message: the devices that were not handed it, and so were not told."""
        held = self.held
        if self.untold is not None:
            return self.untold  # written before, and the writing failed
        if held.reclaimed:
            # Its last holder died: a step may have been under way, and who may have been told counts as told.
            pending = np.flatnonzero(held.outcomes == Outcome.PENDING)[:STEP]
            held.outcomes[pending] = Outcome.UNKNOWN
            held.outcomes[held.outcomes == Outcome.RETRY] = Outcome.UNKNOWN
        untold = np.flatnonzero(np.isin(held.outcomes, (Outcome.PENDING, Outcome.RETRY)))
        held.outcomes[untold] = Outcome.WITHDRAWN
        self.todo = []
        self.untold = [int(device_id) for device_id in held.device_ids[untold]]
        return self.untold

    def _weigh(self, i: int, token: str, result: Result, now: dt.datetime, accepted: set[int]) -> None:
        # A fault of ours says nothing about this recipient: he waits until it is mended.
        outcome = Outcome.RETRY if result.fault is not None else result.outcome
        held = self.held
        if outcome is not Outcome.RETRY or held.outcomes[i] != Outcome.UNKNOWN:
            # Refused after a silence: the first try may have rung, so it stays unknown, and is tried again.
            held.outcomes[i] = outcome
            held.tries[i] = min(255, int(held.tries[i]) + 1)
        if result.fault is not None:
            self.fault, self.detail = result.fault, result.detail
            return
        if result.outcome in (Outcome.RETRY, Outcome.UNKNOWN):
            wait = self._wait(result)
            held.answered[i] = self.tenths(now + wait)
            self.wait = max(self.wait, wait)
            if result.project_wide:
                self.pause = max(self.pause or dt.timedelta(0), wait)
        state = _DEAD.get(result.outcome)
        if state is TokenState.INVALID and int(held.group_ids[i]) not in accepted:
            return  # nobody took these bytes yet: the token may be innocent
        if state is not None:
            self.dead.append((digest(token), state))


def waiting(held: Held) -> NDArray[np.int64]:
    """Positions of the recipients that something is left to do for, now or later, in order."""
    silent = (held.outcomes == Outcome.UNKNOWN) & (held.tries < TRIES_WITHOUT_ANSWER) & (held.tries > 0)
    refused = (held.outcomes == Outcome.PENDING) | (held.outcomes == Outcome.RETRY)
    found: NDArray[np.int64] = np.flatnonzero(refused | silent)
    return found
