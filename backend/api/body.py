"""Reads a request's JSON strictly: what cannot be read is refused with the place and the reason."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow
import orjson
from webargs.core import missing
from webargs.flaskparser import FlaskParser, is_json_request

from backend.errors import Problem, of_status

DEEPEST = 32  # levels of arrays and objects; a GeoJSON feature collection needs eight


class Parser(FlaskParser):
    """webargs' parser with our own reading of JSON bodies."""

    def load_json(self, req: flask.Request, schema: marshmallow.Schema) -> Any:
        """The parsed body, or `missing` when there is none.

        Raises Problem: 415 for another content type, 400 for what is no JSON (with line and column) or nests too deep.
        """
        data = req.get_data(cache=True)
        if not data:
            return missing
        if not is_json_request(req):
            given = f"not {req.mimetype}" if req.mimetype else "and Content-Type is missing"
            raise of_status(415, f"Send application/json, {given}.")
        return read_json(data)


def read_json(data: bytes) -> Any:
    """Parses strict JSON (UTF-8, no NaN, no trailing commas). Raises Problem 400 naming line and column."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise _too_deep() from None
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(
            400,
            "malformed-json",
            "The body is not JSON",
            f"{error.msg} at {where}",
            line=error.lineno,
            column=error.colno,
        ) from None
    if _depth_over(document, DEEPEST):
        raise _too_deep()
    return document


def _too_deep() -> Problem:
    return Problem(400, "too-deep", "The body is nested too deep", f"At most {DEEPEST} levels are read.")


def _depth_over(document: Any, deepest: int) -> bool:
    level = [document]
    for _ in range(deepest):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
