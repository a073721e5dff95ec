"""The ledger's desk: many flights written, new batches claimed and hand-overs reserved in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, defer

from database import transaction
from notifications import devices, told
from notifications.channels.promise import Outlet
from notifications.devices import TokenState
from notifications.dispatch import claims, governor, incidents
from notifications.dispatch.claims import Held, Standing
from notifications.dispatch.flight import AGED, Flight, Write
from notifications.dispatch.governor import Pace
from notifications.dispatch.groups import Group
from notifications.messages import Message

# One claim in so many goes to what has waited longest, once that is longer than this: no lane starves.
FAIR_ONE_IN = 50
FAIR_AFTER = dt.timedelta(minutes=10)
_MOST_KEPT = 5_000

log = structlog.get_logger("dispatch")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the sender asks for beside writing: batches, hand-overs by outlet, whether to look for more urgent ones."""

    batches: int = 0
    in_hand: Collection[int] = ()  # batches that it works at
    hand_overs: Mapping[Outlet, int] = field(default_factory=dict)
    look: bool = False


@dataclass(slots=True)
class Reply:
    """What it got."""

    claimed: list[Flight] = field(default_factory=list)
    grants: dict[Outlet, int] = field(default_factory=dict)
    paused: dict[Outlet, dt.datetime] = field(default_factory=dict)
    most_urgent: int | None = None  # the rank of what waits to be claimed, when `look`


class Ledger:
    """One worker's way to the ledger. Each call is a transaction or two, and none is open between calls."""

    def __init__(
        self,
        engine: Engine,
        owner: str,
        *,
        clock: Callable[[], dt.datetime],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
        lease: dt.timedelta,
        retry_base: dt.timedelta,
        paces: Mapping[Outlet, Pace],
    ) -> None:
        self._engine, self._owner = engine, owner
        self._clock, self._monotonic, self._jitter = clock, monotonic, jitter
        self._lease, self._retry_base, self._paces = lease, retry_base, paces
        self._messages: dict[int, Message] = {}
        self._groups: dict[int, Group] = {}
        self._claims = 0

    def exchange(self, writes: Sequence[tuple[Flight, Write]], wish: Wish) -> Reply:
        """Writes flights, then claims and reserves. A flight that ended, or was lost, has `standing.held` False."""
        reply = Reply()
        now, reading = self._clock(), self._monotonic()
        held: list[tuple[Held, bool]] = []
        with transaction(self._engine) as session:
            for flight in sorted((flight for flight, _ in writes), key=lambda f: f.held.outlet):
                if flight.pause is not None:
                    governor.pause(session, flight.held.outlet, now + flight.pause, flight.detail)
            reply.paused = governor.paused(session, now)
            standings = self._write(session, writes, reply.paused, now)
            outlets = [outlet for outlet in Outlet if outlet not in reply.paused]
            if wish.batches and outlets:
                held = self._claim(session, wish, now, outlets)
            elif wish.look and outlets:
                reply.most_urgent = claims.most_urgent(session, now, outlets)
            for outlet, wanted in sorted(wish.hand_overs.items()):
                grant = governor.reserve(session, outlet, wanted, now, self._paces[outlet])
                reply.grants[outlet] = grant.hand_overs
        dead = [one for flight, _ in writes for one in flight.dead]
        for flight, standing in standings:
            flight.written(standing, reading)
        self._bury(dead)
        reply.claimed = self.take_off(held, now, reading)
        return reply

    def read_tokens(self, flights: Sequence[Flight]) -> None:
        """Gives flights the tokens of this moment: one that was rotated since planning is the new one."""
        reading = self._monotonic()
        with transaction(self._engine, "read") as session:
            tokens = devices.tokens_of(session, [flight.device_ids[i] for flight in flights for i in flight.todo])
        for flight in flights:
            flight.tokens = tokens
            flight.read_at = reading

    def _claim(
        self, session: Session, wish: Wish, now: dt.datetime, outlets: Sequence[Outlet]
    ) -> list[tuple[Held, bool]]:
        aged: list[Held] = []
        self._claims += wish.batches
        if self._claims >= FAIR_ONE_IN:
            self._claims = 0
            aged = claims.claim_longest_waiting(session, self._owner, now, self._lease, now - FAIR_AFTER, outlets)
        found: list[Held] = []
        if rest := wish.batches - len(aged):
            found = claims.claim_some(session, self._owner, now, self._lease, rest, outlets, wish.in_hand)
        return [*((held, True) for held in aged), *((held, False) for held in found)]

    def take_off(self, held: Sequence[tuple[Held, bool]], now: dt.datetime, reading: float) -> list[Flight]:
        if not held:
            return []
        self._load([one for one, _ in held])
        flights = [
            Flight(
                held=one,
                message=self._messages[one.message_id],
                groups={int(group): self._groups[int(group)] for group in np.unique(one.group_ids)},
                now=now,
                renewed=reading,
                retry_base=self._retry_base,
                rank=AGED if is_aged else one.rank,
            )
            for one, is_aged in held
        ]
        self.read_tokens(flights)
        return flights

    def _load(self, held: Sequence[Held]) -> None:
        """Messages and groups never change once a batch of theirs exists: read once, kept."""
        for kept in (self._messages, self._groups):
            if len(kept) > _MOST_KEPT:
                kept.clear()
        groups = np.unique(np.concatenate([one.group_ids for one in held])).tolist()
        wanted = [group for group in groups if group not in self._groups]
        unknown = {one.message_id for one in held} - self._messages.keys()
        if not wanted and not unknown:
            return
        with transaction(self._engine, "read") as session:
            for start in range(0, len(wanted), 500):
                part = sa.select(Group).where(Group.id.in_(wanted[start : start + 500]))
                self._groups |= {group.id: group for group in session.scalars(part)}
            frozen = sa.select(Message).where(Message.id.in_(unknown)).options(defer(Message.candidates))
            self._messages |= {message.id: message for message in session.scalars(frozen)}

    def _write(
        self,
        session: Session,
        writes: Sequence[tuple[Flight, Write]],
        paused: Mapping[Outlet, dt.datetime],
        now: dt.datetime,
    ) -> list[tuple[Flight, Standing]]:
        """Saves some and ends others; a flight that ended, or was lost, is not held any more."""
        ordered = sorted(writes, key=lambda pair: pair[0].held.id)
        saved = [flight.held for flight, write in ordered if write is Write.SAVE]
        ended = [flight.held for flight, write in ordered if write is not Write.SAVE]
        found = claims.save(session, saved, now, self._lease, also=ended)
        for flight, write in ordered:
            if not found[flight.held.id].held:
                log.warning("lease_lost", batch=flight.held.id)
            elif write is not Write.SAVE:
                self._end(session, flight, write, now, paused.get(flight.held.outlet))
                found[flight.held.id] = Standing(False)
        return [(flight, found[flight.held.id]) for flight, _ in ordered]

    def _end(
        self, session: Session, flight: Flight, write: Write, now: dt.datetime, paused: dt.datetime | None
    ) -> None:
        held = flight.held
        if write is Write.STOP:
            claims.stop(session, held, now)
            incidents.report(session, str(flight.fault), flight.detail, now)
            log.error("batch_stopped", batch=held.id, fault=str(flight.fault), detail=flight.detail)
        elif write is Write.WITHDRAW:
            untold = flight.withdraw()
            claims.close(session, held, now)
            if untold:
                told.unmark(session, held.message_id, np.array(untold, dtype=np.int64))
        else:
            due = self._due_again(flight, now, paused)
            if due is None:
                claims.close(session, held, now)
            else:
                claims.release(session, held, now, due)

    def _due_again(self, flight: Flight, now: dt.datetime, paused: dt.datetime | None) -> dt.datetime | None:
        due = flight.due_again(now)
        if due is not None and due > now:
            # Spread a little, so that what was refused together does not come back together.
            due += (due - now) * 0.2 * self._jitter()
        if due is not None and paused is not None:
            due = max(due, paused)
        if due is not None and due >= flight.message.expires_at:
            flight.expire()
            return None
        return due

    def _bury(self, dead: Sequence[tuple[bytes, TokenState]]) -> None:
        """Marks dead tokens, apart from all else: a crash before it costs one more refusal."""
        if dead:
            with transaction(self._engine) as session:
                for state in {state for _, state in dead}:
                    devices.deactivate_tokens(session, [hashed for hashed, its in dead if its is state], state)
