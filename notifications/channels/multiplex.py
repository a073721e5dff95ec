"""Many HTTP requests at once: libcurl's multi interface over few kept connections, nothing sent twice in secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import certifi
import pycurl

STREAMS = 100  # requests at once on one HTTP/2 connection, the limit of the great providers
_CONNECT_S = 10
_IDLE_S = 30  # older idle connections are not trusted: one that died silently would cost an answer
_MOST_RETIRED = 4
# Each look goes through all requests under way: when few of many have been answered, it pays to wait for more.
_FEW = 16
_TICK_S = 0.008
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


@dataclass(slots=True)
class Answer:
    """A complete answer."""

    status: int
    body: bytes
    retry_after_s: int | None = None  # the header, a date already turned into seconds


@dataclass(slots=True)
class NoAnswer:
    """No complete answer. `may_have_arrived` False: the other side cannot have the whole request."""

    may_have_arrived: bool
    text: str


class _Handle:
    """A reusable easy handle and what it carries now."""

    __slots__ = ("answer", "easy", "headers", "left", "length", "rest", "tag", "url")

    def __init__(self, easy: Any) -> None:
        self.easy = easy
        self.answer: list[bytes] = []
        self.rest = b""
        self.headers: Sequence[str] | None = None
        self.url: str | None = None
        self.tag = self.left = 0
        self.length = -1

    def read(self, most: int) -> bytes:
        """The next part of the body. It cannot be read twice: libcurl would silently send a request again when a
        kept connection drops before the answer, and the phone might get it twice. So it says so instead."""
        part, self.rest = self.rest[:most], self.rest[most:]
        return part

    def write(self, part: bytes) -> int | None:
        """Collects the answer, and breaks it off when it is longer than any honest one."""
        self.left -= len(part)
        if self.left < 0:
            return 0
        self.answer.append(part)
        return None


class _Pool:
    """One multi handle with its connections."""

    def __init__(self, connections: int) -> None:
        self.multi: Any = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, connections)
        self.multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, connections)
        self.multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, STREAMS)
        self.busy: dict[Any, _Handle] = {}
        self.free: list[_Handle] = []

    def close(self) -> None:
        for easy, handle in self.busy.items():
            self.multi.remove_handle(easy)
            handle.easy.close()
        for handle in self.free:
            handle.easy.close()
        self.busy.clear()
        self.free.clear()
        self.multi.close()


class Multiplexer:
    """Requests by POST, put one by one and answered in any order. Used by one thread at a time."""

    def __init__(
        self,
        *,
        connections: int,
        timeout_s: float,
        ca_file: str | None = None,
        http2: bool = True,
        proxy: bool = True,
        open_socket: Callable[..., Any] | None = None,
        largest_answer: int = 65_536,
    ) -> None:
        """`connections` in all; `timeout_s` for one request from `put` on; `http2` False over plain HTTP.

        `open_socket`: libcurl's OPENSOCKETFUNCTION, called with every address before it is connected to, so that
        an address can be refused. `largest_answer`, bytes: a longer one counts as none.
        """
        self._connections, self._timeout_ms = connections, int(timeout_s * 1000)
        self._ca_file = ca_file or certifi.where()
        self._http2, self._proxy, self._open_socket = http2, proxy, open_socket
        self._largest = largest_answer
        # Over HTTP/1.1 a request waiting for a connection would lose its time to the wait.
        self._most = connections * (STREAMS if http2 else 1)
        self._pool = _Pool(connections)
        self._retired: list[_Pool] = []
        self._last_found = 0

    @property
    def under_way(self) -> int:
        """Requests put and not answered yet."""
        return len(self._pool.busy) + sum(len(pool.busy) for pool in self._retired)

    @property
    def room(self) -> int:
        """How many can be put now without waiting for one another."""
        return max(0, self._most - self.under_way)

    def put(self, tag: int, url: str, headers: Sequence[str], body: bytes) -> None:
        """Begins a request. The same headers object again and again is cheap."""
        pool = self._pool
        handle = pool.free.pop() if pool.free else self._new()
        easy = handle.easy
        if handle.url != url:
            easy.setopt(pycurl.URL, url)
            handle.url = url
        if handle.headers is not headers:
            easy.setopt(pycurl.HTTPHEADER, list(headers))
            handle.headers = headers
        if handle.length != len(body):
            handle.length = len(body)
            easy.setopt(pycurl.POSTFIELDSIZE, handle.length)
        handle.tag, handle.rest, handle.left = tag, body, self._largest
        handle.answer.clear()
        pool.multi.add_handle(easy)
        pool.busy[easy] = handle

    def answers(self, wait_s: float) -> list[tuple[int, Answer | NoAnswer]]:
        """What has come, waiting at most so long for the first. Must be called steadily while requests are under way.

        Libcurl only moves bytes in here.
        """
        until = time.monotonic() + wait_s
        if wait_s > _TICK_S and self._last_found * _FEW < self.under_way:
            time.sleep(_TICK_S)
        while True:
            found: list[tuple[int, Answer | NoAnswer]] = []
            for pool in (self._pool, *self._retired):
                if pool.busy:
                    pool.multi.perform()
                    self._gather(pool, found)
            self._bury()
            left = until - time.monotonic()
            if found or left <= 0 or not self.under_way:
                self._last_found = len(found)
                return found
            pool = self._pool if self._pool.busy else self._retired[0]
            # Others wait at most this long for their bytes, and only after a failure are there others.
            pool.multi.select(left if not self._retired else min(left, 0.02))

    def close(self) -> None:
        """Ends the connections; what is under way is abandoned."""
        for pool in (self._pool, *self._retired):
            pool.close()
        self._pool, self._retired = _Pool(self._connections), []

    def _new(self) -> _Handle:
        easy: Any = pycurl.Curl()
        handle = _Handle(easy)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.FOLLOWLOCATION, 0)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, 1 if self._http2 else 0)
        easy.setopt(pycurl.CAINFO, self._ca_file)
        easy.setopt(pycurl.NOSIGNAL, 1)
        # Libcurl writes each request by itself. Gathered into full packets (Nagle) they cost half of the system's time,
        # here and at the provider; the last ones of a burst leave when the first have arrived.
        easy.setopt(pycurl.TCP_NODELAY, 0)
        easy.setopt(pycurl.CONNECTTIMEOUT, _CONNECT_S)
        easy.setopt(pycurl.TIMEOUT_MS, self._timeout_ms)
        easy.setopt(pycurl.MAXAGE_CONN, _IDLE_S)
        easy.setopt(pycurl.POST, 1)
        easy.setopt(pycurl.READFUNCTION, handle.read)
        easy.setopt(pycurl.WRITEFUNCTION, handle.write)
        if not self._proxy:
            easy.setopt(pycurl.PROXY, "")
        if self._open_socket is not None:
            easy.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        return handle

    def _gather(self, pool: _Pool, found: list[tuple[int, Answer | NoAnswer]]) -> None:
        left, failed = 1, False
        multi, busy, free = pool.multi, pool.busy, pool.free
        while left:
            left, good, bad = multi.info_read()
            for easy in good:
                handle = busy.pop(easy)
                status = easy.getinfo(pycurl.RESPONSE_CODE)
                wait = easy.getinfo(pycurl.RETRY_AFTER) if status >= 300 else 0
                parts = handle.answer
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                found.append((handle.tag, Answer(status, body, wait if wait > 0 else None)))
                multi.remove_handle(easy)
                free.append(handle)
            for easy, number, text in bad:
                failed = True
                handle = busy.pop(easy)
                found.append((handle.tag, _broken(easy, handle, number, text)))
                multi.remove_handle(easy)
                free.append(handle)
        if failed and pool is self._pool and len(self._retired) < _MOST_RETIRED:
            # Libcurl would try the failing connection again first: new requests get others.
            self._retired.append(pool)
            self._pool = _Pool(self._connections)

    def _bury(self) -> None:
        for pool in [pool for pool in self._retired if not pool.busy]:
            self._retired.remove(pool)
            pool.close()


def _broken(easy: Any, handle: _Handle, number: int, text: str) -> NoAnswer:
    cut_short = number != pycurl.E_SEND_FAIL_REWIND and easy.getinfo(pycurl.SIZE_UPLOAD_T) < handle.length
    return NoAnswer(number not in _NEVER_SENT and not cut_short, f"curl {number}: {text}")
