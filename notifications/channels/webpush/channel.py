"""The channel to browsers by Web Push: opened once a process, safe to use from many threads."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from notifications.channels.promise import Outcome, Push, Result
from notifications.channels.webpush.body import encode, split
from notifications.channels.webpush.endpoint import Services
from notifications.channels.webpush.vapid import Vapid, read_key

if TYPE_CHECKING:
    from notifications.channels.webpush.line import WebPushLine

_STRANGERS_CONNECTIONS = 32
_STRANGERS_PATIENCE_S = 5.0  # a step of a batch waits for its slowest answer


class WebPushChannel:
    """Keeps the promise of `notifications.channels.promise.Channel`."""

    name = "webpush"

    def __init__(self, services: Services, vapid: Vapid, new_line: Callable[[], WebPushLine]) -> None:
        self._vapid, self._new_line = vapid, new_line
        self._lock = threading.Lock()
        self._idle: list[WebPushLine] = []
        self.loopback = services.standin is not None  # no real browser receives anything

    @property
    def sender(self) -> str:
        """The only sender there is."""
        return "curl"

    @property
    def public_key(self) -> str:
        """The applicationServerKey that browsers subscribe with."""
        return self._vapid.public_key

    def encode(self, push: Push, now: dt.datetime) -> bytes:
        """What a group's recipients share, not encrypted yet. Raises PayloadError.

        Its TooLargeError has `size`, `limit` and `parts` for whoever chooses what to leave out.
        """
        return encode(push, now)

    def hand_over(self, body: bytes, tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Hands one encoded body to each subscription; results in the order of the tokens."""
        return self.hand_over_each([body] * len(tokens), tokens, dry_run=dry_run)

    def hand_over_each(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """As `hand_over` with a body a token. Web Push knows no trial: `dry_run` checks what can be without sending.

        Raises ValueError on unequal lengths and PayloadError for a body of another channel.
        """
        if len(bodies) != len(tokens):
            raise ValueError(f"{len(bodies)} bodies for {len(tokens)} tokens")
        for body in {id(body): body for body in bodies}.values():
            split(body)  # a body that is none of ours is found before anything leaves
        with self._lock:
            line = self._idle.pop() if self._idle else None
        line = line or self._new_line()
        line.dry_run = dry_run
        results = [Result(Outcome.RETRY, detail="not sent")] * len(tokens)
        waiting = iter(range(len(tokens)))
        more = True
        try:
            while more or line.under_way:
                while more and line.room:
                    index = next(waiting, None)
                    if index is None:
                        more = False
                    else:
                        line.put(index, bodies[index], tokens[index])
                for tag, result in line.answers(0.2):
                    results[tag] = result
        except BaseException:
            line.close()
            raise
        with self._lock:
            self._idle.append(line)
        return results

    def line(self) -> WebPushLine:
        """A way of its own for one thread that sends: connections of its own, the signed words shared."""
        return self._new_line()

    def close(self) -> None:
        """Lets go of connections; lines are closed by who opened them."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()


def unusable() -> str | None:
    """Why Web Push cannot be sent on this machine; None when it can. There is no slower sender instead."""
    try:
        import pycurl  # noqa: F401
    except ImportError as error:
        return f"pycurl cannot be loaded ({error})"
    return None


def open_channel(
    *,
    key: Path,
    subject: str,
    services: Services,
    timeout_s: float = 10.0,
    connections: int = 8,
    proxy: bool = False,
    ca_file: str | None = None,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> WebPushChannel:
    """Checks everything that can be checked without sending, and opens the channel. Contacts nobody yet.

    `key`: the city's private VAPID key (PEM). `subject`: mailto: or https:, whom a push service may write to.
    `timeout_s` for one request. `connections` of each thread that sends, to all known services together. `proxy`:
    go by the proxy of the environment, which then resolves the names; not with strangers' services. Raises ValueError
    saying what does not fit, also where libcurl is missing: there is no other sender.
    """
    vapid = Vapid(read_key(key), subject, clock)
    if proxy and (services.anybody or services.standin is not None):
        raise ValueError("by a proxy only known push services can be reached: not * and not the stand-in")
    missing = unusable()
    if missing is not None:
        raise ValueError(f"Web Push cannot be sent: {missing}")
    from notifications.channels.multiplex import Multiplexer
    from notifications.channels.webpush import guard
    from notifications.channels.webpush.line import LONGEST_ANSWER, Ways, WebPushLine

    loopback = services.standin is not None
    guarded = None if proxy else guard.open_loopback if loopback else guard.open_public

    def way(count: int, patience_s: float) -> Multiplexer:
        return Multiplexer(
            connections=count,
            timeout_s=patience_s,
            ca_file=ca_file,
            http2=not loopback,
            proxy=proxy,
            open_socket=guarded,
            largest_answer=LONGEST_ANSWER,
        )

    def line() -> WebPushLine:
        strangers = None
        if services.anybody and not loopback:
            strangers = way(_STRANGERS_CONNECTIONS, min(timeout_s, _STRANGERS_PATIENCE_S))
        return WebPushLine(services, vapid, Ways(way(connections, timeout_s), strangers), monotonic=monotonic)

    return WebPushChannel(services, vapid, line)
