"""A provider that speaks HTTP/2 over TLS on loopback, and can refuse, drop and go away as one does."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


class Http2Server:
    """Answers every request with a message name; `gather` holds answers until so many are open on one connection."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = make_certificate(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.origin = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.most_open = 0
        self.bodies: list[bytes] = []
        self.gather = 1
        self.refuse = 0  # so many streams are refused unprocessed (REFUSED_STREAM)
        self.drop_after = 0  # after so many requests one connection is closed without answers
        self.away_after = 0  # after so many requests one connection says GOAWAY, the rest of it unprocessed
        self._open: set[ssl.SSLSocket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as line:
            self._open.add(line)
            try:
                self._talk(line)
            finally:
                self._open.discard(line)

    def _talk(self, line: ssl.SSLSocket) -> None:
        self.connections += 1
        conversation = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        conversation.initiate_connection()
        line.sendall(conversation.data_to_send())
        texts: dict[int, bytes] = {}
        complete: list[int] = []
        while data := line.recv(65_536):
            for event in conversation.receive_data(data):
                if isinstance(event, h2.events.DataReceived) and event.stream_id is not None:
                    texts[event.stream_id] = texts.get(event.stream_id, b"") + (event.data or b"")
                    conversation.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded) and event.stream_id is not None:
                    if self.refuse:
                        self.refuse -= 1
                        conversation.reset_stream(event.stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
                        continue
                    complete.append(event.stream_id)
                    self.bodies.append(texts.pop(event.stream_id))
                    self.most_open = max(self.most_open, len(complete))
            if self.drop_after and len(complete) >= self.drop_after:
                self.drop_after = 0
                return
            if self.away_after and len(complete) >= self.away_after:
                self.away_after = 0
                del self.bodies[1 - len(complete) :]  # not processed
                self._answer(conversation, complete[:1])
                conversation.close_connection(last_stream_id=complete[0])
                line.sendall(conversation.data_to_send())
                return
            if len(complete) >= self.gather:
                self._answer(conversation, complete)
                complete.clear()
            line.sendall(conversation.data_to_send())

    def _answer(self, conversation: h2.connection.H2Connection, streams: list[int]) -> None:
        for stream in streams:
            conversation.send_headers(stream, [(":status", "200"), ("content-type", "application/json")])
            conversation.send_data(stream, b'{"name":"projects/p/messages/1"}', end_stream=True)
