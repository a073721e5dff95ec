"""Who sends: the city's own key pair, and the signed word to each push service (VAPID, RFC 8292)."""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from notifications.channels.webpush.subscription import to_base64url

LASTS = dt.timedelta(hours=12)  # services refuse more than 24 hours
RENEWED_AFTER = dt.timedelta(hours=6)
_MOST_ORIGINS = 1_000
# Apple refuses names that cannot be reached, such as localhost.
_SUBJECT = re.compile(r"mailto:[^@\s]+@[^@\s]+\.[^@\s.]+|https://[^/\s@]+\.[^/\s@.]+(/\S*)?")


def make_key_file(path: Path) -> str:
    """Writes a new private key, readable by its owner only; returns the public key. Raises FileExistsError.

    Never over an old one: every browser is bound to the key that it subscribed with.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return _public(key)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key of a file. Raises ValueError naming what is wrong, never its content."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the VAPID key {path} cannot be read: {error.strerror}") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise ValueError(f"the VAPID key {path} is not a private key in PEM without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"the VAPID key {path} is not one of the curve P-256: yobikake webpush keys makes one")
    return key


def public_key_of(path: Path) -> str:
    """The applicationServerKey that browsers subscribe with. Raises ValueError."""
    return _public(read_key(path))


def check_subject(subject: str) -> str:
    """Whom a push service writes to when something goes wrong. Raises ValueError."""
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("must be mailto: with a real address, or an https address")
    return subject


class Vapid:
    """Signs once for each origin and keeps the word for half its time. Safe to use from many threads."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: str,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Raises ValueError for a subject that services refuse."""
        self.public_key = _public(key)
        self._key, self._subject, self._clock = key, check_subject(subject), clock
        self._lock = threading.Lock()
        self._words: OrderedDict[str, tuple[dt.datetime, str]] = OrderedDict()

    def authorization(self, origin: str) -> str:
        """The value of the Authorization header for a push service; the same object until it is renewed."""
        now = self._clock()
        with self._lock:
            word = self._words.get(origin)
            if word is None or not dt.timedelta(0) <= now - word[0] < RENEWED_AFTER:
                claims = {"aud": origin, "exp": int((now + LASTS).timestamp()), "sub": self._subject}
                token = jwt.encode(claims, self._key, algorithm="ES256")
                word = self._words[origin] = (now, f"vapid t={token}, k={self.public_key}")
                if len(self._words) > _MOST_ORIGINS:
                    self._words.popitem(last=False)
            return word[1]

    def renew(self, origin: str) -> None:
        """Forgets the word for an origin that refused it."""
        with self._lock:
            self._words.pop(origin, None)


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    return to_base64url(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
