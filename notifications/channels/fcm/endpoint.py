"""Where sends may go: Google, or a stand-in on this machine named outright; never one's key to the other."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from notifications.channels.standin.account import EMAIL_DOMAIN

GOOGLE = "https://fcm.googleapis.com"
_GOOGLE_TOKEN_HOSTS = frozenset({"oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com"})
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,127}")


class EndpointError(ValueError):
    """The endpoint, the credentials and the project do not belong together; nothing has been sent."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked target."""

    origin: str  # scheme, host, port: no path
    project_id: str
    loopback: bool

    @property
    def send_url(self) -> str:
        """Where messages are posted."""
        return f"{self.origin}/v1/projects/{self.project_id}/messages:send"


def check_endpoint(endpoint: str | None, info: Mapping[str, Any], project_id: str | None) -> Endpoint:
    """Google for None. Raises EndpointError for anything but Google with Google's key or loopback with the stand-in's.

    A real key must never reach a stand-in, and a forgotten stand-in setting must never look like a working sender:
    so both sides of the pair are checked, before anything is opened.
    """
    project = project_id or str(info.get("project_id") or "")
    if not _PROJECT.fullmatch(project):
        raise EndpointError(f"the project id {project!r} is empty or malformed")
    token_uri = urlsplit(str(info.get("token_uri") or ""))
    of_standin = str(info.get("client_email") or "").endswith(f"@{EMAIL_DOMAIN}")
    if endpoint is None or endpoint.rstrip("/") == GOOGLE:
        if of_standin:
            raise EndpointError("these credentials are the stand-in's: they are refused for Google; set the endpoint")
        if token_uri.scheme != "https" or token_uri.hostname not in _GOOGLE_TOKEN_HOSTS:
            raise EndpointError(f"token_uri {token_uri.geturl()!r} of the credentials is not Google's")
        return Endpoint(GOOGLE, project, loopback=False)
    target = urlsplit(endpoint)
    _check_loopback(endpoint, target)
    if not of_standin:
        raise EndpointError("these credentials are not the stand-in's: a real key is never sent to a stand-in")
    if _origin(token_uri) != _origin(target):
        raise EndpointError(
            f"token_uri of the credentials is at {_origin(token_uri)}, the endpoint at {_origin(target)}: "
            "both must be the same stand-in (it writes its key anew at each start)"
        )
    return Endpoint(_origin(target), project, loopback=True)


def _check_loopback(endpoint: str, target: SplitResult) -> None:
    if target.scheme not in ("http", "https") or target.username or target.query or target.path.strip("/"):
        raise EndpointError(f"the endpoint {endpoint!r} must be scheme, host and port only")
    host = target.hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False  # a name, even localhost, may lead anywhere
    if not loopback:
        raise EndpointError(
            f"the endpoint {endpoint!r} is neither Google nor a loopback address such as http://127.0.0.1:8085"
        )


def _origin(address: SplitResult) -> str:
    try:
        port = address.port or {"http": 80, "https": 443}.get(address.scheme)
    except ValueError:
        raise EndpointError(f"the port of {address.geturl()!r} is not a number") from None
    host = address.hostname or ""
    return f"{address.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
