"""The second factor: six digits of an authenticator app (RFC 6238), each good once."""

from __future__ import annotations

import datetime as dt
import hmac
import re
import unicodedata

import pyotp

STEP_S = 30
DRIFT_STEPS = 1  # a phone's clock may be half a minute off


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 asks for."""
    return pyotp.random_base32(32)


def address(secret: str, login: str, issuer: str) -> str:
    """The `otpauth:` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def step_of(secret: str, code: str, now: dt.datetime, after: int) -> int | None:
    """The time step of a code, later than `after` (the last one used); None for a wrong or old code."""
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    if not (len(typed) == 6 and typed.isascii() and typed.isdecimal()):
        return None
    present = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        right = hmac.compare_digest(totp.at(step * STEP_S), typed)
        if right and step > after:
            found = step
    return found


def digits(secret: str, now: dt.datetime) -> tuple[str, int]:
    """The six digits of a moment and the seconds for which they stay, as an app shows them. Raises ValueError."""
    plain = "".join(secret.split()).upper()
    if not re.fullmatch(r"[A-Z2-7]{16,}", plain):
        raise ValueError("this is no key of an authenticator app: 16 or more letters A-Z and digits 2-7")
    return pyotp.TOTP(plain).at(now), STEP_S - int(now.timestamp()) % STEP_S
