"""The slow sender: the Firebase library's own `send_each`, for machines without an HTTP/2-capable libcurl."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence

import firebase_admin
import requests
from firebase_admin import messaging
from google.auth import credentials as google_credentials
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from notifications.channels.blocking import BlockingLine
from notifications.channels.fcm.access import Access, AccessError
from notifications.channels.fcm.answer import ACCEPTED, classify, without
from notifications.channels.fcm.endpoint import GOOGLE, Endpoint
from notifications.channels.fcm.rebuilt import rebuild
from notifications.channels.fcm.stops import Stops
from notifications.channels.promise import Outcome, Result

_AT_ONCE = 100  # send_each starts a thread a message
_numbers = itertools.count(1)


class _Held(google_credentials.Credentials):
    """Our shared access token in the shape that the library asks for.

    A plain credentials class: that of service accounts would start a background call to Google's IAM host.
    """

    def __init__(self, access: Access) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._access = access
        self._generation = 0

    @property
    def expired(self) -> bool:
        """Renewal is decided by Access, not here."""
        return False

    def load(self) -> None:
        """Takes the token now in force. Raises AccessError."""
        self.token, self._generation = self._access.bearer()

    def refresh(self, request: object) -> None:
        """Called in each message's thread after a 401; renewed once for all that were loaded together.

        Never raises, since an exception in one thread would cost the outcomes of all: the next 401 tells the story.
        """
        with contextlib.suppress(AccessError):
            self.token, _ = self._access.renew(self._generation)


class LibrarySender:
    """Hands bodies to tokens through the unmodified library."""

    name = "library"

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
        self._held = _Held(access)
        self._clock = clock
        self._app = firebase_admin.initialize_app(
            self._held,
            {"projectId": endpoint.project_id, "httpTimeout": timeout_s},
            name=f"yobikake-{next(_numbers)}",
        )
        try:
            _settle(self._app, endpoint, connections, ca_file)
        except Exception:
            firebase_admin.delete_app(self._app)
            raise

    def send(self, bodies: Sequence[bytes], tokens: Sequence[str], *, dry_run: bool) -> list[Result]:
        """One result a token, in order; `bodies` one a token."""
        results: list[Result | None] = [None] * len(tokens)
        made = {id(body): rebuild(body) for body in {id(body): body for body in bodies}.values()}
        stops = Stops()
        for start in range(0, len(tokens), _AT_ONCE):
            now: list[int] = []
            for index in range(start, min(start + _AT_ONCE, len(tokens))):
                if not tokens[index]:
                    results[index] = Result(Outcome.INVALID, detail="an empty token")
                else:
                    results[index] = stops.result(bodies[index])
                if results[index] is None:
                    now.append(index)
            for index, result in self._send_some(now, bodies, tokens, made, dry_run):
                results[index] = result
                stops.note(bodies[index], result)
        return [result if result is not None else Result(Outcome.RETRY, detail="not sent") for result in results]

    def line(self) -> BlockingLine:
        """The library answers only whole calls."""
        return BlockingLine(lambda bodies, tokens: self.send(bodies, tokens, dry_run=False), _AT_ONCE)

    def close(self) -> None:
        """Ends the library's app."""
        firebase_admin.delete_app(self._app)

    def _send_some(
        self,
        indexes: Sequence[int],
        bodies: Sequence[bytes],
        tokens: Sequence[str],
        made: Mapping[int, messaging.Message],
        dry_run: bool,
    ) -> list[tuple[int, Result]]:
        if not indexes:
            return []
        messages = []
        for index in indexes:
            message = copy.copy(made[id(bodies[index])])
            message.token = tokens[index]
            messages.append(message)
        try:
            self._held.load()
        except AccessError as error:
            return [(index, Result(Outcome.RETRY, fault=error.fault, detail=str(error))) for index in indexes]
        answers = messaging.send_each(messages, dry_run=dry_run, app=self._app).responses
        pairs = zip(indexes, answers, strict=True)
        return [(index, self._result(answer, tokens[index])) for index, answer in pairs]

    def _result(self, answer: messaging.SendResponse, token: str) -> Result:
        if answer.success:
            return ACCEPTED
        error = answer.exception
        if error is None:
            return Result(Outcome.UNKNOWN, detail="200 without a message name")
        response = getattr(error, "http_response", None)
        if response is not None:
            wait = response.headers.get("Retry-After")
            return classify(response.status_code, response.content, wait, token=token, now=self._clock())
        cause = getattr(error, "cause", None)
        outcome = Outcome.RETRY if _never_sent(cause) else Outcome.UNKNOWN
        return Result(outcome, detail=without(token, f"{type(cause or error).__name__}: {cause or error}"))


def _settle(app: firebase_admin.App, endpoint: Endpoint, connections: int, ca_file: str | None) -> None:
    """Gives the app's own session our manners: no hidden repetition, no redirects, the checked address.

    The library repeats up to five times and sleeps on Retry-After inside the call, and it has no setting for either
    or for the address; so the adapter is mounted on its session, the least that can be touched. Should a later
    version move these, the error comes here, before anything is sent.
    """
    service = messaging._get_messaging_service(app)
    session = service._client.session
    adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=_AT_ONCE, max_retries=0)
    for prefix in (GOOGLE, "https://", "http://"):
        session.mount(prefix, adapter)
    session.max_redirects = 0
    session.trust_env = not endpoint.loopback
    if ca_file is not None:
        session.verify = ca_file
    if service._fcm_url != f"{GOOGLE}/v1/projects/{endpoint.project_id}/messages:send":
        raise RuntimeError("this version of firebase-admin sends elsewhere than expected: use the curl sender")
    service._fcm_url = endpoint.send_url


def _never_sent(cause: object) -> bool:
    """The connection was not there, so nothing of the request has left."""
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    reason = cause.args[0] if isinstance(cause, requests.ConnectionError) and cause.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
