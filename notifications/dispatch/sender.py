"""Sending one claimed batch: handed over in small steps, each recorded before the next."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine

from database import transaction
from notifications import devices, told
from notifications.channels.promise import Channel, Fault, Outcome, PayloadError, Result
from notifications.devices import Device, TokenState
from notifications.dispatch import batches, composition, incidents
from notifications.dispatch.batches import Held, Standing
from notifications.dispatch.groups import Group
from notifications.identifier import digest
from notifications.messages import Message

# A crash repeats at most one step: what was handed over and not yet written down.
STEP = 50
# No answer came: it is tried once more, since the phone de-duplicates, and then left as "unknown".
TRIES_WITHOUT_ANSWER = 2
WAIT_AFTER_SILENCE = dt.timedelta(seconds=10)
# A body says how long it lives from now on, so it may not be used much later.
BODY_KEEPS = dt.timedelta(seconds=30)
LONGEST_WAIT = dt.timedelta(minutes=5)

_DEAD = {
    Outcome.UNREGISTERED: TokenState.UNREGISTERED,
    Outcome.MISMATCH: TokenState.MISMATCH,
    Outcome.INVALID: TokenState.INVALID,
}
# Faults of ours stop the batch. So many strangers' tokens at once, and none of our own, is one, too.
MISMATCHES_ARE_OURS = 10

log = structlog.get_logger("dispatch")


@dataclass(slots=True)
class Pace:
    """When this worker may hand over again: set by the provider's word about the whole project."""

    not_before: dt.datetime | None = None

    def holds(self, now: dt.datetime) -> bool:
        """The provider asked everybody to wait."""
        return self.not_before is not None and now < self.not_before


@dataclass(slots=True)
class _Step:
    """What one step taught."""

    dead: list[tuple[bytes, TokenState]] = field(default_factory=list)
    wait: dt.timedelta = dt.timedelta(0)
    pause: dt.timedelta | None = None
    fault: Fault | None = None
    detail: str = ""


class Sender:
    """Hands batches to a channel. Holds no transaction while the provider answers."""

    def __init__(
        self,
        engine: Engine,
        channel: Channel,
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        retry_base: dt.timedelta,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.pace = Pace()
        self._engine, self._channel = engine, channel
        self._clock, self._lease, self._retry_base = clock, lease, retry_base
        self._monotonic, self._jitter, self._stopping = monotonic, jitter, stopping
        self._bodies: dict[int, tuple[dt.datetime, bytes | None]] = {}
        self._accepted: set[int] = set()  # groups whose bytes the provider has taken from us

    def send(self, held: Held, claimed: float) -> None:
        """Sends what is left of a batch, then closes it, puts it back, or stops it for an operator.

        `claimed`: the monotonic clock's reading (seconds) just before the batch was claimed.
        """
        renewed = claimed
        with transaction(self._engine, "read") as session:
            message = session.get_one(Message, held.message_id)
            wanted = np.unique(held.group_ids).tolist()
            groups = {group.id: group for group in session.scalars(sa.select(Group).where(Group.id.in_(wanted)))}
        wait = dt.timedelta(0)
        standing = Standing(held=True, withdrawn=held.withdrawn)
        todo = _todo(held)
        while todo:
            now = self._clock()
            if standing.withdrawn:
                self._withdraw(held, message, now)
                return
            if message.expires_at <= now:
                held.outcomes[todo] = [_expired(held, i) for i in todo]
                break
            if self._stopping() or self.pace.holds(now):
                break
            if self._monotonic() - renewed > self._lease.total_seconds() / 2:
                # This process stood still for a while: is the batch still its own?
                renewed = self._monotonic()
                standing = self._write(held, _Step(), now)
                if not standing.held:
                    return
                continue
            step, todo = todo[:STEP], todo[STEP:]
            learnt = self._step(held, message, groups, step, now)
            wait = max(wait, learnt.wait)
            now = self._clock()
            if learnt.pause is not None:
                self.pace.not_before = now + learnt.pause
            renewed = self._monotonic()
            held.reclaimed = False  # a step that its last holder had under way was this one
            standing = self._write(held, learnt, now)
            if not standing.held or learnt.fault is not None:
                return
        self._finish(held, message, wait)

    def _step(
        self, held: Held, message: Message, groups: dict[int, Group], step: Sequence[int], now: dt.datetime
    ) -> _Step:
        """Hands one step over and notes each outcome in `held`."""
        tokens = self._tokens([int(held.device_ids[i]) for i in step])
        offered: list[tuple[int, bytes, str]] = []
        for i in step:
            device = tokens.get(int(held.device_ids[i]))
            if device is None or device[0] is None:
                held.outcomes[i] = Outcome.GONE if device is None else Outcome.NO_TOKEN
                continue
            body = self._body(message, groups[int(held.group_ids[i])], now)
            if body is None:
                learnt = _Step(fault=Fault.PAYLOAD, detail=f"message {message.public_id} is too large for the channel")
                return learnt
            offered.append((i, body, device[0]))
        learnt = _Step()
        if not offered:
            return learnt
        results = self._channel.hand_over_each([body for _, body, _ in offered], [token for *_, token in offered])
        mismatches = sum(result.outcome is Outcome.MISMATCH for result in results)
        if mismatches >= MISMATCHES_ARE_OURS and mismatches == len(results):
            return _Step(fault=Fault.SENDER, detail="every token of a step belongs to another sender")
        answered = list(zip(offered, results, strict=True))
        self._accepted |= {int(held.group_ids[i]) for (i, _, _), r in answered if r.outcome is Outcome.ACCEPTED}
        for (i, _, token), result in answered:
            self._note(held, i, token, result, learnt)
        return learnt

    def _note(self, held: Held, i: int, token: str, result: Result, learnt: _Step) -> None:
        # A fault of ours says nothing about this recipient: he waits until it is mended.
        outcome = Outcome.RETRY if result.fault is not None else result.outcome
        if outcome is not Outcome.RETRY or held.outcomes[i] != Outcome.UNKNOWN:
            # Refused after a silence: the first try may have rung, so it stays unknown, and is tried again.
            held.outcomes[i] = outcome
            held.tries[i] = min(255, int(held.tries[i]) + 1)
        if result.fault is not None:
            learnt.fault, learnt.detail = result.fault, result.detail
            return
        if result.outcome in (Outcome.RETRY, Outcome.UNKNOWN):
            asked = dt.timedelta(seconds=result.retry_after_s) if result.retry_after_s is not None else None
            doubling = self._retry_base * 2 ** min(8, held.attempts - 1)
            silence = WAIT_AFTER_SILENCE if result.outcome is Outcome.UNKNOWN else dt.timedelta(0)
            wait = asked if asked is not None else max(silence, min(LONGEST_WAIT, doubling))
            learnt.wait = max(learnt.wait, wait)
            if result.project_wide:
                learnt.pause = max(learnt.pause or dt.timedelta(0), wait)
        state = _DEAD.get(result.outcome)
        if state is TokenState.INVALID and int(held.group_ids[i]) not in self._accepted:
            return  # nobody took these bytes yet: the token may be innocent
        if state is not None:
            learnt.dead.append((digest(token), state))

    def _write(self, held: Held, learnt: _Step, now: dt.datetime) -> Standing:
        with transaction(self._engine) as session:
            if learnt.fault is not None:
                standing = batches.stop(session, held, now)
                if standing.held:
                    incidents.report(session, learnt.fault.value, learnt.detail, now)
            else:
                standing = batches.save(session, held, now, self._lease)
            for token_hash, state in learnt.dead:
                devices.deactivate_token(session, token_hash, state)
        if learnt.fault is not None:
            log.error("batch_stopped", batch=held.id, fault=learnt.fault.value, detail=learnt.detail)
        if not standing.held:
            log.warning("lease_lost", batch=held.id)
        return standing

    def _finish(self, held: Held, message: Message, wait: dt.timedelta) -> None:
        now = self._clock()
        left = _todo(held)
        with transaction(self._engine) as session:
            if not left:
                batches.close(session, held, now)
                return
            # Whoever was not tried at all (a request to stop) does not wait for those who were refused.
            untried = bool((held.outcomes[left] == Outcome.PENDING).any())
            # Spread a little, so that what was refused together does not come back together.
            due = now if untried else now + wait * (1 + 0.2 * self._jitter())
            if self.pace.not_before is not None:
                due = max(due, self.pace.not_before)
            if due >= message.expires_at:
                held.outcomes[left] = [_expired(held, i) for i in left]
                batches.close(session, held, now)
                return
            batches.release(session, held, now, due)

    def _withdraw(self, held: Held, message: Message, now: dt.datetime) -> None:
        """Something newer overtook this message: whoever was not handed it over was not told it."""
        if held.reclaimed:
            # Its last holder died: a step may have been under way, and who may have been told counts as told.
            held.outcomes[_todo(held)[:STEP]] = Outcome.UNKNOWN
        untold = np.flatnonzero(np.isin(held.outcomes, (Outcome.PENDING, Outcome.RETRY)))
        held.outcomes[untold] = Outcome.WITHDRAWN
        with transaction(self._engine) as session:
            if batches.close(session, held, now).held and len(untold):
                told.unmark(session, message.id, held.device_ids[untold])

    def _tokens(self, device_ids: Sequence[int]) -> dict[int, tuple[str | None]]:
        """The tokens of this moment: one that was rotated since planning is the new one."""
        usable = sa.case((Device.token_state == TokenState.ACTIVE.value, Device.token), else_=None)
        with transaction(self._engine, "read") as session:
            rows = session.execute(sa.select(Device.id, usable).where(Device.id.in_(device_ids)))
            return {device_id: (token,) for device_id, token in rows}

    def _body(self, message: Message, group: Group, now: dt.datetime) -> bytes | None:
        encoded = self._bodies.get(group.id)
        if encoded is None or now - encoded[0] > BODY_KEEPS:
            while len(self._bodies) > 2000:
                self._bodies.pop(next(iter(self._bodies)))
            try:
                body = composition.encode(self._channel, message, group, now)
            except PayloadError as error:
                log.error("payload_refused", message=message.public_id, reason=str(error))
                body = None
            encoded = self._bodies[group.id] = (now, body)
        return encoded[1]


def _todo(held: Held) -> list[int]:
    """Positions of the recipients that something is left to do for, in order."""
    silent = (held.outcomes == Outcome.UNKNOWN) & (held.tries < TRIES_WITHOUT_ANSWER) & (held.tries > 0)
    waiting = np.isin(held.outcomes, (Outcome.PENDING, Outcome.RETRY))
    return [int(i) for i in np.flatnonzero(waiting | silent)]


def _expired(held: Held, i: int) -> Outcome:
    """Whoever was handed the message without an answer stays unknown; anybody else's time is over."""
    return Outcome.UNKNOWN if held.outcomes[i] == Outcome.UNKNOWN else Outcome.EXPIRED
