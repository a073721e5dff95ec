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

from notifications.channels.standin.faults import Fault, FaultError, FaultName, refusal_of
from notifications.channels.standin.grants import GrantRefusedError
from notifications.channels.standin.message import parse
from notifications.channels.standin.page import live_page
from notifications.channels.standin.refusal import Refusal, Violation, invalid, not_found, permission_denied

if TYPE_CHECKING:
    from notifications.channels.standin.server import Server

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_LARGEST_BODY = 64 * 1024
_MOST_HEADERS = 100
_JSON = "application/json; charset=utf-8"
_REASONS = {200: "OK", 204: "No Content", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized"}


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
        if token and fault is not None and not self._passes(fault, token, message, validate_only):
            return
        seq, now = server.receipts.append(
            token=token,
            outcome="accepted",
            http=None if fault is not None and fault.name is FaultName.RESET_AFTER else 200,
            validate_only=validate_only,
            message=message,
            fault=fault.name.value if fault is not None else None,
        )
        if token and not validate_only:
            server.phones.receive(token, message, now)
        if fault is not None and fault.name is FaultName.RESET_AFTER:
            self._reset()
        elif fault is not None and fault.name is FaultName.GARBAGE:
            self._answer(200, b"<html>it works</html>", "text/html")
        else:
            name = f"projects/{project}/messages/{'fake_message_id' if validate_only else seq}"
            self._answer(200, b'{"name":"' + name.encode() + b'"}', _JSON)

    def _passes(self, fault: Fault, token: str, message: dict[str, Any], validate_only: bool) -> bool:
        """Plays a fault; True when the message is taken all the same."""
        server = self.server
        if fault.name in (FaultName.SLOW, FaultName.RESET_AFTER, FaultName.GARBAGE):
            if fault.name is FaultName.SLOW:
                server.stopping.wait(fault.delay_s)
            return True
        refusal = refusal_of(fault, server.project)
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
        server, now = self.server, self.server.clock()
        if method == "POST" and not self.given.get("content-type", "").startswith("application/json"):
            # A form on a foreign page cannot send this type without asking first.
            self._refuse(invalid(Violation("Content-Type", "must be application/json")))
        elif (method, path) == ("GET", "faults"):
            self._json({"faults": [fault.as_json() for fault in server.faults.all()]})
        elif (method, path) == ("POST", "faults"):
            self._put_fault(body)
        elif (method, path) == ("DELETE", "faults"):
            self._json({"removed": server.faults.clear(token=query.get("token"))})
        elif (method, path) == ("POST", "reset"):
            server.faults.clear()
            server.phones.reset()
            server.receipts.reset()
            self._json({"last": server.receipts.last})
        elif (method, path) == ("POST", "revoke"):
            self._json({"revoked": server.grants.revoke_all()})
        elif (method, path) == ("GET", "log"):
            after, limit = query.get("after", "0"), query.get("limit", "1000")
            if not after.isdigit() or not limit.isdigit():
                self._refuse(invalid(Violation("after", "must be a sequence number")))
                return
            lines = server.receipts.after(int(after), int(limit))
            entries = b",".join(lines.splitlines())
            self._answer(200, b'{"last":%d,"entries":[%b]}' % (server.receipts.last, entries), _JSON)
        elif (method, path) == ("GET", "phones"):
            limit = query.get("limit", "1000")
            listed = server.phones.newest(now, limit=int(limit) if limit.isdigit() else 1_000)
            self._json({"totals": server.phones.totals(), "phones": listed})
        elif method == "GET" and path.startswith("phones/"):
            phone = server.phones.find(unquote(path.removeprefix("phones/")), now)
            if phone is None:
                self._refuse(not_found(f"/_standin/{path}"))
            else:
                self._json(phone)
        elif (method, path) == ("GET", "health"):
            self._json({"standin": True, "project": server.project, "granted": server.grants.granted})
        else:
            self._refuse(not_found(f"/_standin/{path}"))

    def _put_fault(self, body: bytes) -> None:
        try:
            wish = orjson.loads(body)
            if not isinstance(wish, dict):
                raise FaultError("the body must be a JSON object")
            self._json(self.server.faults.put(wish).as_json())
        except (FaultError, orjson.JSONDecodeError) as error:
            self._refuse(Refusal(400, "INVALID_ARGUMENT", str(error)))

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

    def _json(self, value: object) -> None:
        self._answer(200, orjson.dumps(value), _JSON)

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
