"""One sender's way to all push services: each push encrypted for its browser, many under way at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from notifications.channels.multiplex import Multiplexer, NoAnswer
from notifications.channels.promise import Outcome, Result
from notifications.channels.webpush.answer import ACCEPTED, classify, no_answer
from notifications.channels.webpush.body import split
from notifications.channels.webpush.encryption import encrypt
from notifications.channels.webpush.endpoint import Endpoint, Services
from notifications.channels.webpush.origins import STRANGERS_WAIT_S, Origins
from notifications.channels.webpush.subscription import SubscriptionError, read
from notifications.channels.webpush.vapid import Vapid

LONGEST_ANSWER = 4_096
_MOST_HALVES = 4_000
_MOST_HEADERS = 20_000
_EVERY_PUSH = (
    "Content-Encoding: aes128gcm",
    "Content-Type: application/octet-stream",
    "Expect:",
    "User-Agent: yobikake",
)


@dataclass(frozen=True, slots=True)
class Ways:
    """Connections to services that are known, and apart from them to strangers': these cannot use up the others'."""

    known: Multiplexer
    strangers: Multiplexer | None


class WebPushLine:
    """Keeps the promise of `notifications.channels.promise.Line`. Encrypts in the thread that sends.

    Threads of its own would gain nothing: the key agreement lets go of the interpreter for 80 of its 160
    microseconds and two threads together encrypt no more than one, some 5,000 a second (docs/decisions).
    """

    def __init__(
        self, services: Services, vapid: Vapid, ways: Ways, *, monotonic: Callable[[], float], dry_run: bool = False
    ) -> None:
        self._services, self._vapid, self._ways = services, vapid, ways
        self._origins = Origins(monotonic)
        self.dry_run = dry_run
        self._under_way: dict[int, Endpoint] = {}
        self._settled: list[tuple[int, Result]] = []  # without having been sent
        self._halves: OrderedDict[int, tuple[bytes, tuple[str, ...], bytes]] = OrderedDict()
        self._headers: OrderedDict[tuple[str, tuple[str, ...]], list[str]] = OrderedDict()

    @property
    def under_way(self) -> int:
        """Hand-overs whose result has not been returned yet."""
        return len(self._under_way) + len(self._settled)

    @property
    def room(self) -> int:
        """How many more can be put now without waiting for one another."""
        return max(0, self._ways.known.room - len(self._settled))

    def put(self, tag: int, body: bytes, token: str) -> None:
        """Begins one hand-over; the same body object often is cheap. Raises PayloadError for a strange one."""
        head, plaintext = self._split(body)
        try:
            subscription = read(token, self._services)
        except SubscriptionError as error:
            # Admitted once and no longer: the setting may come back, so the subscription is not called dead.
            outcome = Outcome.NO_TOKEN if error.unknown_service else Outcome.INVALID
            self._settled.append((tag, Result(outcome, detail=str(error))))
            return
        endpoint = subscription.endpoint
        way = self._ways.known if endpoint.trusted else self._ways.strangers
        waits = self._origins.held_up(endpoint)
        if waits is None and (way is None or not way.room):
            waits = Result(Outcome.RETRY, STRANGERS_WAIT_S, detail="not sent: no connection is free")
        if waits is not None or self.dry_run or way is None:
            self._settled.append((tag, waits or ACCEPTED))
            return
        sealed = encrypt(plaintext, subscription.p256dh, subscription.auth)
        self._origins.begun(endpoint)
        self._under_way[tag] = endpoint
        way.put(tag, endpoint.url, self._headed(self._vapid.authorization(endpoint.origin), head), sealed)

    def answers(self, wait_s: float) -> list[tuple[int, Result]]:
        """The results that came, waiting at most so long for the first one."""
        found, self._settled = self._settled, []
        known, strangers = self._ways.known, self._ways.strangers
        busy = [way for way in (known, strangers) if way is not None and way.under_way]
        for way in busy:
            # With both under way each is looked at by turns, so that neither's bytes wait long for the other's.
            wait = 0.0 if found else wait_s if len(busy) == 1 else min(wait_s, 0.01)
            for tag, answer in way.answers(wait):
                endpoint = self._under_way.pop(tag)
                if isinstance(answer, NoAnswer):
                    reading = no_answer(answer.text, may_have_arrived=answer.may_have_arrived)
                else:
                    reading = classify(answer.status, answer.body, answer.retry_after_s)
                result = self._origins.ended(endpoint, reading)
                if reading.refuses_us:
                    self._vapid.renew(endpoint.origin)
                found.append((tag, result))
        return found

    def close(self) -> None:
        """Ends the connections."""
        self._ways.known.close()
        if self._ways.strangers is not None:
            self._ways.strangers.close()
        self._under_way.clear()
        self._settled.clear()

    def _split(self, body: bytes) -> tuple[tuple[str, ...], bytes]:
        known = self._halves.get(id(body))
        if known is None:
            # The body is kept with its halves: while it lives, no other can have its id.
            known = self._halves[id(body)] = (body, *split(body))
            if len(self._halves) > _MOST_HALVES:
                self._halves.popitem(last=False)
        return known[1], known[2]

    def _headed(self, authorization: str, head: tuple[str, ...]) -> list[str]:
        """The header lines; the very same list for the same words, which spares libcurl a copy."""
        found = self._headers.get((authorization, head))
        if found is None:
            found = self._headers[authorization, head] = [f"Authorization: {authorization}", *head, *_EVERY_PUSH]
            if len(self._headers) > _MOST_HEADERS:
                self._headers.popitem(last=False)
        return found
