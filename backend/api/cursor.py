"""Cursors of long lists: opaque to the caller, checked when they come back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import marshmallow as ma
import orjson

from backend.errors import Problem

LONGEST = 400  # characters


def encode(*after: str | int) -> str:
    """The cursor of the page that begins after this key (one value, or several of a compound order)."""
    return base64.urlsafe_b64encode(orjson.dumps(after)).rstrip(b"=").decode()


def decode(cursor: str | None, *kinds: type[str] | type[int]) -> tuple[Any, ...] | None:
    """The key that `encode` was given, its values being of these kinds; None stays None (the first page).

    Raises Problem 400 for a cursor that is not one of ours or belongs to another list.
    """
    if cursor is None:
        return None
    try:
        if len(cursor) > LONGEST:
            raise ValueError
        after = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise _refused() from None
    if not isinstance(after, list) or len(after) != len(kinds):
        raise _refused()
    for value, kind in zip(after, kinds, strict=True):
        if type(value) is not kind:  # not isinstance(): true is an int
            raise _refused()
        # What the database could not even be asked: beyond 64 bits, or with a NUL.
        if (isinstance(value, int) and abs(value) >= 2**63) or (isinstance(value, str) and "\0" in value):
            raise _refused()
    return tuple(after)


class PageQuery(ma.Schema):
    """`limit` and `cursor` of a list; subclass it, or use it beside another query schema."""

    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 200))
    cursor = ma.fields.String(load_default=None, metadata={"description": "`next` of the page before; opaque"})


def page(items: Sequence[Any], limit: int, *after: str | int) -> dict[str, Any]:
    """`{"items": …, "next": …}` from `limit + 1` rows: ask for one more than is shown, to know whether more follow.

    `after` is the key of the last shown item; `next` is None on the last page.
    """
    more = len(items) > limit
    return {"items": items[:limit], "next": encode(*after) if more else None}


def _refused() -> Problem:
    return Problem(
        400, "bad-cursor", "This cursor is not one of this list", "Take `next` of the page before.", field="cursor"
    )
