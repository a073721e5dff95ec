"""The stand-in's doors: the provider's paths, the control interface, the live page."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from notifications.channels.standin import browsers
from notifications.channels.standin.control import control
from notifications.channels.standin.faults import Fault, FaultName, refusal_of
from notifications.channels.standin.grants import GrantRefusedError
from notifications.channels.standin.message import parse
from notifications.channels.standin.page import live_page
from notifications.channels.standin.refusal import Refusal, not_found, permission_denied

if TYPE_CHECKING:
    from notifications.channels.standin.server import Server

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_LARGEST_BODY = 64 * 1024
_MOST_HEADERS = 100
_JSON = "application/json; charset=utf-8"
_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    307: "Temporary Redirect",
    400: "Bad Request",
    401: "Unauthorized",
}


class Doors(BaseHTTPRequestHandler):
    """One connection; its requests are read lean, since ten thousand a minute come."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300
    server: Server

    def handle_one_request(self) -> None:
        """Reads one request and answers it; any fault of the line ends the connection."""
        self.close_connection = True
        try:
            request = self._read()
            if request is not None:
                self._route(*request)
                self.wfile.flush()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _read(self) -> tuple[str, str, bytes] | None:
        """Method, target and body, or None when the other side is done or speaks no HTTP."""
        line = self.rfile.readline(8_192)
        parts = line.split()
        if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
            return None
        given: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            header = self.rfile.readline(16_384)
            if header in (b"\r\n", b"\n", b""):
                break
            name, _, value = header.partition(b":")
            given[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
        else:
            self._answer(400, b"too many headers", "text/plain")
            return None
        self.given = given
        self.close_connection = given.get("connection", "").lower() == "close" or parts[2] == b"HTTP/1.0"
        length = given.get("content-length", "0")
        if "transfer-encoding" in given or not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            refusal = Refusal(400, "INVALID_ARGUMENT", f"Send a body with Content-Length of at most {_LARGEST_BODY}.")
            self._refuse(refusal)
            self.wfile.flush()
            return None
        if given.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        body = self.rfile.read(int(length)) if length != "0" else b""
        if len(body) != int(length):
            return None
        return parts[0].decode("latin-1"), parts[1].decode("latin-1"), body

    def _route(self, method: str, target: str, body: bytes) -> None:
        match = _SEND.fullmatch(target)
        if match is not None and method == "POST":
            self._send(unquote(match[1]), body)
            return
        address = urlsplit(target)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        if method == "POST" and address.path == "/token":
            self._token(dict(parse_qsl(body.decode("utf-8", "replace"))))
        elif method == "POST" and address.path.startswith("/push/"):
            self._push(unquote(address.path.removeprefix("/push/")), body)
        elif not self._of_this_machine():
            self._refuse(Refusal(403, "PERMISSION_DENIED", "Ask for this page by the address it listens on."))
        elif method == "GET" and address.path == "/":
            self._page(query)
        elif address.path.startswith("/_standin/"):
            self._control(method, address.path.removeprefix("/_standin/"), query, body)
        else:
            self._refuse(not_found(address.path))

    # The provider

    def _token(self, form: Mapping[str, str]) -> None:
        fault = self.server.faults.take_oauth()
        if fault is not None and fault.name is FaultName.OAUTH_UNAVAILABLE:
            self._answer(503, b'{"error":"temporarily_unavailable"}', _JSON)
            return
        try:
            if fault is not None:
                raise GrantRefusedError("invalid_grant", "Refused on demand.")
            self._answer(200, orjson.dumps(self.server.grants.grant(form)), _JSON)
        except GrantRefusedError as error:
            self._answer(400, orjson.dumps({"error": error.code, "error_description": str(error)}), _JSON)

    def _send(self, project: str, body: bytes) -> None:
        server = self.server
        refusal = server.grants.check(self.given.get("authorization", ""))
        if refusal is None and project != server.project:
            refusal = permission_denied(project)
        parsed = refusal or parse(body)
        if isinstance(parsed, Refusal):
            server.receipts.append(token=None, outcome=parsed.code, http=parsed.http, validate_only=False, message=None)
            self._refuse(parsed)
            return
        message, validate_only = parsed
        token = message.get("token") or message.get("fid")
        fault = server.faults.take(token) if token else None
        refusal = refusal_of(fault, project) if fault is not None else None
        seq = self._deliver(token, message, fault, refusal, http=200, validate_only=validate_only)
        if seq is not None:
            name = f"projects/{project}/messages/{'fake_message_id' if validate_only else seq}"
            self._answer(200, b'{"name":"' + name.encode() + b'"}', _JSON)

    def _push(self, path: str, body: bytes) -> None:
        """Web Push: the service of the pretend browsers."""
        server = self.server
        try:
            name, message = server.browsers.take(path, self.given, body, server.clock())
        except browsers.Refused as refused:
            code, http = refused.refusal.code, refused.refusal.http
            server.receipts.append(token=refused.name, outcome=code, http=http, validate_only=False, message=None)
            self._refuse(refused.refusal)
            return
        fault = server.faults.take(name)
        refusal = browsers.refusal_of(fault) if fault is not None else None
        seq = self._deliver(name, message, fault, refusal, http=201)
        if seq is not None:
            self._answer(201, b"", "text/plain", {"Location": f"{server.url}/message/{seq}"})

    def _deliver(
        self,
        token: str | None,
        message: dict[str, Any],
        fault: Fault | None,
        refusal: Refusal | None,
        *,
        http: int,
        validate_only: bool = False,
    ) -> int | None:
        """Logs and shows a message, or plays its fault; its number where the answer is still to be given."""
        server = self.server
        if fault is not None and not self._passes(fault, refusal, token, message, validate_only):
            return None
        resets = fault is not None and fault.name is FaultName.RESET_AFTER
        seq, now = server.receipts.append(
            token=token,
            outcome="accepted",
            http=None if resets else http,
            validate_only=validate_only,
            message=message,
            fault=fault.name.value if fault is not None else None,
        )
        if token and not validate_only:
            server.phones.receive(token, message, now)
        if resets:
            self._reset()
        elif fault is not None and fault.name is FaultName.GARBAGE:
            self._answer(200, b"<html>it works</html>", "text/html")
        else:
            return seq
        return None

    def _passes(
        self, fault: Fault, refusal: Refusal | None, token: str | None, message: dict[str, Any], validate_only: bool
    ) -> bool:
        """Plays a fault; True when the message is taken all the same."""
        server = self.server
        if fault.name in (FaultName.SLOW, FaultName.RESET_AFTER, FaultName.GARBAGE):
            if fault.name is FaultName.SLOW:
                server.stopping.wait(fault.delay_s)
            return True
        http = refusal.http if refusal is not None else 307 if fault.name is FaultName.REDIRECT else None
        server.receipts.append(
            token=token,
            outcome=refusal.code if refusal is not None else fault.name.value.lower(),
            http=http,
            validate_only=validate_only,
            message=message,
            fault=fault.name.value,
        )
        if refusal is not None:
            self._refuse(refusal)
        elif fault.name is FaultName.REDIRECT:
            self._answer(307, b"", "text/plain", {"Location": f"{server.url}/_standin/elsewhere"})
        elif fault.name is FaultName.NO_ANSWER:
            self._wait_for_hang_up()
        else:
            self._reset()
        return False

    def _reset(self) -> None:
        """Ends the connection with RST, as a crashing machine or a firewall does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # at once: an orderly shutdown first would send FIN

    def _wait_for_hang_up(self) -> None:
        """Says nothing until the caller gives up or the stand-in stops."""
        self.connection.settimeout(0.2)
        self.close_connection = True
        while not self.server.stopping.is_set():
            try:
                if not self.connection.recv(4_096):
                    return
            except TimeoutError:
                continue

    # Control

    def _of_this_machine(self) -> bool:
        """Refuses pages of other sites that point a name of theirs at this address (DNS rebinding)."""
        host = urlsplit(f"//{self.given.get('host', '')}").hostname or ""
        return host in ("localhost", "127.0.0.1", "::1", self.server.host) or host.startswith("127.")

    def _control(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> None:
        done = control(self.server, method, path, query, body, self.given.get("content-type", ""))
        if isinstance(done, Refusal):
            self._refuse(done)
        else:
            self._answer(200, done, _JSON)

    def _page(self, query: Mapping[str, str]) -> None:
        server, now = self.server, self.server.clock()
        wanted = query.get("q", "")
        page = live_page(
            phones=server.phones.newest(now, limit=48, containing=wanted, whole=True),
            totals=server.phones.totals(),
            log_last=server.receipts.last,
            now=now,
            wanted=wanted,
            still="still" in query,
        )
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
        self._answer(200, page.encode(), "text/html; charset=utf-8", policy)

    # Answers

    def _refuse(self, refusal: Refusal) -> None:
        headers = {"Retry-After": refusal.retry_after} if refusal.retry_after is not None else {}
        self._answer(refusal.http, refusal.body(), _JSON, headers)

    def _answer(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
        closing = "Connection: close\r\n" if self.close_connection else ""
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Refused')}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\n{more}{closing}\r\n"
        )
        self.wfile.write(head.encode("latin-1") + body)
