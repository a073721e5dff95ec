"""Public identifiers: 22 URL-safe characters, random or derived, fit for APNs collapse ids and Web Push topics."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]


def new_identifier(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """128 random bits as 22 characters (RFC 4648 §5, no padding)."""
    return _text(random_bytes(16))


def derived_identifier(*parts: str) -> str:
    """The same 22 characters for the same parts, always: the first 128 bits of their SHA-256."""
    return _text(hashlib.sha256("\x1f".join(parts).encode()).digest()[:16])


def digest(secret: str) -> bytes:
    """What is stored of a secret or looked up of a token: its SHA-256 (32 bytes).

    Secrets here are 256 random bits, so a slow hash would only slow a million phones down.
    """
    return hashlib.sha256(secret.encode()).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
