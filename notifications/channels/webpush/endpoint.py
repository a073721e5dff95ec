"""Where a browser's pushes go: an address that a stranger gives us, and the push services that we know."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

# Chrome, Edge, Samsung Internet, Opera, Brave and others; Firefox; Safari; Edge on Windows.
KNOWN = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    "*.push.services.mozilla.com",
    "web.push.apple.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
ANYBODY = "*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label begins with a letter, as every top-level domain does: so no spelling of an IPv4 address is a name.
_NAME = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
_REST = r"/[A-Za-z0-9._~!$&'()*+,;=:@/?%\[\]-]*"
# One strict form instead of a parser: what Python and libcurl would read differently is not an endpoint.
_ENDPOINT = re.compile(rf"(?P<origin>https://(?P<host>{_NAME}))(?::443)?(?P<rest>{_REST})", re.IGNORECASE)
_STANDIN = re.compile(rf"(?P<origin>http://(?:127(?:\.\d{{1,3}}){{3}}|\[::1\]):\d{{1,5}}){_REST}")
_PATTERN = re.compile(rf"(?:\*\.)?{_NAME}")
_LONGEST = 2_048
_LONGEST_NAME = 253
# Names that never lead into the public Internet (RFC 6761, 6762, 8375, 9476 and the customs of office networks).
_PRIVATE = ("localhost", "local", "internal", "intranet", "lan", "corp", "home.arpa", "test", "invalid", "example",
            "onion", "alt", "arpa")  # fmt: skip


class EndpointError(ValueError):
    """The address of a subscription is not one that pushes may be sent to; says why, without the address."""


class UnknownServiceError(EndpointError):
    """A good address of a push service that the settings do not admit."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked address."""

    url: str
    origin: str  # scheme, host and a port other than 443: the audience of VAPID
    trusted: bool  # a push service that the city knows; False: any public host, by `*`
    loopback: bool = False  # the stand-in


class Services:
    """The push services that pushes may be sent to."""

    def __init__(self, added: Sequence[str] = (), standin: str | None = None) -> None:
        """`added`: names such as `push.example.org` or `*.example.org`; `*` admits every public host.

        `standin`: the origin of a stand-in on this machine; it is then the only service, so that no real browser
        receives anything. Raises ValueError naming what is no such name.
        """
        self.anybody = ANYBODY in added
        names = [name.strip().lower() for name in added if name.strip() and name.strip() != ANYBODY]
        for name in names:
            if not _PATTERN.fullmatch(name) or _is_private(name):
                raise ValueError(f"{name!r} is not the name of a push service, such as push.example.org")
        self._exact = {name for name in (*KNOWN, *names) if not name.startswith("*.")}
        self._endings = tuple(name[1:] for name in (*KNOWN, *names) if name.startswith("*."))
        self.standin = None if standin is None else _loopback_origin(standin)

    def check(self, url: str) -> Endpoint:
        """The endpoint that a browser gave, in one spelling. Raises EndpointError."""
        if self.standin is not None:
            if not url.startswith(f"{self.standin}/") or not re.fullmatch(_REST, url[len(self.standin) :]):
                raise UnknownServiceError("only the stand-in is served here")
            return Endpoint(url, self.standin, trusted=True, loopback=True)
        endpoint = spelled(url)
        host = endpoint.origin.removeprefix("https://")
        if host in self._exact or host.endswith(self._endings):
            return Endpoint(endpoint.url, endpoint.origin, trusted=True)
        if not self.anybody:
            raise UnknownServiceError(f"{host} is not a push service that is known here (YOBIKAKE_WEBPUSH_SERVICES)")
        return endpoint


def formed(url: str) -> Endpoint:
    """An address that some setting could admit, in its one spelling and of nobody's trust. Raises EndpointError."""
    match = _STANDIN.fullmatch(url)
    if match is not None and len(url) <= _LONGEST:
        return Endpoint(url, match["origin"], trusted=False, loopback=True)
    return spelled(url)


def spelled(url: str) -> Endpoint:
    """A public https address in its one spelling, of nobody's trust. Raises EndpointError."""
    if len(url) > _LONGEST:
        raise EndpointError(f"the endpoint is longer than {_LONGEST} characters")
    match = _ENDPOINT.fullmatch(url)
    if match is None:
        raise EndpointError(
            "the endpoint must be an https address with a host name, port 443 and a path,"
            " as browsers give it: no user, no other port, no IP address, no trailing dot"
        )
    host = match["host"].lower()
    if len(host) > _LONGEST_NAME or _is_private(host):
        raise EndpointError("the endpoint's host is not a name of the public Internet")
    return Endpoint(f"https://{host}{match['rest']}", f"https://{host}", trusted=False)


def _is_private(host: str) -> bool:
    return any(host == ending or host.endswith(f".{ending}") for ending in _PRIVATE)


def _loopback_origin(address: str) -> str:
    parts = urlsplit(address)
    try:
        loopback = ipaddress.ip_address(parts.hostname or "").is_loopback and parts.port is not None
    except ValueError:
        loopback = False
    if not loopback or parts.scheme != "http" or parts.username or parts.path.strip("/") or parts.query:
        raise ValueError("the stand-in must be a loopback address with its port, such as http://127.0.0.1:8085")
    return address.rstrip("/")
