"""The access token that opens the provider: fetched once for all senders, renewed before it ends or when refused."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from os import PathLike
from typing import Any

import requests
from firebase_admin import credentials
from google.auth import credentials as google_credentials
from google.auth import exceptions
from google.auth.transport import requests as google_requests

from notifications.channels.promise import Fault

# Answers of a token endpoint that will be others in a while; all else needs a person.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_EARLY_RENEWAL_PAUSE_S = 30  # a renewal that fails while the token still holds is not tried at every send


class AccessError(Exception):
    """No access token: `fault` when an operator must act, None when trying again may help."""

    def __init__(self, detail: str, fault: Fault | None) -> None:
        super().__init__(detail)
        self.fault = fault


def read_credentials(given: Mapping[str, Any] | str | PathLike[str]) -> dict[str, Any]:
    """A service account's JSON from a mapping or a file. Raises ValueError naming what is wrong, never its content."""
    if isinstance(given, Mapping):
        return dict(given)
    try:
        with open(given, encoding="utf-8") as file:
            info = json.load(file)
    except OSError as error:
        raise ValueError(f"the credentials file {given} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"the credentials file {given} is not JSON") from None
    if not isinstance(info, dict):
        raise ValueError(f"the credentials file {given} is not a service account")
    return info


class Access:
    """One service account's access token. Safe to use from many threads."""

    def __init__(self, info: Mapping[str, Any], *, loopback: bool, timeout_s: float, ca_file: str | None) -> None:
        """Raises ValueError when the service account is malformed. Asks nobody yet."""
        self._credential = credentials.Certificate(dict(info)).get_credential()
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.max_redirects = 0  # an assertion is never carried elsewhere
        self._session.trust_env = not loopback  # a proxy is for Google only
        if ca_file is not None:
            self._session.verify = ca_file
        self._ask = google_requests.Request(self._session)
        self._lock = threading.Lock()
        self._generation = 0
        self._next_early = 0.0

    def bearer(self) -> tuple[str, int]:
        """The token and its generation. Raises AccessError."""
        # Renewed only here and in `renew`, by the plain refresh: the library's `before_request` would also
        # start a background call to Google's IAM host (regional access boundary), which a city never asked for.
        with self._lock:
            state = self._credential.token_state
            if state is google_credentials.TokenState.INVALID:
                self._refresh()
            elif state is google_credentials.TokenState.STALE and time.monotonic() >= self._next_early:
                self._next_early = time.monotonic() + _EARLY_RENEWAL_PAUSE_S
                with contextlib.suppress(AccessError):
                    self._refresh()
            return str(self._credential.token), self._generation

    def renew(self, generation: int) -> tuple[str, int]:
        """A newer token than the refused one of `generation`; one request for all who ask. Raises AccessError."""
        with self._lock:
            if self._generation == generation:
                self._refresh()
            return str(self._credential.token), self._generation

    def close(self) -> None:
        """Lets go of the connection."""
        self._session.close()

    def _refresh(self) -> None:
        try:
            self._credential.refresh(self._request)
        except exceptions.RefreshError as error:
            fault = None if error.retryable else Fault.CREDENTIALS
            raise AccessError(f"the token endpoint refuses: {_reason(error)}", fault) from None
        except (exceptions.GoogleAuthError, requests.RequestException) as error:
            raise AccessError(f"the token endpoint cannot be reached: {type(error).__name__}", None) from None
        self._generation += 1

    def _request(self, **request: Any) -> Any:
        """One try, with our own patience: google-auth would sleep and repeat inside a batch's lease."""
        try:
            answer = self._ask(timeout=self._timeout_s, **request)
        except requests.TooManyRedirects:
            raise exceptions.TransportError("redirected") from None  # type: ignore[no-untyped-call]
        if answer.status in _PASSING:
            raise exceptions.TransportError(f"status {answer.status}")  # type: ignore[no-untyped-call]
        return answer


def _reason(error: exceptions.RefreshError) -> str:
    """OAuth's own error code and description; bounded, since it is shown to people."""
    answer = error.args[1] if len(error.args) > 1 else None
    if isinstance(answer, Mapping):
        return f"{answer.get('error')}: {answer.get('error_description')}"[:300]
    return "an answer that is not OAuth's"
