"""A browser's subscription: where its pushes go and the keys that only it can read them with."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channels.webpush.endpoint import Endpoint, EndpointError, Services, UnknownServiceError, formed

POINT = 65  # bytes of an uncompressed point on P-256
SECRET = 16  # bytes of the authentication secret (RFC 8291 3.2)


class SubscriptionError(ValueError):
    """A subscription that cannot be used: `place` names the member, the text the reason. Never holds a value.

    `unknown_service`: it is a good one, of a push service that the settings do not admit.
    """

    def __init__(self, place: str, reason: str, *, unknown_service: bool = False) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
        self.unknown_service = unknown_service


@dataclass(frozen=True, slots=True)
class Subscription:
    """A checked subscription."""

    endpoint: Endpoint
    p256dh: bytes
    auth: bytes

    @property
    def token(self) -> str:
        """The subscription in its one spelling: compact JSON, which a device keeps as its token."""
        keys = {"p256dh": to_base64url(self.p256dh), "auth": to_base64url(self.auth)}
        return json.dumps({"endpoint": self.endpoint.url, "keys": keys}, separators=(",", ":"))


def read(given: object, services: Services | None = None) -> Subscription:
    """A subscription as `PushSubscription.toJSON()` gives it, or that JSON as text. Raises SubscriptionError.

    `services`: those that pushes may be sent to; None checks the form alone. Of expirationTime and whatever else a
    browser may add nothing is kept: a push service says by itself when a subscription is over.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise SubscriptionError("subscription", "is not JSON") from None
    if not isinstance(given, Mapping):
        raise SubscriptionError("subscription", "must be the object that PushSubscription.toJSON() gives")
    endpoint, keys = given.get("endpoint"), given.get("keys")
    if not isinstance(endpoint, str):
        raise SubscriptionError("endpoint", "must be a text")
    if not isinstance(keys, Mapping):
        raise SubscriptionError("keys", "must be an object with p256dh and auth")
    p256dh, auth = _bytes(keys, "p256dh", POINT), _bytes(keys, "auth", SECRET)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except ValueError:
        raise SubscriptionError("keys.p256dh", "is not a point on the curve P-256") from None
    try:
        checked = formed(endpoint) if services is None else services.check(endpoint)
    except EndpointError as error:
        unknown = isinstance(error, UnknownServiceError)
        raise SubscriptionError("endpoint", str(error), unknown_service=unknown) from None
    return Subscription(checked, p256dh, auth)


def to_base64url(raw: bytes) -> str:
    """Without padding, as browsers write it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Strictly: no other alphabet, padding or none. Raises ValueError."""
    bare = text.rstrip("=")
    try:
        raw = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64url") from None
    if to_base64url(raw) != bare:  # loose bits at the end: one value must have one spelling
        raise ValueError("is not base64url")
    return raw


def _bytes(keys: Mapping[object, object], name: str, length: int) -> bytes:
    text = keys.get(name)
    if not isinstance(text, str):
        raise SubscriptionError(f"keys.{name}", "must be a text")
    try:
        raw = from_base64url(text)
    except ValueError as error:
        raise SubscriptionError(f"keys.{name}", str(error)) from None
    if len(raw) != length:
        raise SubscriptionError(f"keys.{name}", f"must be {length} bytes, not {len(raw)}")
    return raw
