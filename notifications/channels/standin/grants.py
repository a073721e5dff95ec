"""Access tokens of the stand-in: granted for a signed assertion, good for an hour, checked on every send."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping

from notifications.channels.standin.account import Account, AssertionRefusedError
from notifications.channels.standin.refusal import Refusal, unauthenticated

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME_S = 3_600


class GrantRefusedError(ValueError):
    """An OAuth 2 error (RFC 6749 section 5.2): `code` and a description."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


class Grants:
    """The access tokens now in force."""

    def __init__(self, account: Account, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self.granted = 0

    def grant(self, form: Mapping[str, str]) -> dict[str, object]:
        """Answers the token endpoint. Raises GrantRefusedError."""
        if form.get("grant_type") != GRANT_TYPE:
            raise GrantRefusedError("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}.")
        try:
            self._account.check(form.get("assertion", ""))
        except AssertionRefusedError as error:
            raise GrantRefusedError("invalid_grant", str(error)) from None
        token = "standin." + secrets.token_urlsafe(48)
        now = self._monotonic()
        with self._lock:
            self._until = {known: until for known, until in self._until.items() if until > now}
            self._until[token] = now + LIFETIME_S
            self.granted += 1
        return {"access_token": token, "expires_in": LIFETIME_S, "token_type": "Bearer"}

    def check(self, authorization: str) -> Refusal | None:
        """None when the header carries a token in force."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return unauthenticated("The request has no OAuth 2 access token.")
        until = self._until.get(token.strip())
        if until is None:
            return unauthenticated("The access token is not one that this stand-in granted, or it was revoked.")
        if until <= self._monotonic():
            return unauthenticated("The access token has expired.")
        return None

    def revoke_all(self) -> int:
        """Makes every token unknown at once, as after a restart; how many there were."""
        with self._lock:
            count = len(self._until)
            self._until = {}
        return count
