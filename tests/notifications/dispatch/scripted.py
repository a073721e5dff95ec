"""A channel that answers what a test scripted, and the desk of one sender with clocks that a test moves."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from database import transaction
from notifications.audiences import Audience
from notifications.channels.blocking import BlockingLine
from notifications.channels.promise import Outcome, Outlet, PayloadError, Push, Result
from notifications.devices import Device
from notifications.dispatch import batches, claims, governor
from notifications.dispatch.batches import Batch
from notifications.dispatch.claims import Held
from notifications.dispatch.flight import STEP
from notifications.dispatch.governor import Pace
from notifications.dispatch.sender import Sender
from notifications.messages import Message
from tests.notifications.builders import NOW, make_message, make_phones, plan

ACCEPTED = Result(Outcome.ACCEPTED)
LEASE = dt.timedelta(seconds=60)
RETRY_BASE = dt.timedelta(seconds=10)


class ScriptedChannel:
    """Keeps the promise of a channel: results by token in turn, then for ever the last; otherwise accepted."""

    name = "scripted"

    def __init__(self) -> None:
        self.script: dict[str, list[Result]] = defaultdict(list)
        self.everybody: Result = ACCEPTED
        self.calls: list[list[tuple[dict[str, str], str]]] = []  # what each step handed over: push and token
        self.meanwhile: Callable[[int], None] = lambda call: None  # while the provider answers
        self.too_large: set[str] = set()  # languages
        self.closed = False

    def encode(self, push: Push, now: dt.datetime) -> bytes:
        """Refuses what the real one refuses: a push that is over, and one that is too large."""
        if push.expires_at <= now:
            raise PayloadError("the message expired")
        if push.language in self.too_large:
            raise PayloadError("too large")
        plain = {"message": push.message_id, "language": push.language, "platform": push.platform, "title": push.title}
        return json.dumps(plain | {"body": push.body} | dict(push.data)).encode()

    def hand_over(self, body: bytes, tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """One body for everybody."""
        return self.hand_over_each([body] * len(tokens), tokens, dry_run=dry_run)

    def hand_over_each(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Answers from the script."""
        self.calls.append([(json.loads(body), token) for body, token in zip(bodies, tokens, strict=True)])
        self.meanwhile(len(self.calls))
        return [self._answer(token) for token in tokens]

    def _answer(self, token: str) -> Result:
        turns = self.script.get(token)
        if not turns:
            return self.everybody
        return turns.pop(0) if len(turns) > 1 else turns[0]

    def line(self) -> BlockingLine:
        """Answers a step at a time."""
        return BlockingLine(self.hand_over_each, STEP)

    def close(self) -> None:
        """Remembers it."""
        self.closed = True

    @property
    def handed(self) -> list[str]:
        """Every token handed over, in order."""
        return [token for call in self.calls for _, token in call]


class Desk:
    """One sender, one channel, and clocks that stand still."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.channel = engine, ScriptedChannel()
        self.now, self.seconds, self.stopping, self.jitter = NOW, 1000.0, False, 0.0
        self.paces: dict[Outlet, Pace] = {}
        self.sender = self.another_sender()

    def another_sender(self) -> Sender:
        """A sender of another process on the same desk."""
        return Sender(
            self.engine, {Outlet.FCM: self.channel}, clock=lambda: self.now, lease=LEASE, retry_base=RETRY_BASE,
            paces=self.paces, sleep=lambda seconds: self.pass_(seconds=seconds),
            monotonic=lambda: self.seconds, jitter=lambda: self.jitter, stopping=lambda: self.stopping,
        )  # fmt: skip

    def pass_(self, **span: float) -> None:
        """Both clocks move."""
        self.now += dt.timedelta(**span)
        self.seconds += dt.timedelta(**span).total_seconds()

    def message(self, phones: int, now: dt.datetime | None = None, **changes: object) -> tuple[Message, list[str]]:
        """A planned message to so many new phones, and their tokens in the order in which they are told."""
        with transaction(self.engine) as session:
            tokens = make_phones(session, phones)
            message = make_message(session, Audience(everyone=True), now or self.now, **changes)
            plan(session, self.now)
        return message, tokens

    def claim(self, owner: str = "one") -> Held | None:
        """The next batch."""
        with transaction(self.engine) as session:
            return claims.claim(session, owner, self.now, LEASE)

    def send(self, sender: Sender | None = None) -> Held | None:
        """Claims the next batch and sends it; None when there is none."""
        held = self.claim()
        if held is not None:
            (sender or self.sender).send(held, self.seconds)
        return held

    def outcomes(self, message: Message) -> dict[Outcome, int]:
        """What became of a message's recipients."""
        with transaction(self.engine, "read") as session:
            return batches.outcomes_of(session, message.id)

    def batch(self) -> Batch:
        """The only batch."""
        with transaction(self.engine, "read") as session:
            return session.scalars(sa.select(Batch)).one()

    def states(self) -> list[str]:
        """The states of all batches."""
        with transaction(self.engine, "read") as session:
            return list(session.scalars(sa.select(Batch.state).order_by(Batch.id)))

    def paused_until(self) -> dt.datetime | None:
        """Until when everybody waits."""
        with transaction(self.engine, "read") as session:
            return governor.paused(session, self.now).get(Outlet.FCM)

    def token_state(self, token: str) -> str:
        """What is known of a token."""
        with transaction(self.engine, "read") as session:
            return session.scalars(sa.select(Device.token_state).where(Device.token == token)).one()
