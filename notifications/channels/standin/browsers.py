"""Pretend browsers: subscriptions that anybody here may ask for, and the push service that serves them (RFC 8030)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.channels.standin.faults import Fault, FaultName
from notifications.channels.standin.refusal import Refusal

NAME = re.compile(r"[A-Za-z0-9_:=*~-]{1,100}")
LARGEST = 4_096
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256's points
_VAPID = re.compile(r"vapid\s+t=([\w.-]+)\s*,\s*k=([\w-]+=*)", re.IGNORECASE)
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_URGENCIES = ("very-low", "low", "normal", "high")
_LONGEST_S = 24 * 3_600 + 60
_ANY_KEY = "any"


@dataclass(frozen=True, slots=True)
class Browser:
    """One pretend browser. Its keys follow from its name, so that nothing need be kept."""

    name: str
    key: ec.EllipticCurvePrivateKey
    auth: bytes

    @property
    def point(self) -> bytes:
        """Its public key."""
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Browsers:
    """Every browser that ever subscribed here."""

    def __init__(self, secret: bytes, origin: str) -> None:
        """`secret`: what all keys follow from. `origin`: where clients reach this service."""
        self._secret, self._origin = secret, origin

    def subscribe(self, name: str, application_server_key: str | None) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` would give. Bound to a sender's key when one is named. Raises ValueError."""
        if not NAME.fullmatch(name):
            raise ValueError(f"name must match {NAME.pattern}")
        bound = _ANY_KEY if application_server_key is None else _mark(_point(application_server_key))
        browser = self._browser(name)
        return {
            "endpoint": f"{self._origin}/push/{name}.{bound}.{self._seal(name, bound)}",
            "expirationTime": None,
            "keys": {"p256dh": _text(browser.point), "auth": _text(browser.auth)},
        }

    def take(self, path: str, given: Mapping[str, str], body: bytes, now: dt.datetime) -> tuple[str, dict[str, Any]]:
        """A push for the browser of an endpoint: its name and the message as it reads it. Raises Refused."""
        name, bound = self._known(path)
        self._check_sender(name, given.get("authorization", ""), bound, now)
        headers = _headers(name, given)
        if len(body) > LARGEST:
            raise Refused(name, Refusal(413, "PAYLOAD_TOO_LARGE", f"{len(body)} of {LARGEST} bytes"))
        try:
            payload = orjson.loads(decrypt(self._browser(name), body))
            notification = dict(payload["notification"])
            data = notification.pop("data")
        except (ValueError, KeyError, TypeError) as error:
            # A real service cannot see this: it would say 201, and the browser would drop the push in silence.
            raise Refused(name, Refusal(400, "UNREADABLE", f"The browser cannot read it: {error}")) from None
        return name, {
            "platform": "webpush",
            "data": data,
            "webpush": {"headers": headers, "notification": notification},
        }

    def _known(self, path: str) -> tuple[str, str]:
        name, bound, seal = [*path.rsplit(".", 2), "", ""][:3]
        if not hmac.compare_digest(seal.encode(), self._seal(name, bound).encode()):
            raise Refused(None, Refusal(404, "NOT_FOUND", "There is no such subscription."))
        return name, bound

    def _check_sender(self, name: str, authorization: str, bound: str, now: dt.datetime) -> None:
        match = _VAPID.fullmatch(authorization)
        try:
            if match is None:
                raise ValueError("the header must be: vapid t=…, k=…")
            point = _point(match[2])
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            options: Any = {"require": ["aud", "exp", "sub"], "verify_exp": False}
            claims = jwt.decode(match[1], public, algorithms=["ES256"], audience=self._origin, options=options)
            left = float(claims["exp"]) - now.timestamp()
            if not 0 < left <= _LONGEST_S:
                raise ValueError("exp must lie within the next 24 hours")
            if not str(claims["sub"]).startswith(("mailto:", "https:")):
                raise ValueError("sub must be mailto: or https:")
        except (ValueError, jwt.InvalidTokenError) as error:
            raise Refused(name, Refusal(403, "FORBIDDEN", f"invalid JWT provided: {error}")) from None
        if bound not in (_ANY_KEY, _mark(point)):
            text = "the VAPID credentials do not correspond to the credentials used to create the subscription"
            raise Refused(name, Refusal(403, "OTHER_KEY", text))

    def _browser(self, name: str) -> Browser:
        grown = hmac.digest(self._secret, b"browser:" + name.encode(), "sha512")
        key = ec.derive_private_key(int.from_bytes(grown[:48], "big") % (_ORDER - 1) + 1, ec.SECP256R1())
        return Browser(name, key, grown[48:])

    def _seal(self, name: str, bound: str) -> str:
        return _text(hmac.digest(self._secret, f"endpoint:{name}.{bound}".encode(), "sha256")[:12])


class Refused(Exception):
    """The push is not taken; `name` is the browser's, where there is one."""

    def __init__(self, name: str | None, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.name = name
        self.refusal = refusal


def decrypt(browser: Browser, body: bytes) -> bytes:
    """Reads a push as the browser does (RFC 8291, RFC 8188 with one record). Raises ValueError."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20] if len(body) > 20 else 0
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    if length != 65 or not 17 <= len(sealed) <= size:
        raise ValueError("not one record of aes128gcm with a key of 65 bytes")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    shared = browser.key.exchange(ec.ECDH(), theirs)
    mixed = _hkdf(browser.auth, b"WebPush: info\0" + browser.point + sender, 32, shared)
    key = _hkdf(salt, b"Content-Encoding: aes128gcm\0", 16, mixed)
    nonce = _hkdf(salt, b"Content-Encoding: nonce\0", 12, mixed)
    try:
        plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
    except InvalidTag:
        raise ValueError("it was encrypted for somebody else, or altered") from None
    if not plain.endswith(b"\x02"):
        raise ValueError("the last record has no end")
    return plain[:-1]


def refusal_of(fault: Fault) -> Refusal | None:
    """The answer that a fault means at a push service; None for those of time and connection."""
    made = _REFUSALS.get(fault.name)
    if made is None:
        return None
    status, code, words = made
    return Refusal(status, code, words, retry_after=fault.retry_after)


_REFUSALS: Mapping[FaultName, tuple[int, str, str]] = {
    FaultName.UNREGISTERED: (410, "GONE", "The subscription is over."),
    FaultName.INVALID_ARGUMENT: (400, "BAD_REQUEST", "The endpoint is malformed."),
    FaultName.INVALID_PAYLOAD: (413, "PAYLOAD_TOO_LARGE", "Refused on demand."),
    FaultName.SENDER_ID_MISMATCH: (403, "OTHER_KEY", "The VAPID public key mismatch: not the subscription's."),
    FaultName.QUOTA_EXCEEDED: (429, "TOO_MANY_REQUESTS", "Too many messages."),
    FaultName.PROJECT_QUOTA_EXCEEDED: (429, "TOO_MANY_REQUESTS", "Too many messages."),
    FaultName.UNAVAILABLE: (503, "UNAVAILABLE", "The service is currently unavailable."),
    FaultName.INTERNAL: (500, "INTERNAL", "Internal error."),
    FaultName.THIRD_PARTY_AUTH_ERROR: (401, "UNAUTHORIZED", "invalid JWT provided"),
    FaultName.UNAUTHENTICATED: (401, "UNAUTHORIZED", "invalid JWT provided"),
    FaultName.PERMISSION_DENIED: (403, "FORBIDDEN", "invalid JWT provided"),
}


def _headers(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """TTL, Urgency, Topic and the coding, checked."""
    found = {spelled: given[spelled.lower()] for spelled in ("TTL", "Urgency", "Topic") if spelled.lower() in given}
    wrong = None
    if not found.get("TTL", "").isdigit():
        wrong = "TTL must be given in seconds"
    elif found.get("Urgency", "normal") not in _URGENCIES:
        wrong = f"Urgency must be one of {', '.join(_URGENCIES)}"
    elif "Topic" in found and not _TOPIC.fullmatch(found["Topic"]):
        wrong = "Topic must be 1 to 32 characters of base64url"
    elif given.get("content-encoding") != "aes128gcm":
        wrong = "Content-Encoding must be aes128gcm"
    if wrong is not None:
        raise Refused(name, Refusal(400, "BAD_REQUEST", wrong))
    return found


def _hkdf(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _point(text: str) -> bytes:
    try:
        point = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("the key is not base64url") from None
    if len(point) != 65:
        raise ValueError("the key is not an uncompressed point of P-256")
    return point


def _mark(point: bytes) -> str:
    return _text(hashlib.sha256(point).digest()[:9])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
