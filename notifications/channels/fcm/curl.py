"""The fast sender: libcurl's multi interface, many requests at once over few kept connections."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence

from notifications.channels.fcm.access import Access, AccessError
from notifications.channels.fcm.answer import classify, taken, without
from notifications.channels.fcm.body import escaped, splice
from notifications.channels.fcm.endpoint import Endpoint
from notifications.channels.fcm.stops import Stops
from notifications.channels.multiplex import Answer, Multiplexer, NoAnswer, usable
from notifications.channels.promise import Outcome, Result

__all__ = ["CurlSender", "usable"]

_MOST_HALVES = 4_000
_LOCKED_OUT_S = 1.0
_BEARER_KEEPS_S = 1.0  # asking costs more than sending a byte or two
_EMPTY_TOKEN = Result(Outcome.INVALID, detail="an empty token")


class _Job:
    """One recipient under way."""

    __slots__ = ("again", "body", "generation", "token")

    def __init__(self, body: bytes, token: str, generation: int, again: bool) -> None:
        self.body, self.token = body, token
        self.generation = generation  # of the access token it went out with
        self.again = again  # a second time, with a renewed access token


class CurlLine:
    """Keeps the promise of `notifications.channels.promise.Line`."""

    def __init__(
        self,
        endpoint: Endpoint,
        access: Access,
        multiplexer: Multiplexer,
        *,
        clock: Callable[[], dt.datetime],
        dry_run: bool = False,
    ) -> None:
        self._url, self._access, self._requests, self._clock = endpoint.send_url, access, multiplexer, clock
        self.dry_run = dry_run
        self._jobs: dict[int, _Job] = {}
        self._settled: list[tuple[int, Result]] = []  # without having been sent
        self._halves: dict[int, tuple[bytes, bytes, bytes]] = {}
        self._headers: list[str] = []
        self._headed_for, self._generation = "", 0
        self._locked_out: tuple[float, AccessError] | None = None
        self._known_bearer, self._bearer_until = ("", 0), 0.0

    @property
    def under_way(self) -> int:
        """Hand-overs whose result has not been returned yet."""
        return self._requests.under_way + len(self._settled)

    @property
    def room(self) -> int:
        """How many more can be put now without waiting for one another."""
        return max(0, self._requests.room - len(self._settled))

    def put(self, tag: int, body: bytes, token: str) -> None:
        """Begins one hand-over; the same body object again is cheap. Raises PayloadError for a strange body."""
        if token:
            self._begin(tag, body, token, again=False)
        else:
            self._settled.append((tag, _EMPTY_TOKEN))

    def answers(self, wait_s: float) -> list[tuple[int, Result]]:
        """The results that came; an access token that was refused is renewed, once for all, and tried again."""
        if self._settled:
            wait_s = 0.0
        refused: list[tuple[int, _Job]] = []
        found: list[tuple[int, Result]] = []
        for tag, answer in self._requests.answers(wait_s):
            job = self._jobs.pop(tag)
            result = self._result(answer, job)
            if isinstance(answer, Answer) and answer.status == 401 and result.fault and not job.again:
                refused.append((tag, job))
            else:
                found.append((tag, result))
        for tag, job in refused:
            self._bearer_until = 0.0
            if not self._is_locked_out():
                try:
                    self._access.renew(job.generation)  # one request for all that went out with the same one
                except AccessError as error:
                    self._lock_out(error)
            # Another fault than the access token's own (an APNs key) comes back as it was.
            self._begin(tag, job.body, job.token, again=True)
        settled, self._settled = self._settled, []
        return settled + found

    def begin_anew(self) -> None:
        """Forgets what it knew of access a moment ago."""
        self._locked_out, self._bearer_until = None, 0.0

    def close(self) -> None:
        """Ends the connections."""
        self._requests.close()
        self._jobs.clear()
        self._settled.clear()

    def _begin(self, tag: int, body: bytes, token: str, *, again: bool) -> None:
        if time.monotonic() >= self._bearer_until or self._locked_out is not None:
            try:
                self._headed(*self._bearer())
            except AccessError as error:
                self._settled.append((tag, Result(Outcome.RETRY, fault=error.fault, detail=str(error))))
                return
        halves = self._halves.get(id(body)) or self._split(body)
        self._jobs[tag] = _Job(body, token, self._generation, again)
        self._requests.put(tag, self._url, self._headers, halves[1] + escaped(token) + halves[2])

    def _bearer(self) -> tuple[str, int]:
        """The access token. Refused once, it is not asked for again by each of a thousand hand-overs."""
        if self._locked_out is not None and self._is_locked_out():
            raise self._locked_out[1]
        if time.monotonic() < self._bearer_until:
            return self._known_bearer
        try:
            self._known_bearer = self._access.bearer()
        except AccessError as error:
            self._lock_out(error)
            raise
        self._bearer_until = time.monotonic() + _BEARER_KEEPS_S
        return self._known_bearer

    def _is_locked_out(self) -> bool:
        return self._locked_out is not None and time.monotonic() < self._locked_out[0]

    def _lock_out(self, error: AccessError) -> None:
        self._locked_out = (time.monotonic() + _LOCKED_OUT_S, error)

    def _split(self, body: bytes) -> tuple[bytes, bytes, bytes]:
        if len(self._halves) >= _MOST_HALVES:
            self._halves.clear()
        # The body is kept with its halves: while it lives, no other can have its id.
        known = self._halves[id(body)] = (body, *splice(body, dry_run=self.dry_run))
        return known

    def _headed(self, bearer: str, generation: int) -> None:
        """The headers of this access token; the same list again is cheap."""
        self._generation = generation
        if self._headed_for != bearer:
            self._headed_for = bearer
            self._headers = [
                f"Authorization: Bearer {bearer}",
                "Content-Type: application/json",
                "Expect:",
                "User-Agent: yobikake",
            ]

    def _result(self, answer: Answer | NoAnswer, job: _Job) -> Result:
        if isinstance(answer, NoAnswer):
            outcome = Outcome.UNKNOWN if answer.may_have_arrived else Outcome.RETRY
            return Result(outcome, detail=without(job.token, answer.text))
        if answer.status == 200:
            return taken(answer.body)
        wait = None if answer.retry_after_s is None else str(answer.retry_after_s)
        return classify(answer.status, answer.body, wait, token=job.token, now=self._clock())


class CurlSender:
    """Hands bodies to tokens. Safe to use from many threads: each call borrows a line."""

    name = "curl"

    def __init__(
        self,
        endpoint: Endpoint,
        access: Access,
        *,
        timeout_s: float,
        connections: int,
        ca_file: str | None,
        clock: Callable[[], dt.datetime],
    ) -> None:
        def line() -> CurlLine:
            requests = Multiplexer(
                connections=connections,
                timeout_s=timeout_s,
                ca_file=ca_file,
                http2=not endpoint.origin.startswith("http:"),
                proxy=not endpoint.loopback,
            )
            return CurlLine(endpoint, access, requests, clock=clock)

        self.line: Callable[[], CurlLine] = line
        self._lock = threading.Lock()
        self._idle: dict[bool, list[CurlLine]] = {False: [], True: []}

    def send(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool) -> list[Result]:
        """One result a token, in order; `bodies` one a token. A fault of everybody's leaves the rest unsent."""
        for body in {id(body): body for body in bodies}.values():
            splice(body, dry_run=dry_run)  # a body that is none of ours is found before anything leaves
        results: list[Result | None] = [None] * len(tokens)
        with self._lock:
            line = self._idle[dry_run].pop() if self._idle[dry_run] else None
        if line is None:
            line = self.line()
            line.dry_run = dry_run
        line.begin_anew()
        stops = Stops()
        waiting = iter(range(len(tokens)))
        more = True
        try:
            while more or line.under_way:
                while more and line.room:
                    index = next(waiting, None)
                    if index is None:
                        more = False
                    elif (stopped := stops.result(bodies[index])) is not None:
                        results[index] = stopped
                    else:
                        line.put(index, bodies[index], tokens[index])
                for tag, result in line.answers(0.2):
                    results[tag] = result
                    stops.note(bodies[tag], result)
        except BaseException:
            line.close()
            raise
        with self._lock:
            self._idle[dry_run].append(line)
        return [r if r is not None else Result(Outcome.RETRY, detail="not sent") for r in results]

    def close(self) -> None:
        """Ends all connections."""
        with self._lock:
            idle = [line for lines in self._idle.values() for line in lines]
            self._idle = {False: [], True: []}
        for line in idle:
            line.close()
