"""The stand-in's own service account: a key made at the first start, and the check of what it signs."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

FILE_NAME = "standin-service-account.json"
PROJECT = "yobikake-standin"
# .invalid can never be a real domain (RFC 2606): nobody takes this key for a real one, nor the other way round.
EMAIL_DOMAIN = "yobikake-standin.invalid"
EMAIL = f"sender@{EMAIL_DOMAIN}"
# google-auth writes Google's own audience into every assertion, whatever the token endpoint.
_GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
_LEEWAY_S = 60
_LONGEST_S = 3_660


class AssertionRefusedError(ValueError):
    """The signed assertion is not one that this stand-in's own key made for this token endpoint."""


class Account:
    """The one account that the stand-in knows."""

    def __init__(self, path: Path, token_uri: str) -> None:
        """Reads the key from `path`, or makes one; a running sender goes on after a restart of the stand-in."""
        self.token_uri = token_uri
        self.path = path
        info = _read(path)
        if info is None:
            info = _new(token_uri)
        pem = info["private_key"].encode()
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{path}: private_key is not an RSA key; delete the file and a new one is made")
        self._public = key.public_key()
        self.secret = hashlib.sha256(pem).digest()  # what else must stay the same over restarts follows from it
        if info.get("token_uri") != token_uri or not path.exists():
            info["token_uri"] = token_uri
            _write(path, info)

    def check(self, assertion: str) -> None:
        """Raises AssertionRefusedError unless the assertion is ours: signature, issuer, audience, expiry."""
        try:
            claims = jwt.decode(
                assertion,
                self._public,
                algorithms=["RS256"],
                audience=[self.token_uri, _GOOGLE_AUDIENCE],
                issuer=EMAIL,
                leeway=_LEEWAY_S,
                options={"require": ["iss", "aud", "exp", "iat"]},
            )
        except jwt.InvalidTokenError as error:
            raise AssertionRefusedError(
                f"This is Yobikake's stand-in, not Google: it takes only the key in {FILE_NAME} ({error}). "
                "Never give it a real service account."
            ) from None
        if claims["exp"] - claims["iat"] > _LONGEST_S:
            raise AssertionRefusedError("The assertion is valid for more than an hour.")


def _read(path: Path) -> dict[str, str] | None:
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, UnicodeDecodeError):
        raise ValueError(f"{path} is not JSON; delete it and a new one is made") from None
    if not isinstance(info, dict) or info.get("client_email") != EMAIL or "private_key" not in info:
        raise ValueError(f"{path} is not a key of the stand-in; it is left alone, choose another state folder")
    return info


def _new(token_uri: str) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": EMAIL,
        "client_id": "1",
        "token_uri": token_uri,
    }


def _write(path: Path, info: dict[str, str]) -> None:
    """Written whole or not at all, and readable by its owner only from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(info, file, indent=2)
    part.replace(path)
