"""One canonical spelling of a content, and its SHA-256: what an approval is bound to."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any


def content_hash(canonical: Mapping[str, Any]) -> str:
    """SHA-256 (64 hex digits) of a content in one canonical spelling.

    JSON with sorted keys and no spaces, UTF-8, text in Unicode NFC (one text typed on two systems is
    one text), moments in UTC. Numbers that are equal are spelt equally (1.0 as 1), so that a value hashes
    the same before and after either store's JSON. Raises TypeError or ValueError for what
    has no such spelling: NaN, sets, bytes, naive times, keys that are not text or fall together.
    """
    plain = json.dumps(
        _canonical(canonical), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(plain.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return unicodedata.normalize("NFC", value)
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} has no canonical spelling")
            return int(value) if value.is_integer() else value
        case dt.datetime():
            if value.tzinfo is None:
                raise ValueError(f"a time without a zone has no canonical spelling: {value!r}")
            return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
        case dt.date():
            return value.isoformat()
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise TypeError("keys must be text")
            plain = {unicodedata.normalize("NFC", key): _canonical(item) for key, item in value.items()}
            if len(plain) != len(value):
                raise ValueError("two keys are the same text")
            return plain
        case list() | tuple():
            return [_canonical(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical spelling")
