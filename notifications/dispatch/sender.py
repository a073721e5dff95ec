"""Sending: several batches in flight at once, each in small steps that are recorded before the next."""

from __future__ import annotations

import datetime as dt
import random
import secrets
import time
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from notifications.channels.promise import Channel, Fault, Line, Outcome, Outlet, PayloadError, Result
from notifications.dispatch import composition
from notifications.dispatch.claims import Held
from notifications.dispatch.flight import STEP, Flight, Write
from notifications.dispatch.governor import Pace
from notifications.dispatch.groups import Group
from notifications.dispatch.ledger import Ledger, Reply, Wish
from notifications.messages import Message

# A body says how long it lives from now on, so it may not be used much later.
BODY_KEEPS = dt.timedelta(seconds=30)
# Tokens are those of the moment of sending, give or take this.
TOKENS_KEEP_S = 10.0
# The ledger is visited when half of the flights wait for it, or one has waited so long: sooner when no other flight
# could go on meanwhile.
GATHER_S = 0.05
GATHER_MORE_S = 0.25
LISTEN_S = 0.02
ASK_AGAIN_S = 0.05
# What was granted is used within its second or not at all.
GRANT_KEEPS_S = 1.0
_MOST_BODIES = 2_000

log = structlog.get_logger("dispatch")


class Sender:
    """Hands batches to channels. Holds no transaction while a provider answers. Used by one thread."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[Outlet, Channel],
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        retry_base: dt.timedelta,
        paces: Mapping[Outlet, Pace] | None = None,
        at_once: int = 64,
        owner: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`paces`: of outlets that have one; `at_once`: batches in flight at most, fifty recipients of each."""
        self._channels, self._paces, self._at_once = channels, dict(paces or {}), at_once
        self._clock, self._monotonic, self._sleep, self._stopping = clock, monotonic, sleep, stopping
        self._lease_s = lease.total_seconds()
        self._ledger = Ledger(
            engine, owner or secrets.token_hex(8), clock=clock, monotonic=monotonic, jitter=jitter, lease=lease,
            retry_base=retry_base, paces=self._paces,
        )  # fmt: skip
        self._lines: dict[Outlet, Line] = {}
        self._flights: dict[int, Flight] = {}
        self._tags: dict[int, tuple[int, int]] = {}  # batch and position of what is under way
        self._next_tag = 0
        self._grants: dict[Outlet, tuple[int, float]] = {}
        self._paused: dict[Outlet, dt.datetime] = {}
        self._bodies: dict[int, tuple[dt.datetime, bytes | None]] = {}
        self._accepted: set[int] = set()  # groups whose bytes the provider has taken from us
        self._want = 1  # flights at once: more and more, while there is more to send and leave to send it
        self._claimed_at = self._asked_at = float("-inf")
        self._waiting_since: float | None = None
        self._dry = False  # at the last look there was nothing more to claim
        self._held_back = False  # the governor lately granted less than could be sent

    def run(self, most: int | None = None) -> int:
        """Sends what is due, until nothing is, or so many batches were claimed; returns how many that was.

        When the database cannot be reached it raises and keeps what it holds: called again, it first writes that.
        """
        claimed, self._want, self._dry = 0, 1, False
        try:
            while True:
                began = self._begin()
                heard = self._listen(0.0 if began else LISTEN_S)
                claimed += self._visit(None if most is None else most - claimed)
                if not self._flights and (self._dry or claimed == most or self._stopping()):
                    return claimed
                if not (began or heard or self._tags):
                    self._sleep(LISTEN_S)  # for the governor
        except SQLAlchemyError:
            raise
        except BaseException:
            self.abandon()
            raise

    def send(self, held: Held, claimed_at: float) -> None:
        """Sends what is left of one batch. `claimed_at`: the monotonic clock's reading (s) before it was claimed."""
        for flight in self._ledger.take_off([(held, False)], self._clock(), claimed_at):
            self._flights[held.id] = flight
        self.run(most=0)

    def abandon(self) -> None:
        """Forgets what is under way, as a killed process would: leases run out and others take over."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        self._flights.clear()
        self._tags.clear()

    def _begin(self) -> bool:
        """Begins the next step of every flight that may, the most urgent first."""
        began = False
        for flight in sorted(self._flights.values(), key=lambda flight: (flight.rank, flight.held.id)):
            if flight.flying or self._write_due(flight) is not None:
                continue
            outlet = flight.held.outlet
            line = self._line(outlet)
            allowed = min(STEP, self._granted(outlet), STEP if line is None else line.room)
            if allowed < min(STEP, len(flight.todo)) and self._others_fly(outlet):
                continue  # whole steps: a few of this batch and a few of that only make more to write
            offered = flight.next_step(allowed)
            if offered:
                began = True
                self._hand_over(flight, offered, line)
        return began

    def _hand_over(self, flight: Flight, offered: list[tuple[int, str]], line: Line | None) -> None:
        now, outlet = self._clock(), flight.held.outlet
        if line is None:
            flight.begin(offered)
            flight.answer({i: Result(Outcome.NO_TOKEN) for i, _ in offered}, now, self._accepted)
            return
        groups = flight.held.group_ids[[i for i, _ in offered]].tolist()
        bodies = {group: self._body(outlet, flight.message, flight.groups[group], now) for group in set(groups)}
        if None in bodies.values():
            flight.refuse(offered, Fault.PAYLOAD, f"message {flight.message.public_id} is too large for the channel")
            return
        flight.begin(offered)
        batch_id, tag = flight.held.id, self._next_tag
        for (i, token), group in zip(offered, groups, strict=True):
            tag += 1
            self._tags[tag] = (batch_id, i)
            line.put(tag, bodies[group] or b"", token)
        self._next_tag = tag
        if outlet in self._paces:
            left, reading = self._grants[outlet]
            self._grants[outlet] = (left - len(offered), reading)

    def _listen(self, patience_s: float) -> bool:
        """Takes the answers that came, waiting a little for the first."""
        heard: dict[int, dict[int, Result]] = {}
        for line in self._lines.values():
            for tag, result in line.answers(patience_s) if line.under_way else ():
                batch_id, i = self._tags.pop(tag)
                found = heard.get(batch_id)
                if found is None:
                    found = heard[batch_id] = {}
                found[i] = result
        now = self._clock()
        for batch_id, found in heard.items():
            self._flights[batch_id].answer(found, now, self._accepted)
        return bool(heard)

    def _visit(self, left: int | None) -> int:
        """Goes to the ledger when that is worth it; returns how many batches were claimed."""
        reading = self._monotonic()
        writes = [(f, w) for f in self._flights.values() if not f.flying and (w := self._write_due(f)) is not None]
        wish = self._wish(reading, left)
        if not self._worth_it(len(writes), wish, reading):
            return 0
        reply = self._ledger.exchange(writes, wish)
        self._waiting_since = None
        for flight, _ in writes:
            if not flight.standing.held:
                del self._flights[flight.held.id]
        for flight in reply.claimed:
            self._flights[flight.held.id] = flight
        self._learn(reply, wish, reading)
        if writes and not self._dry and not self._held_back:
            self._want = min(self._at_once, self._want * 2)  # one by one they would wait for the ledger, too
        return len(reply.claimed)

    def _worth_it(self, writes: int, wish: Wish, reading: float) -> bool:
        """Half of the flights wait for the ledger, or nothing else happens, or one has waited long enough."""
        if not (writes or wish.batches or wish.hand_overs):
            return False
        self._waiting_since = reading if self._waiting_since is None else self._waiting_since
        return (
            not self._tags
            or writes * 2 >= len(self._flights)
            or wish.batches * 2 >= self._want
            or reading - self._waiting_since >= (GATHER_S if self._idle(writes) else GATHER_MORE_S)
        )

    def _idle(self, writes: int) -> bool:
        """No flight waits for its turn on a line, so the lines may run dry."""
        flying = sum(flight.flying for flight in self._flights.values())
        return flying + writes >= len(self._flights)

    def _wish(self, reading: float, left: int | None) -> Wish:
        """What to ask the ledger for beside writing."""
        if self._stopping():
            return Wish()
        free = self._want - len(self._flights) if left is None else min(self._want - len(self._flights), left)
        may_claim = free > 0 and (not self._dry or reading - self._claimed_at >= ASK_AGAIN_S)
        hand_overs: dict[Outlet, int] = {}
        if reading - self._asked_at >= ASK_AGAIN_S or not self._tags:
            for outlet in self._paces.keys() & {flight.held.outlet for flight in self._flights.values()}:
                if outlet not in self._channels or outlet in self._paused:
                    continue
                # Two steps for each flight, so that not every step has to ask; what is not used within its second
                # is lost.
                todo = (min(2 * STEP, len(f.todo)) for f in self._flights.values() if f.held.outlet is outlet)
                wanted = sum(todo)
                if self._granted(outlet) * 2 < wanted:
                    hand_overs[outlet] = wanted - self._granted(outlet)
        return Wish(free if may_claim else 0, tuple(self._flights), hand_overs, look=left is None)

    def _learn(self, reply: Reply, wish: Wish, reading: float) -> None:
        self._paused = reply.paused
        for outlet, granted in reply.grants.items():
            self._asked_at = reading
            self._held_back = granted < wish.hand_overs[outlet]
            self._grants[outlet] = (self._granted(outlet) + granted, reading)
        if wish.batches:
            self._claimed_at = reading
            self._dry = len(reply.claimed) < wish.batches
        for flight in self._flights.values():
            flight.yields = reply.most_urgent is not None and flight.rank > reply.most_urgent
        stale = [f for f in self._flights.values() if f.todo and reading - f.read_at > TOKENS_KEEP_S]
        if stale:
            self._ledger.read_tokens(stale)

    def _write_due(self, flight: Flight) -> Write | None:
        now = self._clock()
        paused = self._paused.get(flight.held.outlet)
        return flight.due(
            now,
            stale=self._monotonic() - flight.renewed > self._lease_s / 2,
            halted=self._stopping() or (paused is not None and now < paused),
        )

    def _line(self, outlet: Outlet) -> Line | None:
        """This thread's line of an outlet; None when no such outlet is configured."""
        if outlet not in self._lines and outlet in self._channels:
            self._lines[outlet] = self._channels[outlet].line()
        return self._lines.get(outlet)

    def _granted(self, outlet: Outlet) -> int:
        if outlet not in self._paces or outlet not in self._channels:
            return STEP
        hand_overs, reading = self._grants.get(outlet, (0, float("-inf")))
        return hand_overs if self._monotonic() - reading <= GRANT_KEEPS_S else 0

    def _others_fly(self, outlet: Outlet) -> bool:
        return any(flight.flying and flight.held.outlet is outlet for flight in self._flights.values())

    def _body(self, outlet: Outlet, message: Message, group: Group, now: dt.datetime) -> bytes | None:
        encoded = self._bodies.get(group.id)
        if encoded is None or now - encoded[0] > BODY_KEEPS:
            while len(self._bodies) > _MOST_BODIES:
                self._bodies.pop(next(iter(self._bodies)))
            try:
                body = composition.encode(self._channels[outlet], message, group, now)
            except PayloadError as error:
                log.error("payload_refused", message=message.public_id, reason=str(error))
                body = None
            encoded = self._bodies[group.id] = (now, body)
        return encoded[1]
