"""The fast sender: libcurl's multi interface, many requests at once over few kept connections."""

from __future__ import annotations

import datetime as dt
import io
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import certifi
import pycurl

from notifications.channels.fcm.access import Access, AccessError
from notifications.channels.fcm.answer import classify, without
from notifications.channels.fcm.body import escaped, splice
from notifications.channels.fcm.endpoint import Endpoint
from notifications.channels.fcm.stops import Stops
from notifications.channels.promise import Fault, Outcome, Result

STREAMS = 100  # requests at once on one HTTP/2 connection, the provider's own limit
_CONNECT_S = 10
_IDLE_S = 30  # older idle connections are not trusted: one that died silently would cost an UNKNOWN
_NEVER_SENT = frozenset(
    {
        pycurl.E_COULDNT_RESOLVE_HOST,
        pycurl.E_COULDNT_RESOLVE_PROXY,
        pycurl.E_COULDNT_CONNECT,
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CACERT_BADFILE,
    }
)


def usable() -> bool:
    """This libcurl can speak HTTP/2."""
    return bool(pycurl.version_info()[4] & pycurl.VERSION_HTTP2)


class _Job:
    """One recipient under way."""

    __slots__ = ("answer", "index", "length", "token")

    def __init__(self, index: int, token: str) -> None:
        self.index = index
        self.token = token
        self.answer: list[bytes] = []
        self.length = 0


class _Line:
    """One multi handle with its connections and its pool of easy handles. Used by one thread at a time."""

    def __init__(self, endpoint: Endpoint, connections: int, timeout_s: float, ca_file: str | None) -> None:
        self.multi: Any = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, connections)
        self.multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, connections)
        self.multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, STREAMS)
        self._endpoint = endpoint
        self._timeout_ms = int(timeout_s * 1000)
        self._ca_file = ca_file or certifi.where()
        # Over HTTP/1.1 a request waiting for a connection would lose its time to the wait.
        self.most = connections * (1 if endpoint.origin.startswith("http:") else STREAMS)
        self.free: list[Any] = []
        self.made = 0
        self.broken = False

    def handle(self) -> Any:
        """A free easy handle, or None when as many as allowed are under way."""
        if self.free:
            return self.free.pop()
        if self.made >= self.most:
            return None
        self.made += 1
        easy: Any = pycurl.Curl()
        easy.setopt(pycurl.URL, self._endpoint.send_url)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.FOLLOWLOCATION, 0)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, 0 if self._endpoint.origin.startswith("http:") else 1)
        easy.setopt(pycurl.CAINFO, self._ca_file)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.TCP_NODELAY, 1)
        easy.setopt(pycurl.CONNECTTIMEOUT, _CONNECT_S)
        easy.setopt(pycurl.TIMEOUT_MS, self._timeout_ms)
        easy.setopt(pycurl.MAXAGE_CONN, _IDLE_S)
        easy.setopt(pycurl.POST, 1)
        if self._endpoint.loopback:
            easy.setopt(pycurl.PROXY, "")
        return easy

    def close(self) -> None:
        """Ends the connections."""
        for easy in self.free:
            easy.close()
        self.multi.close()


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
        self._new_line: Callable[[], _Line] = lambda: _Line(endpoint, connections, timeout_s, ca_file)
        self._access = access
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[_Line] = []

    def send(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool) -> list[Result]:
        """One result a token, in order; `bodies` one a token (the same object again and again is cheap)."""
        halves = {id(body): splice(body, dry_run=dry_run) for body in {id(body): body for body in bodies}.values()}
        results: list[Result | None] = [None] * len(tokens)
        work = [index for index, token in enumerate(tokens) if token]
        for index in set(range(len(tokens))) - set(work):
            results[index] = Result(Outcome.INVALID, detail="an empty token")
        try:
            bearer, generation = self._access.bearer()
            line = self._borrow()
            try:
                self._run(line, bearer, bodies, halves, tokens, work, results)
                refused = [i for i in work if (r := results[i]) is not None and r.fault is Fault.CREDENTIALS]
                if refused and any((r := results[i]) is not None and r.detail.startswith("401") for i in refused):
                    bearer, _ = self._access.renew(generation)  # once for all; a second refusal stands
                    self._run(line, bearer, bodies, halves, tokens, refused, results)
            finally:
                self._give_back(line)
        except AccessError as error:
            stopped = Result(Outcome.RETRY, fault=error.fault, detail=str(error))
            return [stopped if r is None or r.fault is Fault.CREDENTIALS else r for r in results]
        return [r if r is not None else Result(Outcome.RETRY, detail="not sent") for r in results]

    def close(self) -> None:
        """Ends all connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _borrow(self) -> _Line:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._new_line()

    def _give_back(self, line: _Line) -> None:
        """Keeps a line for the next call, unless a connection of it failed: libcurl would try that one again first."""
        if line.broken:
            line.close()
            return
        with self._lock:
            self._idle.append(line)

    def _run(
        self,
        line: _Line,
        bearer: str,
        bodies: Sequence[bytes],
        halves: Mapping[int, tuple[bytes, bytes]],
        tokens: Sequence[str],
        work: Sequence[int],
        results: list[Result | None],
    ) -> None:
        """Sends `work` (indexes) and fills `results`. A fault that concerns everybody leaves the rest unsent."""
        headers = [
            f"Authorization: Bearer {bearer}",
            "Content-Type: application/json",
            "Expect:",
            "User-Agent: yobikake",
        ]
        waiting = iter(work)
        under_way: dict[Any, _Job] = {}
        stops = Stops()
        more = True
        try:
            while more or under_way:
                while more and (easy := line.handle()) is not None:
                    index = next((i for i in waiting if not _stopped(i, bodies, stops, results)), None)
                    if index is None:
                        more = False
                        line.free.append(easy)
                        break
                    half = halves[id(bodies[index])]
                    under_way[easy] = self._start(line, easy, headers, half, index, tokens[index])
                line.multi.perform()
                ended = self._ended(line, under_way)
                for result, job in ended:
                    results[job.index] = result
                    stops.note(bodies[job.index], result)
                if under_way and not ended:
                    line.multi.select(0.2)
        finally:  # only after an exception is anything left
            for easy in under_way:
                line.multi.remove_handle(easy)
                easy.close()
                line.made -= 1

    def _start(
        self, line: _Line, easy: Any, headers: list[str], half: tuple[bytes, bytes], index: int, token: str
    ) -> _Job:
        body = half[0] + escaped(token) + half[1]
        job = _Job(index, token)
        job.length = len(body)
        easy.setopt(pycurl.HTTPHEADER, headers)
        easy.setopt(pycurl.POSTFIELDSIZE, len(body))
        # Read through a function that cannot rewind: libcurl would silently send a request again when a kept
        # connection drops before the answer, and the phone might get it twice. So it says so instead.
        easy.setopt(pycurl.READFUNCTION, io.BytesIO(body).read)
        easy.setopt(pycurl.WRITEFUNCTION, job.answer.append)
        line.multi.add_handle(easy)
        return job

    def _ended(self, line: _Line, under_way: dict[Any, _Job]) -> list[tuple[Result, _Job]]:
        found: list[tuple[Result, _Job]] = []
        left = 1
        while left:
            left, good, bad = line.multi.info_read()
            for easy in good:
                job = under_way.pop(easy)
                found.append((self._answered(easy, job), job))
                line.multi.remove_handle(easy)
                line.free.append(easy)
            for easy, number, text in bad:
                line.broken = True
                job = under_way.pop(easy)
                found.append((_broken(easy, job, number, text), job))
                line.multi.remove_handle(easy)
                line.free.append(easy)
        return found

    def _answered(self, easy: Any, job: _Job) -> Result:
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        wait = easy.getinfo(pycurl.RETRY_AFTER) if status != 200 else 0
        text = str(wait) if wait > 0 else None
        return classify(status, b"".join(job.answer), text, token=job.token, now=self._clock())


def _stopped(index: int, bodies: Sequence[bytes], stops: Stops, results: list[Result | None]) -> bool:
    """Settles a recipient that is not tried any more."""
    result = stops.result(bodies[index])
    if result is not None:
        results[index] = result
    return result is not None


def _broken(easy: Any, job: _Job, number: int, text: str) -> Result:
    """No complete answer: RETRY only when the provider cannot have the whole request."""
    detail = without(job.token, f"curl {number}: {text}")
    cut_short = number != pycurl.E_SEND_FAIL_REWIND and easy.getinfo(pycurl.SIZE_UPLOAD_T) < job.length
    if number in _NEVER_SENT or cut_short:
        return Result(Outcome.RETRY, detail=detail)
    return Result(Outcome.UNKNOWN, detail=detail)
