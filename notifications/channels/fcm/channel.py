"""The channel to Firebase Cloud Messaging: opened once a process, safe to use from many threads."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Protocol

from notifications.channels.fcm.access import Access, read_credentials
from notifications.channels.fcm.body import encode
from notifications.channels.fcm.endpoint import check_endpoint
from notifications.channels.promise import Line, Push, Result

SenderName = Literal["auto", "curl", "library"]
_log = logging.getLogger(__name__)


class _Sender(Protocol):
    name: str

    def send(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool) -> list[Result]: ...

    def line(self) -> Line: ...

    def close(self) -> None: ...


class FcmChannel:
    """Keeps the promise of `notifications.channels.promise.Channel`."""

    name = "fcm"

    def __init__(self, sender: _Sender, access: Access, *, loopback: bool, critical_entitled: bool) -> None:
        self._sender = sender
        self._access = access
        self._critical_entitled = critical_entitled
        self.loopback = loopback  # it talks to a stand-in: no real phone receives anything

    @property
    def sender(self) -> str:
        """The active sender: curl or library."""
        return self._sender.name

    def encode(self, push: Push, now: dt.datetime) -> bytes:
        """The validated request body of a group, with a marker where the token goes.

        Raises PayloadError; its TooLargeError has `size`, `limit` and `parts` for whoever chooses what to leave out.
        """
        return encode(push, now, critical_entitled=self._critical_entitled)

    def hand_over(self, body: bytes, tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """Hands one encoded body to each token; results in the order of the tokens."""
        return self._sender.send([body] * len(tokens), tokens, dry_run=dry_run)

    def hand_over_each(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool = False) -> list[Result]:
        """As `hand_over` with a body a token, so that many small groups share the connections and the waiting.

        Recipients of one group should be given the very same bytes object. Raises ValueError on unequal lengths.
        """
        if len(bodies) != len(tokens):
            raise ValueError(f"{len(bodies)} bodies for {len(tokens)} tokens")
        return self._sender.send(bodies, tokens, dry_run=dry_run)

    def line(self) -> Line:
        """A way of its own for one thread that sends: connections of its own, the access token shared."""
        return self._sender.line()

    def close(self) -> None:
        """Lets go of connections; lines are closed by who opened them."""
        self._sender.close()
        self._access.close()


def open_channel(
    *,
    credentials: Mapping[str, Any] | str | PathLike[str],
    project_id: str | None = None,
    endpoint: str | None = None,
    sender: SenderName = "auto",
    timeout_s: float = 10.0,
    connections: int = 8,
    critical_entitled: bool = False,
    ca_file: str | None = None,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> FcmChannel:
    """Checks everything that can be checked without sending, and opens the channel. Contacts nobody yet.

    `credentials`: a service account's JSON or the file of it. `project_id`: when not the one in it. `endpoint`: None
    for Google, or the loopback address of a stand-in. `timeout_s` for one request (the provider asks for at least
    ten seconds). `connections`: HTTP/2 connections of each thread that sends, 100 messages at once on each.
    `critical_entitled`: Apple granted critical alerts to the app. `ca_file`: certificates to trust instead of
    the public ones. Raises EndpointError or ValueError saying what does not fit.
    """
    info = read_credentials(credentials)
    checked = check_endpoint(endpoint, info, project_id)
    access = Access(info, loopback=checked.loopback, timeout_s=timeout_s, ca_file=ca_file)
    make = _sender_class(sender)
    made = make(checked, access, timeout_s=timeout_s, connections=connections, ca_file=ca_file, clock=clock)
    return FcmChannel(made, access, loopback=checked.loopback, critical_entitled=critical_entitled)


def _sender_class(wanted: SenderName) -> Callable[..., _Sender]:
    # Imported here: pycurl may be missing, and neither sender should cost a process that uses the other.
    if wanted in ("auto", "curl"):
        reason = "pycurl is not installed"
        try:
            from notifications.channels.fcm.curl import CurlSender, usable
        except ImportError as error:
            reason = f"pycurl cannot be loaded ({error})"
        else:
            if usable():
                return CurlSender
            reason = "its libcurl has no HTTP/2"
        if wanted == "curl":
            raise ValueError(f"the curl sender cannot be used: {reason}")
        _log.warning("sending by the Firebase library, about thirty times slower than by libcurl: %s", reason)
    elif wanted != "library":
        raise ValueError(f"there is no sender {wanted!r}: choose auto, curl or library")
    from notifications.channels.fcm.library import LibrarySender

    return LibrarySender
